"""Saved models for the sample submissions: small nets of the reference, trained on the built-in sample in seconds."""

import contextlib
import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from autograder.checks.catalogue import ASSIGNMENT
from autograder.runtime.locks import lock_folder
from cs231n.checkpoint import save_model
from cs231n.classifiers.cnn import ThreeLayerConvNet
from cs231n.classifiers.fc_net import FullyConnectedNet
from cs231n.data_utils import get_CIFAR10_data
from cs231n.sample_data import make_sample
from cs231n.solver import Solver

CACHE = ASSIGNMENT.parent / "build" / "sample-models"
TENSORFLOW_NOTEBOOK = ASSIGNMENT.parent / "source_notebooks" / ASSIGNMENT.name / "TensorFlow.ipynb"
HERE = Path(__file__)


def model_files(cache: Path = CACHE) -> dict[str, bytes]:
    """Return {path: bytes} of saved models that earn every mark on the sample: trained once, then kept in `cache`.

    They are trained again after a change of the code that trains them. The TensorFlow model needs TensorFlow. If
    another process trains a model at this moment, this one waits for it.
    """
    files = {}
    cache = Path(cache)
    for path, (train, *sources) in _MODELS.items():
        version = hashlib.sha256(b"".join(source.read_bytes() for source in (HERE, *sources))).hexdigest()[:12]
        kept = cache / f"{version}-{path}"
        if path != TENSORFLOW or find_spec("tensorflow"):
            if not kept.is_file():
                cache.mkdir(parents=True, exist_ok=True)
                with lock_folder(cache, "training of the sample models", wait=lambda _: None):
                    if not kept.is_file():
                        train(kept)
            files[path] = kept.read_bytes()
    return files


def _train_fully_connected(path: Path) -> None:
    """Train a net to an accuracy of about 70 % on unseen sample images, in about 2 s."""
    _train(lambda: FullyConnectedNet([64], reg=0.5), path, 12, 100, learning_rate=1e-3)


def _train_convolutional(path: Path) -> None:
    """Train a net to an accuracy of about 80 %, in about 8 s."""

    def net() -> ThreeLayerConvNet:
        return ThreeLayerConvNet(num_filters=8, filter_size=3, hidden_dim=48, reg=0.02, weight_scale=1e-2)

    _train(net, path, 6, 50, learning_rate=2e-3)


def _train_tensorflow(path: Path) -> None:
    """Train the notebook's own model in a process that may load TensorFlow."""
    module = "autograder.checks.saved_models.sample_tensorflow"
    command = [sys.executable, "-m", module, str(TENSORFLOW_NOTEBOOK), str(path)]
    paths = [str(ASSIGNMENT.parent), str(ASSIGNMENT)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    run = subprocess.run(command, cwd=ASSIGNMENT.parent, env=environment, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"{module} failed to train the TensorFlow model of the samples:\n{run.stderr[-2000:]}")


TENSORFLOW = "best_tf_model.npz"
_MODELS = {
    "best_fc_model.npz": (_train_fully_connected,),
    "best_conv_model.npz": (_train_convolutional,),
    TENSORFLOW: (_train_tensorflow, HERE.with_name("sample_tensorflow.py"), TENSORFLOW_NOTEBOOK),
}


def _train(make: Callable[[], Any], path: Path, num_epochs: int, batch_size: int, learning_rate: float) -> None:
    data = load_mirrored_sample(path.parent)
    before = np.random.get_state()
    np.random.seed(231)  # the nets draw their weights from the global generator
    try:
        model = make()
    finally:
        np.random.set_state(before)
    config = {"learning_rate": learning_rate}
    options = {"num_epochs": num_epochs, "batch_size": batch_size, "lr_decay": 0.85}
    measures = {"num_train_samples": 100, "verbose": False, "seed": 1}
    Solver(model, data, update_rule="adam", optim_config=config, **options, **measures).train()
    save_model(model, path)


def load_mirrored_sample(folder: Path) -> dict[str, np.ndarray]:
    """Return the sample as get_CIFAR10_data does, with the mirror image of every training image added.

    This adds 10 % to the accuracy on unseen images. The sample is made in `folder` if it is not there.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        data = get_CIFAR10_data(root=make_sample(folder))
    X, y = data["X_train"], data["y_train"]
    return data | {"X_train": np.concatenate([X, X[..., ::-1]]), "y_train": np.concatenate([y, y])}
