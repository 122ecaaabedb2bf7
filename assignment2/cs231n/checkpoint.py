"""Checkpoints: the state of a training run in one .npz file, without pickle, written whole or not at all."""

import json
import os
from pathlib import Path

import numpy as np


def write_checkpoint(path, state):
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
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".partial")
    try:
        with open(aside, "wb") as file:
            np.savez(file, state=np.array(text), **arrays)
            file.flush()
            os.fsync(file.fileno())
        # The rename is atomic: whoever looks finds the whole file or none.
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def read_checkpoint(path):
    """The state that `write_checkpoint` wrote. Raises ValueError when the file is something else."""
    try:
        with np.load(path, allow_pickle=False) as entries:
            arrays = dict(entries)
        state = json.loads(arrays.pop("state").item())
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is no checkpoint of Solver ({error}); choose one named ..._epoch_<n>.npz") from error

    def with_arrays(value):
        if isinstance(value, dict):
            if value.keys() == {"__array__"}:
                return arrays[value["__array__"]][()]
            return {key: with_arrays(item) for key, item in value.items()}
        if isinstance(value, list):
            return [with_arrays(item) for item in value]
        return value

    return with_arrays(state)
