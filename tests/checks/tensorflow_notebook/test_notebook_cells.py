"""What the cells of the TensorFlow notebook tell a student: a missing TensorFlow, and the mistakes in an answer."""

import io
import json
import os
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from autograder.assignment.manifest import read_manifest
from tests.forked_worker import FORKS_TENSORFLOW, import_tensorflow, run_in_fork

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOK = json.loads((ROOT / "source_notebooks/assignment2/TensorFlow.ipynb").read_text(encoding="utf-8"))
CELLS = {cell["id"]: "".join(cell["source"]) for cell in NOTEBOOK["cells"]}


def run(cell, names, old="", new=""):
    """Run one cell, with a text in it replaced, which has to stand there."""
    assert old in CELLS[cell]
    exec(compile(CELLS[cell].replace(old, new), cell, "exec"), names)


def test_without_tensorflow_the_setup_cell_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # how Python marks a module that cannot be imported
    with pytest.raises(ModuleNotFoundError) as raised:
        run("tensorflow_setup", {})
    assert "`pip install -r requirements-tensorflow.txt`" in str(raised.value)
    assert (ROOT / "assignment2/requirements-tensorflow.txt").is_file()
    assert os.fstat(2)  # the terminal that was turned away while TensorFlow loads is back


@pytest.mark.parametrize(
    "platform, machine, python, expected",
    [
        ("linux", "x86_64", "3.11", ["tensorflow-cpu"]),
        ("win32", "AMD64", "3.13", ["tensorflow-cpu"]),
        ("darwin", "arm64", "3.12", ["tensorflow"]),
        ("darwin", "x86_64", "3.12", ["tensorflow"]),
        ("linux", "aarch64", "3.13", ["tensorflow"]),
        ("linux", "x86_64", "3.14", []),
    ],
)
def test_the_requirements_name_the_build_that_there_is(platform, machine, python, expected):
    lines = (ROOT / "assignment2/requirements-tensorflow.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    there = {"sys_platform": platform, "platform_machine": machine, "python_version": python}
    assert [requirement.name for requirement in wanted if requirement.marker.evaluate(there)] == expected


def test_the_steps_to_the_points_are_those_of_the_manifest():
    questions = read_manifest(ROOT / "assignment2").questions
    settings = next(question for question in questions if question.id == "best_tf_model").settings
    genuine, sample = (tuple(settings[kind]) for kind in ("cifar10", "sample"))
    steps = CELLS["best_tf_model"].partition("steps = ")[2].partition("\n")[0]
    assert eval(steps, {"genuine": True}) == genuine and eval(steps, {"genuine": False}) == sample
    for step in (*genuine, *sample):
        assert f"{step:.0%}".replace("%", " %") in CELLS["my-model-text"].replace("\n", " ")


def check(question, changed=None, old="", new=""):
    """Run the cells up to the check of a question; return the message of the check that fails, if any, and the prints.

    - changed: the answer cell in which `old` is replaced by `new`
    """
    names, out, err, said = {}, io.StringIO(), io.StringIO(), ""
    cells = ["tensorflow_setup", "setup", "complex_model_answer", "loss_and_gradients_answer", question]
    if question == "loss_and_gradients":
        cells.insert(-1, "complex_model")
    with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            for cell in cells:
                run(cell, names, *((old, new) if cell == changed else ()))
        except AssertionError as error:
            said = str(error)
    return said, out.getvalue(), err.getvalue()


# (question, what stands in its answer, what takes its place, what the student is told)
MISTAKES = [
    ("complex_model", "MOMENTUM * v[name] + (1 - MOMENTUM)", "(1 - MOMENTUM) * v[name] + MOMENTUM", "moved by .assign"),
    ("complex_model", "if training:", "if True:", "Testing must not change it"),
    ("complex_model", "hidden = tf.nn.relu(rows @", "hidden = (rows @", "on paper: scores in testing"),
    ("complex_model", "axes=[0, 1, 2]", "axes=[0, 1, 2, 3]", "at random: scores in training"),
    ("complex_model", "(variance + EPS)", "(variance)", "where is EPS"),
    ("complex_model", "return hidden @", "return tf.reduce_mean(hidden) *", "expected numbers of shape (2, 10)"),
    ("complex_model", "return hidden @", "return None and", "None came back"),
    ("loss_and_gradients", "tf.reduce_mean", "tf.reduce_sum", "The mean over the images"),
    ("loss_and_gradients", "logits=logits", "logits=tf.nn.softmax(logits)", "No softmax before it"),
    ("loss_and_gradients", " if variable.trainable}", "}", "The gradients are named"),
    (
        "loss_and_gradients",
        "tape.gradient(loss, trainable)",
        "{name: None for name in trainable}",
        "No gradient reaches affine1_b",
    ),
    (
        "loss_and_gradients",
        "tape.gradient(loss, trainable)",
        "{name: 1.01 * g for name, g in tape.gradient(loss, trainable).items()}",
        "a gradient is lost wherever NumPy",
    ),
]


def check_all():
    """Return what `check` returns for the reference, and {mistake: what it returns} for each mistake."""
    found = {mistake: check(mistake[0], f"{mistake[0]}_answer", *mistake[1:3]) for mistake in MISTAKES}
    return check("loss_and_gradients"), found


@pytest.fixture(scope="module")
def checked():
    """What check_all returns; TensorFlow starts its threads once for all mistakes."""
    import_tensorflow()
    return run_in_fork(check_all)


@pytest.mark.slow
@pytest.mark.uncounted
@FORKS_TENSORFLOW
class TestAnswers:
    def test_the_reference_passes_and_shows_a_table(self, checked):
        said, out, err = checked[0]
        assert said == err == ""
        assert out.count("✓ right") == 8 + 10 and "✗" not in out and "≤ 1.0e-04" in out

    @pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake[-1])
    def test_a_mistake_is_told(self, mistake, checked):
        message, out, _ = checked[1][mistake]
        assert mistake[-1] in message
        assert "✗" in out or mistake[0] == "loss_and_gradients"  # some of its mistakes end it before the table
