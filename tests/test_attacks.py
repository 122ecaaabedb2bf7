"""Attacks that are not sample submissions: on the sandbox, on the judge's own process, and through the notebook.

The other attacks are in tests/submissions/attacks. Every submission gets a verdict, and never `grader_fault`.
"""

import contextlib
import io
import json
import time
import zipfile
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from rich.console import Console

from autograder.assignment.manifest import Limits
from autograder.assignment.reference import make_released_package, read_reference_texts
from autograder.checking.compare import agrees, expect_close, expect_number
from autograder.checking.criteria import Wrong
from autograder.course.gradebook import record
from autograder.course.report_store import get_report_path, load_or_make_report, read_student_submission
from autograder.errors import KitError
from autograder.grading import judge, make_setting
from autograder.intake.file_limits import MAX_SOURCE
from autograder.intake.reading import read_submission
from autograder.intake.staging import stage
from autograder.intake.submission import Submission
from autograder.report.html import render_student_page
from autograder.report.terminal import print_question
from autograder.samples.load import load_samples
from autograder.sandbox.worker_client import WorkerClient
from tests.kit import PACK
from tests.processes import list_family

pytestmark = pytest.mark.uncounted

ROOT = Path(__file__).resolve().parents[1]
LIMITS = Limits(cpu_seconds=60, wall_seconds=240, memory_mb=2048)


def attacked(manifest, text):
    """Return the reference with `text` at the end of layers.py, where it replaces earlier definitions."""
    files = {path: data.encode() for path, data in read_reference_texts(manifest).items()}
    return Submission("attack", files | {"cs231n/layers.py": files["cs231n/layers.py"] + b"\n\n" + text.encode()})


def printed(manifest, isolation, text):
    """Run `text` as the student's relu_forward and return the lines it printed."""
    body = "\n".join("    " + line for line in text.strip().split("\n"))
    report = judge(
        attacked(manifest, f"def relu_forward(x):\n{body}\n    return x, x\n"),
        make_setting(manifest, isolation),
        ["relu_forward"],
    )
    assert report.question("relu_forward").verdict != "grader_fault"
    return report.question("relu_forward").output.split("\n")


class TestTheSandbox:
    def test_shows_neither_reference_nor_checks_nor_gradebook(self, manifest, bubblewrap):
        lines = printed(
            manifest,
            bubblewrap,
            f"""
import os, sys
for top in ({str(ROOT)!r}, "/", "/home", "/kit", "/submission", "/tmp"):
    for folder, folders, names in os.walk(top):
        folders[:] = [n for n in folders if n not in ("proc", "usr", ".venv", "dev") and "python" not in n.lower()]
        for name in names:
            path = os.path.join(folder, name)
            if name == "questions.toml" or name.endswith(".db") or "/checks/" in path or name == "judge.py":
                print("FOUND", path)
            elif name == "layers.py" and "out = np.maximum(0, x)" in open(path).read() and "/submission/" not in path:
                print("FOUND", path)
for module in ("autograder", "autograder.checks", "assignment2"):
    try:
        __import__(module)
        print("FOUND", module)
    except ImportError:
        print("no", module)
""",
        )
        assert "no autograder.checks" in lines
        assert not [line for line in lines if line.startswith("FOUND")]

    def test_shows_no_other_process_and_no_file_can_be_written_beside_it(self, manifest, bubblewrap):
        lines = printed(
            manifest,
            bubblewrap,
            """
import os
print("processes", sum(name.isdigit() for name in os.listdir("/proc")))
for folder in ("/", "/usr", "/kit", "/kit/worker", "/submission", "/submission/cs231n"):
    try:
        open(folder + "/mine", "w").close()
        print("WRITTEN", folder)
    except OSError:
        pass
""",
        )
        assert "processes 1" in lines
        assert not [line for line in lines if line.startswith("WRITTEN")]

    def test_leaves_no_process_behind(self, manifest, isolation, tmp_path):
        code = "import threading, time\ndef relu_forward(x):\n    for _ in range(9):\n"
        code += "        threading.Thread(target=time.sleep, args=(60,)).start()\n    return x, x\n"
        stage(attacked(manifest, code), make_released_package(manifest), manifest, tmp_path, {})
        with WorkerClient(tmp_path, LIMITS, isolation) as student:
            student.call("cs231n.layers:relu_forward", 1.0)
            ours = list_family(student._process.pid)
            assert ours
        deadline = time.monotonic() + 60
        while alive(ours) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not alive(ours)


def alive(pids):
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


