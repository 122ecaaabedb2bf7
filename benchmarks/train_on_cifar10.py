"""Train the reference's networks on genuine CIFAR-10 and write the results to docs/results.md.

    python benchmarks/train_on_cifar10.py --data FOLDER

FOLDER is `cifar-10-batches-py`, as get_datasets.sh leaves it, or the folder around it. The files may be cut short: the
report says how many images took part. Seeds are fixed, but another processor or BLAS may round differently and change
the last digits of an accuracy.
"""

import argparse
import platform
import sys
import textwrap
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "assignment2"))

from cs231n.classifiers.cnn import ThreeLayerConvNet  # noqa: E402
from cs231n.classifiers.fc_net import FullyConnectedNet  # noqa: E402
from cs231n.data_utils import SAMPLE_FOLDER, find_data, get_CIFAR10_data, load_CIFAR10  # noqa: E402
from cs231n.fast_layers import BACKEND  # noqa: E402
from cs231n.solver import Solver  # noqa: E402

RESULTS = ROOT / "docs" / "results.md"
WHOLE = (50_000, 10_000)  # training and test images of CIFAR-10
PARTS = ("train", "val", "test")
WIDTH = 100  # columns of prose in Markdown files

# For each network: its class, its own settings, and how it is trained.
RUNS = {
    "Fully connected": (
        FullyConnectedNet,
        {"hidden_dims": [512, 256], "use_batchnorm": True, "dropout": 0.5, "reg": 1e-3, "weight_scale": 2e-2},
        {"optim_config": {"learning_rate": 5e-4}, "lr_decay": 0.93, "batch_size": 100, "num_epochs": 15},
    ),
    "Convolutional": (
        ThreeLayerConvNet,
        {"num_filters": 32, "filter_size": 3, "hidden_dim": 100, "reg": 1e-2, "weight_scale": 3e-2},
        {"optim_config": {"learning_rate": 1e-3}, "lr_decay": 0.8, "batch_size": 100, "num_epochs": 8},
    ),
}


def prepare(folder):
    """The data as the notebooks load it, with all the test images, scaled to numbers of about 1."""
    data = get_CIFAR10_data(num_test=WHOLE[1], root=folder)
    for part in PARTS:
        data[f"X_{part}"] /= 64
    return data


def train(name, data):
    """Train one network on the training images and their mirror images; return one row of the table."""
    network, settings, training = RUNS[name]
    mirrored = {
        **data,
        "X_train": np.concatenate([data["X_train"], data["X_train"][:, :, :, ::-1]]),
        "y_train": np.tile(data["y_train"], 2),
    }
    np.random.seed(231)
    model = network(dtype=np.float32, **settings)
    solver = Solver(model, mirrored, update_rule="adam", seed=1, print_every=200, **training)
    started = time.process_time()
    solver.train()
    seconds = time.process_time() - started
    accuracies = [solver.check_accuracy(data[f"X_{part}"], data[f"y_{part}"]) for part in PARTS]
    parameters = sum(value.size for value in model.params.values())
    figures = " | ".join(f"{accuracy:.1%}" for accuracy in accuracies)
    row = f"| {name} | {parameters:,} | {training['num_epochs']} | {figures} | {seconds:.0f} s |"
    print(row, flush=True)
    return row


def as_call(name, settings):
    return f"`{name}({', '.join(f'{key}={value!r}' for key, value in settings.items())})`"


def report(data, rows_of_files, table):
    """The whole of docs/results.md."""
    rows, test_rows = rows_of_files
    if rows_of_files == WHOLE:
        extent = "The data set was the whole of CIFAR-10."
    else:
        extent = (
            f"**Only the first rows of CIFAR-10's files were available**: {rows:,} of {WHOLE[0]:,} training images "
            f"and {test_rows:,} of {WHOLE[1]:,} test images. These networks were trained on "
            f"{len(data['y_train']) / 49_000:.0%} of the usual 49,000 images, so their accuracies are lower than with "
            "the whole data set. They say nothing about the thresholds of the assignment, which are for the whole."
        )
    train, val, test = (f"{len(data[f'y_{part}']):,}" for part in PARTS)
    settings = "\n".join(
        f"- {as_call(network.__name__, own)},\n  trained by\n  {as_call('Solver', way)}"
        for network, own, way in RUNS.values()
    )
    return f"""# Results on CIFAR-10

This page is written by

    python benchmarks/train_on_cifar10.py --data FOLDER

{textwrap.fill(extent, WIDTH)}

The networks used {train} images for training, {val} for validation and {test} for testing. The
images are loaded as in the notebooks (the mean training image is subtracted) and divided by 64.

| network | parameters | epochs | training accuracy | validation accuracy | test accuracy | processor time |
|---|---|---|---|---|---|---|
{chr(10).join(table)}

Both networks were trained in float32 with Adam, on the training images and their mirror images.
They keep the parameters of the epoch with the best validation accuracy. These are the settings,
chosen by the validation accuracy:

{settings}

Python {platform.python_version()}, NumPy {np.__version__}, fast layers: {BACKEND}.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, metavar="FOLDER", help="the folder with CIFAR-10")
    folder = parser.parse_args().data
    try:
        if find_data(folder).name == SAMPLE_FOLDER:
            raise FileNotFoundError(f"{folder} holds the built-in sample, not CIFAR-10; get_datasets.sh fetches that")
    except FileNotFoundError as error:
        sys.exit(str(error))
    _, y, _, y_test = load_CIFAR10(folder)
    data = prepare(folder)
    RESULTS.write_text(report(data, (len(y), len(y_test)), [train(name, data) for name in RUNS]), encoding="utf-8")
    print(f"Written: {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
