"""Saved models are scored by what they get right, and a file that is no such model gets one clear sentence."""

import io
import zipfile
from dataclasses import replace

import nbformat
import numpy as np
import pytest

from autograder.checking.criteria import Trial, Wrong
from autograder.checks.saved_models import accuracy, images
from autograder.checks.saved_models.images import get_hidden_images
from autograder.checks.saved_models.sample_models import model_files
from autograder.checks.saved_models.saved_nets import NetMismatch, rebuild_convolutional, rebuild_fully_connected
from autograder.grading import judge, make_setting
from autograder.grading.setting import derive_seed
from autograder.intake.submission import Submission
from cs231n.checkpoint import save_model
from cs231n.classifiers.cnn import ThreeLayerConvNet
from cs231n.classifiers.fc_net import FullyConnectedNet, TwoLayerNet
from cs231n.solver import Solver
from tests.kit import PACK

FC, CONV = "best_fc_model", "best_conv_model"
SECRET = (3, 1, 4, 1)
SETTINGS = {"sample": [0.45, 0.55, 0.6], "images": 200}
D = 3 * 32 * 32


class Nobody:
    """In the student's place: these checks run no code of the student's, so whatever they ask is a mistake."""

    def call(self, *args, **kwargs):
        raise AssertionError("student code was to run")


@pytest.fixture(scope="module")
def models():
    return model_files()


@pytest.fixture
def trial(manifest):
    """A function that returns the Trial of a question on a file: bytes, or {name: array}."""

    def trial(question, file, settings=SETTINGS):
        entry = next(entry for entry in manifest.questions if entry.id == question)
        data = npz(file) if isinstance(file, dict) else file
        return Trial(Nobody(), derive_seed(manifest), replace(entry, settings=settings), {}, data, SECRET)

    return trial


