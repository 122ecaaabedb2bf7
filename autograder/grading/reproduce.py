"""One criterion of one submission, judged once more, with everything it saw."""

import io
from dataclasses import dataclass

import numpy as np

from autograder.checking.attempt import Attempt
from autograder.checking.pack import load_pack
from autograder.errors import KitError
from autograder.grading.submission import judge
from autograder.report.model import CriterionResult, QuestionResult
from autograder.runtime.atomic import write_output


@dataclass
class Reproduced:
    """What came of it: the question's report, the criterion's part of it, and the Attempt with all arrays."""

    question: QuestionResult
    criterion: CriterionResult
    attempt: Attempt

    def arrays(self):
        """Return {name: array}: expected, yours and wrong where they are known, and every argument of every call."""
        arrays = {}
        if self.attempt.found.arrays:
            expected, actual, wrong, *_ = self.attempt.found.arrays
            arrays |= {"expected": expected, "yours": actual, "wrong": wrong}
        for number, call in enumerate(self.attempt.calls):
            name = call.target.rpartition(":")[2] if isinstance(call.target, str) else call.target[-1]
            for key, value in [*enumerate(call.args), *call.kwargs.items()]:
                if isinstance(value, np.ndarray):
                    arrays[f"call{number}_{name}_{key}"] = value
        return arrays

    def save(self, path):
        """Write all arrays to an .npz file, as runtime.atomic.write_output does."""
        data = io.BytesIO()
        np.savez(data, **self.arrays())
        write_output(path, data.getvalue())


def reproduce(submission, manifest, isolation, question, criterion, seed=None, secret=None):
    """Judge one criterion of a submission and return what it saw; KitError where there is no such criterion.

    - seed: as a report carries it; None takes the kit's own
    - secret: what runtime.secret.load_secret gave for the course; None takes the kit's own
    """
    criteria = load_pack(manifest).criteria
    if question not in criteria:
        raise KitError(f"{question}: no such question. There are: {', '.join(criteria)}")
    names = [known.name for known in criteria[question]]
    if criterion not in names:
        raise KitError(f"{criterion!r}: no such criterion of {question}. There are: {', '.join(map(repr, names))}")
    seen = {}

    def watch(identifier, attempt):
        seen[identifier, attempt.criterion.name] = attempt

    report = judge(submission, manifest, isolation, [question], secret=secret, seed=seed, watch=watch)
    judged = report.question(question)
    found = next(one for one in judged.criteria if one.name == criterion)
    return Reproduced(judged, found, seen[question, criterion])
