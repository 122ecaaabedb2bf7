"""`autograder release`: make the student release, or check that it is fresh."""

from pathlib import Path

from autograder.commands.console import console, make_wait_printer
from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.release.build import get_archive_path
from autograder.release.publish import find_differences, publish


def run(check: bool, course: Path, wait: bool) -> None:
    """Publish the release; with `check`, raise ReleaseError if it is out of date."""
    here = Course(course)
    if check:
        found = find_differences(here, here.manifest)
        if found:
            raise ReleaseError("release/ is out of date. Run: autograder release\n" + "\n".join(found))
        console.print("release/ is fresh")
        return
    folder = publish(here, here.manifest, make_wait_printer(wait))
    console.print(f"released {folder}\n         {get_archive_path(folder)}", soft_wrap=True)
