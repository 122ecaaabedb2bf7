"""The mutants of the reference are made correctly, there are enough of them, and the judge fails each of them."""

import ast
from collections import Counter

import pytest

from autograder.assignment.reference import read_reference_texts
from autograder.checking.pack import Vocabulary
from autograder.diagnosis import single_edits as edits
from autograder.diagnosis.mutation.derive import choose_varied_mutants, derive_file_mutants, derive_mutants
from autograder.diagnosis.mutation.descriptions import DESCRIPTIONS
from autograder.diagnosis.mutation.operators import OPERATORS
from autograder.diagnosis.single_edits import find_edits
from autograder.sandbox import worker_client
from tests.forked_worker import FORKS_TENSORFLOW, SHARES_SLOPES, run_in_fork
from tests.kit import PACK
from tests.mutants.grading import equivalent, grade, here, of_the_cache, own_questions

pytestmark = pytest.mark.uncounted

SAMPLED = 10  # mutants that are graded here; python -m tests.mutants grades all
WITH_DEPENDENTS = 2  # of these, so many with all questions that build on the mutant's own, and all that they need
ALL = 10**6


@pytest.fixture(scope="module")
def every_mutant(manifest):
    return derive_mutants(manifest, PACK.vocabulary, max_mutants=ALL)


@pytest.fixture(scope="module")
def mutants(manifest):
    return [mutant for mutant in derive_mutants(manifest, PACK.vocabulary) if mutant.key not in equivalent()]


def sampled(mutants):
    """Return mutants of small questions, because each mutant of a net takes seconds."""
    return choose_varied_mutants(
        [mutant for mutant in mutants if mutant.file == "cs231n/layers.py"], SAMPLED, "function"
    )


def lines_made_of(line, name="f", arguments="x, y", before=(), vocabulary=PACK.vocabulary):
    """Return the mutants of a solution of one line, as lines."""
    body = [f"    {each}" for each in (*before, "### BEGIN SOLUTION", line, "### END SOLUTION", "return x")]
    text = "\n".join([f"def {name}({arguments}):", *body, ""])
    return {mutant.key.partition(" -> ")[2] for mutant in derive_file_mutants("file.py", text, vocabulary)}


@pytest.mark.parametrize(
    "line, made",
    [
        ("a = x + y", {"a = x - y", "a = x", "a = y", "x += y; a = x"}),
        ("a = x @ y", {"a = y @ x", "a = x", "a = y", "x @= y; a = x"}),
        ("a = y - x * 2", {"a = y - x / 2", "a = y + x * 2", "a = y - x * 1", "a = y - x * 3"}),
        ("a = x.sum(axis=0)", {"a = x.sum(axis=1)", "a = x.sum()", "a = x.mean(axis=0)"}),
        ("a = x.var(axis=1, keepdims=True)", {"a = x.var(axis=1)", "a = x.std(axis=1, keepdims=True)"}),
        ("a = x.T", {"a = x"}),
        ("a = x[1:y]", {"a = x[2:y]", "a = x[1 + 1:y]", "a = x[:y]", "a = x[1:y + 1]", "a = x[1:y - 1]"}),
        ("x += y", {"x = y", "x -= y", "pass"}),
        ("x[0] = -y", {"x[0] = y", "pass"}),
        ("a = x > 0", {"a = x >= 0", "a = x < 0"}),
        ("a = x if y else 0", {"a = 0 if y else x", "a = x", "a = 0"}),
        ("a = max(x, y)", {"a = max(y, x)"}),
        ("for i in range(x): pass", {"for i in range(x - 1): pass", "for i in range(1, x): pass"}),
        ("a = y.pop()", {"a = y.pop(0)"}),
        ("dx = y", {"dx = -y"}),
    ],
)
def test_a_line_has_these_mutants(line, made):
    assert made <= lines_made_of(line)


def test_a_name_is_replaced_by_another_name_of_the_same_kind():
    assert "a = beta" in lines_made_of("a = gamma", arguments="gamma, beta")
    assert not lines_made_of("a = gamma", arguments="gamma")


@pytest.mark.parametrize("line", ["a = gamma", "a = eps", 'a = f"W{x}"', "dx = x"])
def test_operators_on_names_need_the_vocabulary_of_a_pack(line):
    arguments = "gamma, beta, eps, x"
    assert lines_made_of(line, arguments=arguments)
    assert not lines_made_of(line, arguments=arguments, vocabulary=Vocabulary())


