"""Follow-through: a question that needs a function that is not right is judged with a right one in its place."""

from dataclasses import replace

import numpy as np
import pytest

from autograder.assignment.manifest import Limits
from autograder.assignment.reference import make_released_package, read_reference_texts
from autograder.checks.reference_answers import GROUPS
from autograder.grading import judge, make_setting
from autograder.intake.staging import stage
from autograder.intake.submission import Submission
from autograder.samples.sample import Sample
from autograder.sandbox import follow_through as followthrough
from autograder.sandbox.exit_reason import make_time_reason
from autograder.sandbox.follow_through import AnswerLimitReached, Answers, Keep
from autograder.sandbox.worker import frames
from autograder.sandbox.worker.values import Handle, encode
from autograder.sandbox.worker_client import CallError, WorkerClient
from autograder.sandbox.worker_process import WorkerOptions
from tests.kit import PACK

pytestmark = pytest.mark.uncounted

LAYERS, NETS, CONVNET = "cs231n/layers.py", "cs231n/classifiers/fc_net.py", "cs231n/classifiers/cnn.py"
WRONG_DX = (LAYERS, "dx = (dout @ w.T).reshape(x.shape)", "dx = (dout @ w.T).reshape(x.shape) * 2")
NO_HALF = (NETS, '        for name in ("W1", "W2"):\n            W = self.params[name]\n            loss += 0.5 *')
LIMITS = Limits(60, 240, 2048)
IMAGE = np.ones((1, 1, 2, 2))
ONE, PLAIN = IMAGE[:, :, :1, :1], {"pad": 0, "stride": 1}
POOLING = {"pool_height": 1, "pool_width": 1, "stride": 1}


@pytest.fixture
def graded(manifest, forked):
    def grade(*changes, questions=("TwoLayerNet",), given=manifest, **files):
        change = tuple({"file": file, "old": old, "new": new} for file, old, new in changes)
        texts = Sample("", "", change=change, questions=("any",)).files(manifest)
        return judge(Submission("work", texts | files), make_setting(given, forked), questions)

    return grade


class TestANet:
    def test_loses_nothing_by_a_layer_that_is_wrong(self, graded):
        report = graded(WRONG_DX)
        net = report.question("TwoLayerNet")
        assert report.question("affine_backward").verdict == "failed"
        assert (net.verdict, net.points) == ("passed", net.max_points)
        credited = {c.name for c in net.criteria if c.given == ["affine_backward"]}
        assert "dW1" in credited and "scores" not in credited
        dW1 = next(c for c in net.criteria if c.name == "dW1")
        assert dW1.message.startswith("Right, given a correct `affine_backward`.")

    def test_that_is_wrong_itself_fails_by_its_own_mistake(self, graded):
        net = graded(WRONG_DX, (*NO_HALF, NO_HALF[1].replace("0.5", "1.0"))).question("TwoLayerNet")
        verdicts = {criterion.name: criterion.verdict for criterion in net.criteria}
        assert verdicts["regularized loss"] == "failed" and verdicts["dW1"] == "passed"
        assert net.diagnosis

    def test_is_judged_though_the_layers_do_not_even_parse(self, graded):
        report = graded(**{LAYERS: b"def affine_forward(x, w, b:\n"})
        assert report.question("affine_forward").verdict == "error"
        assert report.question("TwoLayerNet").points == report.question("TwoLayerNet").max_points

    def test_is_judged_with_stubs_for_layers(self, manifest, graded):
        report = graded(**{LAYERS: make_released_package(manifest)[LAYERS]}, questions=("FullyConnectedNet",))
        assert report.question("batchnorm_forward").verdict == "missing"
        net = report.question("FullyConnectedNet")
        assert net.points == net.max_points, [c.message for c in net.criteria if c.verdict != "passed"]

    def test_of_convolutions_may_use_the_naive_ones(self, graded):
        wrong = (LAYERS, "dx = dx_pad[:, :, pad : pad + H, pad : pad + W]", "dx = dx_pad[:, :, :H, :W]")
        lost = (LAYERS, "            dw += np.tensordot(here", "            dw = np.tensordot(here")
        naive = [
            (CONVNET, "pooled, conv_cache = conv_relu_pool_forward(X, W1, b1, conv_param, pool_param)", NAIVE_FORWARD),
            (CONVNET, '_, grads["W1"], grads["b1"] = conv_relu_pool_backward(dpooled, conv_cache)', NAIVE_BACKWARD),
            (
                CONVNET,
                "from cs231n.layers import affine_backward,",
                "from cs231n.layers import *\nfrom cs231n.layers import",
            ),
        ]
        report = graded(wrong, lost, *naive, questions=("ThreeLayerConvNet",))
        assert report.question("conv_backward_naive").verdict == "failed"
        net = report.question("ThreeLayerConvNet")
        assert net.points == net.max_points, [c.message for c in net.criteria if c.verdict != "passed"]


