"""Every attack that the kit promises to hold has a sample submission, and every sandbox holds what it promises.

tests/test_samples.py judges every attack in the best sandbox of this machine. Here, some attacks are judged in each
weaker sandbox; `python -m tests.hostile --isolation plain` judges them all.
"""

import pytest

from autograder.sandbox.isolation import LANDLOCK, PLAIN
from tests.hostile import ATTACKS, NOT_HELD, held, is_held, verdicts

pytestmark = pytest.mark.uncounted

WEAKER = (LANDLOCK, PLAIN)
EVERY = 25  # one in so many cases is judged under a weaker sandbox in every run

FORGERY = {
    "AST transformers and import hooks": ["failed_ast_transformer", "failed_import_hook", "failed_patched_import"],
    "numpy.allclose, isclose and testing patched": ["failed_patched_allclose", "failed_patched_testing"],
    "numpy itself patched": ["failed_patched_numpy", "failed_patched_array"],
    "builtins patched": ["failed_patched_builtins", "failed_patched_import"],
    "subclasses that lie": ["failed_equal_to_anything", "failed_lying_ufuncs", "failed_float_subclass"],
    "a lying dtype, shape or array protocol": ["failed_lying_dtype_and_shape", "failed_array_protocol"],
    "object arrays and other dtypes": ["failed_object_array", "failed_other_dtypes", "failed_no_numbers"],
    "masks, strides, nan and infinity": [
        "failed_masked_array",
        "failed_broadcast_answer",
        "failed_nan_everywhere",
        "failed_empty_answers",
        "memory_stride_zero",
        "passed_strided_views",
    ],
    "pickles": ["failed_pickle", "failed_pickled_bytes"],
    "fake reports": ["failed_printed_report", "failed_written_report"],
    "forged frames and lengths": ["forbidden_frame_huge", "forbidden_frame_negative", "timeout_frame_cut"],
    "frames before being asked": ["forbidden_frame_early", "forbidden_frame_of_its_own"],
    "threads after the answer": ["forbidden_frame_by_thread", "failed_changed_after_return"],
    "answers that grow in the judge": [
        "forbidden_frame_of_many_copies",
        "memory_answers_add_up",
        "memory_answer_too_large",
        "failed_nested_answers",
    ],
    "sys.exit and os._exit": ["error_sys_exit", "error_os_exit", "error_leaves_the_process"],
    "atexit": ["failed_atexit"],
    "gc and frame walking": ["failed_gc_walk", "failed_frame_walk"],
    "seeds and inputs recognised": ["failed_known_seeds", "failed_table_of_answers"],
    "answers that change from call to call": ["failed_right_at_first", "failed_right_when_repeated"],
    "small steps detected": ["failed_small_steps"],
    "a numeric gradient of its own": ["passed_own_slopes", "error_gradient_measured"],
    "the worker's modules patched": [
        "failed_worker_answers_patched",
        "failed_worker_values_patched",
        "forbidden_worker_frames_patched",
        "forbidden_forged_verdict",
    ],
    "the judge's own answers asked for": ["forbidden_asks_the_judge", "failed_asks_for_more"],
    "inputs changed in place": ["failed_input_changed"],
    "exceptions in disguise": ["error_exception_in_disguise", "error_hostile_exception"],
}
THEFT = {
    "memory shared by others": ["failed_shared_memory"],
    "the reference": ["failed_steals_reference", "failed_steals_kit"],
    "the checks": ["failed_steals_checks", "failed_steals_kit"],
    "links to the reference": ["missing_linked_to_reference", "missing_linked_in_a_zip", "missing_linked_folder"],
    "other students' folders": ["failed_steals_other_students"],
    "the gradebook": ["failed_steals_gradebook"],
    "the environment": ["failed_steals_environment", "failed_steals_parents_environment"],
    "/proc": [
        "failed_steals_command_line",
        "failed_steals_parents_environment",
        "failed_steals_parents_memory",
        "failed_steals_parents_files",
        "failed_steals_own_descriptors",
    ],
    "the home directory and the system's files": [
        "failed_steals_home",
        "failed_sees_names_at_home",
        "failed_steals_system_files",
    ],
    "network": ["failed_network", "failed_network_v6_and_raw"],
    "DNS": ["failed_dns"],
    "unix sockets": ["failed_unix_sockets"],
    "abstract sockets": ["failed_abstract_sockets"],
    "another question's leftovers": ["failed_leftovers", "failed_poisons_the_next_question"],
}
HARM = {
    "the machine's settings": ["failed_machine_settings"],
    "leases on files": ["failed_lease"],
    "a worker that stays": ["failed_outlives_the_judge"],
    "folders nested too deeply to be removed": ["passed_nested_folders"],
    "fork bomb": ["failed_fork_bomb", "failed_fork_by_libc", "forbidden_processes_and_sockets"],
    "programs and pools": ["forbidden_subprocess", "forbidden_multiprocessing"],
    "memory bomb": ["memory_in_steps", "memory_at_once", "memory_huge_array"],
    "thread bomb": ["memory_thread_bomb"],
    "disk filling": ["forbidden_disk_filled_tmp", "forbidden_disk_filled_home", "forbidden_disk_sparse"],
    "gigabytes of output": ["passed_prints_much", "passed_answers_before_the_flood"],
    "deep recursion": ["error_deep_recursion", "error_deep_recursion_allowed"],
    "signals ignored": ["timeout_signals_ignored", "timeout_exceptions_swallowed"],
    "waiting for nothing": ["timeout_asleep", "timeout_deadlock"],
    "crashes": ["error_ctypes_crash", "error_ctypes_crash_written", "error_abort"],
    "the parent killed": ["failed_kills_parent", "forbidden_processes_and_sockets"],
    "ptrace and the parent's memory": ["failed_ptrace", "failed_writes_parents_memory"],
    "limits, rights and namespaces": ["failed_limits_raised", "failed_setuid_made", "failed_namespaces_and_mounts"],
    "links out of the submission": ["passed_links_in_circles", "missing_linked_folder"],
    "set-user-id files": ["passed_setuid_files", "failed_setuid_made"],
    "pipes and devices": [
        "passed_fifo_and_device",
        "passed_fifo_and_device_in_a_zip",
        "missing_device_as_layers",
    ],
    "__pycache__ and compiled modules": ["failed_poisoned_cache_of_modules", "error_compiled_module"],
    "sitecustomize, usercustomize and .pth": ["failed_hooks_at_start"],
    "modules named like others": ["passed_modules_named_like_numpy", "failed_modules_of_the_judge"],
    "hostile objects and modules": ["passed_hostile_objects", "failed_module_in_disguise"],
    "sys.modules": ["passed_modules_thrown_away", "failed_module_in_disguise"],
    "the interpreter's and NumPy's settings": [
        "passed_interpreter_settings",
        "passed_numpy_settings",
        "passed_traced",
    ],
    "streams and descriptors closed": [
        "passed_no_standard_streams",
        "passed_quiet_prints",
        "error_descriptors_closed",
    ],
    "long numbers and slow expressions": ["timeout_long_number", "error_long_number", "timeout_regex"],
}