def test_a_formatted_string_without_a_parameter_name_has_no_mutants():
    assert not lines_made_of('a = f"{x}"')
    assert not lines_made_of('a = f"row {x} of {y}"')


def test_brackets_keep_the_order_of_operations():
    made = lines_made_of("a = 1 - x * (y + 2)")
    assert "a = 1 - (y + 2)" in made
    assert "a = 1 - y + 2" not in made
    assert "dx = -(x + y)" in lines_made_of("dx = x + y")


def test_a_second_assignment_is_removed_but_not_the_first():
    """Code without the first assignment would raise a NameError, which every student would notice."""
    assert "pass" not in lines_made_of("a = 2")
    assert "pass" in lines_made_of("a = 2", before=["a = 1"])


def test_nothing_outside_the_solution_is_changed():
    assert derive_file_mutants("file.py", "def f(x):\n    return x + 1\n", PACK.vocabulary) == []


def test_mutants_that_change_only_the_cache_are_marked(every_mutant, manifest):
    own = {mutant.key: own_questions(mutant, manifest) for mutant in every_mutant}
    assert own["affine_forward: cache = (x, w) -> cache = (w, x)"] == ("affine_backward",)
    both = ("batchnorm_backward", "batchnorm_backward_alt")
    assert own['batchnorm_forward: if mode == "train": -> if False: (2)'] == both
    assert own['batchnorm_forward: if mode == "train": -> if False:'] == ("batchnorm_forward",)


def test_every_mutant_is_different_and_valid_python(every_mutant, manifest):
    texts = read_reference_texts(manifest)
    versions = Counter()
    for mutant in every_mutant[::29]:
        text = mutant.apply(texts[mutant.file])
        ast.parse(text)
        assert text != texts[mutant.file]
        versions[mutant.file, text] += 1
    assert set(versions.values()) == {1}


def test_the_edits_of_a_question_are_its_own_mutants_and_those_of_the_caches_it_reads(every_mutant, manifest):
    for question in manifest.questions:
        expected = [
            mutant
            for mutant in every_mutant
            if (mutant.function in question.needs if mutant.changes_cache else mutant.function == question.id)
        ]
        assert [edit.mutant for edit in find_edits(question.id, manifest.root, PACK.vocabulary)] == expected


def test_only_functions_of_questions_have_mutants(manifest, monkeypatch):
    taken = []
    monkeypatch.setattr(edits, "_find_own_edits", lambda identifier, root, vocabulary: taken.append(identifier) or [])
    find_edits.__wrapped__("affine_backward", manifest.root, PACK.vocabulary)
    assert taken == ["affine_forward", "affine_backward"]


def test_every_operator_has_a_description_for_reports():
    assert set(DESCRIPTIONS) == {operator.name for operator in OPERATORS}


def test_keys_are_names(every_mutant):
    assert set(Counter(mutant.key for mutant in every_mutant).values()) == {1}


def test_there_are_enough_mutants(mutants, manifest):
    assert len(mutants) >= 250
    counts = Counter(mutant.function for mutant in mutants)
    graded = [question.id for question in manifest.questions if question.source and not question.cells]
    assert {name: counts[name] for name in graded if counts[name] < 4} == {}


def test_every_operator_is_in_use(mutants, every_mutant):
    assert {mutant.operator for mutant in every_mutant} == {mutant.operator for mutant in mutants}


def test_every_excused_mutant_exists_and_has_a_reason(every_mutant):
    keys = {mutant.key for mutant in every_mutant}
    for excused in (equivalent(), of_the_cache()):
        assert set(excused) - keys == set()
        assert all(len(reason.split()) >= 5 and reason.endswith(".") for reason in excused.values())


def test_the_sample_is_spread_over_the_functions(mutants):
    chosen = sampled(mutants)
    assert len(chosen) == SAMPLED
    assert max(Counter(mutant.function for mutant in chosen).values()) <= 2
    assert chosen == sampled(list(reversed(mutants)))[::-1]


@SHARES_SLOPES
@pytest.mark.parametrize("place", range(SAMPLED))
def test_a_mutant_fails_its_own_question(place, mutants, manifest, forked):
    mutant = sampled(mutants)[place]
    result = grade(mutant, manifest, forked, only_own=place >= WITH_DEPENDENTS)
    assert not result.survived, mutant.key
    assert result.strays == {}, mutant.key


def starts_forked_workers():
    here()
    return worker_client.start_worker.__module__ == "tests.forked_worker"


@FORKS_TENSORFLOW
def test_a_process_that_grades_all_mutants_starts_forked_workers():
    assert run_in_fork(starts_forked_workers)
