"""Saved models for the sample submissions: small nets that the reference trains on the built-in sample in seconds."""

import contextlib
import hashlib
import io
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from autograder.checks.catalogue import ASSIGNMENT
from cs231n.checkpoint import save_model
from cs231n.classifiers.cnn import ThreeLayerConvNet
from cs231n.classifiers.fc_net import FullyConnectedNet
from cs231n.data_utils import get_CIFAR10_data
from cs231n.sample_data import make_sample
from cs231n.solver import Solver

CACHE = ASSIGNMENT.parent / "build" / "sample-models"
TENSORFLOW_NOTEBOOK = ASSIGNMENT.parent / "source_notebooks" / ASSIGNMENT.name / "TensorFlow.ipynb"
HERE = Path(__file__)


def model_files(cache=CACHE):
    """Return {path: bytes} of saved models that earn every mark on the sample: trained once, then kept in `cache`.

    They are trained anew after a change of what trains them. Without TensorFlow there is no model of it.
    """
    files = {}
    for path, (train, *made_of) in _TRAINED.items():
        version = hashlib.sha256(b"".join(source.read_bytes() for source in (HERE, *made_of))).hexdigest()[:12]
        kept = Path(cache) / f"{version}-{path}"
        if path != TENSORFLOW or find_spec("tensorflow"):
            if not kept.is_file():
                train(kept)
            files[path] = kept.read_bytes()
    return files


def _fully_connected(path):
    """Train a net that gets some 70 % of unseen sample images right, in about 4 s."""
    _train(lambda: FullyConnectedNet([128], reg=0.5), path, 12, 100, learning_rate=1e-3)


def _convolutional(path):
    """Train a net that gets some 80 % right, in about 8 s."""

    def net():
        return ThreeLayerConvNet(num_filters=8, filter_size=3, hidden_dim=48, reg=0.02, weight_scale=1e-2)

    _train(net, path, 6, 50, learning_rate=2e-3)


def _tensorflow(path):
    """Train the notebook's own model in a process that may load TensorFlow."""
    command = [sys.executable, "-m", "autograder.checks.sample_tensorflow", str(TENSORFLOW_NOTEBOOK), str(path)]
    paths = [str(ASSIGNMENT.parent), str(ASSIGNMENT)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    run = subprocess.run(command, cwd=ASSIGNMENT.parent, env=environment, capture_output=True, text=True)
    if run.returncode:
        raise RuntimeError(f"the TensorFlow model of the samples could not be trained:\n{run.stderr[-2000:]}")


TENSORFLOW = "best_tf_model.npz"
_TRAINED = {
    "best_fc_model.npz": (_fully_connected,),
    "best_conv_model.npz": (_convolutional,),
    TENSORFLOW: (_tensorflow, HERE.with_name("sample_tensorflow.py"), TENSORFLOW_NOTEBOOK),
}


def _train(make, path, num_epochs, batch_size, learning_rate):
    data = mirrored_sample(path.parent)
    before = np.random.get_state()
    np.random.seed(231)  # the nets draw their weights from the global generator
    try:
        model = make()
    finally:
        np.random.set_state(before)
    config = {"learning_rate": learning_rate}
    options = {"num_epochs": num_epochs, "batch_size": batch_size, "lr_decay": 0.85}
    measuring = {"num_train_samples": 100, "verbose": False, "seed": 1}
    Solver(model, data, update_rule="adam", optim_config=config, **options, **measuring).train()
    save_model(model, path)


def mirrored_sample(folder):
    """Return the sample as get_CIFAR10_data does, for training every image in its mirror image as well.

    That is worth 10 % on unseen images. It is made in `folder`, if need be.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        data = get_CIFAR10_data(root=make_sample(folder))
    X, y = data["X_train"], data["y_train"]
    return data | {"X_train": np.concatenate([X, X[..., ::-1]]), "y_train": np.concatenate([y, y])}
