"""The forked worker of the tests gives the same reports as a sandboxed worker, and contains nothing of the tests."""

import pytest

from autograder.grading import judge, make_setting
from autograder.samples.load import load_samples
from autograder.sandbox.worker_client import CallError, WorkerClient
from autograder.sandbox.worker_process import ENVIRONMENT
from tests.forked_worker import INSTALLED
from tests.golden.comparison import differences, summary
from tests.kit import MANIFEST

SAMPLES = load_samples()
PROBE = """
import os, sys

def modules(): return sorted(sys.modules)
def path(): return list(sys.path)
def environment(): return dict(os.environ)
def is_traced(): return sys.gettrace() is not None
def forks(): os.fork()
def asserts(): assert [1] == [2]
"""


@pytest.mark.uncounted
@pytest.mark.parametrize("name", ["failed_dw_averaged", "error_python_2"])
def test_the_report_is_that_of_a_sandbox(name, isolation, forked):
    sample = SAMPLES[name]

    def report(chosen):
        setting = make_setting(MANIFEST, chosen, secret=(1, 2, 3, 4), seed=20170401)
        fields = summary(judge(sample.submission(MANIFEST), setting, sample.questions[:3]).to_dict())
        return fields

    assert differences(report(isolation), report(forked)) == []


class TestOfTheTests:
    @pytest.fixture
    def worker(self, tmp_path, forked):
        (tmp_path / "probe.py").write_text(PROBE)
        with WorkerClient(tmp_path, MANIFEST.questions[0].limits, forked) as worker:
            yield worker

    def test_only_installed_modules_and_variables_of_a_worker_are_there(self, worker):
        assert {"autograder", "cs231n", "tests"}.isdisjoint(name.split(".")[0] for name in worker.call("probe:modules"))
        assert [path for path in worker.call("probe:path")[:-1] if not f"{path}/".startswith(INSTALLED)] == []
        assert worker.call("probe:environment").keys() == ENVIRONMENT.keys()
        assert not worker.call("probe:is_traced")

    def test_the_rules_of_a_worker_hold(self, worker):
        with pytest.raises(CallError) as error:
            worker.call("probe:forks")
        assert error.value.verdict == "forbidden"
        with pytest.raises(CallError, match="AssertionError in asserts") as error:
            worker.call("probe:asserts")
        assert "[1]" not in str(error.value), "pytest explains no assert of a student"
