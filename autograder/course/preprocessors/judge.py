"""JudgeCells: replaces nbgrader's execution of the submission, and puts the judge's verdicts into the test cells.

It runs no cell of the student's notebook. Each test cell gets the judge's report of its question, and then a number,
which nbgrader reads as the cell's score.
"""

from collections.abc import Callable
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades

from autograder.checking.pack import load_pack
from autograder.course.course import Course
from autograder.course.preprocessors import find_converter
from autograder.course.report_store import load_or_make_report
from autograder.report.html import render_question
from autograder.report.model import QuestionResult
from autograder.runtime.locks import lock_folder

_REPORT = "autograder_questions"  # the key in nbgrader's resources under which SaveJudgedGrades finds the verdicts


class JudgeCells(NbGraderPreprocessor):
    """Run first among the autograde preprocessors, instead of Execute."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Put reports and scores into the test cells; return the notebook and the resources."""
        course = Course(find_converter(self).coursedir.root)
        with lock_folder(course.root, "nbgrader autograde"):
            report = load_or_make_report(course, resources["nbgrader"]["student"])
        questions = {question.id: question for question in report.questions}
        heat_map = load_pack(course.manifest).heat_map
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
                if utils.is_grade(cell) and not utils.is_solution(cell):
                    _fill(cell, questions.get(cell.metadata.nbgrader["grade_id"]), heat_map)
        resources[_REPORT] = questions
        return nb, resources


def _fill(cell: NotebookNode, question: QuestionResult | None, heat_map: Callable[[dict], str]) -> None:
    if question is None:  # without a number nbgrader would give full marks
        cell.outputs = [_make_score(0)]
        return
    fragment = render_question(question, heat_map)
    summary = f"{question.id}: {question.verdict}, {question.points:g} of {question.max_points:g} points"
    cell.outputs = [
        new_output("display_data", data={"text/html": fragment, "text/plain": summary}),
        _make_score(0 if question.bonus else question.points),  # nbgrader refuses more than the cell's points, here 0
    ]


def _make_score(points: float) -> NotebookNode:
    return new_output("execute_result", data={"text/plain": f"{points:g}"}, execution_count=None)


class SaveJudgedGrades(SaveAutoGrades):
    """nbgrader's SaveAutoGrades, which also records bonus points and requests a manual grade if the grader failed."""

    def _add_score(self, cell: NotebookNode, resources: Any) -> None:
        super()._add_score(cell, resources)
        question = resources[_REPORT].get(cell.metadata.nbgrader["grade_id"])
        if question is None:
            return
        grade = self.gradebook.find_grade(question.id, self.notebook_id, self.assignment_id, self.student_id)
        if question.bonus:
            grade.auto_score = question.points
        if {"grader_fault", "skipped"} & {criterion.verdict for criterion in question.criteria}:
            grade.needs_manual_grade = True  # pyright: ignore[reportAttributeAccessIssue]  (an SQLAlchemy column)
        self.gradebook.db.commit()
