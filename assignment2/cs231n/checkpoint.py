"""Training runs and trained networks in .npz files, without pickle, each file written whole or not at all.

A checkpoint (`write_checkpoint`) holds the state of a run of `cs231n.solver.Solver`, to go on from. A saved model
(`save_model`) holds what a trained network needs to classify, under the names it has in `params`; that is what is
handed in.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

RUNNING = ("running_mean", "running_var")


def write_checkpoint(path: str | Path, state: dict) -> None:
    """Write nested dictionaries and lists of arrays, numbers and strings to an .npz file, without pickle.

    Arrays become entries of the file; everything else is one string of JSON that names them.
    """
    arrays = {}

    def without_arrays(value):
        if isinstance(value, dict):
            return {key: without_arrays(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [without_arrays(item) for item in value]
        if isinstance(value, np.ndarray | np.generic):
            name = f"array_{len(arrays)}"
            arrays[name] = np.asarray(value)
            return {"__array__": name}
        return value

    text = json.dumps(without_arrays(state), default=os.fspath)
    _write_whole(path, {"state": np.array(text), **arrays})


def read_checkpoint(path: str | Path) -> dict:
    """The state that `write_checkpoint` wrote. Raises ValueError when the file is something else."""
    try:
        with np.load(path, allow_pickle=False) as entries:
            arrays = dict(entries)
        state = json.loads(arrays.pop("state").item())
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is no checkpoint of Solver ({error}); choose one named ..._epoch_<n>.npz") from error

    def with_arrays(value: Any) -> Any:
        if isinstance(value, dict):
            if value.keys() == {"__array__"}:
                return arrays[value["__array__"]][()]
            return {key: with_arrays(item) for key, item in value.items()}
        if isinstance(value, list):
            return [with_arrays(item) for item in value]
        return value

    return with_arrays(state)


def save_model(model: Any, path: str | Path) -> None:
    """Write the parameters of a trained network to the .npz file at `path`, as float32, each under its own name.

    With batch normalization the running averages of layer l go along as `running_mean<l>` and `running_var<l>`:
    they are no parameters, but at test time the layer needs them. Dropout needs nothing at test time.

    model: TwoLayerNet, FullyConnectedNet, ThreeLayerConvNet, or any object with a dictionary `params` of arrays

    Raises ValueError, and leaves a file that is there as it was, when the model has no parameters, has not yet run in
    training mode, or holds a number that is not finite.
    """
    _write_whole(path, {name: _as_float32(name, value) for name, value in _state_of(model).items()})


def load_model(model: Any, path: str | Path) -> Any:
    """Give a network the parameters, and the running averages, that `save_model` wrote to `path`.

    model: a network built with the same dimensions and options; its own parameters are replaced and keep their type

    Returns the model. Raises ValueError when the file does not belong to such a network.
    """
    try:
        with np.load(path, allow_pickle=False) as entries:
            arrays = dict(entries)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"load_model: {path} is no saved model ({error}). Write it with save_model.") from error
    bn_params = getattr(model, "bn_params", [])
    names = [f"{name}{layer + 1}" for layer in range(len(bn_params)) for name in RUNNING]
    expected = {name: value.shape for name, value in model.params.items()}
    found = {name: value.shape for name, value in arrays.items() if name not in names}
    if found != expected or not all(name in arrays for name in names):
        holds = {name: value.shape for name, value in arrays.items()}
        also = f" and {', '.join(names)}" if names else ""
        raise ValueError(f"load_model: {path} holds {holds}; this model needs {expected}{also}. Build the same model.")
    model.params = {name: arrays[name].astype(value.dtype) for name, value in model.params.items()}
    for layer, bn_param in enumerate(bn_params, start=1):
        dtype = model.params[f"b{layer}"].dtype
        bn_param |= {name: arrays[f"{name}{layer}"].astype(dtype) for name in RUNNING}
    return model


def _state_of(model):
    """Everything that a network needs at test time, by name."""
    params = getattr(model, "params", None)
    if not isinstance(params, dict) or not params:
        what = "is None" if model is None else f"is a {type(model).__name__} without a dictionary params"
        raise ValueError(f"save_model: the model {what}. Train a network first, and give the network itself.")
    state = dict(params)
    for layer, bn_param in enumerate(getattr(model, "bn_params", []), start=1):
        for name in RUNNING:
            if name not in bn_param:
                raise ValueError(
                    f"save_model: bn_params[{layer - 1}] has no {name}, which batchnorm_forward stores there in "
                    "training mode. Train the network first."
                )
            state[f"{name}{layer}"] = bn_param[name]
    return state


def _as_float32(name, value):
    if not isinstance(value, np.ndarray | np.generic | float | int) or np.asarray(value).dtype.kind not in "fiu":
        raise ValueError(f"save_model: {name} is a {type(value).__name__}; expected an array of real numbers")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused below
        array = np.asarray(value).astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError(
            f"save_model: {name} holds numbers that are not finite (NaN or infinite), so the network cannot classify. "
            "Train again with a smaller learning rate."
        )
    return array


def _write_whole(path, arrays):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".partial")
    try:
        with open(aside, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        # The rename is atomic: a reader finds the whole file or none.
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)
