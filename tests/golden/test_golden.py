"""Every golden case gives its golden report; `python -m tests.golden --accept` accepts a change.

The golden reports come from sandboxed workers. Here forked workers must give the same, unless the report tells of a
limit, a crash, a refusal or a print; ALL_CASES=1 judges every case in the sandbox.
"""

import json

import pytest

from tests.forked_worker import FORKS_TENSORFLOW
from tests.golden.cases import load_cases
from tests.golden.comparison import differences, summary
from tests.kit import ALL_CASES

pytestmark = pytest.mark.uncounted

CASES = load_cases()
# What a forked worker cannot show.
SANDBOXED = {"losses", "nan", "dropout_probability", "asleep", "memory", "subprocess", "crash"}


def _group(name):
    """Return the name, marked if its workers are forked: one process measures the slopes of all golden cases."""
    if name in SANDBOXED:
        return name
    return pytest.param(
        name, marks=FORKS_TENSORFLOW if name == "tensorflow_loss" else pytest.mark.xdist_group("golden")
    )


def _load_golden(name):
    return json.loads(CASES[name].path.read_text(encoding="utf-8"))


def _expect_no_difference(name, golden, current):
    found = differences(golden, current)
    assert not found, "\n".join([*found, f"To accept this: python -m tests.golden --accept {name}"])


@pytest.mark.parametrize("name", [_group(name) for name in CASES if name != "reference"])
def test_the_report_is_the_golden_one(name, manifest, isolation, forked):
    chosen = isolation if ALL_CASES or name in SANDBOXED else forked
    _expect_no_difference(name, _load_golden(name), CASES[name].report(manifest, chosen))


@pytest.mark.parametrize(
    "with_tensorflow",
    [pytest.param(False, marks=pytest.mark.slow), pytest.param(True, marks=FORKS_TENSORFLOW)],
)
def test_the_report_of_the_reference_is_the_golden_one(with_tensorflow, manifest, isolation, forked):
    """All answers are judged in the sandbox but those that need TensorFlow, which takes seconds to import there."""
    chosen = [question.id for question in manifest.questions if with_tensorflow == ("tensorflow" in question.requires)]
    golden = _load_golden("reference")
    current = CASES["reference"].report(manifest, forked if with_tensorflow and not ALL_CASES else isolation, chosen)
    golden["questions"] = [question for question in golden["questions"] if question["id"] in chosen]
    for sums in ("score", "max_score"):
        del golden[sums], current[sums]
    _expect_no_difference("reference", golden, current)


@pytest.mark.parametrize("name, verdict, share", [("reference", "passed", 1), ("release", "missing", 0)])
def test_the_reference_has_every_point_and_the_release_none(name, verdict, share, manifest):
    questions = _load_golden(name)["questions"]
    found = {question["id"]: (question["verdict"], question["points"]) for question in questions}
    assert found == {question.id: (verdict, share * question.points) for question in manifest.questions}


def test_the_golden_reports_hold_every_verdict_and_every_kind_of_diagnosis():
    from autograder.report.verdicts import VERDICTS

    verdicts, kinds, given = set(), set(), 0
    for case in CASES.values():
        for question in _load_golden(case.name)["questions"]:
            verdicts |= {criterion["verdict"] for criterion in question["criteria"]}
            kinds |= {diagnosis["kind"] for diagnosis in question["diagnosis"]}
            given += sum(bool(criterion["given"]) for criterion in question["criteria"])
    assert verdicts == set(VERDICTS)
    assert kinds == {"misconception", "edit", "attribution", "function", "gradient"}
    assert given, "no criterion was followed through"


class TestComparing:
    report = {"score": 1.5, "seconds": 3.0, "text": "dw[0, 1] is 0.25, expected 1.5e-9", "error": 0.5, "ok": True}

    def differences(self, **changes):
        return differences(summary(self.report), summary(self.report | changes))

    def test_finds_nothing_in_reports_that_differ_only_in_times(self):
        assert self.differences(seconds=9.0) == []

    @pytest.mark.parametrize(
        "change",
        [{"score": 1.4}, {"text": "db[0, 1] is 0.25, expected 1.5e-9"}, {"error": None}, {"ok": 1}, {"new": 1}]
        + [{"text": "dw[0, 2] is 0.25, expected 1.5e-9"}, {"text": "dw[0, 1] is 0.26, expected 1.5e-9"}],
    )
    def test_finds_what_differs(self, change):
        assert len(self.differences(**change)) == 1

    @pytest.mark.parametrize(
        "change", [{"error": 0.5 + 1e-9}, {"text": "dw[0, 1] is 0.2500001, expected 2e-12"}, {"score": 1.5 + 1e-12}]
    )
    def test_ignores_rounding(self, change):
        assert self.differences(**change) == []

    def test_sees_that_an_array_has_changed(self):
        arrays = [{"shape": [2], "dtype": "float64", "values": values} for values in ([1.0, 2.0], [1.0, 2.1])]
        assert differences(summary(arrays[0]), summary(arrays[1]))
