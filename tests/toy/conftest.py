"""One course for all tests of the toy assignment: made, released and graded by the commands of docs/author.md."""

import pytest

from tests.toy.guide import PAGE, Desk, files, steps


@pytest.fixture(scope="session")
def page():
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def followed(page, bubblewrap, tmp_path_factory):
    """The Desk of a stranger who has followed the page, and [(Step, what came)]. Tests only read it."""
    desk = Desk(tmp_path_factory.mktemp("stranger"))
    desk.write(files(page))
    return desk, [(step, desk.run(step.command)) for step in steps(page)]


@pytest.fixture
def desk(page, bubblewrap, tmp_path):
    """The Desk of a stranger who has written the files of the page and run no command; tests may change it."""
    desk = Desk(tmp_path)
    desk.write(files(page))
    return desk
