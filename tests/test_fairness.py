"""A slow or busy machine fails nobody: whoever reaches a limit there is tried once more, alone, by what is measured."""

import os
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from autograder.fairness import FairExaminer
from autograder.machine import Place
from autograder.samples.load import load_samples
from autograder.samples.sample import Sample
from autograder.submission import Submission
from autograder.work import Work
from tests.conftest import ROOT

SAMPLES = load_samples()
# Burns a second of processor time before the first step is made, once in each worker.
SLOW = """
    import time
    while time.process_time() < 1.5:
        pass
"""


@pytest.fixture
def examiner(manifest, isolation, tmp_path, monkeypatch):
    """A function that makes a FairExaminer of a sample, on a machine where nobody else judges and little else runs."""
    monkeypatch.setattr("autograder.machine.is_loaded", lambda: False)

    def make(sample):
        submission = Submission(sample.name, sample.files(manifest))
        work = Work(submission, manifest, isolation, (), (1, 2, 3, 4))
        (tmp_path / "staged").mkdir()
        work.stage(tmp_path / "staged")
        return FairExaminer(work, 1, place=Place(tmp_path / "locks"))

    return make


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
    """As on a machine many times slower than the one on which the costs were recorded."""

    def test_is_raised_to_what_the_reference_takes_here(self, examiner, question):
        slow = question("adam", cpu_seconds=1, cpu_factor=100)
        outcome = examiner(adam(SLOW)).examine(slow, [])
        assert (outcome.verdict, outcome.points) == ("passed", 6)
        assert outcome.limits["tries"] == 2 and outcome.limits["cpu_seconds"] > 4
        assert outcome.limits["text"].startswith("Tried twice, the second time alone on the machine, with ")
        assert 0.01 < outcome.limits["reference"]["cpu_seconds"] < 5

    def test_of_memory_as_well(self, examiner, question):
        code = "    np.ones(100 << 17).sum()"
        small = question("adam", memory_mb=96, address_mb=200, memory_factor=20)
        outcome = examiner(adam(code)).examine(small, [])
        assert (outcome.verdict, outcome.limits["tries"]) == ("passed", 2)

    def test_does_not_save_a_loop_that_never_ends(self, examiner, question):
        outcome = examiner(SAMPLES["timeout_adam"]).examine(question("adam", cpu_seconds=1, cpu_factor=30), [])
        assert (outcome.verdict, outcome.limits["tries"]) == ("timeout", 2)


class TestAnAmpleLimit:
    def test_on_an_idle_machine_is_not_tried_again(self, examiner, question):
        seen = []
        one = examiner(SAMPLES["timeout_adam"])
        one._watch = lambda *found: seen.append(found)
        outcome = one.examine(question("adam", cpu_seconds=2, cpu_factor=1), [])
        assert (outcome.verdict, outcome.limits["tries"], outcome.limits["cpu_seconds"]) == ("timeout", 1, 2)
        assert outcome.limits["text"].startswith("Tried with 2 s of processor time, ")
        assert "adam used up its 2 s of processor time; the reference takes less than 2 s here" in said(outcome)
        assert len(seen) == len(outcome.criteria)

    def test_on_a_busy_machine_is_tried_once_more_for_the_first_few_questions(self, examiner, question, monkeypatch):
        monkeypatch.setattr("autograder.machine.is_loaded", lambda: True)
        monkeypatch.setattr("autograder.fairness.MOST_FRUITLESS", 1)
        one, asked = examiner(SAMPLES["timeout_adam"]), question("adam", cpu_seconds=1, cpu_factor=1)
        assert [one.examine(asked, []).limits["tries"] for _ in range(2)] == [2, 1]

    def test_beside_another_judge_is_tried_again_once_that_one_has_gone(
        self, examiner, question, tmp_path, monkeypatch
    ):
        one, other = examiner(adam(SLOW)), Place(tmp_path / "locks").shared()
        other.__enter__()
        alone, left = one._place.alone, []

        def leave():
            left.append(True)
            other.__exit__(None, None, None)

        def wait_to_be_alone():
            threading.Timer(0.3, leave).start()
            return alone()

        monkeypatch.setattr(one._place, "alone", wait_to_be_alone)
        outcome = one.examine(question("adam", cpu_seconds=1, cpu_factor=1), [])
        assert left and (outcome.verdict, outcome.limits["tries"]) == ("timeout", 2)

    def test_that_nobody_reaches_is_not_spoken_of(self, examiner, question):
        outcome = examiner(adam("    pass")).examine(question("adam"), [])
        assert (outcome.verdict, outcome.limits) == ("passed", None)


def said(outcome):
    return "\n".join(criterion.message for criterion in outcome.criteria)


def test_a_naive_convolution_passes_where_it_gets_a_sixth_of_the_processor(manifest, tmp_path):
    """One busy process for each processor, which the kernel gives five times as much as the judge and its workers."""
    for path, data in SAMPLES["passed_conv_loops"].files(manifest).items():
        target = tmp_path / "work" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        command = ["nice", "-n", "7", sys.executable, "-m", "autograder", "check", str(tmp_path / "work")]
        command += ["--question", "conv_forward_naive"]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    finally:
        for process in busy:
            process.kill(), process.wait()
    assert "6 of 6 points" in run.stdout, run.stdout + run.stderr
