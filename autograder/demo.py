"""The demo: a course of its own with a class of sample submissions, so that nobody's real course is touched."""

import shutil
from pathlib import Path

from autograder.course.course import KIT, Course
from autograder.course.nbgrader_runner import generate_assignment
from autograder.samples import load_samples, write_sample

SAMPLES = KIT / "tests" / "submissions"

_CONFIG = '''"""The demo's course. Its source notebooks and release are those of the repository."""

import sys

sys.path.insert(0, {kit!r})

from autograder.course import configure

configure(get_config(), root={root!r})
'''


def make_course(folder):
    """Make (or make again) the demo course and hand in for its class; return the Course."""
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nbgrader_config.py").write_text(_CONFIG.format(kit=str(KIT), root=str(folder)), encoding="utf-8")
    course = Course(folder)
    shutil.rmtree(folder / "submitted", ignore_errors=True)
    released = course.release / course.manifest.name
    for sample in load_samples(SAMPLES):
        if sample.student:
            write_sample(sample, course.manifest, course.submitted(sample.student), released)
    # nbgrader's gradebook of this course has to know the cells; the release it writes here is thrown away.
    aside = folder / "release-aside"
    generate_assignment(course, course.manifest.name, aside)
    shutil.rmtree(aside)
    return course
