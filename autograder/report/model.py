"""The report of one submission as data. Every renderer and every export reads only this.

docs/report_format.md documents all fields.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from autograder.runtime.atomic import write_atomically

FORMAT_VERSION = 1


@dataclass
class CriterionResult:
    """The result of one criterion of a question; docs/report_format.md explains the fields."""

    name: str
    text: str
    verdict: str
    points: float
    max_points: float
    message: str = ""
    max_rel_error: float | None = None
    worst_index: list[int] | None = None
    near: bool = False
    picture: dict[str, Any] | None = None
    edge: bool = False
    where: str = ""
    given: list[str] = field(default_factory=list[str])
    inputs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass
class Diagnosis:
    """A likely reason for a failure.

    - kind: the method that found it, such as "misconception"
    - name: a short title
    - text: a sentence for the student
    - thought: the likely reasoning of the student, a sentence for TAs
    """

    kind: str
    name: str
    text: str
    thought: str = ""


@dataclass
class QuestionResult:
    """The result of one question of the manifest."""

    id: str
    title: str
    notebook: str
    points: float
    max_points: float
    verdict: str
    criteria: list[CriterionResult] = field(default_factory=list[CriterionResult])
    diagnosis: list[Diagnosis] = field(default_factory=list[Diagnosis])
    seconds: float = 0.0
    needs: list[str] = field(default_factory=list[str])
    hint: str = ""
    code: dict[str, Any] | None = None
    output: str = ""
    bonus: bool = False
    limits: dict[str, Any] | None = None  # only if the question reached a limit


@dataclass
class Report:
    """The result of grading one submission."""

    assignment: str
    submission: dict[str, Any]
    isolation: dict[str, Any]
    seed: int
    kit: dict[str, Any]
    questions: list[QuestionResult] = field(default_factory=list[QuestionResult])
    graded_at: str = ""
    seconds: float = 0.0
    format_version: int = FORMAT_VERSION

    @property
    def name(self) -> str:
        """The id of the student, or outside a course the name of the submission."""
        return self.submission["student"] or self.submission["name"]

    @property
    def score(self) -> float:
        """The sum of the points of all questions."""
        return round(sum(question.points for question in self.questions), 6)

    @property
    def max_score(self) -> float:
        """The sum of the points that can be earned, without bonus questions."""
        return round(sum(question.max_points for question in self.questions if not question.bonus), 6)

    @property
    def is_complete(self) -> bool:
        """Whether no criterion is a grader_fault."""
        return all(c.verdict != "grader_fault" for question in self.questions for c in question.criteria)

    def question(self, identifier: str) -> QuestionResult:
        """Return the question with this id; raise KeyError if there is none."""
        for question in self.questions:
            if question.id == identifier:
                return question
        raise KeyError(identifier)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as a dictionary, with its fields in the documented order."""
        fields = dataclasses.asdict(self)
        order = ("format_version", "assignment", "submission", "score", "max_score", "isolation", "seed", "kit")
        fields |= {"score": self.score, "max_score": self.max_score}
        return {name: fields.pop(name) for name in order} | fields

    def to_json(self) -> str:
        """Return the report as JSON text, with a digest of all fields at the end."""
        fields = self.to_dict()
        return _to_text(fields | {"sha256": _digest(fields)}) + "\n"

    def save(self, path: Path | str, write: Callable[[Path, bytes], None] = write_atomically) -> None:
        """Write the report to a file; raise StorageError if that fails.

        - write: the function that writes bytes to a path
        """
        write(Path(path), self.to_json().encode("utf-8", "backslashreplace"))


def parse_report(text: str) -> Report:
    """Return the Report that `to_json` wrote; raise ValueError if it has another format version or was changed."""
    loaded: Any = json.loads(text)
    if not isinstance(loaded, dict) or cast(dict[str, Any], loaded).get("format_version") != FORMAT_VERSION:
        raise ValueError(f"not a report of format version {FORMAT_VERSION}")
    fields = cast(dict[str, Any], loaded)
    if fields.pop("sha256", None) != _digest(fields):
        raise ValueError("the digest does not fit the report: it was changed after the grader wrote it")
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


def _to_text(fields: dict[str, Any]) -> str:
    return json.dumps(fields, indent=1, ensure_ascii=False, allow_nan=False)


def _digest(fields: dict[str, Any]) -> str:
    return hashlib.sha256(_to_text(fields).encode("utf-8", "backslashreplace")).hexdigest()


def load_report(path: Path | str) -> Report:
    """Read a report file; raise OSError if it cannot be read, and ValueError as parse_report does."""
    return parse_report(Path(path).read_text(encoding="utf-8"))
