"""The part of a course directory that collecting needs."""

from pathlib import Path
from typing import Any, Protocol


class CourseFolder(Protocol):
    """A course directory with its submissions."""

    @property
    def root(self) -> Path:
        """The course's folder."""
        ...

    @property
    def manifest(self) -> Any:
        """The Manifest of the assignment. Any, because pyright does not match a cached_property with a Protocol."""
        ...

    def submitted(self, student: str) -> Path:
        """Return the path submitted/<student>/<assignment>."""
        ...

    def students(self) -> list[str]:
        """Return the ids of all students with a submission, sorted."""
        ...
