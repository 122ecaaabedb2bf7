"""The demo course: its own folder and a class of sample submissions, so that no real course is touched."""

import shutil
from pathlib import Path

from autograder.course.course import Course
from autograder.course.nbgrader_runner import record_cells
from autograder.runtime.paths import KIT
from autograder.samples.load import load_samples
from autograder.samples.sample import write_sample

_CONFIG = '''"""The demo course. Its source notebooks and release are those of the repository."""

import sys

sys.path.insert(0, {kit!r})

from autograder.course import configure

configure(get_config(), root={root!r})
'''


def make_course(folder: Path) -> Course:
    """Make the demo course in a folder, or make it again, with the submissions of its class; return the Course."""
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(_CONFIG.format(kit=str(KIT), root=str(folder)), encoding="utf-8")
    course = Course(folder)
    shutil.rmtree(folder / "submitted", ignore_errors=True)
    released = course.release / course.manifest.name
    for sample in load_samples().values():
        if sample.student:
            write_sample(sample, course.manifest, course.submitted(sample.student), released)
    unused = folder / "release-unused"
    record_cells(course, course.manifest.name, unused)
    shutil.rmtree(unused)
    return course
