"""One question of one submission: its criteria tried, followed through where a needed question is not right, explained.

A criterion whose needed questions are not right is tried a second time, with the judge answering for those functions.
What holds then is right in itself and earns its follow-through share; what still fails is a mistake of its own. Only
where the judge cannot answer (a cache that the student's own functions share) does it stay `blocked`.
"""

import importlib.util
import logging
import math
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from autograder import checks
from autograder.checking.criteria import Criterion, Outcome, Wrong
from autograder.diagnosis.diagnose import diagnoses
from autograder.diagnosis.error_pattern import describe
from autograder.grading.call_inputs import inputs_of
from autograder.grading.large_inputs import refusal
from autograder.intake.notebook_cells import in_the_notebook
from autograder.report import model as report
from autograder.runtime.os_errors import raise_everywhere
from autograder.runtime.text import listed
from autograder.sandbox.worker_client import StudentError

# Verdicts that may be the doing of a needed question that is not right itself.
_INHERITED = {"failed", "error", "missing", "timeout", "memory", "blocked"}
STUB = "not done yet: the stub is still there"
MESSAGE = 2000  # characters of a message at most: some of it is the student's
log = logging.getLogger("autograder")


@dataclass
class Attempt:
    """One try of one criterion: what was found, the verdict, the calls made, and the needed questions to blame.

    - given: needed questions that the judge answered for
    - excuse: why it may not be a mistake of its own
    """

    criterion: Criterion
    found: Outcome
    verdict: str
    calls: list = field(default_factory=list)
    unmet: list = field(default_factory=list)
    given: list = field(default_factory=list)
    error: StudentError | None = None
    excuse: str = ""

    def is_its_own(self):
        """Take back that a needed question may be to blame."""
        if self.excuse:
            self.verdict, self.excuse = "failed", ""


def all_needs(question, work):
    """Return the ids that the student's answer to a question, or one of its criteria, builds on."""
    more = (need for criterion in checks.CRITERIA[question.id] for need in criterion.needs)
    return list(dict.fromkeys([*work.needs(question), *more]))


def is_available(module):
    """Say whether this machine has a module that a question requires."""
    return importlib.util.find_spec(module) is not None


def examine(question, work, done, seed, watch=None):
    """Judge one question and return its report.Question.

    - work: the submission, as work.Work
    - done: the report.Questions judged so far, what is needed among them
    - seed: of all hidden inputs
    - watch: called with each (question id, Attempt) as it is done
    """
    started = time.monotonic()
    with _Examination(question, work, done, seed) as examination:
        outcome = examination.outcome(watch)
    outcome.seconds = round(time.monotonic() - started, 3)
    return outcome


