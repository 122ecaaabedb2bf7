"""The comparison of graders under attack: this kit holds, the evidence decides each word, every attack has a row."""

import shutil
import subprocess

import pytest

from benchmarks.attacks.__main__ import ABSENT, END, START, cell, rows, write_page
from benchmarks.attacks.assignment import ALL
from benchmarks.attacks.attack import Attack
from benchmarks.attacks.compare import ATTACKS, compare, found
from benchmarks.attacks.evidence import Seen, judge

pytestmark = pytest.mark.uncounted

GROUPS = {"Control", "Forgery", "Theft", "Harm", "Reports", "Broken input"}
CHEAP = ("a secret in the environment",)  # each attack needs a course and three gradings
HELD = {"ada": ALL, "mallory": 0, "zoe": ALL}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """The result of the cheapest attack on this kit, in a folder of its own."""
    if not shutil.which("bwrap") or subprocess.run(["unshare", "--user", "--map-root-user", "true"]).returncode:
        pytest.skip("bubblewrap or unshare is missing: apt install bubblewrap util-linux")
    chosen = [attack for attack in ATTACKS if any(words in attack.name for words in CHEAP)]
    assert len(chosen) == len(CHEAP)
    results = tmp_path_factory.mktemp("attacks")
    compare(["ours"], chosen, results, jobs=2)
    return found(["ours"], chosen, results)["ours"]


def test_this_kit_holds(attacked):
    assert len(attacked) == len(CHEAP)
    for name, result in attacked.items():
        assert result["word"] in ("held", "detected"), (name, result)


def test_the_table_has_a_row_for_every_attack():
    assert {attack.group for attack in ATTACKS} == GROUPS
    assert len(ATTACKS) >= 50 and len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    results = {attack.name: {"word": "held", "evidence": "0 of 8", "seconds": 1} for attack in ATTACKS}
    _, lines = rows({"ours": results}, ATTACKS, ["ours", "otter"])
    assert [line[1] for line in lines] == [attack.name for attack in ATTACKS]
    assert {tuple(line[2:]) for line in lines} == {("held: 0 of 8", ABSENT)}


@pytest.mark.parametrize(
    "facts, word",
    [
        ({}, "held"),
        ({"named": ["forbidden"]}, "detected"),
        ({"points": HELD | {"mallory": 2}}, "points forged"),
        ({"points": HELD | {"mallory": None}}, "no grade"),
        ({"points": HELD | {"zoe": None}}, "others' grades lost"),
        ({"points": HELD | {"ada": 0}}, "others' grades lost"),
        ({"tokens": ["home"]}, "secret read"),
        ({"calls": ["127.0.0.1"]}, "connected"),
        ({"harmed": ["submitted/zoe"]}, "harm done"),
        ({"marks": ["child"]}, "harm done"),
        ({"alive": ["python"]}, "process lives on"),
        ({"stopped": True}, "no limit"),
        ({"left": 1 << 30}, "no limit"),
        ({"scripts": ["page.html"]}, "script ran"),
    ],
)
def test_evidence_decides_the_word(facts, word):
    seen = Seen(**{"points": HELD, "deserved": 0, "most": 0} | facts)
    said, evidence = judge(Attack("Harm", "something"), seen)
    assert said == word and evidence


def test_right_answers_of_a_broken_hand_in_that_earn_less_are_lost():
    attack = Attack("Broken input", "something", right=True)
    assert judge(attack, Seen(HELD, ALL, ALL))[0] == "points lost"
    assert judge(attack, Seen(HELD | {"mallory": ALL}, ALL, ALL))[0] == "held"


def test_what_got_through_is_set_in_bold():
    assert cell({"word": "secret read", "evidence": "token of: home"}) == "**secret read**: token of: home"


def test_the_table_is_written_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    write_page(page, "first")
    page.write_text("before\n" + page.read_text() + "after\n")
    write_page(page, "second")
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n")
    assert f"{START}\nsecond\n{END}" in text and "first" not in text
    page.write_text("no markers")
    with pytest.raises(SystemExit, match="Add them"):
        write_page(page, "third")
    assert page.read_text() == "no markers"
