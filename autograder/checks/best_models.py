"""Checks of the saved models: how many images, not seen before, does the trained net get right?

For the two NumPy nets no code of the student's runs: the judge reads the arrays and rebuilds the net with the
reference. A TensorFlow model is the student's own code, so the worker runs it; images go in and scores come back, and
the labels stay here.
"""

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from autograder.checking.compare import expect_array
from autograder.checking.criteria import Checks, Outcome, Wrong
from autograder.checks.images import TITLES, hidden_images
from autograder.checks.saved_nets import CLASSES, NoSuchNet, convolutional, fully_connected
from autograder.intake.safe_npz import ArrayError, read_npz
from autograder.sandbox.worker_client import CallError

CHECKS = Checks()

MARKS = ("first mark", "second mark", "third mark")
BATCH = 250  # images that travel to the worker at a time: 3 MB


@dataclass(frozen=True)
class Accuracy:
    """How many of `count` images of one kind of data are right, and what share of them each mark asks for."""

    title: str
    right: int
    count: int
    asked: tuple

    @property
    def share(self):
        return self.right / self.count

    @property
    def marks(self):
        """How many marks it earns."""
        return sum(self.share >= asked for asked in self.asked)

    def __str__(self):
        return f"{self.right} of {self.count} images of {self.title} right ({self.share:.1%})"


@dataclass(frozen=True)
class Unmeasured:
    """Why there is no accuracy: a verdict, and the message with it."""

    message: str
    verdict: str


def count_right(scores, y):
    """Return for how many examples the highest score is that of the right class.

    As in Solver.check_accuracy an example with a score that is not finite counts as wrong.
    """
    return int(np.count_nonzero((np.argmax(scores, axis=1) == y) & np.isfinite(scores).all(axis=1)))


def measure(trial, scores_of):
    """Return an Accuracy for all data that the question's settings name and the grader has.

    - scores_of: images X (N, 3, 32, 32) -> scores (N, 10)
    """
    settings, found = trial.question.settings, []
    for source in TITLES:
        if source not in settings:
            continue
        if len(settings[source]) != len(MARKS):
            raise ValueError(f"questions.toml: {trial.question.id}: {source} needs {len(MARKS)} accuracies")
        images = hidden_images(source, settings["images"], trial.secret)
        if images:
            right = count_right(scores_of(images.X), images.y)
            found.append(Accuracy(images.title, right, len(images.y), tuple(settings[source])))
    if not found:
        raise Wrong("this asks for CIFAR-10, which the machine that graded this does not have", "skipped")
    return found


def _read(trial):
    """Return the arrays of the file that was handed in."""
    file = trial.question.file
    if trial.handed_in is None:
        raise Wrong(f"there is no {file} in the submission; run the cell of the notebook that saves it", "missing")
    try:
        return read_npz(trial.handed_in)
    except ArrayError as error:
        raise Wrong(f"{file}: {error}. Save the model again with the notebook's own cell.") from None


def _rebuilding(rebuild):
    """Return measure: trial -> [Accuracy] for a net that the reference can rebuild."""

    def measured(trial):
        arrays = _read(trial)
        try:
            net = rebuild(arrays)
        except NoSuchNet as error:
            raise Wrong(f"{trial.question.file}: {error}") from None
        seconds = trial.question.limits.cpu_seconds
        try:
            return measure(trial, lambda X: net.scores(X, seconds))
        except TimeoutError:
            raise Wrong(f"{trial.question.file}: scoring images takes more than {seconds} s", "timeout") from None

    return measured


def _running(trial):
    """Return [Accuracy] of the student's own TensorFlow model, with the saved variables."""
    arrays = _read(trial)
    variables = {name: trial.call("tensorflow:constant", value, returns="handle") for name, value in arrays.items()}

    def scores_of(X):
        return np.concatenate([batch_scores(X[start : start + BATCH]) for start in range(0, len(X), BATCH)])

    def batch_scores(X):
        images = np.ascontiguousarray(X.transpose(0, 2, 3, 1))
        x = trial.call("tensorflow:constant", images, returns="handle")
        logits = trial.call(f"{trial.question.module}:my_model", x, variables, False, returns="handle")
        what = f"my_model(x, variables, training=False) with x of shape {images.shape}"
        if logits.kind in ("NoneType", "tuple", "list", "dict", "function"):
            raise Wrong(f"{what} is a {logits.kind}; expected a tensor of shape {(len(images), CLASSES)}")
        return expect_array(trial.call("numpy:asarray", logits), (len(images), CLASSES), what)

    return measure(trial, scores_of)


def _state(question, measured):
    done = WeakKeyDictionary()  # what was found of each Student

    def accuracies(trial):
        if trial.worker not in done:
            try:
                done[trial.worker] = measured(trial)
            except (Wrong, CallError) as error:  # not kept itself: its traceback would keep the Student alive
                done[trial.worker] = Unmeasured(str(error), error.verdict)
        return done[trial.worker]

    @CHECKS.criterion(question, "loads", 1)
    def loads(trial):
        """The saved model loads, and scores images."""
        found = accuracies(trial)
        if isinstance(found, Unmeasured):
            raise Wrong(found.message, found.verdict)
        return Outcome("; ".join(map(str, found)))

    def mark(number):
        def reached(trial):
            found = accuracies(trial)
            if isinstance(found, Unmeasured):
                raise Wrong("no accuracy could be measured; the first criterion says why", found.verdict)
            # The data that earns most counts; of two that earn the same, the one that comes nearer to the last mark.
            best = max(found, key=lambda one: (one.marks, one.share - one.asked[-1]))
            message = f"{best}; this mark asks for " + " or ".join(
                f"{one.asked[number]:.0%} of {one.title}" for one in found
            )
            if best.marks <= number:
                raise Wrong(message)
            return Outcome(message)

        return reached

    for number, name in enumerate(MARKS):
        text = f"The accuracy on images that the model has not seen reaches the {name} of {len(MARKS)}."
        CHECKS.criterion(question, name, 3, text=text)(mark(number))


_state("best_fc_model", _rebuilding(fully_connected))
_state("best_conv_model", _rebuilding(convolutional))
_state("best_tf_model", _running)
