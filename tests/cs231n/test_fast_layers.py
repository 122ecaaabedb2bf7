"""The fast layers give what the naive layers give, compiled or not; without the compiled module they say so once."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cs231n import layers

small = st.integers(1, 3)
quick = settings(max_examples=60, deadline=None)
types = st.sampled_from([np.float32, np.float64])


def numbers(draw, shape, dtype, ties=False):
    """Random numbers of a shape: contiguous, transposed or read backward; read-only, since no layer may change them."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    array = (rng.integers(3, size=shape[::-1]) if ties else rng.normal(size=shape[::-1])).astype(dtype)
    array = draw(st.sampled_from([lambda a: a.T.copy(), lambda a: a.T, lambda a: a.T[..., ::-1]]))(array)
    array.flags.writeable = False
    return array


def image_size(window, stride, pad, steps):
    """The smallest image that has at least so many windows."""
    while stride * (steps - 1) + window - 2 * pad < 1:
        steps += 1
    return stride * (steps - 1) + window - 2 * pad, steps


@st.composite
def convolutions(draw):
    N, stride, pad = draw(st.integers(0, 4)), draw(small), draw(st.integers(0, 3))
    C, F, HH, WW = (draw(small) for _ in range(4))
    (H, H_out), (W, W_out) = image_size(HH, stride, pad, draw(small)), image_size(WW, stride, pad, draw(small))
    shapes = (N, C, H, W), (F, C, HH, WW), (F,), (N, F, H_out, W_out)
    dtype = draw(types)
    return [numbers(draw, shape, dtype) for shape in shapes], {"stride": stride, "pad": pad}


@st.composite
def poolings(draw):
    N, C, height, width, stride = draw(st.integers(0, 3)), *(draw(small) for _ in range(4))
    (H, H_out), (W, W_out) = (image_size(window, stride, 0, draw(small)) for window in (height, width))
    dtype = draw(types)
    x, dout = numbers(draw, (N, C, H, W), dtype, draw(st.booleans())), numbers(draw, (N, C, H_out, W_out), dtype)
    return x, dout, {"pool_height": height, "pool_width": width, "stride": stride}


def assert_same(fast, naive):
    for one, other in zip(fast, naive, strict=True):
        assert one.dtype == other.dtype
        error = 1e-12 if one.dtype == np.float64 else 1e-4
        np.testing.assert_allclose(one, other, rtol=error, atol=error)


@quick
@given(case=convolutions(), block=st.sampled_from([1, 40, 2**19]))
def test_convolution_is_the_naive_one(fast, case, block):
    (x, w, b, dout), conv_param = case
    fast.BLOCK = block
    out, cache = fast.conv_forward_fast(x, w, b, conv_param)
    naive_out, naive_cache = layers.conv_forward_naive(x, w, b, conv_param)
    assert_same([out], [naive_out])
    assert_same(fast.conv_backward_fast(dout, cache), layers.conv_backward_naive(dout, naive_cache))


@quick
@given(case=poolings())
def test_max_pooling_is_the_naive_one_ties_included(fast, case):
    x, dout, pool_param = case
    out, cache = fast.max_pool_forward_fast(x, pool_param)
    naive_out, naive_cache = layers.max_pool_forward_naive(x, pool_param)
    assert_same([out], [naive_out])
    assert_same([fast.max_pool_backward_fast(dout, cache)], [layers.max_pool_backward_naive(dout, naive_cache)])


def test_what_is_not_all_float32_is_computed_in_float64(fast):
    x, w, b = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4), np.full((1, 1, 2, 2), 0.25), np.zeros(1)
    for images in (x, x.astype(np.float32)):
        out, cache = fast.conv_forward_fast(images, w, b, {"stride": 2, "pad": 0})
        np.testing.assert_array_equal(out, [[[[2.5, 4.5], [10.5, 12.5]]]])
        assert out.dtype == np.float64
        assert fast.conv_backward_fast(out, cache)[0].dtype == np.float64


