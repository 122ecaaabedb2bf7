"""On a slow or busy machine nobody fails: a question that reaches a limit is retried alone, with measured limits."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace

import pytest

from autograder.assignment.limits import Cost
from autograder.grading.prepared import prepare_submission
from autograder.grading.retry import RetryingJudge, RetryLater
from autograder.grading.setting import make_setting
from autograder.intake.submission import Submission
from autograder.samples.load import load_samples
from autograder.samples.sample import Sample
from tests.kit import ROOT
from tests.processes import list_family

pytestmark = pytest.mark.uncounted

SAMPLES = load_samples()
# As if the reference took so much here.
COST = Cost(cpu_seconds=0.5, wall_seconds=0.1, memory_mb=30, address_mb=150)
# Burns a second of processor time before the first step is made, once in each worker.
SLOW = """
    import time
    while time.process_time() < 1.5:
        pass
"""


@pytest.fixture
def make_judge(manifest, isolation, monkeypatch):
    """A function that makes a RetryingJudge of a sample, on a machine where little else runs."""
    monkeypatch.setattr("autograder.grading.retry.is_loaded", lambda: False)
    setting = make_setting(manifest, isolation, secret=(1, 2, 3, 4), seed=1)
    with ExitStack() as stack:

        def make(sample, alone=True):
            submission = Submission(sample.name, sample.files(manifest))
            return RetryingJudge(stack.enter_context(prepare_submission(submission, setting)), alone)

        yield make


@pytest.fixture
def measured(monkeypatch):
    """The reference takes COST on every machine."""
    monkeypatch.setattr("autograder.grading.retry.measure_reference", lambda *_: COST)


@pytest.fixture
def question(manifest):
    def find(identifier, **limits):
        found = next(question for question in manifest.questions if question.id == identifier)
        return replace(found, limits=replace(found.limits, **limits))

    return find


def adam(code):
    """Return a Sample whose adam runs some code first."""
    old = '    t = config["t"] + 1'
    change = {"file": "cs231n/optimizers.py", "old": old, "new": f"{code}\n{old}"}
    return Sample("adam", "adam with something before it", change=(change,), questions=("adam",))


class TestAFirstLimitThatIsTooLowHere:
    """The machine is many times slower than the one on which the costs were recorded."""

    def test_is_raised_to_what_the_reference_takes_here(self, make_judge, question, measured):
        slow = question("adam", cpu_seconds=1, cpu_factor=100)
        outcome = make_judge(adam(SLOW)).judge_question(slow, []).result
        assert (outcome.verdict, outcome.points) == ("passed", 6)
        assert (outcome.limits["tries"], outcome.limits["cpu_seconds"]) == (2, 50)
        assert outcome.limits["text"].startswith("Tried twice, the second time alone on the machine, with ")
        assert outcome.limits["reference"] == asdict(COST)

    def test_of_memory_as_well(self, make_judge, question):
        code = "    np.ones(100 << 17).sum()"
        small = question("adam", memory_mb=96, address_mb=200, memory_factor=20)
        outcome = make_judge(adam(code)).judge_question(small, []).result
        assert (outcome.verdict, outcome.limits["tries"]) == ("passed", 2)

    def test_does_not_save_a_loop_that_never_ends(self, make_judge, question, measured):
        asked = question("adam", cpu_seconds=1, cpu_factor=4)
        outcome = make_judge(SAMPLES["timeout_adam"]).judge_question(asked, []).result
        assert (outcome.verdict, outcome.limits["tries"]) == ("timeout", 2)


class TestAnAmpleLimit:
    def test_on_an_idle_machine_is_not_tried_again(self, make_judge, question, measured):
        asked = question("adam", cpu_seconds=1, cpu_factor=1)
        judged = make_judge(SAMPLES["timeout_adam"]).judge_question(asked, [])
        outcome = judged.result
        assert (outcome.verdict, outcome.limits["tries"], outcome.limits["cpu_seconds"]) == ("timeout", 1, 1)
        assert outcome.limits["text"].startswith("Tried with 1 s of processor time, ")
        assert "adam did not come back: this question has 1 s of processor time and " in said(outcome)
        assert "; the reference takes less than 1 s here" in said(outcome)
        assert len(judged.attempts) == len(outcome.criteria)

    def test_on_a_busy_machine_is_tried_once_more_for_the_first_few_questions(
        self, make_judge, question, measured, monkeypatch
    ):
        monkeypatch.setattr("autograder.grading.retry.is_loaded", lambda: True)
        monkeypatch.setattr("autograder.grading.retry.MAX_USELESS_RETRIES", 1)
        one = make_judge(adam("    import time\n    time.sleep(100)"))
        asked = question("adam", wall_seconds=1, wall_factor=1, cpu_factor=1)
        assert [one.judge_question(asked, []).result.limits["tries"] for _ in range(2)] == [2, 1]

    def test_that_nobody_reaches_is_not_spoken_of(self, make_judge, question):
        outcome = make_judge(adam("    pass")).judge_question(question("adam"), []).result
        assert (outcome.verdict, outcome.limits) == ("passed", None)


class TestBesideOtherSubmissions:
    @pytest.mark.parametrize(
        "sample, limits",
        [(adam(SLOW), {"cpu_seconds": 1}), (SAMPLES["memory_huge_array"], {"memory_mb": 2048})],
        ids=["time", "memory"],
    )
    def test_the_first_limit_reached_puts_the_submission_off(self, make_judge, question, monkeypatch, sample, limits):
        monkeypatch.setattr("autograder.grading.retry.measure_reference", None)  # nothing can be measured now
        asked = question(sample.questions[0], **limits)
        with pytest.raises(RetryLater):
            make_judge(sample, alone=False).judge_question(asked, [])

    def test_who_reaches_no_limit_is_judged_for_good(self, make_judge, question):
        outcome = make_judge(adam("    pass"), alone=False).judge_question(question("adam"), []).result
        assert (outcome.verdict, outcome.limits) == ("passed", None)


def said(outcome):
    return "\n".join(criterion.message for criterion in outcome.criteria)


def send(signal_number, pids):
    """Send a signal to those of the processes that still run."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal_number)


def give_a_sixth(process, cycle=0.3):
    """Let a process and all that it starts run for a sixth of the time until it ends."""
    while process.poll() is None:
        pids = set()
        while new := list_family(process.pid) - pids:  # a process that is not stopped yet may start another one
            send(signal.SIGSTOP, new)
            pids |= new
        try:
            time.sleep(cycle * 5 / 6)
        finally:
            send(signal.SIGCONT, pids)
        time.sleep(cycle / 6)


def test_a_naive_convolution_passes_where_it_gets_a_sixth_of_the_processor(manifest, tmp_path):
    """As on a machine with five busy processes for each processor: it takes six times as long by the clock."""
    for path, data in SAMPLES["passed_conv_loops"].files(manifest).items():
        target = tmp_path / "work" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    command = [sys.executable, "-m", "autograder", "check", str(tmp_path / "work"), "--question", "conv_forward_naive"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        give_a_sixth(run)
        output = run.stdout.read()
    assert "6 of 6 points" in output, output
