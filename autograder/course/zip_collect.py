"""`nbgrader zip_collect` with this kit's own way of finding hand-ins.

nbgrader's extractor unpacks every archive to the end, and its collector asks for a regular expression and forgets the
folder a file lay in, so that a package arrives flat or not at all. Here the first finds and reads each student's latest
hand-in as `autograder collect` does, and writes what is graded to extracted/<student>/; the second takes it from there.
What nbgrader does around them (the folders, --force, submitted/) stays as it is.
"""

import tempfile
from pathlib import Path

from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from traitlets import Unicode

from autograder.course.course import Course
from autograder.intake.collect import TIMESTAMP_FILE, CollectResult, find_usable_submission
from autograder.intake.downloads import find_submissions
from autograder.intake.lms_names import compile_pattern
from autograder.intake.reading import read_submission
from autograder.runtime.text import make_one_line


class HandInExtractor(ExtractorPlugin):
    """Write each student's files from downloaded/<assignment>/archive to extracted/<student>/, package and all."""

    pattern = Unicode("", help="Regular expression with (?P<student>...), for names of another form.").tag(config=True)

    def extract(self, archive_path, extracted_path):
        manifest, said = Course(self.parent.coursedir.root).manifest, CollectResult()
        with tempfile.TemporaryDirectory(prefix="zip-collect-") as aside:
            pattern = compile_pattern(self.pattern) if self.pattern else None
            found = find_submissions(archive_path, manifest, tempfile.mkdtemp(dir=aside), pattern)
            said.problems += found.problems
            for student, submissions in sorted(found.submissions.items()):
                try:
                    usable = find_usable_submission(submissions, manifest, aside, said)
                    if usable:
                        self._write(Path(extracted_path) / student, usable[1], manifest)
                except OSError as error:
                    said.problems.append((student, f"could not be written to {extracted_path}: {error}"))
        for what, why in said.notes:
            self.log.info("%s: %s", make_one_line(what), make_one_line(why))
        for what, why in said.problems:
            self.log.error("%s was not collected: %s", make_one_line(what), make_one_line(why))

    def _write(self, target, folder, manifest):
        files = read_submission(folder, manifest).files
        if (folder / TIMESTAMP_FILE).is_file():
            files = files | {TIMESTAMP_FILE: (folder / TIMESTAMP_FILE).read_bytes()}
        for path, data in files.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(data)


class HandInCollector(FileNameCollectorPlugin):
    """Take every file in extracted/<student>/ for that student, under its own path."""

    def collect(self, submitted_file):
        top = self.parent._format_collect_path(self.parent.extracted_directory)
        student, *inside = Path(submitted_file).relative_to(top).parts
        return {"student_id": student, "file_id": "/".join(inside)}
