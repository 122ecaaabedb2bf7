"""Threads of the fast layers: every part is done once, results keep their bits, and a fork or an error does no harm."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cs231n import fast_threads
from cs231n.fast_threads import MOST_PARTS, WORTH_A_THREAD, available, cut, share

CASES = [
    ((40, 3, 12, 12), (8, 3, 5, 5), 1, 2),
    ((40, 9, 13, 13), (20, 9, 3, 3), 2, 1),
    ((24, 9, 32, 32), (9, 9, 3, 3), 1, 1),
]


@pytest.fixture(autouse=True)
def no_setting_outlives_a_test(monkeypatch):
    monkeypatch.setattr(fast_threads, "THREADS", fast_threads.THREADS)


@pytest.mark.parametrize("N", [0, 1, 7, 16, 500])
def test_parts_cover_all_images_once(N):
    for work in (0, WORTH_A_THREAD, 5 * WORTH_A_THREAD, 1000 * WORTH_A_THREAD):
        parts = cut(N, work)
        assert [n for _, first, last in parts for n in range(first, last)] == list(range(N))
        assert [part for part, _, _ in parts] == list(range(len(parts))) and len(parts) <= MOST_PARTS
    assert len(cut(N, 0)) == 1  # too little to share
    assert len(cut(N, 1000 * WORTH_A_THREAD, most=3)) == max(1, min(N, 3))
    assert len(cut(N, 1000 * WORTH_A_THREAD, most=0)) == 1


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_part_is_done_by_one_thread(threads):
    fast_threads.THREADS, done, everyone = threads, [], threading.Barrier(threads)

    def work(todo):
        everyone.wait(120)
        done.extend(todo)

    share(work, list(range(16)))
    assert sorted(done) == list(range(16))


def test_what_goes_wrong_in_a_thread_is_raised():
    fast_threads.THREADS, both = 2, threading.Barrier(2)

    def work(todo):
        both.wait(120)
        if threading.current_thread() is not threading.main_thread():
            raise MemoryError("too large")

    with pytest.raises(MemoryError, match="too large"):
        share(work, [1, 2])


def test_where_no_thread_can_be_started_one_does_it_all(monkeypatch):
    class Full:
        def submit(self, *_):
            raise RuntimeError("can't start new thread")

    fast_threads.THREADS, done = 4, []
    monkeypatch.setattr(fast_threads, "_threads", Full())
    share(done.extend, [1, 2, 3])
    assert sorted(done) == [1, 2, 3]


def test_what_a_thread_began_is_waited_for_though_it_was_refused(monkeypatch):
    """An executor queues work before it starts a thread for it; another thread may take it from there."""
    begun, go_on, done = threading.Event(), threading.Event(), []

    class Refusing:
        def submit(self, *call):
            threading.Thread(target=call[0], args=call[1:]).start()
            assert begun.wait(120)
            raise RuntimeError("can't start new thread")

    def work(todo):
        for part in todo:
            if threading.current_thread() is not threading.main_thread():
                begun.set()
                assert go_on.wait(120)
            else:
                go_on.set()
            done.append(part)

    fast_threads.THREADS = 2
    monkeypatch.setattr(fast_threads, "_threads", Refusing())
    share(work, [1, 2])
    assert sorted(done) == [1, 2]


def test_work_that_was_refused_and_never_begun_is_not_waited_for(monkeypatch):
    late, done = [], []

    class Refusing:
        def submit(self, *call):
            late.append(call)
            raise RuntimeError("can't start new thread")

    fast_threads.THREADS = 2
    monkeypatch.setattr(fast_threads, "_threads", Refusing())
    share(done.extend, [1, 2])
    ((call, promise),) = late
    call(promise)  # too late: there is nothing to do
    assert sorted(done) == [1, 2] and promise.cancelled()


@pytest.mark.parametrize(("said", "threads"), [("3", 3), ("2,1", 2), ("0", None), ("many", None), ("", None)])
def test_omp_num_threads_says_how_many(monkeypatch, said, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    usual = available()
    assert usual >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    assert available() == threads or (threads is None and available() == usual)


def bits(fast, case):
    """All results of a convolution, as bytes."""
    (x_shape, w_shape, stride, pad), rng = case, np.random.default_rng(0)
    x, w, b = (rng.normal(size=shape).astype(np.float32) for shape in (x_shape, w_shape, w_shape[:1]))
    out, cache = fast.conv_forward_fast(x, w, b, {"stride": stride, "pad": pad})
    pooled, pool_cache = fast.max_pool_forward_fast(out, {"pool_height": 2, "pool_width": 2, "stride": 1})
    dout = fast.max_pool_backward_fast(pooled, pool_cache)
    return [array.tobytes() for array in (out, pooled, dout, *fast.conv_backward_fast(dout, cache))]


compiled_only = pytest.mark.parametrize("fast", ["cython"], indirect=True)  # NumPy's BLAS has threads of its own


@compiled_only
@pytest.mark.parametrize("case", CASES)
def test_bits_do_not_depend_on_the_threads(fast, case):
    fast_threads.THREADS = 1
    expected = bits(fast, case)
    for fast_threads.THREADS in (0, 2, 3, 16):  # 0 is taken for 1
        for _ in range(3):
            assert bits(fast, case) == expected


@compiled_only
def test_a_thread_that_wakes_up_late_finds_the_next_job_and_no_other(fast):
    """Many more threads than processors, and jobs so short that most threads come when they are over."""
    fast_threads.THREADS, rng = 1, np.random.default_rng(0)
    batches = [rng.normal(size=(N, 3, 12, 12)) for N in (16, 40, 70)]
    w, b = rng.normal(size=(8, 3, 5, 5)), np.zeros(8)

    def convolved(x):
        return fast.conv_forward_fast(x, w, b, {"stride": 1, "pad": 2})[0].tobytes()

    expected = [convolved(x) for x in batches]
    fast_threads.THREADS = 16
    for _ in range(500):
        assert [convolved(x) for x in batches] == expected


@compiled_only
def test_where_no_thread_can_be_started_the_compiled_layers_work_alone(fast, monkeypatch):
    fast_threads.THREADS = 1
    expected = bits(fast, CASES[0])
    fast_threads.THREADS = 40  # more than any test had started before

    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert bits(fast, CASES[0]) == expected


@pytest.mark.parametrize("case", CASES)
def test_several_threads_may_call_at_once(fast, case):
    fast_threads.THREADS, expected = 2, bits(fast, case)
    with ThreadPoolExecutor(4) as callers:
        assert all(given == expected for given in callers.map(lambda _: bits(fast, case), range(12)))


def in_a_child(fast, case, answers):
    answers.put(bits(fast, case))


@compiled_only
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_after_a_fork_the_child_has_threads_of_its_own(fast):
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system does not fork")
    fast_threads.THREADS, fork = 2, multiprocessing.get_context("fork")
    expected, answers = bits(fast, CASES[0]), fork.Queue()
    child = fork.Process(target=in_a_child, args=(fast, CASES[0], answers))
    child.start()
    assert answers.get(timeout=120) == expected
    child.join(120)
    assert child.exitcode == 0