def test_a_large_batch_needs_little_memory(fast):
    x, w, b = np.ones((250, 3, 32, 32)), np.ones((2, 3, 7, 7)), np.ones(2)  # all columns at once would be 301 MB
    fast.BLOCK = 2**19
    tracemalloc.start()
    try:
        out, cache = fast.conv_forward_fast(x, w, b, {"stride": 1, "pad": 3})
        fast.conv_backward_fast(out, cache)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50e6


def test_filters_for_other_channels_are_refused(fast):
    with pytest.raises(ValueError, match=r"conv_forward_fast: x has 3 channels and w expects 2: \(1, 3, 4, 4\) and"):
        fast.conv_forward_fast(np.ones((1, 3, 4, 4)), np.ones((1, 2, 3, 3)), np.ones(1), {"stride": 1, "pad": 1})


@pytest.mark.parametrize(
    "stride, said",
    [(2, "windows of width 3 at a stride of 2 do not fit 6 .*not divisible by 2"), (0, "the stride 0; expected 1")],
)
def test_windows_that_do_not_fit_are_refused_by_name(fast, stride, said):
    x = np.ones((1, 1, 5, 6))
    with pytest.raises(ValueError, match=f"conv_forward_fast: .*{said}"):
        fast.conv_forward_fast(x, np.ones((1, 1, 3, 3)), np.ones(1), {"stride": stride, "pad": 0})
    with pytest.raises(ValueError, match=f"max_pool_forward_fast: .*{said}"):
        fast.max_pool_forward_fast(x, {"pool_height": 3, "pool_width": 3, "stride": stride})


IMPORT = "from cs231n import fast_layers; print(fast_layers.BACKEND)"
NOTICE = "cs231n.fast_layers uses NumPy"


def run(folder, code=IMPORT, **variables):
    """Run code in a new process that imports from the folder; return stdout and the lines on stderr."""
    environment = {name: value for name, value in os.environ.items() if name != "AUTOGRADER"}
    environment |= {"PYTHONPATH": str(folder), **variables}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr.splitlines()


@pytest.fixture(scope="module")
def bare(copy_kit):
    return copy_kit()


class TestNotice:
    def test_is_one_line_that_names_what_to_install(self, bare):
        backend, said = run(bare)
        assert backend == ["numpy"] and len(said) == 1 and said[0].startswith(f"{NOTICE}: all results are the same")
        for part in ("build-essential", "xcode-select --install", "Microsoft C++ Build Tools", "make fast"):
            assert part in said[0]

    def test_comes_once_however_often_the_module_is_loaded(self, bare):
        _, said = run(bare, f"{IMPORT}; import importlib; importlib.reload(fast_layers)")
        assert len(said) == 1

    def test_is_kept_from_the_autograder(self, bare):
        assert run(bare, AUTOGRADER="1") == (["numpy"], [])

    def test_does_not_come_with_the_compiled_module(self, compiled):
        assert run(compiled[0]) == (["cython"], [])

    @pytest.mark.parametrize(
        "name, reason",
        [
            (f"im2col_cython{sysconfig.get_config_var('EXT_SUFFIX')}", "invalid ELF header|too short|load|mach-o"),
            ("im2col_cython.cpython-39-x86_64-linux-gnu.so", "it is for another Python"),
        ],
    )
    def test_names_a_compiled_module_that_does_not_load(self, tmp_path, bare, name, reason):
        shutil.copytree(bare / "cs231n", tmp_path / "cs231n")
        (tmp_path / "cs231n" / name).write_bytes(b"not a library " * 99)
        backend, said = run(tmp_path)
        assert backend == ["numpy"] and len(said) == 1
        assert said[0].startswith(f"{NOTICE}, because {name} does not load (")
        assert any(part in said[0] for part in reason.split("|"))
