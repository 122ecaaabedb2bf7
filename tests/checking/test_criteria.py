"""A check states one property; what it draws at random depends on the kit and on nothing else."""

import numpy as np
import pytest

from autograder.checking.criteria import Checks, Outcome, Trial, Wrong, block_if_failed
from autograder.sandbox.worker_client import CallError


class TestRandomNumbers:
    def draw(self, seed, *path):
        return Trial(worker=object(), seed=seed).rng(*path).random(4).tolist()

    def test_are_the_same_for_every_student_and_run(self):
        assert self.draw(7, "affine", (2, 3)) == self.draw(7, "affine", (2, 3))

    def test_do_not_depend_on_what_was_drawn_before(self):
        trial = Trial(None, 7)
        trial.rng("first").random(100)
        assert trial.rng("second").random(4).tolist() == self.draw(7, "second")

    @pytest.mark.parametrize("other", [(8, "a", 1), (7, "b", 1), (7, "a", 2), (7, "a"), (7, 1, "a")])
    def test_differ_by_seed_and_path(self, other):
        assert self.draw(7, "a", 1) != self.draw(*other)

    def test_of_a_kit_stay_as_they_are(self):
        np.testing.assert_allclose(Trial(None, 7).rng("a").random(2), [0.6172647474519394, 0.412276645385638])


class TestChecks:
    def test_keeps_criteria_in_the_order_they_were_stated(self):
        checks = Checks()

        @checks.criterion("f", "values", 3)
        def values(trial):
            """out is
            right."""

        @checks.criterion("f", "edge", edge=True, text="Even then.")
        def edge(trial):
            pass

        first, second = checks.criteria["f"]
        assert (first.name, first.weight, first.check, first.edge) == ("values", 3, values, False)
        assert first.text == "out is right."
        assert (second.weight, second.edge, second.text) == (1.0, True, "Even then.")


class TestWrong:
    def test_takes_a_sentence_or_an_outcome(self):
        assert Wrong("no").outcome == Outcome("no") and str(Wrong("no")) == "no"
        outcome = Outcome("no", 0.5)
        assert Wrong(outcome).outcome is outcome and str(Wrong(outcome)) == "no"
        assert Wrong("no").verdict == "failed"


class TestNeeding:
    @pytest.mark.parametrize("verdict", ["error", "missing", "timeout", "memory", "failed"])
    def test_turns_a_failure_of_what_is_needed_into_blocked(self, verdict):
        with pytest.raises(Wrong, match="backward is fed by your forward, which failed: broken") as error:
            with block_if_failed("backward", "forward"):
                raise CallError(verdict, "broken")
        assert error.value.verdict == "blocked"

    def test_lets_what_is_forbidden_through(self):
        with pytest.raises(CallError), block_if_failed("backward", "forward"):
            raise CallError("forbidden", "no")

    def test_lets_a_fault_of_the_grader_through(self):
        with pytest.raises(ZeroDivisionError), block_if_failed("backward", "forward"):
            raise ZeroDivisionError