NAIVE_FORWARD = """a, c1 = conv_forward_naive(X, W1, b1, conv_param)
        h, c2 = relu_forward(a)
        pooled, c3 = max_pool_forward_naive(h, pool_param)"""
NAIVE_BACKWARD = """dh = relu_backward(max_pool_backward_naive(dpooled, c3), c2)
        _, grads["W1"], grads["b1"] = conv_backward_naive(dh, c1)"""


class TestCredit:
    @pytest.mark.parametrize("share", [0, 0.5])
    def test_is_what_the_manifest_says(self, manifest, graded, share):
        questions = tuple(replace(question, follow_through=share) for question in manifest.questions)
        net = graded(WRONG_DX, given=replace(manifest, questions=questions)).question("TwoLayerNet")
        for criterion in net.criteria:
            assert criterion.verdict == "passed"
            assert criterion.points == pytest.approx(criterion.max_points * (share if criterion.given else 1), abs=0.01)
        assert any(criterion.given for criterion in net.criteria)

    def test_goes_on_through_a_question_that_was_credited_itself(self, graded):
        wrong = (
            LAYERS,
            "        mean, var = x.mean(axis=0), x.var(axis=0)",
            "        mean, var = x.mean(axis=0), x.var()",
        )
        report = graded(wrong, questions=("spatial_batchnorm_backward",))
        assert report.question("batchnorm_forward").verdict == "failed"
        for name in ("spatial_batchnorm_forward", "spatial_batchnorm_backward"):
            assert report.question(name).verdict == "passed"


class TestWhatIsAnswered:
    def test_is_never_what_the_students_own_account_asks_for(self, graded):
        """Any function may claim to be a stub; the judge answers only for functions that the question needs."""
        helper = b"def conv_backward_naive(*_):\n    raise NotImplementedError\n"
        wrong = (
            (LAYERS, "import numpy as np\n", "import numpy as np\n\nfrom cs231n import helper\n"),
            (LAYERS, "dx = (dout @ w.T).reshape(x.shape)", "dx = helper.conv_backward_naive(dout, x, w)"),
        )
        report = graded(*wrong, questions=("affine_backward",), **{"cs231n/helper.py": helper})
        question = report.question("affine_backward")
        assert question.points == 0 and not any(criterion.given for criterion in question.criteria)

    def test_never_shares_a_cache_with_the_question_itself(self):
        for question, unmet in (
            ("affine_backward", ["affine_forward"]),
            ("batchnorm_backward_alt", ["batchnorm_forward"]),
        ):
            answers, names = PACK.answers_for(question, unmet, {})
            assert not names and not answers.names

    def test_comes_without_any_reference_code_in_the_sandbox(self, manifest, isolation, tmp_path):
        """The worker contains only a proxy, from which no line of the solution can be found."""
        probe = (
            "from cs231n.layers import affine_forward\n"
            "def look():\n"
            "    import inspect\n"
            "    return inspect.getsource(affine_forward), repr(affine_forward.__code__.co_consts)\n"
        )
        texts = {path: text.encode() for path, text in read_reference_texts(manifest).items() if path != LAYERS}
        files = texts | {LAYERS: b"raise SyntaxError", NETS: probe.encode()}
        stage(Submission("work", files), make_released_package(manifest), manifest, tmp_path, {})
        answers, _ = PACK.answers_for("TwoLayerNet", ["affine_forward"], {})
        with WorkerClient(tmp_path, LIMITS, isolation, WorkerOptions(answers=answers)) as student:
            source, constants = student.call("cs231n.classifiers.fc_net:look")
        assert "_ask(header" in source and "@ w" not in source + constants

    def test_cannot_be_looked_into(self, manifest, isolation, tmp_path):
        peeks = "from cs231n.layers import relu_forward\ndef peek(x):\n    return relu_forward(x)[1][0]\n"
        files = {LAYERS: b"", NETS: peeks.encode()}
        stage(Submission("work", files), make_released_package(manifest), manifest, tmp_path, {})
        answers, _ = PACK.answers_for("TwoLayerNet", ["relu_forward"], {})
        with WorkerClient(tmp_path, LIMITS, isolation, WorkerOptions(answers=answers)) as student:
            with pytest.raises(CallError) as error:
                student.call("cs231n.classifiers.fc_net:peek", np.ones(3))
        assert error.value.raised[0] == "NotAnswered"


