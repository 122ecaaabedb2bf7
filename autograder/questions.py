"""The manifest: reads questions.toml and hands it on as data. No other module opens that file."""

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from autograder.errors import KitError


@dataclass(frozen=True)
class Limits:
    """What one question may use, in seconds and in MB of address space."""

    cpu_seconds: int
    wall_seconds: int
    memory_mb: int


@dataclass(frozen=True)
class Question:
    """One graded question; `file` holds its function or class, whose name is `id`."""

    id: str
    title: str
    notebook: str
    file: str
    points: float
    limits: Limits
    needs: tuple[str, ...] = ()
    hint: str = ""

    @property
    def module(self):
        """The module of `file`, as in `cs231n.layers`."""
        return self.file.removesuffix(".py").replace("/", ".")


@dataclass(frozen=True)
class Manifest:
    """The assignment and its questions, in order. `root` is the folder of the reference solution."""

    root: Path
    name: str
    package: str
    editable: tuple[str, ...]
    handout: tuple[str, ...]
    questions: tuple[Question, ...]
    aliases: dict[str, str] = field(default_factory=dict)

    def is_editable(self, path):
        """Say whether a file of the package, given relative to the assignment, is the student's to write."""
        return any(fnmatch(str(path), pattern) for pattern in self.editable)

    def of_notebook(self, notebook):
        """Return the questions of one notebook."""
        return [question for question in self.questions if question.notebook == notebook]


def read_manifest(root):
    """Read `root`/questions.toml and return the Manifest; KitError says which entry is wrong and how."""
    path = Path(root) / "questions.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KitError(f"{path}: no manifest here. Run the command from the course's top folder.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KitError(f"{path}: not valid TOML: {error}") from None
    try:
        assignment, limits = data["assignment"], data["limits"]
        questions = tuple(_question(entry, limits, path) for entry in data["question"])
        manifest = Manifest(
            root=Path(root).resolve(),
            name=assignment["name"],
            package=assignment["package"],
            editable=tuple(assignment["editable"]),
            handout=tuple(assignment["handout"]),
            questions=questions,
            aliases=dict(assignment.get("aliases", {})),
        )
    except (KeyError, TypeError) as error:
        raise KitError(f"{path}: {error} is missing or misspelt. See docs/author.md for every field.") from None
    _validate(manifest, path)
    return manifest


def _question(entry, limits, path):
    fields = dict(entry)
    try:
        own = Limits(**(limits | fields.pop("limits", {})))
        return Question(**fields | {"needs": tuple(fields.get("needs", ())), "limits": own})
    except TypeError as error:
        raise KitError(
            f"{path}: question {entry.get('id', entry)!r}: {error}. See docs/author.md for every field."
        ) from None


def _validate(manifest, path):
    seen = set()
    for question in manifest.questions:
        if question.id in seen:
            raise KitError(f"{path}: question {question.id!r} stands there twice")
        for needed in question.needs:
            if needed not in seen:
                raise KitError(f"{path}: {question.id!r} needs {needed!r}, which is no question before it")
        if not isinstance(question.points, (int, float)) or not question.points > 0:
            raise KitError(f"{path}: {question.id!r} is worth {question.points!r} points; expected more than 0")
        seen.add(question.id)
