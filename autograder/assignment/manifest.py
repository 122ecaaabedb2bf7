"""Read the manifest, questions.toml, as data. No other module opens that file."""

import sys
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import Any

from autograder.assignment.limits import Cost, Limits, read_costs
from autograder.errors import KitError

DEFAULT_PACK = "autograder.checks"  # for a manifest without `pack`, as in version 0.5 and older
MANIFEST_FILE = "questions.toml"
DEFAULT_LIMITS = {
    "cpu_factor": 50,
    "wall_factor": 150,
    "memory_factor": 4,
    "cpu_seconds": 5,
    "wall_seconds": 20,
    "memory_mb": 2048,
}
ANSWERS_PACKAGE = "answers"  # the package of the modules that consist of notebook cells


@dataclass(frozen=True)
class Question:
    """One graded question.

    - file: the module with its function or class, whose name is `id`, or another file of the submission
    - cells: grade ids of the notebook cells that form the module of an answer in a notebook
    - needs: needed questions
    - may_use: questions that are needed only if the answer names them
    - follow_through: share of a criterion's points that is earned with right answers for needed functions
    - measured_gradients: "allow", or "refuse" if a gradient must be derived
    - bonus: its points are added on top of the maximum
    - requires: modules that a machine needs to grade it
    - settings: values for its check
    - withheld: modules of the package that its answer must not call
    """

    id: str
    title: str
    notebook: str
    points: float
    limits: Limits
    file: str = ""
    cells: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    hint: str = ""
    bonus: bool = False
    requires: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict[str, Any], hash=False)
    withheld: tuple[str, ...] = ()
    may_use: tuple[str, ...] = ()
    follow_through: float = 1.0
    measured_gradients: str = "allow"

    @property
    def source(self) -> str:
        """The Python file that the worker imports, or '' if the question runs no code of the student."""
        if self.cells:
            return f"{ANSWERS_PACKAGE}/{self.notebook}/{self.id}.py"
        return self.file if self.file.endswith(".py") else ""

    @property
    def module(self) -> str:
        """The name of the module `source`, such as `cs231n.layers`."""
        return self.source.removesuffix(".py").replace("/", ".")


@dataclass(frozen=True)
class Manifest:
    """The assignment and its questions, in order.

    - root: the folder of the reference
    - editable: patterns of the files that students write
    - handout: files that students get next to the package
    - provided: files of the package that students must not change
    - aliases: {file: its name in older editions of the course}
    - options: differences between editions of the course, for the checks
    - pack: the module with the checks of the assignment
    - course: nbgrader's id of the course
    """

    root: Path
    name: str
    package: str
    editable: tuple[str, ...]
    handout: tuple[str, ...]
    questions: tuple[Question, ...]
    aliases: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    provided: tuple[str, ...] = ()
    pack: str = DEFAULT_PACK
    course: str = ""

    def __hash__(self) -> int:
        return hash((self.root, self.name))

    @property
    def notebooks(self) -> Path:
        """The folder of the source notebooks."""
        return self.root.parent / "source_notebooks" / self.name

    @property
    def notebook_files(self) -> set[str]:
        """The file names of the notebooks of all questions."""
        return {f"{question.notebook}.ipynb" for question in self.questions}

    def is_editable(self, path: str | PurePath) -> bool:
        """Return whether students write a file; `path` is relative to the assignment's folder."""
        return any(fnmatch(str(path), pattern) for pattern in self.editable)

    def find_questions(self, notebook: str) -> list[Question]:
        """Return the questions of one notebook."""
        return [question for question in self.questions if question.notebook == notebook]


def find_assignment(folder: Path) -> Path:
    """Return the folder of the only assignment in `folder`; raise KitError if there is none, or more than one."""
    found = sorted(path.parent for path in Path(folder).glob(f"*/{MANIFEST_FILE}"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise KitError(
            f"{folder}: expected one folder with {MANIFEST_FILE}, found {names}. Name the assignment's folder: "
            "--assignment on the command line, or `assignment=` of configure() in nbgrader_config.py."
        )
    return found[0]


def read_manifest(root: Path | str) -> Manifest:
    """Read `root`/questions.toml and return the Manifest. A KitError names the wrong entry and the expected value."""
    path = Path(root) / MANIFEST_FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KitError(
            f"{path}: there is no manifest here. Run the command from the top folder of the course."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KitError(f"{path}: not valid TOML: {error}") from None
    try:
        assignment, limits = data["assignment"], data.get("limits", DEFAULT_LIMITS)
        costs = read_costs(root)
        questions = tuple(_read_question(entry, assignment, limits, costs, path) for entry in data["question"])
        manifest = Manifest(
            root=Path(root).resolve(),
            name=assignment["name"],
            package=assignment["package"],
            editable=tuple(assignment.get("editable", [f"{assignment['package']}/[!_]*.py"])),
            provided=tuple(assignment.get("provided", ())),
            handout=tuple(assignment.get("handout", ())),
            questions=questions,
            aliases=dict(assignment.get("aliases", {})),
            options=dict(assignment.get("options", {})),
            pack=assignment.get("pack", DEFAULT_PACK),
            course=assignment.get("course", assignment["package"]),
        )
    except (KeyError, TypeError) as error:
        raise KitError(f"{path}: {error} is missing or misspelt. docs/author.md explains every field.") from None
    _validate(manifest, path)
    return manifest


def _read_question(
    entry: dict[str, Any], assignment: dict[str, Any], limits: dict[str, Any], costs: dict[str, Cost], path: Path
) -> Question:
    common = {name: assignment[name] for name in ("follow_through", "measured_gradients") if name in assignment}
    fields = common | entry
    try:
        own = Limits(**(limits | fields.pop("limits", {})))
        if entry.get("id") in costs:
            own = own.raise_to_cost(costs[entry["id"]])
        lists: dict[str, Any] = {
            name: tuple(fields.get(name, ())) for name in ("cells", "needs", "may_use", "requires")
        }
        lists["withheld"] = (*assignment.get("withheld", ()), *fields.get("withheld", ()))
        return Question(**{**fields, **lists, "limits": own})
    except TypeError as error:
        raise KitError(
            f"{path}: question {entry.get('id', entry)!r}: {error}. docs/author.md explains every field."
        ) from None


def _validate(manifest: Manifest, path: Path) -> None:
    for key, name in (("package", manifest.package), ("pack", manifest.pack)):
        if name in (*sys.stdlib_module_names, ANSWERS_PACKAGE):
            raise KitError(f"{path}: {key} = {name!r} is the name of another module; choose another name")
    seen: set[str] = set()
    for question in manifest.questions:
        if question.id in seen:
            raise KitError(f"{path}: duplicate question id {question.id!r}; ids must be unique")
        for needed in (*question.needs, *question.may_use):
            if needed not in seen:
                raise KitError(f"{path}: {question.id!r} needs {needed!r}; expected the id of an earlier question")
        if not question.file and not question.cells:
            raise KitError(f"{path}: {question.id!r} has neither `file` nor `cells`; add the place of its answer")
        if not isinstance(question.points, (int, float)) or not question.points > 0:
            raise KitError(f"{path}: {question.id!r} has points = {question.points!r}; expected a number above 0")
        share = question.follow_through
        if not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise KitError(f"{path}: {question.id!r} has follow_through = {share!r}; expected a share from 0 to 1")
        if question.measured_gradients not in ("allow", "refuse"):
            setting = f"measured_gradients = {question.measured_gradients!r}; expected 'allow' or 'refuse'"
            raise KitError(f"{path}: {question.id!r} has {setting}")
        seen.add(question.id)