class _Examination(ExitStack):
    """The workers that one question needs, and what has been found so far."""

    def __init__(self, question, work, done, seed):
        super().__init__()
        self.question, self.work, self.seed = question, work, seed
        self.needs = all_needs(question, work)
        self.needed = [other for other in done if other.id in self.needs]
        self.code, self.untouched = work.code(question)
        self.refused = _refusal(question, self.untouched)
        self.trial = self._trial()
        self.seconds = {}

    def _trial(self, answers=None, limits=None):
        question = replace(self.question, limits=limits or self.question.limits)
        student = self.enter_context(self.work.student(question, answers))
        return self.work.trial(self.question, student, self.seed)

    def outcome(self, watch=None):
        """Return the report.Question with all of its criteria."""
        question = self.question
        criteria = checks.CRITERIA[question.id]
        attempts = [self._judged(criterion) for criterion in criteria]
        if question.measured_gradients == "refuse" and question.id in checks.LARGE_CALLS:
            self._expect_derived(attempts)
        for attempt in attempts if watch else ():
            watch(question.id, attempt)
        _expect_all_or_nothing(attempts)
        shares = _shares(question.points, [criterion.weight for criterion in criteria])
        diagnosis = diagnoses(question.id, attempts, self.work.manifest.root)
        judged = [self._reported(*parts) for parts in zip(attempts, shares)]
        return report.Question(
            question.id,
            question.title,
            question.notebook,
            round(sum(criterion.points for criterion in judged), 2),
            question.points,
            report.worst(criterion.verdict for criterion in judged),
            criteria=judged,
            diagnosis=diagnosis,
            needs=self.needs,
            hint=question.hint,
            bonus=question.bonus,
            code=self.code,
            output=self.trial.student.printed,
        )

    def _judged(self, criterion):
        """Try a criterion, twice where the first try may have failed by a needed question."""
        attempt = self._attempt(criterion, self.trial)
        unmet = self._unmet(criterion, attempt.verdict == "blocked")
        attempt.unmet = _blamed(attempt.error, self.question, unmet) if attempt.error else unmet
        own_stub = attempt.verdict == "missing" and not attempt.error  # it came back, with nothing in it
        if attempt.unmet and attempt.verdict in _INHERITED and not own_stub:
            attempt = self._followed(criterion, attempt, unmet)
        if attempt.verdict == "blocked" and (self.untouched or (self.code is None and self.question.source)):
            attempt.verdict, attempt.found, attempt.excuse = "missing", Outcome(STUB), ""
        return attempt

    def _expect_derived(self, attempts):
        """Take back what has passed by a gradient that was measured and not derived."""
        passed = [attempt for attempt in attempts if attempt.verdict == "passed"]
        # What is right apart from edge cases. A diagnosis names the wrong function that a gradient is right for.
        proved = {a.criterion.name for a in passed if not a.criterion.edge and not a.found.diagnosis}
        wrong = {need.id: _main_verdicts(need) - {"passed"} for need in self.needed}
        wrong = {name: verdicts for name, verdicts in wrong.items() if verdicts}
        given = sorted({*wrong, *(name for attempt in passed for name in attempt.given)})
        answers, answered = checks.answers_for(self.question.id, given, self.work.manifest.options)
        unanswered = [verdicts for name, verdicts in wrong.items() if name not in answered]
        if not passed or any({"timeout", "memory"} & verdicts for verdicts in unanswered):
            return  # what is slow may be the needed question, which has paid for it
        proved = set() if unanswered else proved  # its gradients may be those of another function

        def start(limits):
            return self._trial(answers if answered else None, limits)

        try:
            large = checks.LARGE_CALLS[self.question.id](self.trial)
            refused = refusal(large, self.question, start, proved, bool(answered))
        except Exception:  # a fault of the grader must not cost the student a point
            log.exception("grader fault in the large call of %s", self.question.id)
            return
        for attempt in passed if refused else ():
            if attempt.criterion.name not in large.spared:
                attempt.verdict, attempt.found = refused[0], Outcome(refused[1])
                attempt.calls, attempt.given = [], []

    def _attempt(self, criterion, trial):
        """Run one check, unless the question is refused."""
        trial.student.calls.clear()
        attempt = Attempt(criterion, Outcome(), "passed")
        try:
            if self.refused:
                raise self.refused
            if trial.student.seconds_left <= 0:
                raise StudentError("timeout", "not tried: the question's time was used up before")
            attempt.found = criterion.check(trial) or Outcome()
        except Wrong as wrong:
            attempt.found, attempt.verdict = wrong.outcome, wrong.verdict
        except StudentError as error:
            attempt.found, attempt.verdict, attempt.error = Outcome(str(error)), error.verdict, error
        except Exception as error:  # a fault of the grader: it must not cost the student a point, nor stop the class
            raise_everywhere(error)  # but for a shortage, which would look like one in everybody's answers
            log.exception("grader fault in %s, %s", self.question.id, criterion.name)
            text = f"the grader itself failed here ({type(error).__name__}); a human will look"
            attempt.found, attempt.verdict = Outcome(text), "grader_fault"
        attempt.calls = list(trial.student.calls)
        return attempt

    def _followed(self, criterion, first, unmet):
        """Try again with the judge answering for what is not right; `first` as `blocked` where it cannot.

        - unmet: what may be answered for; `first.unmet` may name what only the worker's account of an exception says
        """
        answered = self._answered([need for need in first.unmet if need in unmet])
        if len(answered) == len(first.unmet):
            again = self._attempt(criterion, self.seconds[frozenset(answered)])
            refused = again.error and again.error.is_not_answered
            if again.verdict not in ("blocked", "grader_fault") and not refused:
                if again.verdict == "passed":
                    again.given = answered
                return again
        first.excuse = f"This may not be a mistake of its own: it needs {listed(first.unmet)}, not right yet. "
        first.verdict = "blocked"
        return first

    def _answered(self, unmet):
        """Return those of the unmet questions that the judge can answer for, with a worker made in which it does."""
        answers, names = checks.answers_for(self.question.id, unmet, self.work.manifest.options)
        answered = [need for need in unmet if need in names]
        if frozenset(answered) not in self.seconds:
            self.seconds[frozenset(answered)] = self._trial(answers)
        return answered

    def _unmet(self, criterion, blocked):
        """Return the needed questions that are not right: whose main criteria do not all hold.

        An edge case may also fail by the same edge of theirs, and what a check says is `blocked` by any.
        """
        names = {*self.work.needs(self.question), *criterion.needs}
        found = []
        for need in self.needed:
            if need.id in names:
                of_interest = [c for c in need.criteria if not c.edge or blocked or c.name == criterion.name]
                wrong = any(c.verdict != "passed" for c in of_interest)
                # What was given to it to be right has to be given here too.
                found += [need.id] * wrong + [name for c in of_interest for name in c.given]
        return list(dict.fromkeys(found))

    def _reported(self, attempt, points):
        criterion, found, passed = attempt.criterion, attempt.found, attempt.verdict == "passed"
        share = self.question.follow_through if attempt.given else 1
        message = in_the_notebook((attempt.excuse + found.message)[:MESSAGE], self.work.modules)
        if attempt.given:
            given = listed([f"`{name}`" for name in attempt.given])
            message = f"Right, given a correct {given}. {message}".strip()
        return report.Criterion(
            name=criterion.name,
            text=criterion.text,
            verdict=attempt.verdict,
            points=round(points * share, 2) if passed else 0,
            max_points=points,
            message=message,
            max_rel_error=_finite(found.max_rel_error),
            worst_index=None if found.worst_index is None else [int(i) for i in found.worst_index],
            near=_near(found),
            picture=checks.picture_of(*found.arrays) if found.arrays else None,
            edge=criterion.edge,
            where=_where(self.question, found) if not passed else "",
            given=attempt.given,
            inputs=inputs_of(attempt.calls) if not passed else [],
        )