FORGE = """
import json, struct, sys
frames = sys.modules["worker.frames"]
def tensors(**entries):
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text
def forge(header, _):
    reply, body = {"token": header["token"]}, b""
    {attack}
    text = json.dumps(reply).encode()
    return b"A2" + struct.pack("<II", len(text), len(body)) + text + body
frames.pack = forge
"""
FORGERIES = {
    "nothing": "pass",
    "null": "reply |= {'value': None, 'echo': None}",
    "other counts": "reply |= {'value': {'tuple': [1, 2, 3]}, 'echo': {'list': []}}",
    "numbers beyond all bounds": "reply |= {'value': {'tuple': [10**400, float('inf')]}, 'echo': {'list': [10**400]}}",
    "handles to nowhere": "reply |= {'value': {'tuple': [{'handle': -1}, {'handle': 10**30}]}, 'echo': {'list': [0]}}",
    "an unequal list": "reply |= {'value': {'tuple': [{'list': [{'list': [1]}, 2]}] * 2}, 'echo': {'list': [1]}}",
    "a dtype that is a list": "reply |= {'value': {'dtype': [1]}}",
    "another token": "reply |= {'token': ['x'], 'value': {'tuple': [0, 0]}}",
    "a trail that is a number": "reply |= {'raised': {'type': {}, 'message': [1], 'trail': 5}}",
    "an exception that is a number": "reply |= {'raised': 5}",
    "lone surrogates": "reply |= {'raised': {'type': '\\ud800', 'message': '\\udfff', 'trail': [{'file': '\\ud800'}]}}",
    "complex numbers": "body = tensors(a={'dtype': 'C64', 'shape': [1], 'data_offsets': [0, 8]}) + bytes(8)\n"
    "    reply |= {'value': {'tuple': [{'array': 'a'}] * 2}, 'echo': {'list': [{'array': 'a'}]}}",
    "a shape beyond memory": "body = tensors(a={'dtype': 'F64', 'shape': [2**63, 0], 'data_offsets': [0, 0]})",
    "a hundred thousand tensors": "empty = {'dtype': 'F64', 'shape': [0], 'data_offsets': [0, 0]}\n"
    "    body = tensors(**{str(i): empty for i in range(100_000)})",
}


# Each criterion starts a process of its own after a forgery; these are for a value, a gradient and a handle.
FORGED = {"relu_forward": ("values", "arguments unchanged"), "relu_backward": ("dx", "own cache")}


@pytest.mark.parametrize("attack", FORGERIES.values(), ids=FORGERIES)
def test_a_process_that_was_taken_over_can_only_fail(attack, manifest, isolation, monkeypatch):
    for question, names in FORGED.items():
        chosen = [criterion for criterion in PACK.criteria[question] if criterion.name in names]
        assert len(chosen) == len(names)
        monkeypatch.setitem(PACK.criteria, question, chosen)
    submission = attacked(manifest, FORGE.replace("{attack}", attack))
    report = judge(submission, make_setting(manifest, isolation), ["relu_backward"])
    for question in report.questions:
        assert question.points == 0
        assert question.verdict in ("forbidden", "failed", "error", "blocked"), question.criteria
    assert report.to_json().encode()


def test_a_number_too_long_for_any_array_is_wrong_and_no_fault():
    assert not agrees(10**400, 1.0)
    with pytest.raises(Wrong):
        expect_close(expect_number(-(10**400), "loss"), 1.0, "loss")


NAMES = ["cs231n/" + "a" * 300 + ".py", "cs231n/" + "d/" * 2000 + "a.py", "cs231n/layers.py/a.py", "cs231n/x.py/y.py"]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:24])
def test_a_file_name_that_cannot_be_written_is_left_out(name, manifest, isolation, tmp_path):
    path = tmp_path / "hand-in.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for own, text in read_reference_texts(manifest).items():
            archive.writestr(own, text)
        archive.writestr("cs231n/x.py", "")
        archive.writestr(name, "")
    report = judge(read_submission(path, manifest), make_setting(manifest, isolation), ["relu_forward"])
    assert report.question("relu_forward").verdict == "passed"
    assert len(report.submission["notes"]) == 1


def test_a_damaged_lzma_archive_is_refused_or_read(manifest, tmp_path):
    path = tmp_path / "hand-in.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("cs231n/layers.py", "x = 1\n" * 1000)
    data = bytearray(path.read_bytes())
    for position in range(30, 120, 3):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x55]) + data[position + 1 :])
        with contextlib.suppress(KitError):
            read_submission(path, manifest)