@pytest.mark.parametrize("items", [FORGERY, THEFT, HARM], ids=["forgery", "theft", "harm"])
def test_every_attack_is_planted(items):
    planted = {name for names in items.values() for name in names}
    assert planted <= set(ATTACKS), "no such case"


def test_every_case_belongs_to_an_attack():
    listed = {name for items in (FORGERY, THEFT, HARM) for names in items.values() for name in names}
    assert set(ATTACKS) - listed == set()
    assert {sample.attack for sample in ATTACKS.values()} == {"forgery", "theft", "harm"}
    assert [name for name, sample in ATTACKS.items() if len(sample.title) > 95] == []


def test_no_attack_is_excused_that_is_not_planted():
    assert [name for names in NOT_HELD.values() for name in names if name not in ATTACKS] == []


@pytest.mark.parametrize("weaker", WEAKER, ids=lambda weaker: weaker.name)
def test_a_weaker_sandbox_holds_what_it_promises(weaker, isolation, manifest):
    if weaker.name == isolation.name:
        pytest.skip("it is the best one here, and tests/test_samples.py judges every attack in it")
    found = {name: verdicts(name, manifest, weaker) for name in held(weaker)[::EVERY]}
    assert {name: came for name, (came, expected) in found.items() if not is_held(came, expected)} == {}


THEFTS = ["failed_steals_reference", "failed_steals_checks", "failed_poisons_the_next_question"]


@pytest.mark.parametrize("name", THEFTS)
def test_a_theft_that_succeeds_is_a_right_answer(name, manifest):
    """Without a sandbox the secret is there. If the answer were wrong even then, the case would prove nothing."""
    came, _ = verdicts(name, manifest, PLAIN)
    assert set(came.values()) == {"passed"}
