"""A course directory, and the paths of one course.

The folder of this repository is a course. To make another folder a course, give it an nbgrader_config.py of two lines
that calls `configure`; it then uses the source notebooks, the reference and the release of the repository.
"""

import os
import sys
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.assignment.manifest import Manifest, find_assignment, read_manifest
from autograder.errors import KitError
from autograder.runtime.paths import KIT
from autograder.runtime.startup import skip_slow_grammars


def configure(c: Any, root: Path | str, kit: Path | str = KIT, assignment: str | None = None) -> None:
    """Set up nbgrader's configuration `c` for a course; called from nbgrader_config.py.

    - root: the course's folder
    - kit: the folder that holds source_notebooks/, release/ and the assignment's own folder
    - assignment: the name of the assignment's folder in it; needed only if there are several
    """
    root, kit = Path(root).resolve(), Path(kit).resolve()
    skip_slow_grammars()
    manifest = read_manifest(kit / assignment if assignment else find_assignment(kit))
    c.Autograder.assignment = str(manifest.root)
    add_programs_to_path()
    # nbgrader's models cause a warning of newer SQLAlchemy that does not help an instructor.
    warnings.simplefilter("ignore", SAWarning)
    c.CourseDirectory.root = str(root)
    c.CourseDirectory.course_id = manifest.course
    # Relative where possible: nbgrader and formgrader show these paths.
    c.CourseDirectory.source_directory = os.path.relpath(kit / "source_notebooks", root)
    c.CourseDirectory.release_directory = os.path.relpath(kit / "release", root)
    c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "*.npz"]  # models that notebooks save
    c.GenerateAssignment.force = True  # the release is generated, so a stale one can be replaced
    c.GenerateAssignment.preprocessors = [
        "autograder.release.nbgrader_hooks.CheckMarkers",
        "nbgrader.preprocessors.IncludeHeaderFooter",
        "nbgrader.preprocessors.LockCells",
        "nbgrader.preprocessors.ClearSolutions",
        "nbgrader.preprocessors.ClearOutput",
        "nbgrader.preprocessors.CheckCellMetadata",
        "nbgrader.preprocessors.ComputeChecksums",
        "nbgrader.preprocessors.SaveCells",
        "nbgrader.preprocessors.ClearHiddenTests",
        "nbgrader.preprocessors.ClearMarkScheme",
        "nbgrader.preprocessors.ComputeChecksums",
        "nbgrader.preprocessors.CheckCellMetadata",
        "autograder.release.nbgrader_hooks.ReleasePackage",
    ]
    c.Autograde.sanitize_preprocessors = [
        "nbgrader.preprocessors.ClearOutput",
        "autograder.course.preprocessors.harmless.HarmlessCells",
        "autograder.course.preprocessors.restore.RestoreCells",
        "nbgrader.preprocessors.OverwriteKernelspec",
        "nbgrader.preprocessors.OverwriteCells",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    c.Autograde.autograde_preprocessors = [
        "autograder.course.preprocessors.judge.JudgeCells",
        "nbconvert.preprocessors.ClearMetadataPreprocessor",
        "autograder.course.preprocessors.judge.SaveJudgedGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    c.ClearMetadataPreprocessor.preserve_cell_metadata_mask = [("nbgrader",)]
    # nbgrader's own plugins unpack without limits, and lose the folder of a file.
    c.ZipCollectApp.extractor_plugin = "autograder.course.zip_collect.SubmissionExtractor"
    c.ZipCollectApp.collector_plugin = "autograder.course.zip_collect.SubmissionCollector"
    # nbgrader's own export quotes nothing: a comma in a name shifts the columns, and a formula is executed.
    c.ExportApp.plugin_class = "autograder.course.export.GradesExport"


@dataclass(frozen=True)
class Course:
    """One course directory; every path follows from `root` and its nbgrader_config.py."""

    root: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", Path(self.root).resolve())

    @cached_property
    def config(self) -> Config:
        """nbgrader's configuration of this course."""
        path = self.root / "nbgrader_config.py"
        if not path.is_file():
            raise KitError(
                f"{self.root} is not a course directory: it has no nbgrader_config.py. Run the command in the course's "
                "folder, or name that folder with --course."
            )
        try:
            return Config(PyFileConfigLoader(path.name, path=str(self.root)).load_config())
        except Exception as error:  # an instructor's own configuration may raise anything
            raise KitError(f"{path}: {type(error).__name__}: {error}") from None

    @cached_property
    def directory(self) -> CourseDirectory:
        """nbgrader's own object for this course."""
        return CourseDirectory(config=self.config)

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest of the reference solution."""
        known = self.config.get("Autograder", {}).get("assignment")
        sources = (self.root / self.directory.source_directory).resolve()
        return read_manifest(Path(known) if known else find_assignment(sources.parent))

    @property
    def db_url(self) -> str:
        """The address of the gradebook."""
        return self.directory.db_url

    @property
    def release(self) -> Path:
        """The folder of the releases."""
        return (self.root / self.directory.release_directory).resolve()

    @property
    def reports(self) -> Path:
        """The folder of the reports."""
        return self.root / "reports"

    def submitted(self, student: str = "*") -> Path:
        """Return the folder of a student's submission, submitted/<student>/<assignment>."""
        return Path(self.directory.format_path(self.directory.submitted_directory, student, self.manifest.name))

    def autograded(self, student: str) -> Path:
        """Return the folder of nbgrader's graded copy of a submission."""
        return Path(self.directory.format_path(self.directory.autograded_directory, student, self.manifest.name))

    @property
    def secrets(self) -> tuple[Path, ...]:
        """Folders that a student's code must never be able to read."""
        return (self.root,)

    def students(self) -> list[str]:
        """Return the ids of all students with a submission, sorted."""
        top = self.submitted("student").parents[1]
        return sorted(path.parent.name for path in top.glob(f"*/{self.manifest.name}"))


def add_programs_to_path() -> None:
    """Add this interpreter's own programs to PATH: nbgrader starts `alembic` from there for a new gradebook."""
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = programs + os.pathsep + os.environ.get("PATH", "")
