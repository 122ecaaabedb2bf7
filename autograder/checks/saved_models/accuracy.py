"""The accuracy of a trained net on hidden images."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograder.assignment.manifest import Question
from autograder.checking.criteria import Trial, Wrong
from autograder.checks.saved_models.images import TITLES, get_hidden_images

MARKS = ("first mark", "second mark", "third mark")


@dataclass(frozen=True)
class Accuracy:
    """The number of right images among `count` of one data set, and the accuracy that each mark requires."""

    title: str
    right: int
    count: int
    required: tuple[float, ...]

    @property
    def share(self) -> float:
        """The accuracy."""
        return self.right / self.count

    @property
    def marks(self) -> int:
        """The number of marks that this accuracy earns."""
        return len([required for required in self.required if self.share >= required])

    def __str__(self) -> str:
        return f"{self.right} of {self.count} images of {self.title} right ({self.share:.1%})"


@dataclass(frozen=True)
class Unmeasured:
    """The reason why there is no accuracy: a message and a verdict."""

    message: str
    verdict: str


def get_question(trial: Trial) -> Question:
    """Return the manifest's entry of the question that is judged."""
    if trial.question is None:
        raise ValueError("this check needs the manifest's entry of its question")
    return trial.question


def count_right(scores: np.ndarray, y: np.ndarray) -> int:
    """Return the number of examples for which the right class has the highest score.

    As in Solver.check_accuracy, an example with a score that is not finite counts as wrong.
    """
    return int(np.count_nonzero((np.argmax(scores, axis=1) == y) & np.isfinite(scores).all(axis=1)))


def measure(trial: Trial, scores_of: Callable[[np.ndarray], np.ndarray]) -> list[Accuracy]:
    """Return an Accuracy for each data set that the question's settings name and the grader has.

    - scores_of: images X (N, 3, 32, 32) -> scores (N, 10)
    """
    question = get_question(trial)
    settings, found = question.settings, []
    for source in TITLES:
        if source not in settings:
            continue
        if len(settings[source]) != len(MARKS):
            raise ValueError(
                f"questions.toml: {question.id}: {source} has {len(settings[source])} accuracies; expected {len(MARKS)}"
            )
        images = get_hidden_images(source, settings["images"], trial.secret)
        if images:
            right = count_right(scores_of(images.X), images.y)
            found.append(Accuracy(images.title, right, len(images.y), tuple(settings[source])))
    if not found:
        raise Wrong("this criterion needs CIFAR-10, and the grader's machine does not have it", "skipped")
    return found
