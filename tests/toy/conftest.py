"""One course for all tests of the toy assignment; the commands of docs/author.md make, release and grade it."""

import pytest

from tests.toy.guide import PAGE, TutorialFolder, find_files, find_steps


@pytest.fixture(scope="session")
def page():
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def followed(page, bubblewrap, tmp_path_factory):
    """(TutorialFolder, [(Step, CompletedProcess)]) after every command of the page; tests only read the folder."""
    tutorial = TutorialFolder(tmp_path_factory.mktemp("tutorial"))
    tutorial.write(find_files(page))
    return tutorial, [(step, tutorial.run(step.command)) for step in find_steps(page)]


@pytest.fixture
def tutorial(page, bubblewrap, tmp_path):
    """A TutorialFolder with the files of the page, in which no command has run; tests may change it."""
    tutorial = TutorialFolder(tmp_path)
    tutorial.write(find_files(page))
    return tutorial
