"""Checks of the saved models: the accuracy of the trained nets on hidden images.

For the two NumPy nets no code of the student runs: the judge reads the arrays and rebuilds the net with the reference.
A TensorFlow model is the student's own code, so the worker runs it. The worker gets images and returns scores; the
labels stay in the judge.
"""

from collections.abc import Callable
from weakref import WeakKeyDictionary

import numpy as np

from autograder.checking.compare import expect_array
from autograder.checking.criteria import Check, Checks, Outcome, Trial, Wrong
from autograder.checks.saved_models.accuracy import MARKS, Accuracy, Unmeasured, get_question, measure
from autograder.checks.saved_models.saved_nets import (
    CLASSES,
    NetMismatch,
    SavedNet,
    rebuild_convolutional,
    rebuild_fully_connected,
)
from autograder.intake.safe_npz import ArrayError, read_npz
from autograder.sandbox.worker_client import CallError

CHECKS = Checks()

BATCH = 250  # images in one call of the worker: 3 MB

Measure = Callable[[Trial], list[Accuracy]]


def _read_arrays(trial: Trial) -> dict[str, np.ndarray]:
    """Return the arrays of the submitted file."""
    file = get_question(trial).file
    if trial.submitted_file is None:
        raise Wrong(f"the submission has no {file}; run the cell of the notebook that saves it", "missing")
    try:
        return read_npz(trial.submitted_file)
    except ArrayError as error:
        raise Wrong(f"{file}: {error}. Save the model again with the cell of the notebook.") from None


def _measure_rebuilt(rebuild: Callable[[dict[str, np.ndarray]], SavedNet]) -> Measure:
    """Return a function that measures a net that the reference can rebuild."""

    def measure_rebuilt(trial: Trial) -> list[Accuracy]:
        question = get_question(trial)
        arrays = _read_arrays(trial)
        try:
            net = rebuild(arrays)
        except NetMismatch as error:
            raise Wrong(f"{question.file}: {error}") from None
        seconds = question.limits.cpu_seconds
        try:
            return measure(trial, lambda X: net.scores(X, seconds))
        except TimeoutError:
            raise Wrong(
                f"{question.file}: scoring the images takes more than {seconds} s. Train a smaller net", "timeout"
            ) from None

    return measure_rebuilt


def _measure_tensorflow(trial: Trial) -> list[Accuracy]:
    """Measure the student's own TensorFlow model with the saved variables."""
    arrays = _read_arrays(trial)
    variables = {name: trial.call("tensorflow:constant", value, returns="handle") for name, value in arrays.items()}

    def scores_of(X: np.ndarray) -> np.ndarray:
        return np.concatenate([batch_scores(X[start : start + BATCH]) for start in range(0, len(X), BATCH)])

    def batch_scores(X: np.ndarray) -> np.ndarray:
        images = np.ascontiguousarray(X.transpose(0, 2, 3, 1))
        x = trial.call("tensorflow:constant", images, returns="handle")
        logits = trial.call(f"{get_question(trial).module}:my_model", x, variables, False, returns="handle")
        call = f"my_model(x, variables, training=False) with x of shape {images.shape}"
        if logits.kind in ("NoneType", "tuple", "list", "dict", "function"):
            raise Wrong(f"{call} is a {logits.kind}; expected a tensor of shape {(len(images), CLASSES)}")
        return expect_array(trial.call("numpy:asarray", logits), (len(images), CLASSES), call)

    return measure(trial, scores_of)


def _add_mark_criteria(question: str, measured: Measure) -> None:
    """Add the criteria of a saved model: it loads, and it earns each mark."""
    done = WeakKeyDictionary()  # the result of each worker

    def accuracies(trial: Trial) -> list[Accuracy] | Unmeasured:
        if trial.worker not in done:
            try:
                done[trial.worker] = measured(trial)
            except (Wrong, CallError) as error:  # its traceback would keep the worker alive
                done[trial.worker] = Unmeasured(str(error), error.verdict)
        return done[trial.worker]

    @CHECKS.criterion(question, "loads", 1)
    def loads(trial: Trial) -> Outcome:
        """The saved model loads and scores images."""
        found = accuracies(trial)
        if isinstance(found, Unmeasured):
            raise Wrong(found.message, found.verdict)
        return Outcome("; ".join(map(str, found)))

    def check_mark(number: int) -> Check:
        def reached(trial: Trial) -> Outcome:
            found = accuracies(trial)
            if isinstance(found, Unmeasured):
                raise Wrong("no accuracy was measured; the first criterion says why", found.verdict)
            # The data set with the most marks counts; of two with equal marks, the one nearer to the last mark.
            best = max(found, key=lambda one: (one.marks, one.share - one.required[-1]))
            message = f"{best}; this mark needs " + " or ".join(
                f"{one.required[number]:.0%} of {one.title}" for one in found
            )
            if best.marks <= number:
                raise Wrong(message)
            return Outcome(message)

        return reached

    for number, name in enumerate(MARKS):
        text = f"The accuracy on hidden images reaches the {name} of {len(MARKS)}."
        CHECKS.criterion(question, name, 3, text=text)(check_mark(number))


_add_mark_criteria("best_fc_model", _measure_rebuilt(rebuild_fully_connected))
_add_mark_criteria("best_conv_model", _measure_rebuilt(rebuild_convolutional))
_add_mark_criteria("best_tf_model", _measure_tensorflow)
