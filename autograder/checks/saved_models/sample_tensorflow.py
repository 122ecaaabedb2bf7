"""The TensorFlow model of the sample submissions: the notebook's own `my_model`, trained on the built-in sample.

    python -m autograder.checks.saved_models.sample_tensorflow NOTEBOOK FILE.npz

It runs in its own process, so that the judge never loads TensorFlow.
"""

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

from autograder.checks.saved_models.sample_models import load_mirrored_sample

CELLS = ("tensorflow_setup", "my_model_answer")
EPOCHS, BATCH = 2, 50
LEARNING_RATE, DECAY, BETA1, BETA2 = 3e-3, 0.3, 0.9, 0.99


def train(notebook: Path, X: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Train the notebook's model on images X (N, 3, 32, 32) with Adam; return all names of its cells, and `variables`.

    Its accuracy on unseen sample images is about 90 %.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    model: dict[str, Any] = {}
    exec("\n\n".join(cell.source for cell in cells if cell.id in CELLS), model)
    tf, variables = model["tf"], model["my_variables"]()
    X = np.ascontiguousarray(X.transpose(0, 2, 3, 1))
    trained = [variable for variable in variables.values() if variable.trainable]
    means = [tf.Variable(tf.zeros_like(variable)) for variable in trained]
    squares = [tf.Variable(tf.zeros_like(variable)) for variable in trained]

    @tf.function(autograph=False)  # autograph needs the source of my_model in a file
    def step(x: Any, y: Any, rate: Any, t: Any) -> None:  # tensors; no types, as TensorFlow may be absent
        with tf.GradientTape() as tape:
            logits = model["my_model"](x, variables, True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
        for w, dw, m, v in zip(trained, tape.gradient(loss, trained), means, squares):
            m.assign(BETA1 * m + (1 - BETA1) * dw)
            v.assign(BETA2 * v + (1 - BETA2) * dw**2)
            w.assign_sub(rate * m / (1 - BETA1**t) / (tf.sqrt(v / (1 - BETA2**t)) + 1e-8))

    rng, t = np.random.default_rng(1), 0
    for epoch in range(EPOCHS):
        order = rng.permutation(len(X))
        for start in range(0, len(X) - BATCH + 1, BATCH):
            rows, t = order[start : start + BATCH], t + 1
            step(X[rows], y[rows], tf.constant(LEARNING_RATE * DECAY**epoch, tf.float32), tf.constant(t, tf.float32))
    return model | {"variables": variables}


if __name__ == "__main__":
    notebook, path = map(Path, sys.argv[1:])
    data = load_mirrored_sample(path.parent)
    trained = train(notebook, data["X_train"], data["y_train"])
    unfinished = path.with_name(f"{os.getpid()}-{path.name}")
    trained["save_variables"](trained["variables"], unfinished)
    os.replace(unfinished, path)