def npz(arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def arrays_of(data):
    with np.load(io.BytesIO(data)) as entries:
        return dict(entries)


def saved(net, tmp_path):
    save_model(net, tmp_path / "model.npz")
    return arrays_of((tmp_path / "model.npz").read_bytes())


def results(trial):
    """Run all criteria of the trial's question: {name: (verdict, message)}."""
    found = {}
    for criterion in PACK.criteria[trial.question.id]:
        try:
            found[criterion.name] = ("passed", criterion.check(trial).message)
        except Wrong as wrong:
            found[criterion.name] = (wrong.verdict, str(wrong))
    return found


def verdicts(trial):
    return [verdict for verdict, _ in results(trial).values()]


def refusal(trial):
    """Why the file does not load; then no mark is earned either."""
    (verdict, message), *marks = results(trial).values()
    assert verdict == "failed"
    assert [mark for mark, _ in marks] == ["failed"] * 3
    assert all("the first criterion says why" in said for _, said in marks)
    return message


class TestTrained:
    def test_models_of_both_kinds_earn_every_point(self, models, manifest, isolation):
        report = judge(Submission("x", models), make_setting(manifest, isolation), [FC, CONV])
        assert [question.verdict for question in report.questions] == ["passed"] * 2
        assert [question.points for question in report.questions] == [4, 5]
        assert [criterion.points for criterion in report.questions[0].criteria] == [0.4, 1.2, 1.2, 1.2]
        assert "of 2000 images of the built-in sample right" in report.questions[1].criteria[0].message

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    @pytest.mark.parametrize("question", [FC, CONV])
    def test_are_measured_as_the_solver_would_measure_them(self, question, dtype, models, trial, manifest):
        arrays = {name: value.astype(dtype) for name, value in arrays_of(models[f"{question}.npz"]).items()}
        hidden = get_hidden_images("sample", SETTINGS["images"], SECRET)
        nothing = {"X_train": hidden.X, "y_train": hidden.y, "X_val": hidden.X, "y_val": hidden.y}
        if question == FC:
            net = FullyConnectedNet([arrays["b1"].size], dtype=np.float64)
        else:
            net = ThreeLayerConvNet(num_filters=8, filter_size=3, hidden_dim=arrays["b2"].size, dtype=np.float64)
        net.params = {name: value.astype(np.float64) for name, value in arrays.items()}
        right = round(200 * Solver(net, nothing, seed=0).check_accuracy(hidden.X, hidden.y))
        assert results(trial(question, arrays))["loads"][1].startswith(f"{right} of 200 images")

    @pytest.mark.parametrize("kind", ["two layers", "batch normalization"])
    def test_nets_of_other_kinds_score_as_they_do_themselves(self, kind, trial, tmp_path, manifest):
        hidden = get_hidden_images("sample", SETTINGS["images"], SECRET)
        net = TwoLayerNet(hidden_dim=30) if kind == "two layers" else FullyConnectedNet([30, 20], use_batchnorm=True)
        data = {"X_train": hidden.X, "y_train": hidden.y, "X_val": hidden.X, "y_val": hidden.y}
        config = {"learning_rate": 1e-3}
        Solver(net, data, update_rule="adam", optim_config=config, num_epochs=8, verbose=False, seed=0).train()
        right = np.count_nonzero(net.loss(hidden.X).argmax(axis=1) == hidden.y)
        assert right > 60
        message = results(trial(FC, saved(net, tmp_path)))["loads"][1]
        assert abs(int(message.split()[0]) - right) <= 1  # the file is in float32, the net may not be

    @pytest.mark.parametrize("right, marks", [(89, 0), (90, 1), (109, 1), (110, 2), (119, 2), (120, 3)])
    def test_marks_come_in_steps_at_exactly_the_accuracy_asked_for(self, right, marks, models, trial, monkeypatch):
        monkeypatch.setattr(accuracy, "count_right", lambda scores, y: right)
        found = results(trial(FC, models["best_fc_model.npz"]))
        assert [verdict for verdict, _ in found.values()] == ["passed"] * (1 + marks) + ["failed"] * (3 - marks)
        assert found["third mark"][1] == (
            f"{right} of 200 images of the built-in sample right ({right / 200:.1%}); "
            "this mark needs 60% of the built-in sample"
        )


class TestUntrained:
    @pytest.mark.parametrize("question", [FC, CONV])
    def test_nets_earn_a_tenth_for_loading(self, question, manifest, isolation, tmp_path):
        net = FullyConnectedNet([20]) if question == FC else ThreeLayerConvNet(num_filters=2, hidden_dim=5)
        files = {f"{question}.npz": npz(saved(net, tmp_path))}
        judged = judge(Submission("x", files), make_setting(manifest, isolation), [question]).questions[0]
        assert judged.verdict == "failed" and judged.points == judged.max_points / 10

    def test_a_net_that_says_the_same_of_every_image_gets_one_class_right(self, trial):
        arrays = {"W1": np.zeros((D, 10)), "b1": np.eye(10)[3]}
        assert results(trial(FC, arrays))["loads"] == (
            "passed",
            "20 of 200 images of the built-in sample right (10.0%)",
        )

    @pytest.mark.parametrize("size", [1e30, 1e300, -1e300])
    def test_enormous_numbers_are_wrong_answers_and_no_fault(self, size, trial):
        fc = {"W1": np.full((D, 4), size), "b1": np.ones(4), "W2": np.full((4, 10), size), "b2": np.ones(10)}
        assert verdicts(trial(FC, fc)) == ["passed"] + ["failed"] * 3
        conv = {"W1": np.full((1, 3, 3, 3), size), "b1": np.ones(1), "W2": np.full((256, 2), size), "b2": np.ones(2)}
        conv |= {"W3": np.full((2, 10), size), "b3": np.ones(10)}
        assert verdicts(trial(CONV, conv)) == ["passed"] + ["failed"] * 3

    def test_a_variance_below_zero_gives_wrong_answers_and_no_fault(self, trial, tmp_path):
        net = FullyConnectedNet([5], use_batchnorm=True)
        net.loss(np.ones((2, D)), np.zeros(2, int))
        arrays = saved(net, tmp_path)
        arrays["running_var1"][:] = -1
        assert results(trial(FC, arrays))["loads"][1].startswith("0 of 200")


def changed(arrays, **changes):
    """The arrays with some replaced, or taken out where the change is None."""
    return {name: value for name, value in (arrays | changes).items() if value is not None}


def deep():
    return FullyConnectedNet([20, 15]).params


def conv():
    return ThreeLayerConvNet(num_filters=4, filter_size=5, hidden_dim=6).params


class TestRefused:
    @pytest.mark.parametrize(
        "data, said",
        [
            (b"", "no readable .npz archive"),
            (npz({"W1": np.array([{}])}), "only pickle can carry"),
            (npz({"W1": np.full((D, 10), np.nan), "b1": np.ones(10)}), "W1 holds numbers that are not finite"),
        ],
        ids=["empty", "pickle", "NaN"],
    )
    def test_what_is_no_file_of_plain_finite_numbers(self, data, said, trial):
        message = refusal(trial(FC, data))
        assert message.startswith("best_fc_model.npz: ") and said in message and "Save the model again" in message

    def test_a_bomb(self, trial):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("W1.npy", bytes(100 << 20))
        assert "at most 50,331,648 are read" in refusal(trial(FC, file.getvalue()))

    def test_the_other_nets_file(self, trial):
        assert "this is a convolutional net: W1 has shape (4, 3, 5, 5)" in refusal(trial(FC, conv()))
        assert "this is a fully connected net: W1 has shape (3072, 20)" in refusal(trial(CONV, deep()))

    @pytest.mark.parametrize(
        "changes, said",
        [
            ({"W1": np.ones((20, D))}, "W1 has shape (20, 3072); expected (3072, outputs)"),
            ({"W1": np.ones((20, D))}, "Is it transposed?"),
            ({"W2": np.ones((15, 20))}, "W2 has shape (15, 20); expected (20, outputs): W1 gives 20 outputs"),
            ({"W2": np.ones((21, 15))}, "expected (20, outputs)"),
            (
                {"W3": np.ones((15, 9))},
                "expected (15, 10): W2 gives 15 outputs, and there are 10 classes",
            ),
            ({"W1": np.ones(D)}, "W1 has shape (3072,)"),
            ({"b2": np.ones((1, 15))}, "b2 has shape (1, 15); expected (15,), one for each output of W2"),
            ({"b3": None}, "b3 is missing"),
            ({"W2": None, "b2": None}, "W2, b2 is missing"),
            ({"W1": None}, "W1 is missing"),
            ({"mean": np.ones(3)}, "mean does not belong to this net"),
            (
                {"gamma1": np.ones(20)},
                "beta1, running_mean1, running_var1, gamma2, beta2, running_mean2 ...",
            ),
            ({"gamma1": np.ones(20)}, "batch normalization needs its running averages at test time"),
        ],
    )
    def test_fully_connected_nets_whose_arrays_do_not_chain(self, changes, said, trial):
        message = refusal(trial(FC, changed(deep(), **changes)))
        assert message.startswith("best_fc_model.npz: ") and said in message

    @pytest.mark.parametrize(
        "changes, said",
        [
            ({"W1": np.ones((4, 5, 5, 3))}, "W1 has shape (4, 5, 5, 3); expected (F, 3, HH, WW)"),
            ({"W1": np.ones((4, 3, 4, 4))}, "HH = WW odd"),
            ({"W1": np.ones((4, 3, 5, 3))}, "HH = WW odd"),
            ({"W1": np.ones((4, 3, 33, 33))}, "below 32"),
            ({"W1": np.ones((3, 3, 5, 5))}, "b1 has shape (4,); expected (3,), one for each filter in W1"),
            (
                {"W2": np.ones((4 * 1024, 6))},
                "W2 has shape (4096, 6); expected (1024, outputs): 4 filters in",
            ),
            ({"W3": np.ones((10, 6))}, "W3 has shape (10, 6); expected (6, 10)"),
            ({"W4": np.ones((10, 6))}, "W4 does not belong to this net"),
            ({"b1": None}, "b1 is missing"),
        ],
    )
    def test_convolutional_nets_whose_arrays_do_not_chain(self, changes, said, trial):
        message = refusal(trial(CONV, changed(conv(), **changes)))
        assert message.startswith("best_conv_model.npz: ") and said in message

    def test_nets_that_would_take_minutes(self):
        def zeros(**shapes):
            return {name: np.broadcast_to(np.float16(0), shape) for name, shape in shapes.items()}

        wide = zeros(W1=(D, 9000), b1=(9000,), W2=(9000, 3000), b2=(3000,), W3=(3000, 10), b3=(10,))
        many = zeros(W1=(400, 3, 9, 9), b1=(400,), W2=(102400, 2), b2=(2,), W3=(2, 10), b3=(10,))
        for rebuild, arrays in ((rebuild_fully_connected, wide), (rebuild_convolutional, many)):
            with pytest.raises(NetMismatch, match="the net is too large: it needs .* multiplications for one image"):
                rebuild(arrays)

    def test_a_submission_without_the_file(self, trial):
        found = results(trial(FC, None))
        assert {verdict for verdict, _ in found.values()} == {"missing"}
        assert "the submission has no best_fc_model.npz; run the cell" in found["loads"][1]


class TestWhichImages:
    BOTH = {"cifar10": [0.1, 0.2, 0.9], "sample": [0.45, 0.55, 0.6], "images": 200}

    @pytest.fixture(autouse=True)
    def genuine(self, monkeypatch, manifest):
        """Let the grader have genuine CIFAR-10; other hidden images of the sample stand for it."""
        other = get_hidden_images("sample", 200, (2, 7, 1, 8))
        monkeypatch.setattr(images, "find_genuine_folder", lambda: "there")
        monkeypatch.setattr(images, "_choose_images", lambda *_: images.Images("CIFAR-10", other.X, other.y))

    def test_count_is_said_and_both_are_measured(self, models, trial):
        found = results(trial(FC, models["best_fc_model.npz"], self.BOTH))
        assert "of CIFAR-10 right" in found["loads"][1] and "of the built-in sample right" in found["loads"][1]

    def test_are_those_that_earn_most(self, models, trial):
        found = results(trial(FC, models["best_fc_model.npz"], self.BOTH))
        assert [verdict for verdict, _ in found.values()] == ["passed"] * 4
        assert "images of the built-in sample right" in found["third mark"][1]
        assert "this mark needs 90% of CIFAR-10 or 60% of the built-in sample" in found["third mark"][1]
        easy = self.BOTH | {"sample": [0.9, 0.95, 0.99]}
        found = results(trial(FC, models["best_fc_model.npz"], easy))
        assert [verdict for verdict, _ in found.values()] == ["passed"] * 3 + ["failed"]
        assert all("images of CIFAR-10 right" in message for _, message in found.values())

    def test_are_of_one_kind_where_the_manifest_names_one(self, models, trial):
        only = {"cifar10": [0.4, 0.45, 0.5], "images": 200}
        assert "sample" not in str(results(trial(FC, models["best_fc_model.npz"], only)))

    def test_are_not_held_against_the_student_when_the_grader_has_none(self, models, trial, monkeypatch):
        monkeypatch.setattr(images, "find_genuine_folder", lambda: None)
        found = results(trial(FC, models["best_fc_model.npz"], {"cifar10": [0.4, 0.45, 0.5], "images": 200}))
        assert {verdict for verdict, _ in found.values()} == {"skipped"}
        assert "needs CIFAR-10, and the grader's machine does not have it" in found["loads"][1]

    def test_need_three_accuracies_in_the_manifest(self, models, trial):
        with pytest.raises(ValueError, match="questions.toml: best_fc_model: sample has . accurac.*expected 3"):
            results(trial(FC, models["best_fc_model.npz"], {"sample": [0.4], "images": 200}))


@pytest.mark.parametrize("question", [FC, CONV, "best_tf_model"])
def test_the_notebooks_say_what_the_manifest_asks(question, manifest):
    entry = next(entry for entry in manifest.questions if entry.id == question)
    notebook = nbformat.read(manifest.notebooks / f"{entry.notebook}.ipynb", as_version=4)
    source = next(cell.source for cell in notebook.cells if cell.id == question)
    for data in ("cifar10", "sample"):
        assert ", ".join(f"{asked:.2f}" for asked in entry.settings[data]) in source
