"""The threads of the compiled layers: results are the same to the last bit, and a fork or an error does no harm."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytestmark = pytest.mark.xdist_group("compiled")  # one process compiles, once

CASES = [
    ((40, 3, 12, 12), (8, 3, 5, 5), 1, 2),
    ((40, 9, 13, 13), (20, 9, 3, 3), 2, 1),
    ((24, 9, 32, 32), (9, 9, 3, 3), 1, 1),
]
compiled_only = pytest.mark.parametrize("fast", ["cython"], indirect=True)  # NumPy's BLAS has threads of its own


@pytest.fixture
def threads(fast, monkeypatch):
    """A function that sets the number of threads; the setting does not outlive the test."""
    monkeypatch.setattr(fast.backend, "THREADS", fast.backend.THREADS)

    def use(count):
        fast.backend.THREADS = count

    return use


@compiled_only
@pytest.mark.parametrize("N", [0, 1, 7, 16, 500])
def test_a_batch_is_cut_by_its_size_alone(fast, N):
    backend = fast.backend
    one_part = backend.MULTIPLICATIONS_PER_PART
    assert backend.count_parts(N, 0) == 1  # too little work to divide
    assert backend.count_parts(N, 5 * one_part) == max(1, min(N, 5))
    assert backend.count_parts(N, 1000 * one_part) == max(1, min(N, backend.MAX_PARTS))
    assert backend.count_parts(N, 1000 * one_part, 3) == max(1, min(N, 3))
    assert backend.count_parts(N, 1000 * one_part, 0) == 1


@compiled_only
@pytest.mark.parametrize("setting, count", [("3", 3), ("2,1", 2), ("0", None), ("many", None), ("", None)])
def test_omp_num_threads_sets_the_number(fast, monkeypatch, setting, count):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    usual = fast.backend.available_threads()
    assert usual >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", setting)
    assert fast.backend.available_threads() == (count or usual)


def bits(fast, case):
    """All results of a convolution, as bytes."""
    (x_shape, w_shape, stride, pad), rng = case, np.random.default_rng(0)
    x, w, b = (rng.normal(size=shape).astype(np.float32) for shape in (x_shape, w_shape, w_shape[:1]))
    out, cache = fast.conv_forward_fast(x, w, b, {"stride": stride, "pad": pad})
    pooled, pool_cache = fast.max_pool_forward_fast(out, {"pool_height": 2, "pool_width": 2, "stride": 1})
    dout = fast.max_pool_backward_fast(pooled, pool_cache)
    return [array.tobytes() for array in (out, pooled, dout, *fast.conv_backward_fast(dout, cache))]


@compiled_only
@pytest.mark.parametrize("case", CASES)
def test_bits_do_not_depend_on_the_threads(fast, threads, case):
    threads(1)
    expected = bits(fast, case)
    for count in (0, 2, 3, 16):  # 0 counts as 1
        threads(count)
        for _ in range(3):
            assert bits(fast, case) == expected


@compiled_only
def test_a_thread_that_wakes_up_late_finds_the_next_job_and_no_other(fast, threads):
    """Many more threads than processors, and jobs so short that most threads arrive after the end."""
    threads(1)
    rng = np.random.default_rng(0)
    batches = [rng.normal(size=(N, 3, 12, 12)) for N in (16, 40, 70)]
    w, b = rng.normal(size=(8, 3, 5, 5)), np.zeros(8)

    def convolved(x):
        return fast.conv_forward_fast(x, w, b, {"stride": 1, "pad": 2})[0].tobytes()

    expected = [convolved(x) for x in batches]
    threads(16)
    for _ in range(500):
        assert [convolved(x) for x in batches] == expected


@compiled_only
def test_without_new_threads_the_caller_does_all_parts(fast, threads, monkeypatch):
    threads(1)
    expected = bits(fast, CASES[0])
    threads(40)  # more than any test had started before

    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert bits(fast, CASES[0]) == expected


@pytest.mark.parametrize("case", CASES)
def test_several_threads_may_call_at_once(fast, case):
    expected = bits(fast, case)
    with ThreadPoolExecutor(4) as callers:
        assert all(result == expected for result in callers.map(lambda _: bits(fast, case), range(12)))


def in_a_child(fast, case, answers):
    answers.put(bits(fast, case))


@compiled_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_after_a_fork_the_child_has_threads_of_its_own(fast, threads):
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system does not fork")
    threads(2)
    fork = multiprocessing.get_context("fork")
    expected, answers = bits(fast, CASES[0]), fork.Queue()
    child = fork.Process(target=in_a_child, args=(fast, CASES[0], answers))
    child.start()
    assert answers.get(timeout=30) == expected
    child.join(30)
    assert child.exitcode == 0
