"""Training runs and trained networks in .npz files, without pickle. Each file is written completely or not at all.

A checkpoint (`write_checkpoint`) contains the state of a run of `cs231n.solver.Solver`, so that the run can continue
later. A saved model (`save_model`) contains the arrays that a trained network needs to classify, under their names in
`params`; you submit this file.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

RUNNING = ("running_mean", "running_var")


def write_checkpoint(path: str | Path, state: Mapping[str, Any]) -> None:
    """Write nested dictionaries and lists of arrays, numbers and strings to an .npz file, without pickle.

    Each array becomes an entry of the file; all other values become one JSON string, which refers to the arrays.
    """
    arrays = {}

    def without_arrays(value: Any) -> Any:
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
    _write_atomically(path, {"state": np.array(text), **arrays})


def read_checkpoint(path: str | Path) -> dict:
    """Return the state that `write_checkpoint` wrote. Raises ValueError if the file is not a checkpoint."""
    try:
        with np.load(path, allow_pickle=False) as entries:
            arrays = dict(entries)
        state = json.loads(arrays.pop("state").item())
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is not a checkpoint of Solver ({error}). Choose a file ..._epoch_<n>.npz.") from error

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

    With batch normalization, the file also contains the running averages of each layer l, as `running_mean<l>` and
    `running_var<l>`. They are not parameters, but the layer needs them at test time. Dropout needs no such values.

    model: TwoLayerNet, FullyConnectedNet, ThreeLayerConvNet, or any object with a dictionary `params` of arrays

    Raises ValueError if the model has no parameters, has not yet run in training mode, or contains a number that is not
    finite. An existing file then stays as it was.
    """
    _write_atomically(path, {name: _convert_to_float32(name, value) for name, value in _collect_state(model).items()})


def load_model(model: Any, path: str | Path) -> Any:
    """Give a network the parameters, and the running averages, that `save_model` wrote to `path`.

    model: a network built with the same dimensions and options; its own parameters are replaced and keep their type

    Returns the model. Raises ValueError if the file does not belong to such a network.
    """
    try:
        with np.load(path, allow_pickle=False) as entries:
            arrays = dict(entries)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"load_model: {path} is not a saved model ({error}). Write it with save_model.") from error
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


def _collect_state(model: Any) -> dict[str, Any]:
    """Return all values that a network needs at test time, by name."""
    params = getattr(model, "params", None)
    if not isinstance(params, dict) or not params:
        problem = "is None" if model is None else f"is a {type(model).__name__} without a dictionary params"
        raise ValueError(f"save_model: the model {problem}. Train a network first, and pass the network itself.")
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


def _convert_to_float32(name: str, value: Any) -> np.ndarray:
    if not isinstance(value, np.ndarray | np.generic | float | int) or np.asarray(value).dtype.kind not in "fiu":
        raise ValueError(f"save_model: {name} is a {type(value).__name__}; expected an array of real numbers")
    with np.errstate(over="ignore"):  # too large numbers become infinite; see below
        array = np.asarray(value).astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError(
            f"save_model: {name} holds numbers that are not finite (NaN or infinite), so the network cannot classify. "
            "Train again with a smaller learning rate."
        )
    return array


def _write_atomically(path: str | Path, arrays: Mapping[str, Any]) -> None:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        with open(partial, "wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        # The rename is atomic: a reader finds the complete file or none.
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
