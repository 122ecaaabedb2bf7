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

pytestmark = pytest.mark.xdist_group("compiled")  # one process compiles, once

POOL = ("pool_height", "pool_width", "stride")
small = st.integers(1, 3)
quick = settings(max_examples=80, deadline=None)
types = st.sampled_from([np.float32, np.float64])
WHOLE = {
    np.float32: 16,
    np.float64: 8,
}  # as many windows across as the widest registers hold: see `ConvolutionPlan.full_registers`


def in_records(array):
    """The same numbers in one field of records, where they lie neither aligned nor whole numbers apart."""
    records = np.zeros(array.shape, dtype=[("flag", np.int8), ("number", array.dtype)])
    records["number"] = array
    return records["number"]


LAYOUTS = {
    "contiguous": lambda array: array.copy(),
    "transposed": lambda array: array.T.copy().T,
    "backward": lambda array: array[..., ::-1],
    "every third": lambda array: np.repeat(array, 3, axis=-1)[..., ::3],
    "in records": in_records,
    "other byte order": lambda array: array.astype(array.dtype.newbyteorder()),
}


def numbers(draw, shape, dtype, ties=False):
    """Random numbers of a shape, which lie in memory in many ways; read-only, since no layer may change them."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    array = (rng.integers(3, size=shape) if ties else rng.normal(size=shape)).astype(dtype)
    array = LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))](array)
    array.flags.writeable = False
    return array


def image_size(window, stride, pad, steps):
    """The smallest image that has at least so many windows."""
    while stride * (steps - 1) + window - 2 * pad < 1:
        steps += 1
    return stride * (steps - 1) + window - 2 * pad, steps


@st.composite
def convolutions(draw):
    N, stride, pad, dtype = draw(st.integers(0, 4)), draw(small), draw(st.integers(0, 3)), draw(types)
    C, F = (draw(st.sampled_from([0, 1, 2, 3, 9, 17])) for _ in range(2))
    HH, WW = draw(small), draw(small)
    down, across = draw(small), draw(st.sampled_from([1, 2, 3, WHOLE[dtype], 2 * WHOLE[dtype], 21]))
    (H, H_out), (W, W_out) = image_size(HH, stride, pad, down), image_size(WW, stride, pad, across)
    shapes = (N, C, H, W), (F, C, HH, WW), (F,), (N, F, H_out, W_out)
    return [numbers(draw, shape, dtype) for shape in shapes], {"stride": stride, "pad": pad}


@st.composite
def poolings(draw):
    N, C = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    height, width, stride = (draw(small) for _ in range(3))
    (H, H_out), (W, W_out) = (image_size(window, stride, 0, draw(st.integers(1, 9))) for window in (height, width))
    dtype = draw(types)
    x, dout = numbers(draw, (N, C, H, W), dtype, draw(st.booleans())), numbers(draw, (N, C, H_out, W_out), dtype)
    return x, dout, {"pool_height": height, "pool_width": width, "stride": stride}


def assert_same(fast, naive):
    """Equal to 1e-12, or 1e-5 in float32, of the largest number: what both sum up has no smaller scale."""
    for one, other in zip(fast, naive, strict=True):
        assert one.dtype.newbyteorder("=") == other.dtype.newbyteorder("=") and one.shape == other.shape
        bound = (1e-12 if one.dtype.itemsize == 8 else 1e-5) * max(1, np.abs(other).max(initial=0))
        np.testing.assert_allclose(one, other, rtol=0, atol=bound)


def gradients(fast, case):
    """out, dx, dw and db of a case, which `convolutions` draws."""
    (x, w, b, dout), conv_param = case
    out, cache = fast.conv_forward_fast(x, w, b, conv_param)
    return out, *fast.conv_backward_fast(dout, cache)


@quick
@given(case=convolutions())
def test_convolution_is_the_naive_one(fast, case):
    (x, w, b, dout), conv_param = case
    naive_out, naive_cache = layers.conv_forward_naive(x, w, b, conv_param)
    assert_same(gradients(fast, case), [naive_out, *layers.conv_backward_naive(dout, naive_cache)])


@pytest.mark.parametrize("fast", ["cython"], indirect=True)
@settings(max_examples=30, deadline=None)
@given(case=convolutions())
def test_every_kernel_of_this_processor_gives_the_same(fast, case):
    fastest, expected = fast.backend.KERNEL, gradients(fast, case)
    try:
        for name in fast.backend.kernels():
            fast.backend.KERNEL = name
            assert_same(gradients(fast, case), expected)
    finally:
        fast.backend.KERNEL = fastest


def test_an_option_of_an_earlier_release_changes_nothing(fast):
    """In release 0.5 `need_dx: False` left out dx; networks of that time still pass it."""
    x, w, b = np.ones((2, 3, 5, 5)), np.ones((4, 3, 3, 3)), np.ones(4)
    out, cache = fast.conv_forward_fast(x, w, b, {"stride": 1, "pad": 1, "need_dx": False})
    assert fast.conv_backward_fast(out, cache)[0].shape == x.shape


@quick
@given(case=poolings())
def test_max_pooling_is_the_naive_one_ties_included(fast, case):
    x, dout, pool_param = case
    out, cache = fast.max_pool_forward_fast(x, pool_param)
    naive_out, naive_cache = layers.max_pool_forward_naive(x, pool_param)
    assert_same([out], [naive_out])
    assert_same([fast.max_pool_backward_fast(dout, cache)], [layers.max_pool_backward_naive(dout, naive_cache)])


def test_pooling_keeps_what_is_not_a_number(fast):
    x = np.array([[[[1.0, np.nan], [3.0, 2.0]]]])
    out, cache = fast.max_pool_forward_fast(x, {"pool_height": 2, "pool_width": 2, "stride": 2})
    assert np.isnan(out).all()
    with np.errstate(divide="ignore", invalid="ignore"):  # on NumPy, like the naive layer
        assert np.isnan(fast.max_pool_backward_fast(np.ones(out.shape), cache)).all()


def test_pooling_of_whole_numbers_gives_whole_numbers(fast):
    x = np.arange(16, dtype=np.int64).reshape(1, 1, 4, 4)
    out, cache = fast.max_pool_forward_fast(x, {"pool_height": 2, "pool_width": 2, "stride": 2})
    assert out.dtype == np.int64 and out.tolist() == [[[[5, 7], [13, 15]]]]
    assert fast.max_pool_backward_fast(np.ones(out.shape), cache).sum() == 4


def test_what_is_not_all_float32_is_computed_in_float64(fast):
    x, w, b = np.arange(16, dtype=np.uint8).reshape(1, 1, 4, 4), np.full((1, 1, 2, 2), 0.25), np.zeros(1)
    for images in (x, x.astype(np.float32)):
        out, cache = fast.conv_forward_fast(images, w, b, {"stride": 2, "pad": 0})
        np.testing.assert_array_equal(out, [[[[2.5, 4.5], [10.5, 12.5]]]])
        assert out.dtype == np.float64
        assert fast.conv_backward_fast(out, cache)[0].dtype == np.float64


def peak(call):
    """The most memory in use during a call, in bytes, beyond what was there before."""
    tracemalloc.start()
    try:
        result = call()
        return tracemalloc.get_traced_memory()[1], result
    finally:
        tracemalloc.stop()


def test_a_large_batch_needs_little_memory_beyond_the_results(fast):
    x, w, b = np.ones((500, 3, 32, 32)), np.ones((4, 3, 7, 7)), np.ones(4)  # all columns at once would be 602 MB
    forward, (out, cache) = peak(lambda: fast.conv_forward_fast(x, w, b, {"stride": 1, "pad": 3}))
    backward, (dx, _, _) = peak(lambda: fast.conv_backward_fast(out, cache))
    assert forward - out.nbytes < 16e6 and backward - dx.nbytes < 16e6


def test_filters_for_other_channels_are_refused(fast):
    with pytest.raises(ValueError, match=r"conv_forward_fast: x has 3 channels and w expects 2: \(1, 3, 4, 4\) and"):
        fast.conv_forward_fast(np.ones((1, 3, 4, 4)), np.ones((1, 2, 3, 3)), np.ones(1), {"stride": 1, "pad": 1})


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda fast, a: fast.conv_forward_fast(a, a, np.ones(2), {"stride": 1, "pad": 0}), r"b has shape \(2,\)"),
        (lambda fast, a: fast.conv_forward_fast(a, a, np.ones(1), {"stride": 1, "pad": -1}), "pad is -1; expected 0"),
        (lambda fast, a: fast.conv_backward_fast(a, (a, a, {"stride": 1, "pad": 0})), r"dout has shape \(1, 1, 3, 3\)"),
        (
            lambda fast, a: fast.max_pool_backward_fast(None, (a, a, dict.fromkeys(POOL, 1))),
            "dout is None; does the backward function of the layer above return",
        ),
        (
            lambda fast, a: fast.max_pool_backward_fast(a[:, :, 1:], (a, a, dict.fromkeys(POOL, 1))),
            r"dout has shape \(1, 1, 2, 3\); expected \(1, 1, 3, 3\), the shape of out",
        ),
        (
            lambda fast, a: fast.max_pool_backward_fast(a, (a, a, dict.fromkeys(POOL, 1) | {"pool_width": 2})),
            r"out has shape \(1, 1, 3, 3\), but x of shape .* give \(1, 1, 3, 2\); did pool_param change",
        ),
        (
            lambda fast, a: fast.max_pool_backward_fast(a, (np.ones((2, 1, 3, 3)), a, dict.fromkeys(POOL, 1))),
            r"out has shape \(1, 1, 3, 3\), but x of .* give \(2, 1, 3, 3\)",
        ),
        (
            lambda fast, a: fast.max_pool_backward_fast(a, (a, a, dict.fromkeys(POOL, 1) | {"stride": 0})),
            "the height of a window is 1 and the stride 0; expected 1",
        ),
    ],
)
def test_shapes_that_would_lead_out_of_an_array_are_refused(fast, call, said):
    with pytest.raises(ValueError, match=f"_fast: {said}"):
        call(fast, np.ones((1, 1, 3, 3)))


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


def test_the_stride_of_a_single_window_does_not_count(fast):
    x, w, b = (np.random.default_rng(0).normal(size=size) for size in ((2, 3, 4, 5), (3, 3, 4, 5), 3))
    results = []
    for stride in (1, 10**9):
        out, cache = fast.conv_forward_fast(x, w, b, {"stride": stride, "pad": 0})
        pooled, pool_cache = fast.max_pool_forward_fast(x, {"pool_height": 4, "pool_width": 5, "stride": stride})
        results.append((out, *fast.conv_backward_fast(out, cache), fast.max_pool_backward_fast(pooled, pool_cache)))
    assert_same(*results)


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
            (f"cython_backend{sysconfig.get_config_var('EXT_SUFFIX')}", "invalid ELF header|too short|load|mach-o"),
            ("cython_backend.cpython-39-x86_64-linux-gnu.so", "it is for another Python"),
        ],
    )
    def test_names_a_compiled_module_that_does_not_load(self, tmp_path, bare, name, reason):
        shutil.copytree(bare / "cs231n", tmp_path / "cs231n")
        (tmp_path / "cs231n" / "_fast" / name).write_bytes(b"not a library " * 99)
        backend, said = run(tmp_path)
        assert backend == ["numpy"] and len(said) == 1
        assert said[0].startswith(f"{NOTICE}, because {name} does not load (")
        assert any(part in said[0] for part in reason.split("|"))
