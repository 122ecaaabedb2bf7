"""nbgrader's own steps, run in this process: one message where a step fails, instead of its log."""

import contextlib
import copy
import logging
import os
import sys

from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.course.course import find_programs
from autograder.course.database import as_gradebook_error
from autograder.errors import KitError, ReleaseError


def generate_assignment(course, assignment, release_directory, record=True):
    """Run nbgrader's generate_assignment; ReleaseError with the reason where it fails.

    - record: write the cells into the gradebook, which autograde needs; without it the gradebook is not touched
    """
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
    changes = Config()
    changes.CourseDirectory.submitted_directory = os.path.relpath(submitted_directory, course.root)
    changes.CourseDirectory.student_id = student
    changes.Autograde.force = True
    _run(Autograde, course, changes, course.manifest.name, KitError)


def _run(converter_class, course, changes, assignment, error_class):
    find_programs()
    config = copy.deepcopy(course.config)  # merging goes into the sections themselves
    config.merge(changes)
    directory = CourseDirectory(config=config)
    directory.assignment_id = assignment
    with _captured_errors() as captured:
        converter = converter_class(coursedir=directory, config=config)
        converter.log = captured.logger
        try:
            converter.start()
        except (Exception, SystemExit) as error:
            said = as_gradebook_error(captured.error or error, directory.db_url)
            raise said or error_class(captured.reason or f"nbgrader failed: {error}") from None


class NbgraderErrorCapture(logging.Handler):
    """A log handler that keeps the exception which nbgrader handles while it logs an error, and does not raise."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.logger = logging.Logger("autograder.nbgrader")
        self.logger.addHandler(self)
        self.error = None

    @property
    def reason(self):
        """What is to be told of it, or '' where nothing was captured."""
        if self.error is None or isinstance(self.error, KitError):
            return str(self.error or "")
        return f"nbgrader failed: {type(self.error).__name__}: {self.error}"

    def emit(self, record):
        self.error = self.error or sys.exc_info()[1]


@contextlib.contextmanager
def _captured_errors():
    folder = os.getcwd()
    try:
        yield NbgraderErrorCapture()
    finally:
        os.chdir(folder)
