"""Limits are a multiple of the reference's cost, and the reference is measured like a submission."""

import math
from dataclasses import astuple, replace

import pytest

from autograder.assignment.limits import COSTS_FILE, Cost, Limits, format_costs, read_costs
from autograder.errors import INPUT, KitError
from autograder.grading.calibrate import measure_reference
from autograder.grading.setting import make_setting
from autograder.sandbox.worker_client import WorkerClient

LIMITS = Limits(5, 20, 1000, cpu_factor=50, wall_factor=100, memory_factor=4)
COST = Cost(cpu_seconds=0.21, wall_seconds=0.3, memory_mb=300, address_mb=700.5)


class TestLimits:
    def test_are_multiples_of_the_cost_and_never_less_than_the_floor(self):
        assert astuple(LIMITS.raise_to_cost(COST)) == (11, 30, 1200, 50, 100, 4, 2802)
        assert LIMITS.raise_to_cost(Cost(0.01, 0.01, 1, 1)) == LIMITS

    def test_stay_as_they_are_for_the_same_cost(self):
        once = LIMITS.raise_to_cost(COST)
        assert once.raise_to_cost(COST) == once

    def test_without_factors_stay_unchanged(self):
        assert Limits(5, 20, 1000).raise_to_cost(COST) == Limits(5, 20, 1000)

    @pytest.mark.parametrize("wrong", ["10", None, -1, math.inf, math.nan])
    def test_are_numbers(self, wrong):
        with pytest.raises(TypeError, match="cpu_factor is .*; expected a number"):
            replace(LIMITS, cpu_factor=wrong)

    def test_describe_an_upper_bound_of_the_reference_s_cost(self):
        assert LIMITS.describe_reference_cost(6, 50, "s") == "; the reference takes less than 0.2 s here"
        assert LIMITS.describe_reference_cost(2048, 4, "MB") == "; the reference takes less than 512 MB here"
        assert LIMITS.describe_reference_cost(6, 0, "s") == ""


class TestRecordedCosts:
    def test_are_read_as_they_were_written(self, tmp_path):
        costs = {"first": COST, "second": Cost(1, 2, 3, 4)}
        (tmp_path / COSTS_FILE).write_text(format_costs(costs))
        assert read_costs(tmp_path) == costs

    def test_may_be_missing(self, tmp_path):
        assert read_costs(tmp_path) == {}

    @pytest.mark.parametrize(
        "text", ["first = ", "first = 3", "first = { cpu = 1 }", "first = { cpu_seconds = 1 }", "\xff"]
    )
    def test_that_are_damaged_are_named_with_the_command_that_writes_them(self, tmp_path, text):
        (tmp_path / COSTS_FILE).write_bytes(text.encode("latin-1"))
        with pytest.raises(KitError, match="costs.toml: .*Write the file again: autograder measure") as error:
            read_costs(tmp_path)
        assert error.value.exit_code == INPUT

    def test_of_this_assignment_are_those_of_its_questions(self, manifest):
        costs = read_costs(manifest.root)
        assert list(costs) == [question.id for question in manifest.questions]
        for question in manifest.questions:
            limits, cost = question.limits, costs[question.id]
            assert limits == limits.raise_to_cost(cost)
            assert limits.cpu_seconds >= 30 * cost.cpu_seconds > 0, question.id
            assert limits.wall_seconds >= 60 * cost.wall_seconds > 0, question.id
            assert limits.memory_mb >= 4 * cost.memory_mb, question.id
            assert limits.wall_seconds >= 1.5 * limits.cpu_seconds, "waiting for a processor is no fault"


@pytest.fixture
def setting(manifest, isolation):
    return make_setting(manifest, isolation, secret=(1, 2, 3, 4), seed=1)


def by_id(manifest, identifier):
    return next(question for question in manifest.questions if question.id == identifier)


class TestTheReference:
    def test_is_measured_near_the_recorded_cost(self, manifest, setting):
        cost, recorded = measure_reference(by_id(manifest, "adam"), setting), read_costs(manifest.root)["adam"]
        # Another unit would be a factor of 1000; another machine is not.
        assert recorded.cpu_seconds / 100 < cost.cpu_seconds < 100 * recorded.cpu_seconds
        assert recorded.memory_mb / 3 < cost.memory_mb < 3 * recorded.memory_mb
        assert cost.memory_mb < cost.address_mb and cost.wall_seconds > cost.cpu_seconds / 2

    def test_is_measured_as_the_judge_s_own_work_where_no_code_of_a_student_runs(self, manifest, setting):
        cost = measure_reference(by_id(manifest, "best_conv_model"), setting)
        assert cost.cpu_seconds > 0 and (cost.memory_mb, cost.address_mb) == (0, 0)

    def test_has_no_cost_where_it_cannot_be_judged(self, manifest, setting):
        elsewhere = replace(by_id(manifest, "adam"), requires=("no_such_module",))
        assert measure_reference(elsewhere, setting) is None


def test_a_student_s_usage_counts_work_waiting_and_memory(tmp_path, isolation):
    (tmp_path / "probe.py").write_text(
        "import time\nimport numpy as np\n"
        "def burn(seconds):\n    end = time.process_time() + seconds\n    while time.process_time() < end: pass\n"
        "def touch(mb): return float(np.ones(mb << 17).sum())\n"
    )
    with WorkerClient(tmp_path, Limits(60, 240, 1000), isolation) as student:
        assert student.usage() is None
        student.call("probe:touch", 1)
        before = student.usage()
        student.call("probe:burn", 0.5), student.call("time:sleep", 0.5), student.call("probe:touch", 100)
        after = student.usage()
    assert after.cpu_seconds - before.cpu_seconds >= 0.5
    assert after.wall_seconds - before.wall_seconds >= 1
    assert 80 < after.memory_mb - before.memory_mb < 130


def test_the_command_measures_and_writes_the_costs(run_cli, course, manifest, monkeypatch, tmp_path):
    monkeypatch.setattr("autograder.assignment.limits.COSTS_FILE", str(tmp_path / COSTS_FILE))  # not over the real ones
    monkeypatch.setattr("autograder.course.course.Course.manifest", replace(manifest, questions=manifest.questions[:2]))
    code, out, _ = run_cli("measure", "--times", 1, "--course", course.root)
    assert code == 0 and f"written: {tmp_path / COSTS_FILE}" in out
    costs = read_costs(tmp_path)
    assert list(costs) == ["affine_forward", "affine_backward"]
    assert all(0 < cost.cpu_seconds < 100 and cost.memory_mb > 5 for cost in costs.values())
