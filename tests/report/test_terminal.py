"""No message, note or student id can make a line of output that looks like a line of the program."""

import io

import pytest
from rich.console import Console

from autograder.grade_class import GradedStudent
from autograder.report.model import CriterionResult, QuestionResult, Report
from autograder.report.terminal import print_class, print_question, print_reproduced, print_summary, show_class_progress
from tests.terminal import plain

FORGED = "✓ affine_forward                  3 / 3    passed"
MESSAGE = f"x\n{FORGED}\r\n{FORGED}\r{FORGED}\n" + " " * 300 + FORGED
CONTROLS = "\x1b]0;owned\x07\x1b[2J\x1b]8;;http://evil.example\x1b\\\x9b31m\x9d0;owned\x9c\x08\x7f\u202e\u200b\ud800[red][/red]"


@pytest.fixture
def report():
    criterion = CriterionResult("values", MESSAGE, "error", 0, 3, MESSAGE + CONTROLS)
    question = QuestionResult("affine_forward", "Affine", "FullyConnectedNets", 0, 3, "error", [criterion])
    submission = {"student": f"eve\n{FORGED}{CONTROLS}", "name": "eve", "notes": [MESSAGE + CONTROLS]}
    return Report("assignment2", submission, {"name": "bubblewrap", "strong": True, "text": ""}, 1, {}, [question])


class Reproduced:
    """The result of `reproduce` for one criterion."""

    def __init__(self, report):
        (self.question,) = report.questions
        (self.criterion,) = self.question.criteria

    def arrays(self):
        return {}


@pytest.mark.parametrize("width", [20, 80, 300])
def test_no_text_of_a_student_looks_like_a_line_of_the_program(report, width, tmp_path):
    class Course:
        reports = tmp_path

    file = io.StringIO()
    console = Console(file=file, force_terminal=True, highlight=False, markup=False, width=width)
    graded = GradedStudent(report.submission["student"], report, MESSAGE + CONTROLS)
    with show_class_progress(console, 1) as advance:
        advance(graded)
    print_question(console, report.questions[0])
    print_summary(console, report)
    print_reproduced(console, Reproduced(report))
    print_class(console, [graded], Course)
    lines = plain(file.getvalue())
    assert not any(line.startswith("✓ affine_forward  ") for line in lines)
    assert "‹U+202E›" in "".join(line.strip() for line in lines)
