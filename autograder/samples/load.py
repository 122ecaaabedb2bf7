"""Read sample submissions from the tables in `tests/submissions/`.

Each .toml file holds the cases of one verdict and topic, or of one kind of attack:

    file = "cs231n/layers.py"              # the default for the `file` of each change
    questions = ["relu_forward"]           # a default for all cases; any field except `name` and `title` is allowed
    [reference]                            # optional: names for lines of the reference that several cases replace
    relu = "    out = np.maximum(0, x)"

    [[case]]
    name = "failed_dw_averaged"            # begins with the worst verdict that it gets
    title = "`dw` is averaged over the batch"
    student = "chen"                       # optional: the student of the demo course who submits it
    base = "reference"                     # or "release": the stubs as students get them
    stubs = ["adam"]                       # functions and classes that become stubs again
    questions = ["affine_backward"]        # optional: grade only these and what they need (default: all)
    expect.affine_backward = "failed"      # verdicts; any other question passes, or with base = "release" is missing
    says.affine_backward = "dw is wrong"   # optional: words in the question's report
    costs.affine_backward = ["dw"]         # optional: the criteria that fail; all others must pass
    [[case.change]]                        # `old` occurs in the file exactly once
    file = "cs231n/layers.py"
    old = "..."                            # or at = "relu": the lines that [reference] names
    new = "..."
    [[case.cell]]                          # a change in an answer cell of a notebook
    notebook = "TensorFlow"
    id = "complex_model_answer"
    old = "..."
    new = "..."
    [[case.write]]                         # a file of text to add
    path = "cs231n/more.py"
    text = "..."

`remove` lists files to leave out. Attacks have more fields:

    attack = "forgery"                     # or "theft", "harm": the aim of the attack; the title says how
    zip = true                             # submitted as a zip, not as a folder
    limits.cpu_seconds = 1                 # optional: other limits than the manifest's
    [[case.place]]                         # a file that is not plain text, see special_files.KINDS
    path = "cs231n/stolen.py"
    kind = "symlink"
    to = "{kit}/assignment2/cs231n/layers.py"
"""

import dataclasses
import inspect
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from autograder.errors import KitError
from autograder.report.verdicts import VERDICTS
from autograder.runtime.paths import KIT
from autograder.samples.sample import CellChange, Change, Sample, SpecialFile, TextFile
from autograder.samples.special_files import KINDS

SUBMISSIONS = KIT / "tests" / "submissions"

_ENTRIES = {"change": Change, "cell": CellChange, "write": TextFile, "place": SpecialFile}
_LISTS = {"stubs", "remove", "questions"}
_TABLES = {"expect": str, "says": str, "costs": list, "limits": int}
_FIELDS = {field.name for field in dataclasses.fields(Sample)}
_CHOICES = {"base": {"reference", "release"}, "attack": {"forgery", "theft", "harm"}}
_HELP = "See autograder/samples/load.py for every field."


def load_samples(folder: Path = SUBMISSIONS) -> dict[str, Sample]:
    """Return the samples of all .toml files below a folder as {name: Sample}, sorted by name.

    Raises KitError for a file or a case that cannot be used; the message names it.
    """
    samples: dict[str, Sample] = {}
    for path in sorted(Path(folder).rglob("*.toml")):
        for sample in _read_samples(path):
            if sample.name in samples:
                _refuse(f"{path}, {sample.name}", "this name is taken by another case; names must be unique")
            samples[sample.name] = sample
    return dict(sorted(samples.items()))


