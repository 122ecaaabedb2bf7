"""ReleasePackage: gives every release the stubbed package, the leak scan, the archive and the hashes."""

from pathlib import Path

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.course.course import Course
from autograder.course.preprocessors import converter_of
from autograder.release.build import complete_release


class ReleasePackage(NbGraderPreprocessor):
    """Run last in generate_assignment, so that what it scans is what nbgrader is about to write."""

    def preprocess(self, nb, resources):
        converter = converter_of(self)
        assignment, notebook = (resources["nbgrader"][key] for key in ("assignment", "notebook"))
        manifest = Course(converter.coursedir.root).manifest
        if assignment == manifest.name:
            source = Path(converter.coursedir.format_path(converter.coursedir.source_directory, ".", assignment))
            folder = Path(converter.coursedir.format_path(converter.coursedir.release_directory, ".", assignment))
            text = nbformat.writes(nb, version=4)  # to the byte what nbconvert's NotebookExporter writes
            text += "" if text.endswith("\n") else "\n"
            complete_release(manifest, source.resolve(), folder.resolve(), {f"{notebook}.ipynb": text.encode()})
        return nb, resources
