"""The Solver trains, records, keeps the best weights, and goes on from a checkpoint as if nothing had happened."""

import os

import numpy as np
import pytest

from cs231n import optimizers
from cs231n.classifiers.fc_net import FullyConnectedNet, TwoLayerNet
from cs231n.solver import Solver


def make_data():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(4, 6))
    y = rng.integers(4, size=140)
    X = centres[y] + 0.3 * rng.normal(size=(140, 6))
    return {"X_train": X[:100], "y_train": y[:100], "X_val": X[100:], "y_val": y[100:]}


DATA = make_data()


def make_model(**options):
    np.random.seed(1)
    return FullyConnectedNet([8, 7], input_dim=6, num_classes=4, weight_scale=0.3, **options)


def make_solver(model=None, **options):
    options = {"num_epochs": 4, "batch_size": 20, "verbose": False, "seed": 5} | options
    return Solver(model or make_model(), DATA, **options)


class Constant:
    """A model whose scores never change, and whose gradient is always 1: what the Solver does is easy to foresee."""

    def __init__(self, losses=None, scores=(1.0, 0.0)):
        self.params = {"w": np.zeros(2)}
        self.losses, self.scores, self.batches = iter(losses or ()), scores, []

    def loss(self, X, y=None):
        if y is None:
            return np.tile(np.array(self.scores), (len(X), 1))
        self.batches.append(X[:, 0].copy())
        return next(self.losses, 1.0), {"w": np.ones(2)}


def constant_data(N=10):
    X, y = np.arange(N, dtype=float)[:, None], np.arange(N) % 2
    return {"X_train": X, "y_train": y, "X_val": X, "y_val": y}


def same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


class TestTraining:
    @pytest.mark.parametrize(
        "rule, learning_rate", [("sgd", 0.3), ("sgd_momentum", 0.05), ("rmsprop", 0.01), ("adam", 0.02)]
    )
    def test_each_update_rule_learns_four_clusters(self, rule, learning_rate):
        solver = make_solver(update_rule=rule, optim_config={"learning_rate": learning_rate}, num_epochs=15)
        solver.train()
        assert solver.best_val_acc > 0.9
        assert solver.loss_history[-1] < solver.loss_history[0] / 3

    def test_the_two_layer_net_trains_with_the_defaults(self):
        solver = Solver(TwoLayerNet(6, 8, 4), DATA)
        solver.train()
        assert solver.epoch == 10 and solver.batch_size == 100

    def test_histories_have_a_loss_a_step_and_an_accuracy_an_epoch_and_one_before(self):
        solver = make_solver()
        solver.train()
        assert solver.epoch == 4
        assert len(solver.loss_history) == 4 * 5
        assert len(solver.train_acc_history) == len(solver.val_acc_history) == 5

    def test_an_epoch_uses_every_example_once_in_a_new_order(self):
        model = Constant()
        Solver(model, constant_data(), batch_size=5, num_epochs=2, verbose=False, seed=0).train()
        first, second = np.concatenate(model.batches[:2]), np.concatenate(model.batches[2:])
        assert sorted(first) == sorted(second) == list(range(10))
        assert list(first) != list(second)

    def test_a_batch_larger_than_the_data_is_all_of_it(self):
        model = Constant()
        Solver(model, constant_data(4), batch_size=100, num_epochs=3, verbose=False).train()
        assert [len(batch) for batch in model.batches] == [4, 4, 4]

    def test_the_learning_rate_decays_after_every_epoch(self):
        config = {"learning_rate": 0.5}
        solver = make_solver(Constant(), optim_config=config, lr_decay=0.1, num_epochs=3)
        solver.train()
        assert solver.optim_configs["w"]["learning_rate"] == pytest.approx(0.5e-3)
        assert config == {"learning_rate": 0.5}

    def test_every_parameter_has_its_own_optimizer_state(self):
        solver = make_solver(update_rule="sgd_momentum")
        solver.train()
        for name, w in solver.model.params.items():
            assert solver.optim_configs[name]["velocity"].shape == w.shape

    def test_the_best_weights_are_swapped_in_at_the_end(self, monkeypatch):
        solver = make_solver(Constant(), num_epochs=4, optim_config={"learning_rate": 1.0}, batch_size=100)
        validation, seen = iter([0.1, 0.2, 0.7, 0.7, 0.3]), []

        def accuracy(X, y, num_samples=None):
            if X is solver.X_train:
                return 0.0
            seen.append(solver.model.params["w"].copy())
            return next(validation)

        monkeypatch.setattr(solver, "check_accuracy", accuracy)
        solver.train()
        assert solver.best_val_acc == 0.7
        np.testing.assert_array_equal(seen[2], [-2, -2])
        np.testing.assert_array_equal(solver.model.params["w"], seen[2])

    def test_running_averages_belong_to_the_best_weights(self):
        solver = make_solver(make_model(use_batchnorm=True))
        solver.train()
        again = solver.check_accuracy(DATA["X_val"], DATA["y_val"])
        assert again == solver.best_val_acc

    def test_weights_updated_in_place_do_not_spoil_the_best_ones(self, monkeypatch):
        def in_place(w, dw, config=None):
            w -= dw
            return w, config

        in_place.__module__ = optimizers.__name__
        monkeypatch.setattr(optimizers, "in_place", in_place, raising=False)
        solver = make_solver(Constant(), update_rule="in_place", batch_size=100)
        solver.train()
        np.testing.assert_array_equal(solver.best_params["w"], [-1, -1])

    def test_global_seed_makes_a_run_without_seed_repeatable(self):
        histories = []
        for _ in range(2):
            solver = make_solver(make_model(), seed=None)
            solver.train()
            histories.append(solver.loss_history)
        assert histories[0] == histories[1]


