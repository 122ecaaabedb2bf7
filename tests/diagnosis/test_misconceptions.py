"""Every wrong version of the catalogue fails, is named, and costs points of its own question only."""

import re
import zlib
from collections import Counter
from dataclasses import replace

import pytest

from autograder.assignment.regions import find_regions
from autograder.diagnosis.misconceptions import load
from autograder.errors import KitError
from tests.forked_worker import SHARES_SLOPES
from tests.mutants import catalogue
from tests.mutants.grading import ROOT

pytestmark = pytest.mark.uncounted

# Grading them all takes most of an hour: python -m tests.mutants --catalogue does. Here a part, the same in every run.
# Versions in a notebook cell import TensorFlow: tests/test_failing_criteria.py grades one of each question.
SHARE, DEPENDENTS = 120, 500  # one version in so many is graded, and one in so many with all that builds on it
VERSIONS = catalogue.versions()
MISCONCEPTIONS = {version.misconception.name: version.misconception for version in VERSIONS}


def _make_labels():
    """Return {id of a version: label}, as in "db_row-0" for the first version of the misconception db_row."""
    counts, labels = Counter(), []
    for version in VERSIONS:
        labels.append(f"{version.misconception.name}-{counts[version.misconception]}")
        counts[version.misconception] += 1
    return dict(zip(map(id, VERSIONS), labels))


LABELS = _make_labels()


def _label(version):
    return LABELS[id(version)]


def test_there_are_at_least_sixty_from_all_five_notebooks(manifest):
    assert len(MISCONCEPTIONS) >= 60
    answered = {version.question for version in VERSIONS}
    assert {q.notebook for q in manifest.questions if q.id in answered} == {q.notebook for q in manifest.questions}


def _hint_faults(hint, forbidden):
    """Yield what is wrong with a hint; `forbidden` holds lines of code without spaces."""
    sentences = re.split(r"(?<=[.?!])\s+", hint)
    if not 2 <= len(sentences) <= 3:
        yield f"{len(sentences)} sentences in the hint; expected 2 or 3"
    if not hint.endswith((".", "?")):
        yield "the hint does not end with a sentence"
    if "?" not in hint:
        yield "the hint asks no question"
    if len(hint.split()) > 60:
        yield f"{len(hint.split())} words in the hint; expected at most 60"
    yield from (f"code of the reference: {code!r}" for code in _shared_code(hint, forbidden))


def _text_faults(entry, forbidden):
    """Yield what is wrong with the texts of a Misconception."""
    yield from _hint_faults(entry.hint, forbidden)
    if not re.fullmatch(r"Likely reasoning: [^.?!]+(\.\w[^.?!]*)*\.", entry.thought):
        yield "the thought is not one sentence 'Likely reasoning: ...'"
    if len(entry.title) > 60 or entry.title[-1] in ".?!":
        yield "the title is longer than 60 characters or ends like a sentence"


def _shared_code(text, forbidden, length=12):
    """Return the first code of each forbidden line, of this length and with an operator, that is in a text."""
    text = text.replace(" ", "").replace('"', "'")
    for line in forbidden:
        parts = {line} | {line[at : at + length] for at in range(len(line) - length + 1)}
        found = [part for part in parts if part in text and re.search(r"[=+\-*/@<>.(\[]", part)]
        yield from found[:1]


def test_every_hint_is_short_and_does_not_give_the_answer_away(manifest):
    """List every entry, and every question of the manifest, that breaks the rules of docs/author.md."""
    lines = [line for question in manifest.questions if question.file.endswith(".py") for line in _solution(question)]
    lines += [line for version in VERSIONS for change in version.changes for line in change.old.split("\n")]
    forbidden = {line.replace(" ", "").replace('"', "'").strip("\n") for line in lines}
    forbidden = sorted(line for line in forbidden if len(line) >= 6)
    faults = {name: [*_text_faults(entry, forbidden)] for name, entry in MISCONCEPTIONS.items()}
    faults |= {question.id: [*_hint_faults(question.hint, forbidden)] for question in manifest.questions}
    assert {name: found for name, found in faults.items() if found} == {}


def _solution(question):
    text = (ROOT / "assignment2" / question.file).read_text(encoding="utf-8")
    return [line for region in find_regions(text, question.file) for line in region.lines if "#" not in line]


