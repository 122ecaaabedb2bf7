"""Trains a model on batches, records its progress, and writes checkpoints from which training can continue.

A model is any object with a dictionary `params` of arrays and a method `loss(X, y=None)` that returns the scores
without y, and `(loss, grads)` with it. A model may also have `bn_params`, the running averages of its batch
normalization; they are saved and restored together with the parameters.
"""

import copy
import inspect
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cs231n import optimizers
from cs231n.checkpoint import read_checkpoint, write_checkpoint

Arrays = dict[str, np.ndarray]  # arrays by name
UpdateRule = Callable[[np.ndarray, np.ndarray, dict], tuple[np.ndarray, dict]]

PROGRESS = ("epoch", "loss_history", "train_acc_history", "val_acc_history", "best_val_acc")


class Solver:
    """Trains a model with one of the update rules in `cs231n.optimizers`.

        solver = Solver(model, data, update_rule="sgd", optim_config={"learning_rate": 1e-3}, num_epochs=5)
        solver.train()

    Every epoch goes once through the training examples in a new random order, in batches of `batch_size`; a smaller
    batch at the end is omitted. Accuracies are measured after the first step and after every epoch. When training
    ends, `model.params` are the parameters with the best validation accuracy.

    If the loss is not a finite number (NaN or infinite), training stops before that step. It prints one line with the
    iteration, and `diverged` is True.

    After training, look at:
        loss_history: the loss of every step
        train_acc_history, val_acc_history: accuracies, first after step 1, then one for each epoch
        best_val_acc, best_params: the best validation accuracy and a copy of the parameters that had it
        epoch: number of epochs finished
    """

    def __init__(
        self,
        model: Any,
        data: Mapping[str, np.ndarray],
        *,
        update_rule: str = "sgd",
        optim_config: dict | None = None,
        lr_decay: float = 1.0,
        batch_size: int = 100,
        num_epochs: int = 10,
        print_every: int = 10,
        verbose: bool = True,
        num_train_samples: int | None = 1000,
        num_val_samples: int | None = None,
        checkpoint_name: str | None = None,
        seed: int | None = None,
        **unknown: Any,
    ) -> None:
        """Prepare to train; nothing is computed yet.

        model: see the top of this module
        data: dictionary of arrays X_train (N, ...), y_train (N,), X_val, y_val
        update_rule: name of a function in `cs231n.optimizers`
        optim_config: settings for the update rule, such as {"learning_rate": 1e-3}; every parameter gets a copy
        lr_decay: the learning rate is multiplied by this number after every epoch
        batch_size: examples in one step
        num_epochs: how often to go through the training data
        print_every: number of steps from one printed loss to the next
        verbose: False prints no progress
        num_train_samples, num_val_samples: how many examples to measure accuracy on; None means all
        checkpoint_name: if given, each epoch n writes a file `<checkpoint_name>_epoch_<n>.npz` for `Solver.resume`
        seed: determines the batches; None draws a seed from NumPy's global generator, which `np.random.seed` sets

        Raises TypeError for an option that does not exist, ValueError for an unknown update rule, missing data, or
        a batch_size, num_epochs or print_every below 1.
        """
        known = [name for name, p in inspect.signature(Solver).parameters.items() if p.kind == p.KEYWORD_ONLY]
        if unknown:
            raise TypeError(f"Solver has no option {', '.join(map(repr, unknown))}; its options are {', '.join(known)}")
        given = locals()
        self.options = {name: copy.deepcopy(given[name]) for name in known}

        missing = [name for name in ("X_train", "y_train", "X_val", "y_val") if name not in data]
        if missing:
            raise ValueError(f"Solver: data has no {', '.join(missing)}; it has {', '.join(data) or 'nothing'}")
        for name in ("batch_size", "num_epochs", "print_every"):
            if given[name] < 1:
                raise ValueError(f"Solver: {name} is {given[name]}; expected 1 or more")

        self.model = model
        self.X_train, self.y_train = data["X_train"], data["y_train"]
        self.X_val, self.y_val = data["X_val"], data["y_val"]
        self.update_rule = _find_update_rule(update_rule)
        self.lr_decay = lr_decay
        self.batch_size = batch_size
        self.num_epochs = num_epochs
        self.print_every = print_every
        self.verbose = verbose
        self.num_train_samples, self.num_val_samples = num_train_samples, num_val_samples
        self.checkpoint_name = checkpoint_name
        self.rng = np.random.default_rng(np.random.randint(2**31) if seed is None else seed)
        self.optim_configs = {name: copy.deepcopy(optim_config or {}) for name in model.params}

        self.epoch = 0
        self.loss_history, self.train_acc_history, self.val_acc_history = [], [], []
        self.best_val_acc = 0.0
        self.best_params, self.best_bn_params = None, None
        self.diverged = False
        self._started = time.perf_counter()

    def train(self) -> None:
        """Train until `num_epochs` epochs are done, then set the model's parameters to the best ones.

        A second call does not train further. To do that, make a new Solver with the same model.
        """
        if self.verbose and self.epoch >= self.num_epochs:
            print(f"Already trained for {self.epoch} epochs. Make a new Solver with this model to train it further.")
        self._started = time.perf_counter()
        while self.epoch < self.num_epochs and not self.diverged:
            self._train_epoch()
        if self.best_params is not None:
            self.model.params = _copy_arrays(self.best_params)
            if self.best_bn_params is not None:
                self.model.bn_params = copy.deepcopy(self.best_bn_params)

    def check_accuracy(
        self, X: np.ndarray, y: np.ndarray, num_samples: int | None = None, batch_size: int = 100
    ) -> float:
        """Return the share of examples whose highest score is that of the right class, a number from 0 to 1.

        X: (N, ...) examples
        y: (N,) right classes
        num_samples: if given and smaller than N, use this many examples, drawn at random
        batch_size: how many examples go through the model at a time; it limits the memory needed

        An example with a score that is NaN or infinite counts as wrong.
        """
        if num_samples is not None and num_samples < len(X):
            chosen = self.rng.choice(len(X), num_samples, replace=False)
            X, y = X[chosen], y[chosen]
        correct = 0
        for start in range(0, len(X), batch_size):
            batch = slice(start, start + batch_size)
            scores = self.model.loss(X[batch])
            right = scores.argmax(axis=1) == y[batch]
            correct += np.count_nonzero(right & np.isfinite(scores).all(axis=1))
        return correct / len(X)

    @classmethod
    def resume(cls, path: str | Path, model: Any, data: Mapping[str, np.ndarray]) -> "Solver":
        """Return a solver that continues from the checkpoint at `path`; call `train` on it.

        model: a model built like the model in training; its parameters are replaced
        data: the same training data as before

        With the same data the solver takes exactly the same steps as an uninterrupted run, to the last bit. For this
        it also restores NumPy's global random state, because dropout draws its masks from it.

        Raises ValueError if the file is not a checkpoint, or belongs to another model or another amount of data.
        """
        state = read_checkpoint(path)
        found = {name: value.shape for name, value in state["params"].items()}
        expected = {name: value.shape for name, value in model.params.items()}
        if found != expected:
            raise ValueError(f"{path} holds parameters {found}; this model has {expected}. Build the same model.")
        if state["num_train"] != len(data["X_train"]):
            raise ValueError(
                f"{path} was written with {state['num_train']} training examples; "
                f"the given data has {len(data['X_train'])}. Load the same data."
            )
        solver = cls(model, data, **state["options"])
        model.params = state["params"]
        if state["bn_params"] is not None:
            model.bn_params = state["bn_params"]
        for name in (*PROGRESS, "optim_configs", "best_params", "best_bn_params"):
            setattr(solver, name, state[name])
        solver.rng.bit_generator.state = state["batch_random_state"]
        np.random.set_state(state["global_random_state"])
        return solver

    @property
    def _steps_per_epoch(self) -> int:
        return max(len(self.X_train) // self.batch_size, 1)

    def _train_epoch(self) -> None:
        order = self.rng.permutation(len(self.X_train))
        for step in range(self._steps_per_epoch):
            self._step(order[step * self.batch_size : (step + 1) * self.batch_size])
            if self.diverged:
                return
            if len(self.loss_history) == 1:
                self._measure()
        self.epoch += 1
        for config in self.optim_configs.values():
            if "learning_rate" in config:
                config["learning_rate"] *= self.lr_decay
        self._measure()
        if self.checkpoint_name is not None:
            self._save_checkpoint()

    def _step(self, batch: np.ndarray) -> None:
        """Compute one loss and update every parameter once; `batch` holds the indices of the examples."""
        loss, grads = self.model.loss(self.X_train[batch], self.y_train[batch])
        self.loss_history.append(float(loss))
        iteration, last = len(self.loss_history), self.num_epochs * self._steps_per_epoch
        if not np.isfinite(loss):
            self.diverged = True
            print(f"Stopped at iteration {iteration} of {last}: the loss is {loss}. Try a smaller learning rate.")
            return
        if self.verbose and (iteration % self.print_every == 0 or iteration == 1):
            print(f"iteration {iteration:>{len(str(last))}} of {last}   loss {loss:10.6f}")
        missing = [name for name in self.model.params if name not in grads]
        if missing:
            raise ValueError(f"Solver: model.loss returned no gradient for {', '.join(missing)}; expected one for each")
        for name, w in self.model.params.items():
            self.model.params[name], self.optim_configs[name] = self.update_rule(
                w, grads[name], self.optim_configs[name]
            )

    def _measure(self) -> None:
        """Record both accuracies, and keep the parameters if they are the best so far."""
        train_acc = self.check_accuracy(self.X_train, self.y_train, self.num_train_samples)
        val_acc = self.check_accuracy(self.X_val, self.y_val, self.num_val_samples)
        self.train_acc_history.append(train_acc)
        self.val_acc_history.append(val_acc)
        if self.best_params is None or val_acc > self.best_val_acc:
            self.best_val_acc, self.best_params = val_acc, _copy_arrays(self.model.params)
            self.best_bn_params = copy.deepcopy(getattr(self.model, "bn_params", None))
        if self.verbose:
            width, seconds = len(str(self.num_epochs)), time.perf_counter() - self._started
            print(
                f"epoch {self.epoch:>{width}} of {self.num_epochs}   train accuracy {train_acc:.3f}"
                f"   validation accuracy {val_acc:.3f}   {seconds:7.1f} s"
            )

    def _save_checkpoint(self) -> None:
        state = {name: getattr(self, name) for name in PROGRESS}
        state |= {
            "options": self.options,
            "num_train": len(self.X_train),
            "params": self.model.params,
            "bn_params": getattr(self.model, "bn_params", None),
            "optim_configs": self.optim_configs,
            "best_params": self.best_params,
            "best_bn_params": self.best_bn_params,
            "batch_random_state": self.rng.bit_generator.state,
            "global_random_state": np.random.get_state(legacy=False),
        }
        write_checkpoint(f"{self.checkpoint_name}_epoch_{self.epoch}.npz", state)


def _find_update_rule(name: str) -> UpdateRule:
    rules = {
        rule: function
        for rule, function in vars(optimizers).items()
        if inspect.isfunction(function) and function.__module__ == optimizers.__name__ and not rule.startswith("_")
    }
    if name not in rules:
        raise ValueError(f"Solver: there is no update rule {name!r} in cs231n.optimizers; it has {', '.join(rules)}")
    return rules[name]


def _copy_arrays(params: Arrays) -> Arrays:
    return {name: value.copy() for name, value in params.items()}