class TestAccuracy:
    def test_counts_the_right_answers_across_batches(self):
        solver = Solver(Constant(), constant_data(), verbose=False)
        X, y = np.zeros((7, 1)), np.array([0, 0, 0, 0, 0, 1, 1])
        assert solver.check_accuracy(X, y, batch_size=3) == pytest.approx(5 / 7)

    def test_a_sample_draws_each_example_at_most_once(self):
        solver = make_solver()
        drawn = []
        solver.model.loss = lambda X: drawn.append(X) or np.zeros((len(X), 4))
        solver.check_accuracy(DATA["X_train"], DATA["y_train"], num_samples=30, batch_size=1000)
        assert len(np.unique(drawn[0], axis=0)) == 30

    def test_scores_that_are_not_numbers_are_wrong(self):
        solver = Solver(Constant(scores=(np.nan, 0.0)), constant_data(), verbose=False)
        assert solver.check_accuracy(np.zeros((4, 1)), np.zeros(4, dtype=int)) == 0


class TestProgress:
    def test_lines_are_aligned(self, capsys):
        make_solver(verbose=True, print_every=5, num_epochs=10).train()
        lines = capsys.readouterr().out.splitlines()
        iterations = [line for line in lines if line.startswith("iteration")]
        epochs = [line for line in lines if line.startswith("epoch")]
        assert len(iterations) == 1 + 10 and len(epochs) == 1 + 10
        assert len({len(line) for line in iterations}) == len({len(line) for line in epochs}) == 1

    def test_verbose_false_prints_nothing(self, capsys):
        make_solver().train()
        assert capsys.readouterr().out == ""

    def test_training_again_says_that_it_is_done(self, capsys):
        solver = make_solver(verbose=True, num_epochs=1)
        solver.train()
        capsys.readouterr()
        solver.train()
        assert capsys.readouterr().out.startswith("Already trained for 1 epochs.")

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_a_loss_that_is_no_number_stops_with_one_line(self, bad, capsys):
        model = Constant(losses=[2.0, 1.0, bad])
        solver = Solver(model, constant_data(), batch_size=5, num_epochs=9, verbose=False)
        solver.train()
        assert capsys.readouterr().out == (
            f"Stopped at iteration 3 of 18: the loss is {bad}. Try a smaller learning rate.\n"
        )
        assert solver.diverged and len(solver.loss_history) == 3 and solver.epoch == 1
        assert np.isfinite(model.params["w"]).all()


class TestErrors:
    def test_an_unknown_option_is_named_with_those_that_exist(self):
        with pytest.raises(TypeError, match=r"'num_epoch'; its options are update_rule, .*num_epochs"):
            Solver(make_model(), DATA, num_epoch=3)

    def test_an_unknown_update_rule_is_named_with_those_that_exist(self):
        with pytest.raises(ValueError, match=r"'adamw'.*sgd, sgd_momentum, rmsprop, adam"):
            Solver(make_model(), DATA, update_rule="adamw")

    def test_what_an_optimizer_module_imports_is_no_update_rule(self):
        with pytest.raises(ValueError, match="no update rule 'np'"):
            Solver(make_model(), DATA, update_rule="np")

    def test_missing_data_is_named(self):
        with pytest.raises(ValueError, match="no X_val, y_val; it has X_train, y_train"):
            Solver(make_model(), {"X_train": DATA["X_train"], "y_train": DATA["y_train"]})

    @pytest.mark.parametrize("name", ["batch_size", "num_epochs", "print_every"])
    def test_counts_must_be_positive(self, name):
        with pytest.raises(ValueError, match=f"{name} is 0; expected 1 or more"):
            Solver(make_model(), DATA, **{name: 0})

    def test_a_forgotten_gradient_is_named(self):
        model = Constant()
        model.params["extra"] = np.zeros(1)
        with pytest.raises(ValueError, match="no gradient for extra"):
            make_solver(model).train()


