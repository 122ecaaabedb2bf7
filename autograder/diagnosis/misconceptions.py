"""The catalogue of misconceptions: mistakes that people really make, and how one is recognised.

A misconception is a small TOML file:

    title = "cropped to nothing"
    thought = "..."                # what the student probably thought, for whoever grades
    hint = "..."                   # for the student; it does not give the answer away
    [[wrong]]                      # one way to write it; there may be several, also in several functions
    question = "conv_backward_naive"
    changes = [{ old = "...", new = "..." }]   # `old` stands once in the reference's function of that name
    also = ["..."]                 # optional: other questions that it makes fail as well
    within = "..."                 # optional, also in a change: the function to change, where it is another one
    cell = "..."                   # optional: the notebook cell to change instead, for what is answered there
    seen_by = "check"              # optional: a check recognises it (random masks, another framework), not a replay

So the wrong code is the reference with that change, and is run: the calls that the student's code answered are put to
it once more, in the judge's process. Where it gives the student's own answers, and not the right ones, that is the
mistake. Nothing is guessed: an answer that fits no entry goes without a name.
"""

import ast
import functools
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from autograder.assignment.manifest import read_manifest
from autograder.assignment.variants import with_code
from autograder.errors import KitError
from autograder.report.model import Diagnosis


@dataclass(frozen=True)
class Misconception:
    """One entry of the catalogue; `name` is that of its file."""

    name: str
    notebook: str
    title: str
    thought: str
    hint: str

    @property
    def diagnosis(self):
        return Diagnosis("misconception", self.title, self.hint, self.thought)


@dataclass(frozen=True, eq=False)
class Wrong:
    """One wrong version of the reference.

    - file: the file that is changed, or the notebook where `cell` is
    - changes: what is changed, as the entry has it
    - definitions: the changed functions or classes of the file, by name
    """

    misconception: Misconception
    question: str
    file: str
    changes: tuple[dict, ...]
    definitions: dict[str, str] = field(repr=False, default_factory=dict)
    also: tuple[str, ...] = ()
    cell: str = ""
    seen_by: str = ""

    @property
    def diagnosis(self):
        return self.misconception.diagnosis

    @functools.cached_property
    def module(self):
        """The file with the changes in it, as a module of its own."""
        return with_code(self.file, "\n\n".join(self.definitions.values()))

    @property
    def can_be_replayed(self):
        return bool(self.definitions) and not self.seen_by

    def text(self, root):
        """Return the whole file with the changes in it; `root` is the folder of the reference."""
        text = (Path(root) / self.file).read_text(encoding="utf-8")
        for name, code in self.definitions.items():
            text = text.replace(_definitions(Path(root) / self.file)[name], code)
        return text


def load(folder, root):
    """Return every Wrong of the catalogue in `folder`, by question; KitError says which entry does not fit.

    - root: the folder of the reference solution
    """
    questions = {question.id: question for question in read_manifest(root).questions}
    found = {}
    for path in sorted(Path(folder).rglob("*.toml")):
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
            about = Misconception(path.stem, path.parent.name, data["title"], data["thought"], data["hint"])
            for entry in data["wrong"]:
                wrong = _wrong(about, entry, questions, root)
                found.setdefault(wrong.question, []).append(wrong)
        except (KeyError, TypeError, ValueError) as error:
            raise KitError(f"{path}: {type(error).__name__}: {error}") from None
    return found


def _wrong(about, entry, questions, root):
    question, changes = questions[entry["question"]], tuple(entry["changes"])
    more = {"also": tuple(entry.get("also", ())), "seen_by": entry.get("seen_by", "")}
    if "cell" in entry:
        return Wrong(about, question.id, question.notebook, changes, cell=entry["cell"], **more)
    definitions = {}
    for change in changes:
        function = change.get("within", entry.get("within", question.id))
        code = definitions.get(function) or _definitions(Path(root) / question.file)[function]
        old, new = change["old"].strip("\n"), change["new"].strip("\n")
        if code.count(old) != 1:
            raise ValueError(f"{old!r} stands {code.count(old)} times in {function}, not once")
        definitions[function] = code.replace(old, new)
    return Wrong(about, question.id, question.file, changes, definitions, **more)


@functools.cache
def _definitions(path):
    """Return the text of every function and class of a file, by name."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    named = (node for node in ast.parse(text).body if hasattr(node, "name"))
    return {node.name: "".join(lines[node.lineno - 1 : node.end_lineno]) for node in named}
