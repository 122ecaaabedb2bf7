"""Run nbgrader's own steps in this process; a failure gives one message instead of nbgrader's log."""

import contextlib
import copy
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.course.course import Course, add_programs_to_path
from autograder.course.database import find_gradebook_error, prepare_gradebook
from autograder.errors import KitError, ReleaseError

_RECORDING = ".SaveCells"  # nbgrader's preprocessor that writes cells into the gradebook


def generate_assignment(course: Course, assignment: str, release_directory: Path) -> None:
    """Run nbgrader's generate_assignment without a gradebook; raise ReleaseError with the reason if it fails.

    - release_directory: folder for the result
    """
    changes = Config()
    changes.CourseDirectory.release_directory = os.path.relpath(release_directory, course.root)
    steps = [name for name in course.config.GenerateAssignment.preprocessors if not name.endswith(_RECORDING)]
    changes.GenerateAssignment.preprocessors = steps
    changes.GenerateAssignment.no_database = True
    changes.CourseDirectory.db_url = "sqlite://"
    _run(GenerateAssignment, course, changes, assignment, ReleaseError)


def record_cells(course: Course, assignment: str, unused_directory: Path) -> None:
    """Write the cells of the source notebooks into the gradebook, which autograde needs.

    nbgrader does this only while it makes a release. This one is not complete: the steps after the recording are left
    out, and the caller deletes it.

    - unused_directory: folder for the incomplete release

    Raises ReleaseError or StorageError.
    """
    prepare_gradebook(course)
    changes = Config()
    changes.CourseDirectory.release_directory = os.path.relpath(unused_directory, course.root)
    steps = list(course.config.GenerateAssignment.preprocessors)
    last = next(place for place, name in enumerate(steps) if name.endswith(_RECORDING))
    changes.GenerateAssignment.preprocessors = steps[: last + 1]
    _run(GenerateAssignment, course, changes, assignment, ReleaseError)


def autograde(course: Course, student: str, submitted_directory: Path | str) -> None:
    """Run nbgrader's autograde for one student; raise KitError if it fails.

    - submitted_directory: a folder with the layout of submitted/
    """
    changes = Config()
    changes.CourseDirectory.submitted_directory = os.path.relpath(submitted_directory, course.root)
    changes.CourseDirectory.student_id = student
    changes.Autograde.force = True
    _run(Autograde, course, changes, course.manifest.name, KitError)


def _run(
    converter_class: type[BaseConverter], course: Course, changes: Config, assignment: str, error_class: type[KitError]
) -> None:
    add_programs_to_path()
    config = copy.deepcopy(course.config)  # merge() changes nested sections in place
    config.merge(changes)
    directory = CourseDirectory(config=config)
    directory.assignment_id = assignment
    with _capture_errors() as captured:
        converter = converter_class(coursedir=directory, config=config)
        converter.log = captured.logger
        try:
            converter.start()
        except (Exception, SystemExit) as error:
            gradebook_error = find_gradebook_error(captured.error or error, directory.db_url)
            raise gradebook_error or error_class(captured.reason or f"nbgrader failed: {error}") from None


class NbgraderErrorCapture(logging.Handler):
    """A log handler that keeps the first exception that nbgrader logs and does not raise."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.logger = logging.Logger("autograder.nbgrader")
        self.logger.addHandler(self)
        self.error: BaseException | None = None

    @property
    def reason(self) -> str:
        """The message about the captured exception, or '' if there is none."""
        if self.error is None or isinstance(self.error, KitError):
            return str(self.error or "")
        return f"nbgrader failed: {type(self.error).__name__}: {self.error}"

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception that is being handled, unless there is an earlier one."""
        self.error = self.error or sys.exc_info()[1]


@contextlib.contextmanager
def _capture_errors() -> Iterator[NbgraderErrorCapture]:
    """Yield a log handler for one step; then restore the working folder, which nbgrader changes."""
    folder = os.getcwd()
    try:
        yield NbgraderErrorCapture()
    finally:
        os.chdir(folder)
