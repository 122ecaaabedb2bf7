"""`nbgrader export`: the columns of nbgrader's own CSV file, in a form that a spreadsheet neither splits nor runs.

nbgrader 0.9 writes names as they are: a comma in one moves every column after it, and a cell that begins with `=`,
`+`, `-` or `@` is a formula to a spreadsheet, which may ask a server for something or start a program. Here a CSV
writer quotes, and an apostrophe stands before whatever would be taken for a formula, as OWASP advises ("CSV
Injection"). What stands in a column of numbers stays a number.
"""

import csv
import io
import re

from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin

from autograder.runtime.atomic import write_atomically
from autograder.runtime.text import make_printable

COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
# Blanks and quotes before it do not save a formula. The signs in full width count too, and so does a semicolon, at
# which a spreadsheet in half of Europe splits its lines, quotes or not.
_FORMULA = re.compile(r"""(^|;)([\s\ufeff"]*)(?=[=+\-@＝＋－＠−])""")


class GradesExport(ExportPlugin):
    """Write one row for each student and assignment to the file `--to` (default: grades.csv), whole or not at all."""

    def export(self, gradebook):
        path = self.to or "grades.csv"
        self.log.info("Exporting grades to %s", path)
        assignments = {str(name) for name in self.assignment}
        students = {str(student) for student in self.student}
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for assignment in gradebook.assignments:
            for student in gradebook.students:
                if (not assignments or assignment.name in assignments) and (not students or student.id in students):
                    row = _row(gradebook, assignment, student)
                    writer.writerow({column: harmless(value) for column, value in row.items()})
        write_atomically(path, text.getvalue().encode())


def _row(gradebook, assignment, student):
    """Return {column: value}; without a submission the scores are 0, as nbgrader has it."""
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


def harmless(value):
    """Return a cell's value as text that no spreadsheet runs: on one line, and an apostrophe before a formula."""
    if not isinstance(value, str):
        return "" if value is None else str(value)
    text = re.sub(r"[\t\n\v\f\r\x85\u2028\u2029]+", " ", make_printable(value))
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub(r"\1'\2", text)
