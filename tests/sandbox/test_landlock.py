"""The files and actions that Landlock, the sandbox for machines without namespaces, allows to student code."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autograder.runtime.paths import KIT
from autograder.sandbox.worker_client import CallError, WorkerClient
from autograder.sandbox.worker_process import WorkerOptions
from tests.probe import CODE, LIMITS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("staged")
    (folder / "probe.py").write_text(CODE)
    return folder


class TestUnderLandlock:
    @pytest.fixture
    def within(self, landlock, folder):
        with WorkerClient(folder, LIMITS, landlock) as student:
            yield lambda name, *args: student.call(f"probe:{name}", *args)

    @pytest.mark.parametrize(
        "path", ["/etc/passwd", "/proc/1/environ", "{parent}/mem", "{parent}/environ", "/proc/self/root/etc/passwd"]
    )
    def test_no_file_of_others_can_be_read(self, within, path):
        with pytest.raises(CallError, match="Permission denied"):
            within("read", path.format(parent=f"/proc/{os.getpid()}"))

    @pytest.mark.parametrize("path", ["/", "/tmp", "/proc", "/dev/shm", KIT, KIT / "autograder", Path.home()])
    def test_no_folder_of_others_can_be_listed(self, within, path):
        with pytest.raises(CallError, match="Permission denied"):
            within("listed", str(path))

    @pytest.mark.parametrize("name", ["assignment2/questions.toml", "autograder/errors.py", "nbgrader_config.py"])
    def test_nothing_of_the_kit_can_be_read(self, within, name):
        assert (KIT / name).is_file()
        with pytest.raises(CallError, match="Permission denied"):
            within("read", str(KIT / name))

    def test_a_secret_inside_the_interpreter_cannot_be_read_and_what_lies_beside_it_can(self, landlock, folder):
        package = Path(np.__file__).parent
        with WorkerClient(folder, LIMITS, landlock, WorkerOptions(hidden=[package / "tests"])) as student:
            assert student.call("probe:read", str(package / "version.py"))
            with pytest.raises(CallError, match="Permission denied"):
                student.call("probe:read", str(package / "tests" / "__init__.py"))

    def test_it_can_write_in_its_home_and_nowhere_else(self, within, folder, tmp_path):
        assert within("write", "mine") and within("read", "mine") == "x"
        for path in (folder / "probe.py", folder / "new", tmp_path / "new", "/tmp/of-mine", "/dev/shm/of-mine"):
            with pytest.raises(CallError, match="Permission denied"):
                within("write", str(path))

    def test_its_home_is_empty_at_first_and_gone_afterwards(self, landlock, folder):
        with WorkerClient(folder, LIMITS, landlock) as student:
            home = Path(student.call("probe:identity")[2])
            assert student.call("probe:listed", ".") == [] and home.is_dir()
        assert not home.exists()

    @pytest.mark.parametrize("name", ["make_folder", "remove_file"])
    def test_its_home_holds_files_that_stay_so_that_they_can_be_counted(self, within, name):
        with pytest.raises(CallError, match="Permission denied"):
            within(name)

    def test_matplotlib_works_without_a_folder_of_its_own(self, landlock, folder):
        with WorkerClient(folder, replace(LIMITS, memory_mb=2048, address_mb=2048), landlock) as student:
            assert student.call("probe:draw") == 0

    def test_the_hosts_network_and_mounts_cannot_be_read(self, within):
        for name in ("net/tcp", "mountinfo", "environ"):
            with pytest.raises(CallError, match="Permission denied"):
                within("read", f"/proc/self/{name}")

    def test_it_has_no_capability_but_perhaps_to_read_and_a_user_of_its_own(self, within):
        read_search = 1 << 2
        held = {line.split(":")[0]: int(line.split()[1], 16) for line in within("capabilities")}
        assert held["CapEff"] in (0, read_search) and held["CapPrm"] in (0, read_search) and held["CapInh"] == 0
        assert (within("identity")[1] == os.geteuid()) == (os.geteuid() != 0)

    def test_two_workers_are_two_users(self, landlock, folder):
        if os.geteuid() != 0:
            pytest.skip("only root can give a worker a user of its own")
        with WorkerClient(folder, LIMITS, landlock) as one, WorkerClient(folder, LIMITS, landlock) as other:
            assert one.call("probe:identity")[1] != other.call("probe:identity")[1]

    @pytest.mark.parametrize(
        "name", ["change_mode", "change_times", "truncate", "renice", "limit_parent", "pin_parent"]
    )
    def test_nothing_of_others_can_be_changed(self, within, name):
        with pytest.raises(CallError, match="PermissionError"):
            within(name)
