"""The processes of a pool judge as this process does, above all in the same sandbox."""

import pytest

from autograder.assignment.reference import read_reference_texts
from autograder.grading.pool import Job, judge_all
from autograder.intake.submission import Submission
from autograder.sandbox.isolation import ISOLATIONS, PLAIN

pytestmark = pytest.mark.uncounted


@pytest.mark.parametrize("processes", [1, 2])
def test_the_code_of_each_job_runs_in_the_sandbox_of_the_job(processes, make_course, bubblewrap, landlock, tmp_path):
    """A process of a pool receives a copy of the isolation, which must be known as well as the isolation itself."""
    manifest = make_course(tmp_path / "course").manifest

    def write_outside(name):
        code = f"try: open({str(tmp_path / name)!r}, 'w').close()\nexcept OSError: pass\n"
        files = {path: text.encode() for path, text in read_reference_texts(manifest).items()}
        return Submission(name, files | {"cs231n/layers.py": files["cs231n/layers.py"] + code.encode()})

    jobs = [Job(write_outside(name), manifest, isolation, (), (1, 2)) for name, isolation in ISOLATIONS.items()]
    for job, get_report in judge_all(jobs, processes):
        assert get_report().isolation["name"] == job.isolation.name
        assert {question.verdict for question in get_report().questions} == {"passed"}
        assert (tmp_path / job.isolation.name).exists() == (job.isolation == PLAIN)
