"""The same fault has the same reason, for every limit that may be reached first."""

import errno
import itertools
import signal
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.assignment.limits import Limits
from autograder.report.verdicts import VERDICTS
from autograder.sandbox.exit_reason import (
    MAX_HOME_FILES,
    MAX_HOME_MB,
    Ending,
    HomeUsage,
    RaisedException,
    find_exception_reason,
    find_exit_reason,
    is_forbidden,
    make_disk_reason,
    make_memory_reason,
    make_time_reason,
)

LIMITS = Limits(cpu_seconds=5, wall_seconds=20, memory_mb=512, cpu_factor=50, memory_factor=4)
SMALL, FULL = HomeUsage(MAX_HOME_MB << 20, MAX_HOME_FILES), HomeUsage((MAX_HOME_MB << 20) + 1, 1)
MANY_FILES = HomeUsage(0, MAX_HOME_FILES + 1)
# Every way to stop, also those that contradict each other.
STATUSES = [None, 0, 1, 3, *(-number for number in signal.valid_signals()), *(128 + n for n in signal.valid_signals())]
ENDINGS = st.builds(
    Ending,
    status=st.sampled_from(STATUSES),
    cpu_seconds=st.none() | st.floats(0, 100),
    timed_out=st.booleans(),
    out_of_memory=st.booleans(),
    home=st.sampled_from([None, SMALL, FULL, MANY_FILES]),
)


def reason(ending, limits=LIMITS):
    return find_exit_reason("f", ending, limits, limits.memory_mb)


class TestTheSameDeedHasOneReason:
    @given(ENDINGS, st.sampled_from([FULL, MANY_FILES]))
    def test_writing_too_much_for_every_ending(self, ending, home):
        assert reason(replace(ending, home=home)) == make_disk_reason("f")

    @given(ENDINGS, st.sampled_from([None, SMALL]))
    def test_taking_too_much_memory_for_every_ending_except_a_file_limit(self, ending, home):
        found = reason(replace(ending, out_of_memory=True, home=home))
        beyond_a_file = ending.signal == signal.SIGXFSZ
        assert found == (make_disk_reason("f") if beyond_a_file else make_memory_reason("f", LIMITS, 512))

    @pytest.mark.parametrize("killed", [-signal.SIGKILL, 128 + signal.SIGKILL, -signal.SIGXCPU])
    def test_never_ending_by_processor_time_or_by_the_clock(self, killed):
        by_clock = Ending(timed_out=True, cpu_seconds=0.01, home=SMALL)
        by_processor = Ending(killed, cpu_seconds=5.01, home=SMALL)
        unknown = Ending(killed)
        both = Ending(killed, cpu_seconds=5.01, timed_out=True)
        assert {reason(each) for each in (by_clock, by_processor, unknown, both)} == {make_time_reason("f", LIMITS)}

    def test_memory_of_the_group_of_the_address_space_and_of_the_machine(self):
        group = reason(Ending(-signal.SIGKILL, cpu_seconds=0.5, out_of_memory=True))
        machine = reason(Ending(128 + signal.SIGKILL, cpu_seconds=0.5))
        address_space = find_exception_reason(
            "f", RaisedException("MemoryError", "Unable to allocate"), LIMITS, 512, False
        )
        thread = find_exception_reason(
            "f", RaisedException("RuntimeError", "can't start new thread"), LIMITS, 512, False
        )
        assert {group, machine, address_space, thread} == {make_memory_reason("f", LIMITS, 512)}
        answer = find_exception_reason(
            "f", RaisedException("FrameError", "the answer is too large"), LIMITS, 512, False
        )
        assert replace(answer, limit="memory") == group and answer.limit is None

    def test_one_large_file_many_files_and_a_full_disk(self):
        one_file = find_exception_reason(
            "f", RaisedException("OSError", "File too large", errno.EFBIG), LIMITS, 512, False
        )
        full_disk = find_exception_reason(
            "f", RaisedException("OSError", "No space left", errno.ENOSPC), LIMITS, 512, True
        )
        killed = reason(Ending(-signal.SIGXFSZ))
        counted = [reason(Ending(-signal.SIGKILL, home=home)) for home in (FULL, MANY_FILES)]
        assert {one_file, full_disk, killed, *counted} == {make_disk_reason("f")}

    def test_a_full_disk_of_the_machine_is_not_the_students_fault(self):
        assert (
            find_exception_reason("f", RaisedException("OSError", "No space left", errno.ENOSPC), LIMITS, 512, False)
            is None
        )

    @pytest.mark.parametrize("number", [errno.EPERM, errno.EACCES, errno.EROFS])
    def test_an_action_that_a_sandbox_refuses_with_any_message(self, number):
        assert is_forbidden(RaisedException("OSError", "no", number)) and is_forbidden(
            RaisedException("PermissionError", "")
        )
        assert not is_forbidden(RaisedException("FileNotFoundError", "no", errno.ENOENT))


FAULTS = {
    "writes": {"home": FULL},
    "remembers": {"out_of_memory": True},
    "loops": {"timed_out": True},
    "exits": {"status": 1},
}
COMBINATIONS = [found for number in range(1, 5) for found in itertools.combinations(FAULTS, number)]


class TestOrdersOfTheLimits:
    """The faults of a submission determine the reason; the limit that is reached first does not."""

    @pytest.mark.parametrize("faults", COMBINATIONS, ids="-".join)
    def test_the_first_fault_of_the_table_decides_in_every_order(self, faults):
        wanted = reason(Ending(**FAULTS[faults[0]]))
        for order in itertools.permutations(faults):
            together = {}
            for fault in order:
                together |= FAULTS[fault]
            assert reason(Ending(**together)) == wanted

    @given(ENDINGS, st.floats(0, 2.4) | st.floats(2.5, 100))
    def test_every_sender_of_sigkill(self, ending, used):
        """The grader, the group, the limit of processor time and the machine send the same signal."""
        ended = replace(ending, status=-signal.SIGKILL, cpu_seconds=used, out_of_memory=False, home=SMALL)
        by_time = ending.timed_out or used >= LIMITS.cpu_seconds / 2
        expected = make_time_reason("f", LIMITS) if by_time else make_memory_reason("f", LIMITS, 512)
        assert reason(ended) == expected

    @given(ENDINGS)
    def test_every_ending_has_a_verdict_of_the_closed_set_and_a_sentence(self, ending):
        found = reason(ending)
        assert found.verdict in VERDICTS and found.verdict != "passed" and "f" in found.message.split()
        assert (found.limit is not None) == (found.verdict in ("timeout", "memory"))


class TestMessages:
    def test_of_time_name_both_limits(self):
        assert make_time_reason("f", LIMITS).message == (
            "f did not come back: this question has 5 s of processor time and 20 s on the clock; the reference takes "
            "less than 0.1 s here. Look for a loop that does not end, or for something that waits."
        )

    def test_of_memory_name_all_limits(self):
        assert make_memory_reason("f", LIMITS, 512).message == (
            "f took more memory than there is. This question has 512 MB of memory; the reference takes less than "
            "128 MB here. One answer may have 64 MB, all answers together 128 MB. "
            "Look for an array far larger than x, or a list that grows with every call."
        )

    def test_of_an_exit_and_a_crash_say_how(self):
        assert "(exit status 3). Take out exit()" in reason(Ending(3)).message
        assert reason(Ending(-signal.SIGSYS)).verdict == "forbidden"
        for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT):
            for status in (-number, 128 + number):
                assert f"crashed while f ran (signal {number:d})" in reason(Ending(status)).message
