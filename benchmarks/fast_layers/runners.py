"""One contender: python -m benchmarks.fast_layers.runners NAME THREADS reads cases from stdin and answers with seconds.

Each contender has a process of its own. What its libraries leave behind, such as threads that wait for work by asking
for it again and again, would else take time from the next.
"""

import importlib.util
import json
import os
import sys
import time
from pathlib import Path

from .cases import CONVOLUTIONS, EPOCH, POOLINGS

ROOT = Path(__file__).resolve().parents[2]
WARM_UP = 0.1  # seconds


def numbers(kind, name, dtype):
    """The arrays of a case: the same for every contender."""
    import numpy as np

    draw, sizes = np.random.default_rng(0).normal, CONVOLUTIONS | POOLINGS
    if kind == "epoch":
        X = draw(size=(EPOCH["images"], 3, 32, 32)).astype(dtype)
        return X, np.random.default_rng(1).integers(10, size=len(X))
    if kind == "pooling":
        N, C, H, window, stride = sizes[name]
        shapes = (N, C, H, H), (N, C, *[(H - window) // stride + 1] * 2)
        return [draw(size=shape).astype(dtype) for shape in shapes]
    N, C, H, F, K, stride, pad = sizes[name]
    shapes = (N, C, H, H), (F, C, K, K), (F,), (N, F, *[(H + 2 * pad - K) // stride + 1] * 2)
    return [draw(size=shape).astype(dtype) for shape in shapes]


def kit(backend):
    """This kit, "cython" or "numpy"."""
    if backend == "numpy":
        sys.modules["cs231n._fast.cython_backend"] = None
    sys.path.insert(0, str(ROOT / "assignment2"))
    from cs231n import fast_layers
    from cs231n.classifiers.cnn import ThreeLayerConvNet
    from cs231n.solver import Solver

    if backend != fast_layers.BACKEND:
        raise SystemExit("the fast layers are not compiled: make fast")
    if backend == "cython":
        fast_layers.backend.THREADS = int(os.environ["OMP_NUM_THREADS"])

    def prepare(kind, name, dtype):
        arrays = numbers(kind, name, dtype)
        if kind == "convolution":
            (x, w, b, dout), (stride, pad) = arrays, CONVOLUTIONS[name][5:]
            conv_param = {"stride": stride, "pad": pad}
            return lambda: fast_layers.conv_backward_fast(dout, fast_layers.conv_forward_fast(x, w, b, conv_param)[1])
        if kind == "pooling":
            (x, dout), (window, stride) = arrays, POOLINGS[name][3:]
            pool_param = {"pool_height": window, "pool_width": window, "stride": stride}
            return lambda: fast_layers.max_pool_backward_fast(dout, fast_layers.max_pool_forward_fast(x, pool_param)[1])
        X, y = arrays
        data = {"X_train": X, "y_train": y, "X_val": X[:100], "y_val": y[:100]}
        sizes = {"num_filters": EPOCH["filters"], "filter_size": EPOCH["filter_size"], "hidden_dim": EPOCH["hidden"]}
        model = ThreeLayerConvNet(**sizes, dtype=X.dtype, reg=1e-3)
        settings = {"num_epochs": 1, "batch_size": EPOCH["batch"], "num_train_samples": 100, "verbose": False}
        return lambda: Solver(model, data, optim_config={"learning_rate": 1e-3}, **settings).train()

    return prepare


def classic():
    """im2col of the whole batch, compiled; one matrix product for each of out, dw and dx."""
    import numpy as np

    (path,) = (ROOT / "build" / "classic").glob("classic*.so")
    specification = importlib.util.spec_from_file_location("classic", path)
    compiled = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(compiled)

    def prepare(kind, name, dtype):
        if kind != "convolution":
            return None
        (x, w, b, dout), (F, K, stride, pad) = numbers(kind, name, dtype), CONVOLUTIONS[name][3:]
        N, _, H, W = x.shape

        def run():
            padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
            columns = compiled.im2col(padded, K, K, stride)
            out = w.reshape(F, -1) @ columns + b[:, None]
            out = out.reshape(F, N, *dout.shape[2:]).transpose(1, 0, 2, 3)
            dproducts = dout.transpose(1, 0, 2, 3).reshape(F, -1)
            dw = (dproducts @ columns.T).reshape(w.shape)
            dpadded = compiled.col2im(w.reshape(F, -1).T @ dproducts, padded.shape, K, K, stride)
            return out, dpadded[:, :, pad : pad + H, pad : pad + W], dw, dout.sum(axis=(0, 2, 3))

        return run

    return prepare


def products():
    """The three matrix products of each image and nothing else, by NumPy's BLAS, on columns that are in the cache."""
    import numpy as np

    def prepare(kind, name, dtype):
        if kind != "convolution":
            return None
        (_, w, _, dout), (N, _, _, F, *_) = numbers(kind, name, dtype), CONVOLUTIONS[name]
        weights, doutput = w.reshape(F, -1), dout[0].reshape(F, -1)
        columns = np.ones((weights.shape[1], doutput.shape[1]), dtype=dtype)
        results = np.empty_like(doutput), np.empty_like(weights), np.empty_like(columns)

        def run():
            for _ in range(N):
                np.matmul(weights, columns, out=results[0])
                np.matmul(doutput, columns.T, out=results[1])
                np.matmul(weights.T, doutput, out=results[2])

        return run

    return prepare


def pytorch():
    """PyTorch, eager, on the CPU."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))

    def prepare(kind, name, dtype):
        x, *others = (torch.from_numpy(array) for array in numbers(kind, name, dtype))
        if kind == "epoch":
            return epoch(x, *others)
        x.requires_grad = True
        if kind == "pooling":
            window, stride = POOLINGS[name][3:]
            return lambda: functional.max_pool2d(x, window, stride).backward(others[0])
        w, b, dout = others
        stride, pad = CONVOLUTIONS[name][5:]
        w.requires_grad = b.requires_grad = True
        return lambda: torch.autograd.grad(functional.conv2d(x, w, b, stride, pad), (x, w, b), dout)

    def epoch(X, y):
        filters, size, hidden = EPOCH["filters"], EPOCH["filter_size"], EPOCH["hidden"]
        layers = nn.Conv2d(3, filters, size, padding=size // 2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
        affine = nn.Linear(filters * 256, hidden), nn.ReLU(), nn.Linear(hidden, 10)
        net = nn.Sequential(*layers, *affine).to(X.dtype)
        optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, weight_decay=1e-3)

        def run():
            for batch in torch.randperm(len(X)).split(EPOCH["batch"]):
                optimizer.zero_grad()
                functional.cross_entropy(net(X[batch]), y[batch]).backward()
                optimizer.step()
            with torch.no_grad():  # as Solver: accuracy on 100 training and 100 validation images
                for first in (0, 0):
                    (net(X[first : first + 100]).argmax(1) == y[first : first + 100]).float().mean()

        return run

    return prepare


CONTENDERS = {
    "kit": lambda: kit("cython"),
    "kit on NumPy": lambda: kit("numpy"),
    "classic": classic,
    "products": products,
    "PyTorch": pytorch,
}


def memory():
    """The most memory that the largest convolution takes beyond its results, in bytes, as Linux counts it."""
    prepare, case = kit("cython"), ("convolution", "500,3,32,32,7,1,3", "float64")
    prepare("convolution", "100,3,31,25,3,2,1", "float64")()  # threads and tables are there
    from cs231n.fast_layers import conv_backward_fast, conv_forward_fast

    x, w, b, dout = numbers(*case)
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = _status("VmRSS")
    out, cache = conv_forward_fast(x, w, b, {"stride": 1, "pad": 3})
    results = out, *conv_backward_fast(dout, cache)
    return _status("VmHWM") - before - sum(array.nbytes for array in results)


def _status(name):
    """A figure of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))


def main(name, threads):
    """Answer one line for each line of stdin: a case is made ready; "run" runs it; "forget" frees it."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = threads
    if name == "memory":
        print(memory())
        return
    prepare, call = CONTENDERS[name](), None
    for line in sys.stdin:
        if line.strip() == "run":
            start = ready = time.perf_counter()
            while ready - start < WARM_UP:  # until caches, clock and threads are as they are in training
                call()
                ready = time.perf_counter()
            call()
            print(time.perf_counter() - ready, flush=True)
        else:
            call = prepare(*json.loads(line))
            if call:
                call()
            print(bool(call), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