@pytest.mark.parametrize(
    "change, fault",
    [
        ({"hint": "Look at the shape of db."}, "1 sentences in the hint"),
        ({"hint": "Look at db. " * 3 + "Why?"}, "4 sentences in the hint"),
        ({"hint": "Look at db, " * 30 + "please. Why?"}, "words in the hint"),
        ({"hint": "Print db. Should it not be dout.sum(axis=0)?"}, "code of the reference: "),
        ({"hint": "Print db. It has the wrong shape."}, "the hint asks no question"),
        ({"thought": "The axes were exchanged."}, "the thought is not"),
        ({"title": "db is wrong."}, "the title"),
    ],
)
def test_a_text_that_breaks_the_rules_is_found(change, fault):
    entry = replace(MISCONCEPTIONS["db_row"], **change)
    faults = "; ".join(_text_faults(entry, ["db=dout.sum(axis=0)"]))
    assert fault in faults, faults


def test_no_two_entries_of_one_question_have_the_same_title():
    named = {(version.question, version.misconception.title, version.misconception.name) for version in VERSIONS}
    assert len(named) == len({(question, title) for question, title, _ in named})


def _sampled(share):
    chosen = [version for version in VERSIONS if zlib.crc32(_label(version).encode()) % share == 0]
    return [pytest.param(version, marks=SHARES_SLOPES) for version in chosen if not version.cell]


def _expect_named(found):
    assert found.caught, found
    assert found.named, found


@pytest.mark.parametrize("version", _sampled(SHARE), ids=_label)
def test_a_wrong_version_is_caught_and_called_by_its_name(version, manifest, forked):
    _expect_named(catalogue.grade(version, manifest, forked, only_own=True))


@pytest.mark.parametrize("version", _sampled(DEPENDENTS), ids=_label)
def test_a_wrong_version_costs_its_own_question_only(version, manifest, forked):
    found = catalogue.grade(version, manifest, forked)
    _expect_named(found)
    assert not found.strays


GOOD = '''
[lines]
db = "db = dout.sum(axis=0)"
[lines.affine_forward]
out = "out = rows @ w + b"

[[misconception]]
name = "averaged"
title = "db averaged"
thought = "Likely reasoning."
hint = "Look at db."
[[misconception.wrong]]
new.db = """
if True:
    db = dout.mean(axis=0)
"""
new.out = "out = rows @ w"
also = ["TwoLayerNet"]
'''


