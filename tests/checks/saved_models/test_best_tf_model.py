"""The student's own TensorFlow model runs in the worker on images alone, and is scored like the other saved models.

The worker is forked from this process; the golden report of the reference shows a model in the sandbox.
"""

import io
from dataclasses import replace

import numpy as np
import pytest

from autograder.checking.criteria import Trial, Wrong
from autograder.checks.saved_models import best_models  # noqa: F401  (it registers its criteria)
from autograder.checks.saved_models.images import get_hidden_images
from autograder.grading.setting import derive_seed
from autograder.sandbox.worker_client import WorkerClient
from tests.forked_worker import FORKS_TENSORFLOW, forked_workers, import_tensorflow
from tests.kit import PACK

pytestmark = [FORKS_TENSORFLOW, pytest.mark.uncounted]

QUESTION = "best_tf_model"
SECRET = (3, 1, 4, 1)
SETTINGS = {"sample": [0.05, 0.1, 1.0], "images": 300}  # more than travel at a time
MODELS = {
    "linear": """
        assert x.shape[1:] == (32, 32, 3) and x.dtype == tf.float32 and training is False
        assert set(variables) == {"w", "b"}
        return tf.reshape(x, (-1, 3072)) @ variables["w"] + variables["b"]""",
    "stub": "raise NotImplementedError()",
    "crash": "return x @ variables['w']",
    "nine": "return tf.zeros((x.shape[0], 9))",
    "nothing": "return None",
    "nan": "return tf.zeros((x.shape[0], 10)) / 0.0",
}


class Fresh:
    """A student of one test; they share one worker, so that TensorFlow is loaded once."""

    def __init__(self, student):
        self.call = student.call


@pytest.fixture(scope="module")
def worker(tmp_path_factory, manifest):
    import_tensorflow()
    folder = tmp_path_factory.mktemp("submission")
    answers = folder / "answers" / "TensorFlow"
    answers.mkdir(parents=True)
    for name, body in MODELS.items():
        code = f"import tensorflow as tf\n\ndef my_model(x, variables, training):\n        {body.strip()}\n"
        (answers / f"{name}.py").write_text(code)
    folder.chmod(0o755)
    entry = next(entry for entry in manifest.questions if entry.id == QUESTION)
    with forked_workers() as forked, WorkerClient(folder, entry.limits, forked) as student:
        yield student


@pytest.fixture
def results(worker, manifest):
    """A function that judges one of the models on a file: {criterion: (verdict, message)}."""
    entry = next(entry for entry in manifest.questions if entry.id == QUESTION)

    def results(model, arrays):
        file = io.BytesIO()
        np.savez(file, **arrays)
        question = replace(entry, id=model, settings=SETTINGS)
        trial = Trial(Fresh(worker), derive_seed(manifest), question, {}, file.getvalue(), SECRET)
        found = {}
        for criterion in PACK.criteria[QUESTION]:
            try:
                found[criterion.name] = ("passed", criterion.check(trial).message)
            except Exception as error:
                assert isinstance(error, Wrong), error
                found[criterion.name] = (error.verdict, str(error))
        return found

    return results


@pytest.fixture(scope="module")
def variables():
    rng = np.random.default_rng(3)
    w, b = rng.normal(size=(3072, 10)).astype(np.float32), rng.normal(size=10).astype(np.float32)
    return {"w": w, "b": b}


def test_scores_are_those_of_the_model_on_images_with_channels_last(results, variables, manifest):
    hidden = get_hidden_images("sample", 300, SECRET)
    rows = hidden.X.transpose(0, 2, 3, 1).reshape(300, -1)
    right = np.count_nonzero((rows @ variables["w"] + variables["b"]).argmax(axis=1) == hidden.y)
    found = results("linear", variables)
    count = int(found["loads"][1].split(" of 300 images of the built-in sample")[0])
    assert abs(count - right) <= 1  # sums of float32 in another order
    marks = ["passed" if count / 300 >= asked else "failed" for asked in SETTINGS["sample"]]
    assert [verdict for verdict, _ in found.values()] == ["passed", *marks]


@pytest.mark.parametrize(
    "model, verdict, said",
    [
        ("stub", "missing", "the stub is still there"),
        ("crash", "error", "my_model raised InvalidArgumentError"),
        ("nine", "failed", "with x of shape (250, 32, 32, 3) has shape (250, 9); expected (250, 10)"),
        ("nothing", "failed", "(250, 32, 32, 3) is a NoneType; expected a tensor of shape (250, 10)"),
    ],
)
def test_a_model_that_gives_no_scores_earns_nothing(model, verdict, said, results, variables):
    found = results(model, variables)
    assert {verdict for verdict, _ in found.values()} == {verdict}
    assert said in found["loads"][1]


def test_scores_that_are_no_numbers_are_wrong_answers(results, variables):
    found = results("nan", variables)
    assert found["loads"] == ("passed", "0 of 300 images of the built-in sample right (0.0%)")
    assert [verdict for verdict, _ in found.values()] == ["passed"] + ["failed"] * 3


def test_a_file_that_is_no_npz_never_reaches_the_model(manifest):
    entry = next(entry for entry in manifest.questions if entry.id == QUESTION)
    trial = Trial(object.__new__(WorkerClient), derive_seed(manifest), entry, {}, b"not a zip")
    with pytest.raises(Wrong, match=r"best_tf_model.npz: the file is no readable .npz archive"):
        PACK.criteria[QUESTION][0].check(trial)
