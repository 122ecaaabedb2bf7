"""The golden cases: which submissions are judged, and how."""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from autograder import checks
from autograder.grading.submission import judge
from autograder.intake.submission import read_submission
from autograder.samples import load_samples
from tests.golden.comparison import summary

HERE = Path(__file__).parent
SEED = 20170401
_BASES = {"reference": "passed_reference", "release": "missing_everything"}


@dataclass(frozen=True)
class Case:
    """One golden case; cases.toml explains the fields."""

    name: str
    questions: tuple[str, ...]
    submission: str = ""
    limits: dict[str, float] = field(default_factory=dict)
    fails: str = ""
    requires: str = ""

    @property
    def path(self):
        """The file of the golden report."""
        return HERE / "reports" / f"{self.name}.json"

    def report(self, manifest, isolation):
        """Judge the submission and return the summary of its report."""
        submission = self._submission(manifest)
        questions = tuple(self._changed(question) for question in manifest.questions)
        manifest = dataclasses.replace(manifest, questions=questions)
        kept = {name: list(criteria) for name, criteria in checks.CRITERIA.items()}
        try:
            if self.fails:
                self._spoil(checks.CRITERIA)
            report = judge(submission, manifest, isolation, self.questions or None, secret=(1, 2, 3, 4), seed=SEED)
        finally:
            checks.CRITERIA.update(kept)
        fields = summary(report.fields())
        if self.submission in _BASES:  # their code changes with the reference, and their inputs are in other cases
            for question in fields["questions"]:
                del question["code"]
                for criterion in question["criteria"]:
                    del criterion["inputs"]
        return fields

    def _submission(self, manifest):
        if self.submission in _BASES:
            samples = load_samples(HERE.parent / "submissions")
            return next(s for s in samples if s.name == _BASES[self.submission]).submission(manifest)
        return read_submission(HERE / "submissions" / (self.submission or self.name), manifest)

    def _changed(self, question):
        if question.id not in self.questions:
            return question
        requires = (self.requires,) if self.requires else question.requires
        return dataclasses.replace(
            question, limits=dataclasses.replace(question.limits, **self.limits), requires=requires
        )

    def _spoil(self, criteria):
        """Make one check fail with an exception, as a fault of the grader would."""

        def check(_):
            raise RuntimeError("a planted fault")

        for question in self.questions:
            criteria[question] = [
                dataclasses.replace(each, check=check) if each.name == self.fails else each
                for each in criteria[question]
            ]


def load_cases():
    """Return {name: Case} of cases.toml, in its order."""
    entries = tomllib.loads((HERE / "cases.toml").read_text(encoding="utf-8"))
    return {name: Case(name, **entry | {"questions": tuple(entry["questions"])}) for name, entry in entries.items()}
