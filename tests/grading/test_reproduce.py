"""The student's report, the TA's report, and one criterion that is judged again."""

import json

import numpy as np
import pytest

from autograder.grading import judge, make_setting
from autograder.grading.call_inputs import describe_inputs
from autograder.grading.reproduce import reproduce
from autograder.intake.reading import read_submission
from autograder.intake.submission import Submission
from autograder.report import html
from autograder.report.redact import make_reproduce_command, redact_question
from autograder.runtime.secret import SECRET_FILE, load_secret
from autograder.samples.load import load_samples
from autograder.samples.sample import write_sample
from autograder.sandbox.worker_client import Call
from tests.conftest import ROOT
from tests.kit import PACK

SAMPLES = load_samples()


@pytest.fixture(scope="module")
def hand_in(tmp_path_factory, manifest):
    folder = tmp_path_factory.mktemp("hand-in") / "chen"
    write_sample(SAMPLES["failed_dw_averaged"], manifest, folder, ROOT / "release" / "assignment2")
    return folder


@pytest.fixture(scope="module")
def report(hand_in, manifest, isolation):
    return judge(read_submission(hand_in, manifest), make_setting(manifest, isolation), ["affine_backward"])


class TestTheStudentsVersion:
    def test_has_hint_and_picture_and_no_hidden_input(self, report):
        full, given = report.question("affine_backward"), redact_question(report.question("affine_backward"))
        wrong = next(criterion for criterion in full.criteria if criterion.name == "dw")
        shown = next(criterion for criterion in given.criteria if criterion.name == "dw")
        assert wrong.inputs and not shown.inputs
        assert shown.message == wrong.message and shown.where == wrong.where
        assert full.diagnosis[0].thought and not given.diagnosis[0].thought
        assert given.diagnosis[0].text == full.diagnosis[0].text
        assert given.output == ""

    def test_has_pictures_that_no_number_can_be_read_from(self, report):
        shown = next(c for c in redact_question(report.question("affine_backward")).criteria if c.name == "dw").picture
        steps = np.array(shown["ours"] + shown["theirs"]) / 0.05
        assert np.abs(steps).max() == pytest.approx(20)
        assert np.allclose(steps, np.round(steps))

    def test_is_a_page_of_its_own_beside_the_graders(self, report, tmp_path):
        report.submission["student"] = "chen"
        html.write_class_pages([report], tmp_path, PACK.heat_map)
        full, given = ((tmp_path / "chen" / name).read_text() for name in ("index.html", "student.html"))
        assert "inputs of the calls" in full and "Likely reasoning: " in full
        assert "inputs of the calls" not in given and "Likely reasoning: " not in given
        assert "autograder reproduce submitted/chen/assignment2 affine_backward dw --seed" in full
        assert "autograder reproduce . affine_backward dw" in given
        assert str(report.seed) in full and str(report.seed) not in given


class TestReproducing:
    def test_a_criterion_shows_all_it_saw(self, hand_in, manifest, isolation, report, tmp_path):
        setting = make_setting(manifest, isolation, seed=report.seed)
        found = reproduce(read_submission(hand_in, manifest), setting, "affine_backward", "dw")
        before = next(c for c in report.question("affine_backward").criteria if c.name == "dw")
        assert (found.criterion.verdict, found.criterion.message) == (before.verdict, before.message)
        arrays = found.arrays()
        assert np.allclose(arrays["expected"], len(arrays["call0_affine_forward_0"]) * arrays["yours"])
        found.save(tmp_path / "seen.npz")
        with np.load(tmp_path / "seen.npz") as saved:
            assert set(saved) == set(arrays)

    def test_by_the_command_in_the_report(self, hand_in, run_cli, report):
        command = make_reproduce_command(str(hand_in), "affine_backward", "dw", report.seed).split()
        code, out, _ = run_cli(*command[1:])
        assert code == 0 and "dw: failed" in out and "call0_affine_forward_0" in out

    @pytest.mark.uncounted
    def test_of_a_saved_model_draws_the_images_of_the_course(self, manifest, isolation, tmp_path, run_cli):
        """Which images count is decided by the course's secret, and so is which of them a model gets right."""
        folder, course = tmp_path / "ada", tmp_path / "course"
        write_sample(SAMPLES["passed_reference"], manifest, folder, ROOT / "release" / "assignment2")
        course.mkdir()
        (course / SECRET_FILE).write_text("0123456789abcdef" * 2)  # of two random ones the accuracies can be equal
        secret, name = load_secret(course), PACK.criteria["best_fc_model"][-1].name
        setting = make_setting(manifest, isolation, secret=secret)
        ours = judge(read_submission(folder, manifest), setting, ["best_fc_model"])
        _, here, _ = run_cli("reproduce", folder, "best_fc_model", name, "--course", course)
        _, elsewhere, _ = run_cli("reproduce", folder, "best_fc_model", name, "--course", tmp_path)
        message = ours.question("best_fc_model").criteria[-1].message
        assert " ".join(message.split()) in " ".join(here.split())
        assert " ".join(message.split()) not in " ".join(elsewhere.split())
        assert not (tmp_path / SECRET_FILE).exists()

    def test_quotes_what_a_shell_would_split(self):
        command = make_reproduce_command("a b", "affine_forward", "one example", 7)
        assert command == "autograder reproduce 'a b' affine_forward 'one example' --seed 7"

    @pytest.mark.parametrize("words", [("no_such", "dw"), ("affine_backward", "dz")])
    def test_of_what_there_is_not_says_what_there_is(self, hand_in, run_cli, words):
        code, _, err = run_cli("reproduce", hand_in, *words)
        assert code == 3 and "no such" in err and "There are: " in err


def test_no_value_of_an_input_is_lost_in_the_json(report):
    criterion = next(c for c in report.question("affine_backward").criteria if c.name == "dw")
    kept = json.loads(json.dumps(criterion.inputs))
    assert [call["call"] for call in kept] == ["cs231n.layers:affine_forward", "cs231n.layers:affine_backward"]
    assert kept[0]["arguments"][0]["value"]["shape"] == [4, 3, 5]


def test_what_no_json_can_hold_is_text_and_what_is_too_much_is_left_out():
    strange = {"worst": float("inf"), **{f"key {number}": number for number in range(500)}}
    call = Call("m:f", (strange, np.full(10**4, np.nan), "x" * 10**4), {}, "value", True, None)
    (shown,) = describe_inputs([call])
    text = json.dumps(shown, allow_nan=False)
    assert "inf" in text and len(text) < 10**4


def test_a_mistake_that_no_misconception_fits_is_told_by_its_kind(manifest, isolation):
    files = SAMPLES["passed_reference"].files(manifest)
    old, new = "dx_hat = dout * gamma\n\n", "dx_hat = dout / gamma\n\n"
    text = files["cs231n/layers.py"].decode()
    assert text.count(old) == 1
    files["cs231n/layers.py"] = text.replace(old, new).encode()
    report = judge(Submission("work", files), make_setting(manifest, isolation), ["batchnorm_backward"])
    question = report.question("batchnorm_backward")
    assert [(found.kind, found.name) for found in question.diagnosis] == [("edit", "operator swapped")]
    assert "dout / gamma" in question.diagnosis[0].thought and "gamma" not in question.diagnosis[0].text
