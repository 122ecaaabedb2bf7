"""A course that is graded in a second: a copy of the sources with one question, and a class of three students."""

import dataclasses
import zipfile

from autograder.release.publish import publish
from autograder.runtime.secret import load_secret
from autograder.samples.load import load_samples
from autograder.samples.sample import write_sample
from tests.courses import make_small_course

NOTEBOOK, QUESTION = "Dropout", "dropout_forward"
CLASS = {"ann": "missing_everything", "ben": "passed_reference", "dan": None}


def make_sources(folder):
    """Make a course directory without a release; return the Course."""
    return make_small_course(folder, NOTEBOOK, (QUESTION,))


def make_class(folder, students=tuple(CLASS)):
    """Make a course directory with a release and the submissions of these students; return the Course."""
    course = make_sources(folder)
    publish(course, course.manifest)
    load_secret(folder)  # every copy of this course asks the same
    samples = load_samples()
    for student in students:
        sample = CLASS[student]
        if sample:  # with questions named, it comes without trained models
            handed_in = dataclasses.replace(samples[sample], questions=(QUESTION,))
            released = course.release / course.manifest.name
            write_sample(handed_in, course.manifest, course.submitted(student), released)
        else:
            course.submitted(student).mkdir(parents=True)
    return course


def change_sources(course):
    """Change the sources of the release: a cell that the gradebook keeps, and a file next to the notebooks."""
    changes = {
        course.manifest.notebooks / f"{NOTEBOOK}.ipynb": ("### Inline question 1", "### Inline question 1, reworded"),
        course.manifest.root / "cs231n" / "layers.py": ("import numpy", "# Reworded.\nimport numpy"),
    }
    for path, (old, new) in changes.items():
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


def write_download(folder, text, students):
    """Write zips of submissions whose layers.py contains `text`; return the folder of the zips."""
    folder.mkdir(parents=True)
    for student in students:
        with zipfile.ZipFile(folder / f"{student}.zip", "w") as archive:
            archive.writestr("cs231n/layers.py", text)
    return folder