def _read_samples(path: Path) -> Iterable[Sample]:
    """Yield the samples of one .toml file."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        _refuse(path, f"not valid TOML: {error}")
    file, lines, cases = data.pop("file", None), data.pop("reference", {}), data.pop("case", [])
    if not cases or not isinstance(cases, list):
        _refuse(path, "contains no [[case]]; add one, or delete the file")
    for number, case in enumerate(cases, 1):
        where = f"{path}, {case.get('name', f'case {number}')}"
        fields = data | case
        if isinstance(case.get("change"), list):
            fields["change"] = [_complete(change, file, lines, where) for change in case["change"]]
        yield _make_sample(fields, where)


def _complete(change: Any, file: str | None, lines: dict[str, str], where: str) -> Any:
    """Return a change with the default file, and with `old` in place of `at`.

    - lines: {name: lines of the reference}, the table [reference]
    - where: the file and the case, for messages
    """
    if not isinstance(change, dict):
        return change
    change = ({"file": file} if file else {}) | change
    if "at" in change and "old" not in change:
        name = change.pop("at")
        if name not in lines:
            _refuse(where, f"at = {name!r}, expected a name in [reference]: {_join_names(lines)}")
        change["old"] = lines[name]
    return change


def _make_sample(fields: dict[str, Any], where: str) -> Sample:
    """Return the Sample of these fields; raise KitError for an unknown name or a wrong type."""
    unknown = fields.keys() - _FIELDS
    if unknown:
        _refuse(where, f"unknown field {_join_names(unknown)}, expected only {_join_names(_FIELDS)}")
    for name in ("name", "title"):
        if name not in fields:
            _refuse(where, f"has no {name}; add one")
    for name, value in fields.items():
        _check_type(name, value, where)
    for name, choices in _CHOICES.items():
        if name in fields and fields[name] not in choices:
            _refuse(where, f"{name} = {fields[name]!r}, expected {_join_names(choices, 'or')}")
    for question, verdict in fields.get("expect", {}).items():
        if verdict not in VERDICTS:
            _refuse(where, f"expect.{question} = {verdict!r}, expected {_join_names(VERDICTS, 'or')}")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return Sample(**values)


def _check_type(name: str, value: Any, where: str) -> None:
    """Raise KitError if the value of a field has a wrong type."""
    if name in _ENTRIES:
        if not isinstance(value, list):
            _refuse(where, f"{name} = {value!r}, expected [[case.{name}]]")
        for number, entry in enumerate(value, 1):
            _check_entry(f"{name} {number}", entry, _ENTRIES[name], where)
    elif name in _LISTS:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            _refuse(where, f"{name} = {value!r}, expected a list of strings")
    elif name in _TABLES:
        kind = _TABLES[name]
        if not isinstance(value, dict) or not all(isinstance(item, kind) for item in value.values()):
            _refuse(where, f"{name} = {value!r}, expected a table with values of type {kind.__name__}")
    elif not isinstance(value, bool if name == "zip" else str):
        _refuse(where, f"{name} = {value!r}, expected a value of type {'bool' if name == 'zip' else 'str'}")


def _check_entry(label: str, entry: Any, kind: type, where: str) -> None:
    """Raise KitError for an entry of `change`, `cell`, `write` or `place` with wrong keys or values."""
    required, allowed = kind.__required_keys__, kind.__required_keys__ | kind.__optional_keys__
    if not isinstance(entry, dict) or not required <= entry.keys() <= allowed:
        came = _join_names(entry) if isinstance(entry, dict) else repr(entry)
        _refuse(where, f"{label} has {came}, expected {_join_names(required)}")
    wrong = [key for key, value in entry.items() if not isinstance(value, str)]
    if wrong:
        _refuse(where, f"{label}: {wrong[0]} = {entry[wrong[0]]!r}, expected a string")
    if kind is SpecialFile and entry["kind"] not in KINDS:
        _refuse(where, f"{label}: kind = {entry['kind']!r}, expected {_join_names(KINDS, 'or')}")
    if kind is SpecialFile:
        takes = {"path", "kind", *list(inspect.signature(KINDS[entry["kind"]]).parameters)[1:]}
        if entry.keys() != takes:
            _refuse(where, f"{label} has {_join_names(entry)}, expected {_join_names(takes)}")


def _join_names(names: Iterable[str], word: str = "and") -> str:
    *most, last = sorted(names) or ["none"]
    return f"{', '.join(most)} {word} {last}" if most else last


def _refuse(where: Path | str, problem: str) -> NoReturn:
    raise KitError(f"{where}: {problem}. {_HELP}")