class TestResume:
    @pytest.mark.parametrize("rule", ["sgd", "sgd_momentum", "rmsprop", "adam"])
    @pytest.mark.parametrize("net", [{}, {"use_batchnorm": True, "dropout": 0.7}], ids=["plain", "batchnorm-dropout"])
    def test_a_resumed_run_ends_bit_for_bit_like_an_undisturbed_one(self, rule, net, tmp_path):
        options = {"update_rule": rule, "lr_decay": 0.9, "num_train_samples": 50, "num_epochs": 5}
        options["optim_config"] = {"learning_rate": np.float32(0.01)}
        whole = make_solver(make_model(**net), checkpoint_name=str(tmp_path / "run"), **options)
        whole.train()

        np.random.seed(99)
        model = make_model(**net)
        np.random.seed(98)
        resumed = Solver.resume(tmp_path / "run_epoch_2.npz", model, DATA)
        assert resumed.epoch == 2
        resumed.train()

        same(resumed.model.params, whole.model.params)
        same(resumed.best_params, whole.best_params)
        for name in whole.optim_configs:
            same(resumed.optim_configs[name], whole.optim_configs[name])
        assert resumed.loss_history == whole.loss_history
        assert resumed.train_acc_history == whole.train_acc_history
        assert resumed.val_acc_history == whole.val_acc_history
        assert resumed.best_val_acc == whole.best_val_acc

    def test_checkpoints_do_not_disturb_a_run(self, tmp_path):
        plain, saving = make_solver(), make_solver(checkpoint_name=tmp_path / "run")
        plain.train()
        saving.train()
        same(plain.model.params, saving.model.params)

    def test_a_checkpoint_an_epoch_and_nothing_else_is_left(self, tmp_path):
        make_solver(checkpoint_name=tmp_path / "new folder" / "run", num_epochs=2).train()
        assert sorted(os.listdir(tmp_path / "new folder")) == ["run_epoch_1.npz", "run_epoch_2.npz"]

    def test_checkpoints_hold_no_pickle(self, tmp_path):
        make_solver(checkpoint_name=tmp_path / "run", update_rule="adam").train()
        with np.load(tmp_path / "run_epoch_1.npz", allow_pickle=False) as entries:
            assert not any(entries[name].dtype.hasobject for name in entries)

    def test_a_write_that_fails_keeps_the_old_file_and_leaves_no_other(self, tmp_path, monkeypatch):
        target = tmp_path / "run_epoch_1.npz"
        target.write_bytes(b"old")

        def full_disk(file, **arrays):
            file.write(b"half")
            raise OSError("disk full")

        monkeypatch.setattr(np, "savez", full_disk)
        with pytest.raises(OSError, match="disk full"):
            make_solver(checkpoint_name=tmp_path / "run").train()
        assert target.read_bytes() == b"old" and os.listdir(tmp_path) == ["run_epoch_1.npz"]

    def test_another_model_is_refused(self, tmp_path):
        make_solver(checkpoint_name=tmp_path / "run", num_epochs=1).train()
        with pytest.raises(ValueError, match="Build the same model"):
            Solver.resume(tmp_path / "run_epoch_1.npz", TwoLayerNet(6, 8, 4), DATA)

    def test_another_amount_of_data_is_refused(self, tmp_path):
        make_solver(checkpoint_name=tmp_path / "run", num_epochs=1).train()
        less = DATA | {"X_train": DATA["X_train"][:50], "y_train": DATA["y_train"][:50]}
        with pytest.raises(ValueError, match="100 training examples; the given data has 50"):
            Solver.resume(tmp_path / "run_epoch_1.npz", make_model(), less)

    @pytest.mark.parametrize("content", [b"", b"not a zip", None])
    def test_a_file_that_is_no_checkpoint_is_refused(self, content, tmp_path):
        path = tmp_path / "other.npz"
        np.savez(path, x=np.ones(3)) if content is None else path.write_bytes(content)
        with pytest.raises(ValueError, match="is not a checkpoint of Solver"):
            Solver.resume(path, make_model(), DATA)

    def test_a_missing_file_is_said_to_be_missing(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            Solver.resume(tmp_path / "none.npz", make_model(), DATA)