def test_a_module_too_large_to_be_parsed_safely_is_left_out(manifest, tmp_path):
    (tmp_path / "cs231n").mkdir()
    (tmp_path / "cs231n" / "layers.py").write_text("")
    (tmp_path / "cs231n" / "long.py").write_bytes(b"x = [" + b"0," * (MAX_SOURCE // 2) + b"]")
    read = read_submission(tmp_path, manifest)
    assert sorted(read.files) == ["cs231n/layers.py"] and any("long.py was left out" in note for note in read.notes)


@pytest.mark.parametrize("codec", ["undefined", "idna", "utf-16", "rot13", "unicode_escape"])
def test_a_module_in_an_odd_encoding_gets_a_verdict(codec, manifest, isolation):
    data = f"# coding: {codec}\n{read_reference_texts(manifest)['cs231n/layers.py']}".encode()
    report = judge(Submission("odd", {"cs231n/layers.py": data}), make_setting(manifest, isolation), ["relu_forward"])
    assert report.question("relu_forward").verdict in ("passed", "error", "missing")


def test_nothing_a_student_says_reaches_page_or_terminal_unescaped(manifest, isolation):
    sample = load_samples()["error_markup_in_messages"]
    report = judge(Submission("x", sample.files(manifest)), make_setting(manifest, isolation), sample.questions)
    page = render_student_page(report, PACK.heat_map)
    terminal = io.StringIO()
    for question in report.questions:
        print_question(Console(file=terminal, force_terminal=True, width=200), question)
    assert "alert(3)" in page and "alert(3)" in terminal.getvalue()
    assert "<script>alert" not in page and "<img src=x" not in page
    for text in (page, terminal.getvalue()):
        assert not set(text) & set("\x00\x07\u202e") and "\x1b]" not in text and "\x1b[2J" not in text


def graded(notebook):
    cells = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
    return [cell for cell in cells if not cell["metadata"]["nbgrader"]["solution"]]


def claim(value):
    return lambda notebook: graded(notebook)[0]["metadata"].update(nbgrader=value)


def claims(**values):
    return lambda notebook: [cell["metadata"]["nbgrader"].update(values) for cell in graded(notebook)]


def turn_into(kind):
    def edit(notebook):
        for cell in graded(notebook):
            cell["cell_type"] = kind
            cell.pop("outputs", None)
            cell.pop("execution_count", None)

    return edit


def add_graded_cell(notebook):
    metadata = {"grade_id": "free", "grade": True, "solution": False, "locked": False, "task": False, "points": 1000}
    metadata |= {"schema_version": 3, "cell_type": "code"}
    cell = {"cell_type": "code", "id": "free", "outputs": [], "execution_count": None, "source": "1000"}
    notebook["cells"].append(cell | {"metadata": {"nbgrader": metadata}})


NOTEBOOKS = {
    "word": claim("x"), "null": claim(None), "empty": claim({}), "old": claims(schema_version=1),
    "new": claims(schema_version=99), "rich": claims(points=1e9, task=True, solution=True), "poor": claims(points="a"),
    "markdown": turn_into("markdown"), "raw": turn_into("raw"), "more": add_graded_cell,
}  # fmt: skip


def test_what_a_notebook_says_of_its_own_cells_changes_no_score(tmp_path, make_course, hand_in, monkeypatch):
    course = make_course(tmp_path)
    folder = hand_in(course, "honest", "missing_half")
    path = next(folder.glob("*.ipynb"))
    report = load_or_make_report(course, "honest")
    monkeypatch.setattr("autograder.course.preprocessors.judge.load_or_make_report", lambda *_: report)
    text, found = path.read_text(), {}
    for name, edit in {"honest": lambda notebook: None, **NOTEBOOKS}.items():
        notebook = json.loads(text)
        edit(notebook)
        path.write_text(json.dumps(notebook))
        submission = read_student_submission(course, "honest")
        submission.student = name
        report.save(get_report_path(course, name))
        record(course, submission)
        with Gradebook(course.db_url) as gradebook:
            notebooks = gradebook.find_submission(course.manifest.name, name).notebooks
            grades = [grade for notebook in notebooks for grade in notebook.grades]
            found[name] = {grade.name: (grade.auto_score, grade.max_score) for grade in grades}
    assert [name for name, grades in found.items() if grades != found["honest"]] == []
    assert {q.id: q.points for q in report.questions}.items() <= {k: v for k, (v, _) in found["honest"].items()}.items()
