"""Preprocessors of nbgrader's generate_assignment: they check the markers, and add the stubbed package to the release.

A preprocessor that raises stops nbgrader's step and undoes it; an error in one of nbgrader's hooks would be ignored.
"""

from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.assignment.manifest import Manifest
from autograder.assignment.regions import find_regions
from autograder.course import Course
from autograder.course.preprocessors import find_converter
from autograder.errors import ReleaseError
from autograder.release.build import complete_release


class CheckMarkers(NbGraderPreprocessor):
    """Run before ClearSolutions, which would release the solution of a region with a misspelt marker."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Check all markers; return the notebook and the resources unchanged, or raise ReleaseError."""
        notebook = resources["nbgrader"]["notebook"]
        for number, cell in enumerate(nb.cells, 1):
            find_regions(cell.source, f"{notebook}.ipynb, cell {number}", cell.cell_type == "code")
        manifest = Course(find_converter(self).coursedir.root).manifest
        if resources["nbgrader"]["assignment"] == manifest.name:
            _match_manifest(nb, notebook, manifest)
        return nb, resources


def _match_manifest(nb: NotebookNode, notebook: str, manifest: Manifest) -> None:
    """Raise ReleaseError unless the autograded cells are exactly the manifest's questions, worth the same points.

    The cell of a bonus question is worth 0, so that nbgrader's maximum does not include it.
    """
    asked = {question.id: 0 if question.bonus else question.points for question in manifest.find_questions(notebook)}
    graded = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in nb.cells
        if utils.is_grade(cell) and not utils.is_solution(cell)
    }
    for name in sorted(asked.keys() | graded.keys()):
        if asked.get(name) != graded.get(name):
            raise ReleaseError(
                f"{notebook}.ipynb: the test cell {name!r} is worth {graded.get(name, 'nothing, or absent')}, "
                f"by questions.toml it is {asked.get(name, 'nothing, or absent')} (bonus: 0); make the two agree"
            )


class ReleasePackage(NbGraderPreprocessor):
    """Run last in generate_assignment, so that it scans the bytes that nbgrader is about to write."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Complete the release folder; return the notebook and the resources unchanged, or raise ReleaseError."""
        converter = find_converter(self)
        assignment, notebook = (resources["nbgrader"][key] for key in ("assignment", "notebook"))
        manifest = Course(converter.coursedir.root).manifest
        if assignment == manifest.name:
            source = Path(converter.coursedir.format_path(converter.coursedir.source_directory, ".", assignment))
            folder = Path(converter.coursedir.format_path(converter.coursedir.release_directory, ".", assignment))
            # The same bytes as from nbconvert's NotebookExporter.
            text = nbformat.writes(nb, version=nbformat.NO_CONVERT)
            text += "" if text.endswith("\n") else "\n"
            complete_release(manifest, source.resolve(), folder.resolve(), {f"{notebook}.ipynb": text.encode()})
        return nb, resources