class TestAHostileQuestion:
    """Data that a worker may send in place of a call: it gets an error, and the judge continues."""

    @pytest.fixture
    def ask(self):
        answers, _ = PACK.answers_for("FullyConnectedNet", [group[0] for group in GROUPS], {})

        def ask(name, *args, **kwargs):
            tensors = {}
            trees = [encode(value, tensors) for value in args]
            header = {"ask": f"cs231n.layers:{name}", "args": trees, "kwargs": kwargs}
            data = iter([answers.reply(header, tensors)])
            stream = memoryview(next(data))
            at = 0

            def receive(size):
                nonlocal at
                at += size
                return bytes(stream[at - size : at])

            return frames.read(receive)[0]

        return ask

    @pytest.mark.parametrize(
        "name, args",
        [
            ("affine_forward", (np.ones((3, 4)), np.ones((5, 6)), np.ones(6))),
            ("affine_forward", (np.ones((10**5, 1)), np.ones((1, 10**5)), np.ones(10**5))),
            ("affine_forward", (1, 2, 3)),
            ("affine_forward", ()),
            ("affine_backward", (np.ones((3, 4)), Handle(7, "cache"))),
            ("affine_backward", (np.ones((3, 4)), Handle(-1, "cache"))),
            ("affine_backward", (np.ones((3, 4)), None)),
            ("relu_forward", ("text",)),
            ("softmax_loss", (np.ones((3, 4)), np.array([0, 1, 9]))),
            ("softmax_loss", (np.ones((3, 4)), np.array([0.5, 1, 2]))),
            ("batchnorm_forward", (np.ones((3, 4)), np.ones((4, 1, 1, 1)), np.ones(4), {"mode": "train"})),
            ("batchnorm_forward", (np.ones((3, 4)), np.ones(4), np.ones(4), {"mode": "dance"})),
            ("dropout_forward", (np.ones(3), {"p": 7, "mode": "train"})),
            (
                "conv_forward_naive",
                (np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)), np.ones(1), {"pad": 10**9, "stride": 1}),
            ),
            ("max_pool_forward_naive", (IMAGE, {"pool_height": 0, "pool_width": 1, "stride": 1})),
            ("layernorm_forward", (np.ones((3, 4)),)),
            ("conv_forward_naive", (np.zeros((0, 1, 30000, 30000)), IMAGE, np.ones(1), {"pad": 0, "stride": 1})),
            ("conv_forward_naive", (ONE, ONE, np.ones(1), {"pad": 900, "stride": 1})),
            ("conv_forward_naive", (IMAGE, IMAGE, np.ones(1), {"pad": float("inf"), "stride": 1})),
            ("max_pool_forward_naive", (np.zeros((1, 0, 9999, 9999)), POOLING)),
            ("conv_forward_naive", (np.ones((60, 1, 1, 1)), ONE, np.ones(1), {"pad": 1000, "stride": 1000})),
            ("conv_forward_naive", (np.ones((1100, 1, 1, 1)), np.ones((1000, 1, 1, 1)), np.ones(1000), PLAIN)),
            ("affine_forward", (np.ones((1100, 1)), np.ones((1, 1000)), np.ones(1000))),
            ("batchnorm_forward", (np.ones((9, 1)), *[np.ones(1)] * 2, {"mode": "train", "eps": np.ones((9, 1, 1))})),
        ],
    )
    def test_is_refused_with_a_sentence(self, ask, name, args):
        reply = ask(name, *args)
        assert set(reply) == {"raised"} and len(reply["raised"]) > 10

    def test_cannot_use_the_cache_of_another_function(self, ask):
        assert "value" in ask("relu_forward", np.ones((2, 3)))
        assert "do not fit" in ask("affine_backward", np.ones((2, 3)), Handle(0, "cache"))["raised"]
        assert "value" in ask("relu_backward", np.ones((2, 3)), Handle(0, "cache"))

    def test_leaves_the_judges_random_numbers_alone(self, ask):
        np.random.seed(5)
        before = np.random.get_state()[1].copy()
        assert "value" in ask("dropout_forward", np.ones(9), {"p": 0.5, "mode": "train", "seed": 1})
        assert np.array_equal(np.random.get_state()[1], before)

    def test_cannot_fill_the_judges_memory(self):
        for value in (np.ones(2**20), {"key": ["ä" * 2**20] * 8}, {"ä" * 2**21: 1}):
            called = []
            answers = Answers({"m:f": lambda: (called.append(1), Keep(("f", (value,), 1)))})  # noqa: B023
            with pytest.raises(AnswerLimitReached):
                for _ in range(100):
                    answers.reply({"ask": "m:f", "args": [], "kwargs": {}}, {})
            assert 1 < len(called) < 50  # what is refused is not even computed

    def test_leaves_with_the_worker_what_a_function_does_not_read(self, ask):
        settings = {"p": 0.5, "mode": "train", "junk": "ä" * 10**5, "running_mean": ["ä" * 10**5]}
        _, after = ask("dropout_forward", np.ones(9), settings)["after"]["list"]
        assert {key for key, _ in after["dict"]} == {"p", "mode"}

    @pytest.mark.parametrize("bound", ["MOST_SECONDS", "MOST_CACHES", "MOST_BYTES"])
    def test_cannot_take_the_judges_time(self, manifest, isolation, tmp_path, monkeypatch, bound):
        """For every way to continue asking, the question ends, with the same reason for each limit."""
        small = {"MOST_SECONDS": 0.1, "MOST_CACHES": 50, "MOST_BYTES": 50_000}
        for name in small:
            monkeypatch.setattr(followthrough, name, small[name] if name == bound else 1 << 40)
        asking = (
            "from cs231n.layers import relu_forward\n"
            "def ask(x):\n"
            "    while True:\n"
            "        try:\n"
            "            relu_forward(x)\n"
            "        except Exception:\n"
            "            pass\n"
        )
        stage(
            Submission("work", {LAYERS: b"", NETS: asking.encode()}),
            make_released_package(manifest),
            manifest,
            tmp_path,
            {},
        )
        answers, _ = PACK.answers_for("TwoLayerNet", ["relu_forward"], {})
        with WorkerClient(tmp_path, LIMITS, isolation, WorkerOptions(answers=answers)) as student:
            with pytest.raises(CallError) as error:
                student.call("cs231n.classifiers.fc_net:ask", np.ones(100))
            assert error.value.verdict == "timeout" and student.seconds_left == 0
            assert str(error.value) == make_time_reason("ask", LIMITS).message
