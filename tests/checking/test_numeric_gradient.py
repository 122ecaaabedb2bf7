"""Numeric gradients: each slope is measured once, and a kept one is the very number that was measured."""

import dataclasses

import numpy as np
import pytest

from autograder.checking import numeric_gradient
from autograder.checking.numeric_gradient import MemoisedSlopes, PureFunction
from autograder.checks.gradients import check_numeric_gradient
from autograder.grading import judge, make_setting
from autograder.intake.submission import Submission
from autograder.samples.sample import Sample
from cs231n.gradient_check import check_gradient
from cs231n.slopes import Slopes
from tests.kit import PACK

MEASURING = ("entries", "along", "precision", "unit", "changes_x")


@pytest.fixture(autouse=True)
def _nothing_measured_yet():
    numeric_gradient._measured.clear()


class Counted:
    """A function that counts its calls: x² · w, summed over rows."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x, w):
        self.calls += 1
        return (x**2 * w).sum(axis=0)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def new_case(rows=4):
    x, w, dout = drawn(rows, 3), drawn(rows, 3, seed=1), drawn(3, seed=2)
    return {"x": x, "w": w}, dout, 2 * x * w * dout


def test_the_same_claim_is_compared_without_another_call():
    f, (inputs, dout, dx) = Counted(), new_case()
    first = check_numeric_gradient(f, inputs, "x", dx, dout, "dx")
    calls = f.calls
    again = check_numeric_gradient(f, {name: value.copy() for name, value in inputs.items()}, "x", dx, dout, "dx")
    assert first.passed and again.passed and f.calls == calls > 0


def test_another_claim_needs_no_other_slopes_of_entries():
    f, (inputs, dout, dx) = Counted(), new_case()
    check_numeric_gradient(f, inputs, "x", dx, dout, "dx")
    calls = f.calls
    assert check_numeric_gradient(f, inputs, "x", 2 * dx, dout, "dx").passed is False
    assert f.calls - calls < 10  # its own direction, for the precision and for the unit


@pytest.mark.parametrize("change", ["function", "x", "w", "dout", "wrt"])
def test_slopes_of_anything_else_are_measured(change):
    f, (inputs, dout, dx) = Counted(), new_case()
    check_numeric_gradient(f, inputs, "x", dx, dout, "dx")
    other, wrt = f, "x"
    calls = f.calls
    if change == "function":
        other = Counted()
        calls = 0
    elif change in inputs:
        inputs = inputs | {change: inputs[change] + 1e-9}
    elif change == "dout":
        dout = dout + 1e-9
    else:
        wrt = "w"
    check_numeric_gradient(other, inputs, wrt, dx, dout, "dx")
    assert other.calls - calls >= 4 * dx.size


def test_functions_made_for_one_call_share_slopes_by_their_identity():
    f, (inputs, dout, dx) = Counted(), new_case()
    for identity, measured in (("one", True), ("one", False), ("another", True)):
        calls = f.calls
        check_numeric_gradient(PureFunction(lambda **given: f(**given), identity), inputs, "x", dx, dout, "dx")
        assert (f.calls > calls) is measured


@pytest.mark.parametrize("rows", [4, 100])
@pytest.mark.parametrize("mistake", ["none", "one entry", "factor", "float32", "not finite", "shape", "None"])
def test_the_outcome_is_that_of_a_check_without_a_memo(rows, mistake):
    f, (inputs, dout, dx) = Counted(), new_case(rows)
    claimed = {
        "none": dx,
        "one entry": dx + 0.1 * (np.arange(dx.size).reshape(dx.shape) == 5),
        "factor": 0.5 * dx,
        "float32": dx.astype(np.float32),
        "not finite": np.where(dx > 0, dx, np.nan),
        "shape": dx[:2],
        "None": None,
    }[mistake]
    check_numeric_gradient(f, inputs, "x", 3 * dx, dout, "dx")  # measures every entry first
    plain = check_gradient(lambda x: f(x, inputs["w"]), inputs["x"].copy(), claimed, dout, "dx")
    for _ in range(2):
        check = check_numeric_gradient(f, inputs, "x", claimed, dout, "dx")
        for name, value in dataclasses.asdict(plain).items():
            np.testing.assert_array_equal(getattr(check, name), value, err_msg=name)


def test_a_right_gradient_of_a_large_array_still_pays_for_directions_alone():
    f, (inputs, dout, dx) = Counted(), new_case(400)
    assert check_numeric_gradient(f, inputs, "x", dx, dout, "dx").passed
    assert f.calls < 30


def test_a_function_that_changes_its_argument_is_told_so_every_time():
    def f(x):
        x *= 2
        return x

    for _ in range(2):
        check = check_numeric_gradient(f, {"x": np.ones(3)}, "x", 2 * np.ones(3), np.ones(3), "dx")
        assert check.passed is False and "changes its argument" in check.message


@pytest.mark.uncounted
def test_over_a_submission_with_mistakes_no_slope_is_measured_twice(manifest, forked, monkeypatch):
    measured, asked, plain_init = [], [], MemoisedSlopes.__init__

    def init(self, slopes, key, memo):
        slopes.key = key
        plain_init(self, slopes, key, memo)

    def watch(name):
        plain, kept = getattr(Slopes, name), getattr(MemoisedSlopes, name)

        def measure(self, *arguments):
            measured.append((name, self.key, *(_comparable(each) for each in arguments)))
            return plain(self, *arguments)

        def ask(self, *arguments):
            asked.append(name)
            return kept(self, *arguments)

        monkeypatch.setattr(Slopes, name, measure)
        monkeypatch.setattr(MemoisedSlopes, name, ask)

    monkeypatch.setattr(MemoisedSlopes, "__init__", init)
    for name in MEASURING:
        watch(name)
    files = {}
    for question, name in (("affine_backward", "db_over_outputs"), ("TwoLayerNet", "net_reg_gradient_twice")):
        version = next(v for v in PACK.wrong_versions()[question] if v.misconception.name == name)
        files[version.file] = version.text(manifest.root).encode()
    files = Sample("", "", questions=("TwoLayerNet",)).files(manifest) | files
    for _ in range(2):  # two students with the same answers
        report = judge(Submission("wrong", files), make_setting(manifest, forked), ["TwoLayerNet"])
        assert report.question("affine_backward").verdict == "failed"
    assert len(measured) == len(set(measured)) > 100
    assert len(asked) > 2 * len(measured)


def _comparable(argument):
    return argument if isinstance(argument, type) else np.asarray(argument).tobytes()
