"""The manifest: reads questions.toml and hands it on as data. No other module opens that file."""

import sys
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from autograder.assignment.limits import Limits, recorded_costs
from autograder.errors import KitError

DEFAULT_PACK = "autograder.checks"  # of a manifest that names no pack, as those of version 0.5 and older
MANIFEST = "questions.toml"
DEFAULT_LIMITS = {
    "cpu_factor": 50,
    "wall_factor": 150,
    "memory_factor": 4,
    "cpu_seconds": 5,
    "wall_seconds": 20,
    "memory_mb": 2048,
}
ANSWERS = "answers"  # the package of the modules that are made of notebook cells


@dataclass(frozen=True)
class Question:
    """One graded question.

    - file: the module with its function or class, whose name is `id`, or another file that is handed in
    - cells: grade ids of notebook cells that make up a module of their own, where the answer stands in a notebook
    - needs: questions it builds on
    - may_use: questions it builds on only where its answer names them
    - follow_through: share of a criterion's points that is earned where it holds given right needed functions
    - measured_gradients: "allow", or "refuse" where a gradient has to be derived
    - bonus: its points come on top of the assignment's
    - requires: modules without which it cannot be graded on a machine
    - settings: whatever its check wants to be told
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
    settings: dict = field(default_factory=dict, hash=False)
    withheld: tuple[str, ...] = ()
    may_use: tuple[str, ...] = ()
    follow_through: float = 1.0
    measured_gradients: str = "allow"

    @property
    def source(self):
        """The Python file that the worker imports for it, or '' where none of the student's code is run."""
        if self.cells:
            return f"{ANSWERS}/{self.notebook}/{self.id}.py"
        return self.file if self.file.endswith(".py") else ""

    @property
    def module(self):
        """The module of `source`, as in `cs231n.layers`."""
        return self.source.removesuffix(".py").replace("/", ".")


@dataclass(frozen=True)
class Manifest:
    """The assignment and its questions, in order.

    - root: the folder of the reference solution
    - course: nbgrader's id of the course
    - pack: the module with the assignment's checks
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
    def notebooks(self):
        """The folder of the source notebooks."""
        return self.root.parent / "source_notebooks" / self.name

    def is_editable(self, path):
        """Say whether a file of the package, given relative to the assignment, is the student's to write."""
        return any(fnmatch(str(path), pattern) for pattern in self.editable)

    def of_notebook(self, notebook):
        """Return the questions of one notebook."""
        return [question for question in self.questions if question.notebook == notebook]


def find_assignment(folder: Path) -> Path:
    """Return the folder of the only assignment in `folder`; KitError where there is none, or more than one."""
    found = sorted(path.parent for path in Path(folder).glob(f"*/{MANIFEST}"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise KitError(
            f"{folder}: expected one folder with {MANIFEST}, found {names}. Name the assignment's folder: "
            "--assignment on the command line, or `assignment=` of configure() in nbgrader_config.py."
        )
    return found[0]


def read_manifest(root: Path | str) -> Manifest:
    """Read `root`/questions.toml and return the Manifest; KitError says which entry is wrong and how."""
    path = Path(root) / MANIFEST
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KitError(f"{path}: no manifest here. Run the command from the course's top folder.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KitError(f"{path}: not valid TOML: {error}") from None
    try:
        assignment, limits = data["assignment"], data.get("limits", DEFAULT_LIMITS)
        costs = recorded_costs(root)
        questions = tuple(_question(entry, assignment, limits, costs, path) for entry in data["question"])
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
        raise KitError(f"{path}: {error} is missing or misspelt. See docs/author.md for every field.") from None
    _validate(manifest, path)
    return manifest


def _question(entry, assignment, limits, costs, path):
    common = {name: assignment[name] for name in ("follow_through", "measured_gradients") if name in assignment}
    fields = common | entry
    try:
        own = Limits(**(limits | fields.pop("limits", {})))
        if entry.get("id") in costs:
            own = own.fitting(costs[entry["id"]])
        lists = {name: tuple(fields.get(name, ())) for name in ("cells", "needs", "may_use", "requires")}
        lists["withheld"] = (*assignment.get("withheld", ()), *fields.get("withheld", ()))
        return Question(**fields | lists | {"limits": own})
    except TypeError as error:
        raise KitError(
            f"{path}: question {entry.get('id', entry)!r}: {error}. See docs/author.md for every field."
        ) from None


def _validate(manifest, path):
    for key, name in (("package", manifest.package), ("pack", manifest.pack)):
        if name in (*sys.stdlib_module_names, ANSWERS):
            raise KitError(f"{path}: {key} = {name!r} is the name of another module; choose another name")
    seen = set()
    for question in manifest.questions:
        if question.id in seen:
            raise KitError(f"{path}: question {question.id!r} stands there twice")
        for needed in (*question.needs, *question.may_use):
            if needed not in seen:
                raise KitError(f"{path}: {question.id!r} needs {needed!r}, which is no question before it")
        if not question.file and not question.cells:
            raise KitError(f"{path}: {question.id!r} names neither a file nor cells; where is it answered?")
        if not isinstance(question.points, (int, float)) or not question.points > 0:
            raise KitError(f"{path}: {question.id!r} is worth {question.points!r} points; expected more than 0")
        share = question.follow_through
        if not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise KitError(f"{path}: {question.id!r} has follow_through = {share!r}; expected a share from 0 to 1")
        if question.measured_gradients not in ("allow", "refuse"):
            said = f"measured_gradients = {question.measured_gradients!r}; expected 'allow' or 'refuse'"
            raise KitError(f"{path}: {question.id!r} has {said}")
        seen.add(question.id)