def _main_verdicts(needed):
    """Return the verdicts of a needed question, edge cases aside, as a set."""
    return {criterion.verdict for criterion in needed.criteria if not criterion.edge}


def _refusal(question, untouched):
    """Return a Wrong for every criterion of a question that needs no worker to be judged, or None."""
    lacking = [name for name in question.requires if not is_available(name)]
    if lacking:
        return Wrong(f"{listed(lacking)} is not installed on the machine that graded this", "skipped")
    # A module made of cells holds nothing but them; in one of the package something else might define the function.
    return Wrong(STUB, "missing") if untouched and question.cells else None


def _expect_all_or_nothing(attempts):
    """Call None a wrong answer, not a missing one, where some other answer of the same question is right."""
    if any(attempt.verdict == "passed" and not attempt.criterion.edge for attempt in attempts):
        for attempt in attempts:
            if attempt.verdict == "missing" and not attempt.error:
                attempt.verdict = "failed"


def _blamed(error, question, unmet):
    """Return which needed questions an exception may be put down to, given those that are not right."""
    own = error.file in (None, question.source) or not question.needs
    if own and (error.verdict == "missing" or error.function == "<module>"):
        return []  # the student's own stub, or a file that cannot even be imported
    if error.verdict == "missing" and not unmet:
        return [error.function if error.function.isidentifier() else "another function"]
    return unmet


def _shares(points, weights):
    """Split points by weight into hundredths that add up exactly."""
    edges = [round(points * sum(weights[:i]) / sum(weights), 2) for i in range(len(weights) + 1)]
    return [round(high - low, 2) for low, high in zip(edges, edges[1:])]


def _where(question, found):
    if not found.arrays:
        return ""
    expected, actual, wrong, _, name, *_ = found.arrays
    return describe(expected, actual, wrong, checks.axes_of(question.id, name, expected.ndim), found.bound)


def _near(found):
    """Within a factor of two of the bound, on either side: a human may want to look."""
    if not found.max_rel_error or not found.bound:
        return False
    return bool(0.5 <= found.max_rel_error / found.bound <= 2)


def _finite(value):
    return float(value) if value is not None and math.isfinite(value) else None
