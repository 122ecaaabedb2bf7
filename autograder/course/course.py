"""A course directory: where everything of one course lies, and nbgrader run in it.

The folder of this repository is a course as it stands. Another folder becomes one with a nbgrader_config.py of
two lines that calls `configure`; source notebooks, reference and release then still come from the repository.
"""

import contextlib
import copy
import logging
import os
import sys
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.assignment.manifest import read_manifest
from autograder.errors import KitError, ReleaseError
from autograder.runtime.os_errors import as_storage_error

KIT = Path(__file__).resolve().parents[2]
ASSIGNMENT = "assignment2"


def configure(c, root, kit=KIT):
    """Set up nbgrader's configuration `c` for a course in the folder `root`; called from nbgrader_config.py."""
    root, kit = Path(root).resolve(), Path(kit).resolve()
    _find_programs()
    # nbgrader's models trip a warning of newer SQLAlchemy that says nothing to an instructor.
    warnings.simplefilter("ignore", SAWarning)
    c.CourseDirectory.root = str(root)
    c.CourseDirectory.course_id = "cs231n"
    # Relative where it can be: nbgrader and formgrader show these paths.
    c.CourseDirectory.source_directory = os.path.relpath(kit / "source_notebooks", root)
    c.CourseDirectory.release_directory = os.path.relpath(kit / "release", root)
    c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "*.npz"]  # models that running one leaves
    c.GenerateAssignment.force = True  # the release is generated: a stale one is never worth keeping
    c.GenerateAssignment.preprocessors = [
        "autograder.course.preprocessors.markers.CheckMarkers",
        *(
            f"nbgrader.preprocessors.{name}"
            for name in "IncludeHeaderFooter LockCells ClearSolutions ClearOutput CheckCellMetadata ComputeChecksums "
            "SaveCells ClearHiddenTests ClearMarkScheme ComputeChecksums CheckCellMetadata".split()
        ),
        "autograder.course.preprocessors.release.ReleasePackage",
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
    # nbgrader's own unpack without bounds and forget the folder that a file lay in.
    c.ZipCollectApp.extractor_plugin = "autograder.course.zip_collect.HandInExtractor"
    c.ZipCollectApp.collector_plugin = "autograder.course.zip_collect.HandInCollector"
    # nbgrader's own quotes nothing: a comma in a name shifts the columns, and a formula is one.
    c.ExportApp.plugin_class = "autograder.course.export.GradesExport"


@dataclass(frozen=True)
class Course:
    """One course directory; every path follows from `root` and its nbgrader_config.py."""

    root: Path

    def __post_init__(self):
        object.__setattr__(self, "root", Path(self.root).resolve())

    @cached_property
    def config(self):
        """nbgrader's configuration of this course."""
        path = self.root / "nbgrader_config.py"
        if not path.is_file():
            raise KitError(
                f"{self.root} is no course directory: it has no nbgrader_config.py. Run the command from the course's "
                "top folder, or name it with --course."
            )
        try:
            return Config(PyFileConfigLoader(path.name, path=str(self.root)).load_config())
        except Exception as error:  # whatever an instructor's own configuration raises
            raise KitError(f"{path}: {type(error).__name__}: {error}") from None

    @cached_property
    def directory(self):
        """nbgrader's own idea of this course."""
        return CourseDirectory(config=self.config)

    @cached_property
    def manifest(self):
        """The manifest of the reference solution, which lies beside the source notebooks."""
        sources = self.root / self.directory.source_directory
        return read_manifest(sources.resolve().parent / ASSIGNMENT)

    @property
    def db_url(self):
        return self.directory.db_url

    @property
    def release(self):
        return (self.root / self.directory.release_directory).resolve()

    @property
    def reports(self):
        return self.root / "reports"

    def submitted(self, student="*"):
        """submitted/<student>/<assignment>, as nbgrader lays it out."""
        return Path(self.directory.format_path(self.directory.submitted_directory, student, self.manifest.name))

    def autograded(self, student):
        return Path(self.directory.format_path(self.directory.autograded_directory, student, self.manifest.name))

    @property
    def secrets(self):
        """Folders that a student's code must never be able to read."""
        return (self.root,)

    def students(self):
        """Return the ids of all students with a submission, sorted."""
        top = self.submitted("student").parents[1]
        return sorted(path.parent.name for path in top.glob(f"*/{self.manifest.name}"))


def generate_assignment(course, assignment, release_directory, record=True):
    """Run nbgrader's generate_assignment; ReleaseError with the reason where it fails.

    - record: write the cells into the gradebook, which autograde needs; without it the gradebook is not touched
    """
    from nbgrader.converters import GenerateAssignment

    changes = Config()
    changes.CourseDirectory.release_directory = os.path.relpath(release_directory, course.root)
    if not record:
        steps = [name for name in course.config.GenerateAssignment.preprocessors if not name.endswith(".SaveCells")]
        changes.GenerateAssignment.preprocessors = steps
        changes.GenerateAssignment.no_database = True
        changes.CourseDirectory.db_url = "sqlite://"
    _run(GenerateAssignment, course, changes, assignment, ReleaseError)


def autograde(course, student, submitted_directory):
    """Run nbgrader's autograde for one student on a folder laid out like submitted/; KitError where it fails."""
    from nbgrader.converters import Autograde

    changes = Config()
    changes.CourseDirectory.submitted_directory = os.path.relpath(submitted_directory, course.root)
    changes.CourseDirectory.student_id = student
    changes.Autograde.force = True
    _run(Autograde, course, changes, course.manifest.name, KitError)


def _run(converter_class, course, changes, assignment, error_class):
    _find_programs()
    config = copy.deepcopy(course.config)  # merging goes into the sections themselves
    config.merge(changes)
    directory = CourseDirectory(config=config)
    directory.assignment_id = assignment
    with _heard() as heard:
        converter = converter_class(coursedir=directory, config=config)
        converter.log = heard.logger
        try:
            converter.start()
        except (Exception, SystemExit) as error:
            said = as_storage_error(heard.error or error, directory.db_url)
            raise said or error_class(heard.reason or f"nbgrader failed: {error}") from None


class _Ear(logging.Handler):
    """Listens to nbgrader's log for the exception that it swallows: the one being handled as it logs an error."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.logger = logging.Logger("autograder.nbgrader")
        self.logger.addHandler(self)
        self.error = None

    @property
    def reason(self):
        """What is to be told of it, or '' where nothing was heard."""
        if self.error is None or isinstance(self.error, KitError):
            return str(self.error or "")
        return f"nbgrader failed: {type(self.error).__name__}: {self.error}"

    def emit(self, record):
        self.error = self.error or sys.exc_info()[1]


@contextlib.contextmanager
def _heard():
    folder = os.getcwd()
    try:
        yield _Ear()
    finally:
        os.chdir(folder)


def _find_programs():
    """Put this interpreter's own programs on PATH: nbgrader starts `alembic` from there for a fresh gradebook."""
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = programs + os.pathsep + os.environ.get("PATH", "")
