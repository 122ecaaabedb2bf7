"""`nbgrader zip_collect` with this kit's own search for submissions.

nbgrader's extractor unpacks every archive completely, and its collector needs a regular expression and loses the folder
of a file. Here the extractor reads each student's latest submission as `autograder collect` does, and writes the graded
files to extracted/<student>/; the collector takes them from there. The rest of nbgrader's command does not change.
"""

import tempfile
from pathlib import Path
from typing import Any

from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from traitlets import Unicode

from autograder.assignment.manifest import Manifest
from autograder.course.course import Course
from autograder.intake.collect import TIMESTAMP_FILE, CollectResult, find_usable_submission
from autograder.intake.downloads import find_submissions
from autograder.intake.lms_names import compile_pattern
from autograder.intake.reading import read_submission
from autograder.runtime.text import make_one_line


class SubmissionExtractor(ExtractorPlugin):
    """Write each student's files from downloaded/<assignment>/archive to extracted/<student>/, with their folders."""

    pattern = Unicode("", help="Regular expression with (?P<student>...), for names of another form.").tag(config=True)

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Write the files of all students, and log the problems."""
        app: Any = self.parent
        manifest, collected = Course(app.coursedir.root).manifest, CollectResult()
        with tempfile.TemporaryDirectory(prefix="zip-collect-") as temporary:
            pattern = compile_pattern(self.pattern) if self.pattern else None
            found = find_submissions(archive_path, manifest, tempfile.mkdtemp(dir=temporary), pattern)
            collected.problems += found.problems
            for student, submissions in sorted(found.submissions.items()):
                try:
                    usable = find_usable_submission(submissions, manifest, temporary, collected)
                    if usable:
                        self._write(Path(extracted_path) / student, usable[1], manifest)
                except OSError as error:
                    collected.problems.append((student, f"cannot be written to {extracted_path}: {error}"))
        for what, why in collected.notes:
            self.log.info("%s: %s", make_one_line(what), make_one_line(why))
        for what, why in collected.problems:
            self.log.error("%s was not collected: %s", make_one_line(what), make_one_line(why))

    def _write(self, target: Path, folder: Path, manifest: Manifest) -> None:
        files = read_submission(folder, manifest).files
        if (folder / TIMESTAMP_FILE).is_file():
            files = files | {TIMESTAMP_FILE: (folder / TIMESTAMP_FILE).read_bytes()}
        for path, data in files.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(data)


class SubmissionCollector(FileNameCollectorPlugin):
    """Take every file in extracted/<student>/ for that student, under its own path."""

    def collect(self, submitted_file: str) -> dict[str, str]:
        """Return the student's id and the path of the file inside the submission."""
        app: Any = self.parent
        top = app._format_collect_path(app.extracted_directory)
        student, *inside = Path(submitted_file).relative_to(top).parts
        return {"student_id": student, "file_id": "/".join(inside)}
