"""The golden cases: the submissions to judge, and the options for each."""

import dataclasses
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from autograder.assignment.reference import make_released_package
from autograder.checking.pack import load_pack
from autograder.grading import judge, make_setting
from autograder.intake.reading import read_submission
from autograder.intake.reference_submission import make_answered_notebooks, make_reference_submission
from autograder.intake.submission import Submission
from tests.golden.comparison import summary

HERE = Path(__file__).parent
SEED = 20170401


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
        return HERE / "expected" / f"{self.name}.json"

    def report(self, manifest, isolation, questions=None):
        """Judge the submission and return the summary of its report; `questions` takes the place of the case's own."""
        submission, pack = self._submission(manifest), self._spoiled(load_pack(manifest))
        changed = tuple(self._changed(question) for question in manifest.questions)
        manifest = dataclasses.replace(manifest, questions=changed)
        setting = make_setting(manifest, isolation, secret=(1, 2, 3, 4), seed=SEED, pack=pack)
        report = judge(submission, setting, questions or self.questions or None)
        fields = summary(report.to_dict())
        if self.submission in ("reference", "release"):
            # Their files and lines change with every edit of the reference; their inputs are in other cases.
            del fields["submission"]["files"]
            for question in fields["questions"]:
                del question["code"]
                for criterion in question["criteria"]:
                    del criterion["inputs"]
                    criterion["message"] = re.sub(r"line \d+", "line", criterion["message"])
        return fields

    def _submission(self, manifest):
        if self.submission == "reference":
            return dataclasses.replace(
                make_reference_submission(manifest, load_pack(manifest).model_files()), name="passed_reference"
            )
        if self.submission == "release":
            stubs = make_answered_notebooks(manifest, lambda notebook, grade_id, cell: cell.released)
            return Submission("missing_everything", make_released_package(manifest) | stubs)
        return read_submission(HERE / "submissions" / (self.submission or self.name), manifest)

    def _changed(self, question):
        if question.id not in self.questions:
            return question
        requires = (self.requires,) if self.requires else question.requires
        limits = dataclasses.replace(question.limits, **self.limits)
        return dataclasses.replace(question, limits=limits, requires=requires)

    def _spoiled(self, pack):
        """Return the pack with a check of these questions that raises an exception, as a fault of the grader would."""
        if not self.fails:
            return pack

        def check(_):
            raise RuntimeError("a planted fault")

        criteria = dict(pack.criteria)
        for question in self.questions:
            criteria[question] = [
                dataclasses.replace(each, check=check) if each.name == self.fails else each
                for each in criteria[question]
            ]
        return dataclasses.replace(pack, criteria=criteria)


def load_cases():
    """Return {name: Case} of cases.toml, in its order."""
    entries = tomllib.loads((HERE / "cases.toml").read_text(encoding="utf-8"))
    return {name: Case(name, **entry | {"questions": tuple(entry["questions"])}) for name, entry in entries.items()}
