"""The tables of sample submissions: the allowed fields, and the message about a bad entry."""

import re

import pytest

from autograder.errors import KitError
from autograder.samples.load import load_samples

CASE = '[[case]]\nname = "failed_a"\ntitle = "A wrong answer"\n'
CHANGE = CASE + '[[case.change]]\nfile = "cs231n/layers.py"\n'


def load(tmp_path, text, name="cases.toml"):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    return load_samples(tmp_path)


def test_a_case_has_the_defaults_of_its_file_unless_it_says_otherwise(tmp_path):
    head = 'attack = "theft"\nfile = "a.py"\nquestions = ["adam"]\n[reference]\nstep = "w + v"\n'
    first = CASE + '[[case.change]]\nat = "step"\nnew = "w"\n[[case.change]]\nfile = "b.py"\nold = "x"\nnew = "y"\n'
    second = '[[case]]\nname = "error_b"\ntitle = "B"\nattack = "harm"\nquestions = []\nlimits.cpu_seconds = 1\n'
    samples = load(tmp_path, head + first + second)
    assert list(samples) == ["error_b", "failed_a"]
    assert samples["failed_a"].change == (
        {"file": "a.py", "old": "w + v", "new": "w"},
        {"file": "b.py", "old": "x", "new": "y"},
    )
    assert (samples["failed_a"].attack, samples["failed_a"].questions) == ("theft", ("adam",))
    assert (samples["error_b"].attack, samples["error_b"].questions) == ("harm", ())
    assert samples["error_b"].limits == {"cpu_seconds": 1}


def test_cases_of_all_folders_are_read(tmp_path):
    load(tmp_path, CASE, "failed/cases.toml")
    assert set(load(tmp_path, CASE.replace("failed_a", "error_b"))) == {"failed_a", "error_b"}


BAD = {
    "not TOML": ("[[case]\n", "cases.toml: not valid TOML: "),
    "no case": ('attack = "harm"\n', "cases.toml: contains no [[case]]; add one, or delete the file"),
    "one table for a list": ('[case]\nname = "a"\n', "cases.toml: contains no [[case]]"),
    "no name": ('[[case]]\ntitle = "A"\n', "cases.toml, case 1: has no name; add one"),
    "no title": ('[[case]]\nname = "failed_a"\n', "cases.toml, failed_a: has no title; add one"),
    "one name twice": (CASE * 2, "cases.toml, failed_a: this name is taken by another case; names must be unique"),
    "unknown field": (CASE + "expects.adam = 'failed'\n", "failed_a: unknown field expects, expected only attack, "),
    "unknown default": ("expects.adam = 'failed'\n" + CASE, "failed_a: unknown field expects"),
    "text for a list": (CASE + 'questions = "adam"\n', "questions = 'adam', expected a list of strings"),
    "number in a list": (CASE + "stubs = [1]\n", "stubs = [1], expected a list of strings"),
    "text for a table": (CASE + 'says = "no"\n', "says = 'no', expected a table with values of type str"),
    "text for criteria": (
        CASE + 'costs.adam = "t"\n',
        "{'adam': 't'}, expected a table with values of type list",
    ),
    "number for a text": (CASE + "student = 1\n", "student = 1, expected a value of type str"),
    "number for a bool": (CASE + "zip = 1\n", "zip = 1, expected a value of type bool"),
    "unknown base": (CASE + 'base = "stubs"\n', "base = 'stubs', expected reference or release"),
    "unknown attack": (CASE + 'attack = "fun"\n', "attack = 'fun', expected forgery, harm or theft"),
    "unknown verdict": (CASE + 'expect.adam = "wrong"\n', "expect.adam = 'wrong', expected blocked, error, failed"),
    "a change without code": (
        CHANGE + 'old = "x"\n',
        "change 1 has file and old, expected file, new and old",
    ),
    "both at and old": (
        CHANGE + 'at = "y"\nold = "x"\nnew = ""\n',
        "change 1 has at, file, new and old, expected",
    ),
    "unknown name in at": (CHANGE + 'at = "y"\nnew = ""\n', "failed_a: at = 'y', expected a name in [reference]: none"),
    "number in a change": (CHANGE + 'old = 1\nnew = ""\n', "failed_a: change 1: old = 1, expected a string"),
    "text for changes": (CASE + 'change = "x"\n', "failed_a: change = 'x', expected [[case.change]]"),
    "text for a change": (CASE + 'change = ["x"]\n', "failed_a: change 1 has 'x', expected file, new and old"),
    "a cell without its id": (
        CASE + '[[case.cell]]\nnotebook = "N"\nold = "x"\nnew = "y"\n',
        "failed_a: cell 1 has new, notebook and old, expected id, new, notebook and old",
    ),
    "a file without text": (
        CASE + '[[case.write]]\npath = "a.py"\n',
        "write 1 has path, expected path and text",
    ),
    "a link to nowhere": (
        CASE + '[[case.place]]\npath = "a.py"\nkind = "symlink"\n',
        "failed_a: place 1 has kind and path, expected kind, path and to",
    ),
    "unknown kind of file": (
        CASE + '[[case.place]]\npath = "a.py"\nkind = "socket"\n',
        "failed_a: place 1: kind = 'socket', expected bytes, compiled, device, fifo, setuid or symlink",
    ),
}


@pytest.mark.parametrize("text, said", BAD.values(), ids=BAD)
def test_a_bad_entry_is_told_where_it_is_what_came_and_what_was_expected(tmp_path, text, said):
    with pytest.raises(KitError, match=re.escape(said)) as refused:
        load(tmp_path, text)
    message = str(refused.value)
    assert message.startswith(str(tmp_path / "cases.toml"))
    assert message.endswith(". See autograder/samples/load.py for every field.")
