"""`nbgrader export`: the columns of nbgrader's own CSV file, safe to open in a spreadsheet.

nbgrader 0.9 writes names unchanged: a comma in a name moves every column after it, and a cell that begins with `=`,
`+`, `-` or `@` is a formula to a spreadsheet, which may contact a server or start a program. This export quotes text,
and puts an apostrophe before every formula, as OWASP advises ("CSV Injection"). Numbers stay numbers.
"""

import csv
import io
import re
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin

from autograder.runtime.atomic import write_atomically
from autograder.runtime.text import make_printable

COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
# A formula may follow blanks and quotes, use full-width signs, or follow a semicolon: with many European settings a
# spreadsheet splits lines at semicolons, even inside quotes.
_FORMULA = re.compile(r"""(^|;)([\s\ufeff"]*)(?=[=+\-@＝＋－＠−])""")


class GradesExport(ExportPlugin):
    """Write one row for each student and assignment to the file `--to` (default: grades.csv), whole or not at all."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the file."""
        path = self.to or "grades.csv"
        self.log.info("Exporting grades to %s", path)
        assignments = {str(name) for name in self.assignment}
        students = {str(student) for student in self.student}
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for assignment in gradebook.assignments:
            for student in gradebook.students:
                if (not assignments or assignment.name in assignments) and (not students or student.id in students):
                    row = _make_row(gradebook, assignment, student)
                    writer.writerow([make_harmless(row[column]) for column in COLUMNS])
        write_atomically(path, text.getvalue().encode())


def _make_row(gradebook: Any, assignment: Any, student: Any) -> dict[str, Any]:
    """Return {column: value} for records of nbgrader.api; without a submission the scores are 0, as in nbgrader."""
    row = {
        "assignment": assignment.name,
        "duedate": assignment.duedate,
        "student_id": student.id,
        "last_name": student.last_name,
        "first_name": student.first_name,
        "email": student.email,
        "max_score": assignment.max_score,
    }
    try:
        submission = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        return row | {"timestamp": None, "raw_score": 0.0, "late_submission_penalty": 0.0, "score": 0.0}
    penalty = submission.late_submission_penalty
    scores = {"raw_score": submission.score, "late_submission_penalty": penalty}
    return row | scores | {"timestamp": submission.timestamp, "score": max(0.0, submission.score - penalty)}


def make_harmless(value: Any) -> str:
    """Return a cell's value as text that no spreadsheet executes: on one line, with an apostrophe before a formula."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    text = re.sub(r"[\t\n\v\f\r\x85\u2028\u2029]+", " ", make_printable(value))
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub(r"\1'\2", text)