class TestFiles:
    """How a catalogue file is read, and what is said of one that does not fit."""

    @pytest.fixture
    def read(self, tmp_path, manifest):
        def read(text, name="affine_backward", **others):
            for stem, content in (others | {name: text}).items():
                (tmp_path / f"{stem}.toml").write_text(content, encoding="utf-8")
            return load(tmp_path, manifest.root)[name]

        return read

    @pytest.fixture
    def refused(self, read):
        def refused(*args, **others):
            with pytest.raises(KitError) as caught:
                read(*args, **others)
            return str(caught.value).partition("affine_backward.toml")[2]

        return refused

    def test_new_code_takes_the_place_and_the_indentation_of_the_line(self, read):
        (version,) = read(GOOD)
        assert "    if True:\n        db = dout.mean(axis=0)\n" in version.definitions["affine_backward"]
        assert "    out = rows @ w\n" in version.definitions["affine_forward"]
        assert (version.question, version.file, version.also) == (
            "affine_backward",
            "cs231n/layers.py",
            ("TwoLayerNet",),
        )
        assert version.can_be_replayed and version.diagnosis.name == "db averaged"

    def test_no_new_code_removes_the_line(self, read, manifest):
        (version,) = read(GOOD.replace('new.out = "out = rows @ w"', 'new.out = ""'))
        assert "out =" not in version.definitions["affine_forward"].split("### BEGIN")[1]
        text = version.text(manifest.root)
        assert text.count("\n") == (manifest.root / version.file).read_text(encoding="utf-8").count(
            "\n"
        )  # one more, one less

    def test_a_quotation_may_have_several_lines(self, read):
        block = '"""\n    rows = x.reshape(x.shape[0], -1)\n    dx = (dout @ w.T).reshape(x.shape)\n"""'
        (version,) = read(GOOD.replace('"db = dout.sum(axis=0)"', block))
        assert "rows =" not in version.definitions["affine_backward"]

    def test_a_cell_of_a_notebook_is_changed_like_a_function(self, read):
        text = (
            GOOD.partition("[lines.affine_forward]")[0] + "[[misconception]]" + GOOD.partition("[[misconception]]")[2]
        )
        text = text.replace('new.out = "out = rows @ w"\n', "").replace("db = dout.sum(axis=0)", "v = variables")
        (version,) = read('cell = "complex_model_answer"' + text, "complex_model")
        assert (version.file, version.cell) == ("TensorFlow", "complex_model_answer")
        assert "v = variables" not in version.definitions["complex_model_answer"]
        assert not version.can_be_replayed

    def test_the_texts_of_a_shared_mistake_are_in_one_file(self, read):
        shared = '[lines]\nb = "out = rows @ w + b"\n[[misconception]]\nname = "averaged"\nas_in = "affine_backward"\n'
        (version,) = read(shared + '[[misconception.wrong]]\nnew.b = ""', "affine_forward", affine_backward=GOOD)
        assert version.misconception == read(GOOD)[0].misconception

    @pytest.mark.parametrize(
        "old, new, said",
        [
            ("new.db", "new.bd", ", averaged: no line 'bd'; [lines] has db, out. Add it there"),
            ('new.out = "out = rows @ w"', "", ": no wrong version changes the line 'out'; remove it from [lines]"),
            (
                "db = dout.sum(axis=0)",
                "db = dout.sum(0)",
                ", line 'db': 'db = dout.sum(0)' is 0 times in affine_backward; expected exactly once. "
                "Quote whole lines of the reference as it is now",
            ),
            (
                "db = dout.sum(axis=0)",
                "dout.sum(axis=0)",
                ", line 'db': 'dout.sum(axis=0)' is 0 times in affine_backward; expected exactly once. "
                "Quote whole lines of the reference as it is now",
            ),
            (
                "[lines.affine_forward]",
                "[lines.affine_backwards]",
                ", line 'out': cs231n/layers.py has no 'affine_backwards'; expected one of affine_forward, ",
            ),
            (
                "TwoLayerNet",
                "TwoLayerNets",
                ", averaged: also names 'TwoLayerNets', which is not a question of the manifest",
            ),
            ("also", "olso", ", averaged: unknown field 'olso'; expected new, perhaps also, perhaps seen_by"),
            (
                "hint =",
                "hnt =",
                ", averaged: no field 'hint'; unknown field 'hnt'; expected hint, name, thought, title, wrong",
            ),
            (
                "[[misconception.wrong]]",
                "[[misconception.wrongs]]",
                ", averaged: no field 'wrong'; unknown field 'wrongs'",
            ),
            ("[lines]", "[lines", ": not valid TOML: "),
        ],
    )
    def test_what_does_not_fit_is_refused_with_file_entry_fault_and_remedy(self, refused, old, new, said):
        assert refused(GOOD.replace(old, new)).startswith(said)

    def test_a_line_that_is_there_twice_is_refused(self, read):
        text = GOOD.replace("db = dout.sum(axis=0)", "if mode == 'train':").replace("[lines.affine_forward]", "")
        text = text.replace("out = rows @ w + b", "bn_param['running_mean']").replace("'", '\\"')
        with pytest.raises(KitError, match="is 2 times in batchnorm_forward; expected exactly once"):
            read(text, "batchnorm_forward")

    def test_a_name_that_two_entries_have_is_refused(self, refused):
        entry = "[[misconception]]" + GOOD.partition("[[misconception]]")[2]
        assert refused(GOOD + entry) == ", averaged: two entries have this name; give each entry its own name"

    def test_a_name_that_two_quotations_have_is_refused(self, refused):
        said = refused(GOOD.replace("out =", "db =", 1))
        assert said == ", line 'db': two quotations have this name; give each its own name"

    def test_a_line_that_is_quoted_twice_is_refused(self, refused):
        said = refused(GOOD.replace("[lines]", '[lines]\nsum = "db = dout.sum(axis=0)"'))
        assert said == ", line 'db': 'sum' quotes the same line of affine_backward; quote it once and use that name"

    def test_a_reference_to_no_entry_is_refused(self, refused):
        texts = 'title = "db averaged"\nthought = "Likely reasoning."\nhint = "Look at db."'
        said = refused(GOOD.replace(texts, 'as_in = "TwoLayerNet"'))
        fault = "TwoLayerNet.toml has no entry of this name with title, thought and hint; correct as_in"
        assert said == f", averaged: {fault}"

    def test_a_file_named_after_no_question_is_refused(self, refused, read):
        with pytest.raises(
            KitError, match="affine_backwards.toml: no question 'affine_backwards' in the manifest; name"
        ):
            read(GOOD, "affine_backwards")
