"""The report: what the judge found, as data. Every renderer and export reads this and nothing else.

The fields are documented one by one in docs/report_format.md.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from autograder.runtime.atomic import write_atomically

FORMAT_VERSION = 1


@dataclass
class CriterionResult:
    """One named, separately scored property of one question; the fields are explained in docs/report_format.md."""

    name: str
    text: str
    verdict: str
    points: float
    max_points: float
    message: str = ""
    max_rel_error: float | None = None
    worst_index: list[int] | None = None
    near: bool = False
    picture: dict | None = None
    edge: bool = False
    where: str = ""
    given: list[str] = field(default_factory=list)
    inputs: list[dict] = field(default_factory=list)


@dataclass
class Diagnosis:
    """A likely reason for a failure: `kind` of finding, its short `name`, a sentence for the student, and for whoever
    grades what the student probably `thought`."""

    kind: str
    name: str
    text: str
    thought: str = ""


@dataclass
class QuestionResult:
    """The outcome of one question of the manifest."""

    id: str
    title: str
    notebook: str
    points: float
    max_points: float
    verdict: str
    criteria: list[CriterionResult] = field(default_factory=list)
    diagnosis: list[Diagnosis] = field(default_factory=list)
    seconds: float = 0.0
    needs: list[str] = field(default_factory=list)
    hint: str = ""
    code: dict | None = None
    output: str = ""
    bonus: bool = False
    limits: dict | None = None  # where one was reached


@dataclass
class Report:
    """Everything the judge has to say about one submission."""

    assignment: str
    submission: dict
    isolation: dict
    seed: int
    kit: dict
    questions: list[QuestionResult] = field(default_factory=list)
    graded_at: str = ""
    seconds: float = 0.0
    format_version: int = FORMAT_VERSION

    @property
    def score(self):
        return round(sum(question.points for question in self.questions), 6)

    @property
    def max_score(self):
        """What can be reached without the bonus questions."""
        return round(sum(question.max_points for question in self.questions if not question.bonus), 6)

    @property
    def is_complete(self):
        """Whether the grader failed nowhere."""
        return all(c.verdict != "grader_fault" for question in self.questions for c in question.criteria)

    def question(self, identifier):
        """Return the question with this id; KeyError where there is none."""
        for question in self.questions:
            if question.id == identifier:
                return question
        raise KeyError(identifier)

    def fields(self):
        """Return the report as a dictionary, fields in the documented order."""
        fields = dataclasses.asdict(self)
        order = ("format_version", "assignment", "submission", "score", "max_score", "isolation", "seed", "kit")
        fields |= {"score": self.score, "max_score": self.max_score}
        return {name: fields.pop(name) for name in order} | fields

    def to_json(self):
        """Return the report as JSON text, with a digest of all fields at the end."""
        fields = self.fields()
        return _text(fields | {"sha256": _digest(fields)}) + "\n"

    def save(self, path, write=write_atomically):
        """Write the report to a file, whole or not at all; or as another function of path and bytes does it."""
        write(Path(path), self.to_json().encode("utf-8", "backslashreplace"))


def from_json(text):
    """Return the Report that `to_json` wrote; ValueError where the format is another one, or anything was changed."""
    fields = json.loads(text)
    if not isinstance(fields, dict) or fields.get("format_version") != FORMAT_VERSION:
        raise ValueError(f"not a report of format version {FORMAT_VERSION}")
    if fields.pop("sha256", None) != _digest(fields):
        raise ValueError("not the report that was written: its digest is another one")
    fields = {key: value for key, value in fields.items() if key not in ("score", "max_score")}
    fields["questions"] = [
        QuestionResult(
            **question
            | {
                "criteria": [CriterionResult(**criterion) for criterion in question["criteria"]],
                "diagnosis": [Diagnosis(**diagnosis) for diagnosis in question["diagnosis"]],
            }
        )
        for question in fields["questions"]
    ]
    return Report(**fields)


def _text(fields):
    return json.dumps(fields, indent=1, ensure_ascii=False, allow_nan=False)


def _digest(fields):
    return hashlib.sha256(_text(fields).encode("utf-8", "backslashreplace")).hexdigest()


def load(path):
    """Read a report file."""
    return from_json(Path(path).read_text(encoding="utf-8"))
