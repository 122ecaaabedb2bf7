"""The pack: everything that the engine knows about one assignment, as one value.

The manifest names the module of the pack, in which `PACK` is the value. The engine imports no pack by name.
"""

import functools
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from autograder.assignment.manifest import MANIFEST_FILE, Manifest
from autograder.checking.criteria import Checks, Criterion, Trial
from autograder.checking.large_call import LargeCall
from autograder.checking.picture import plain_picture, plain_table
from autograder.errors import KitError
from autograder.report.model import Diagnosis
from autograder.sandbox.follow_through import Answers

MOST_ENTRIES = 10**6  # entries of all arrays in one call of a function that `make_answers_for` answers
AnswersFor = Callable[[str, Sequence[str], Mapping[str, str]], tuple[Answers, list[str]]]


class WrongVersion(Protocol):
    """A wrong version of the reference, for one known mistake."""

    @property
    def file(self) -> str:
        """The file of the assignment that it changes."""
        ...

    @property
    def module(self) -> Any:
        """The changed file as a module."""
        ...

    @property
    def diagnosis(self) -> Diagnosis:
        """The diagnosis of a student's code that behaves in the same way."""
        ...

    @property
    def can_be_replayed(self) -> bool:
        """Whether its answers can be compared with those of a student's code."""
        ...


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Names of one assignment, from which mutation operators make wrong versions of the reference.

    - confusable_names: groups of names that students easily confuse
    - usual_values: settings by name, each with its default or the value in the notebooks
    - parameter_prefixes: prefix of a numbered parameter's name -> another prefix with which students confuse it
    - signed_names: patterns (as for fnmatch) of variables whose wrong sign is a plausible mistake
    - caching_functions: patterns of functions that return a cache for a later function
    - cache_name: the name of the variable with such a cache
    """

    confusable_names: tuple[frozenset[str], ...] = ()
    usual_values: Mapping[str, float] = field(default_factory=dict[str, float])
    parameter_prefixes: Mapping[str, str] = field(default_factory=dict[str, str])
    signed_names: tuple[str, ...] = ()
    caching_functions: tuple[str, ...] = ()
    cache_name: str = ""


EMPTY_VOCABULARY = Vocabulary()


def _no_answers(question: str, unmet: Sequence[str], options: Mapping[str, str]) -> tuple[Answers, list[str]]:
    return Answers({}), []


def make_answers_for(functions: Mapping[str, tuple[str, Callable[..., Any]]]) -> AnswersFor:
    """Return `answers_for` of a pack whose answers are arrays and numbers, with no cache between two functions.

    - functions: question -> (its function, as in "package.module:function", and a right version of it). The right
      version bounds its own work, except that all arrays of one call have at most MOST_ENTRIES entries, and raises
      ValueError for arguments that do not fit
    """

    def bounded(function: Callable[..., Any]) -> Callable[..., Any]:
        def answer(*args: Any, **kwargs: Any) -> Any:
            if sum(np.size(value) for value in (*args, *kwargs.values())) > MOST_ENTRIES:
                raise ValueError(f"a function was called with arrays of more than {MOST_ENTRIES} entries")
            return function(*args, **kwargs)

        return answer

    def answers_for(question: str, unmet: Sequence[str], options: Mapping[str, str]) -> tuple[Answers, list[str]]:
        names = [name for name in unmet if name in functions]
        return Answers({functions[name][0]: bounded(functions[name][1]) for name in names}), names

    return answers_for


@dataclass(frozen=True)
class Pack:
    """The checks of one assignment, and all other values that depend on it. Only `criteria` is required.

    - criteria: the criteria of every question, in the order in which a report has them
    - large_calls: question -> a function that makes its LargeCall from a Trial
    - wrong_versions: returns the catalogue of misconceptions, question -> wrong versions of the reference
    - answers_for: (question, unmet questions, options of the manifest) -> the Answers of the judge for the unmet
      questions, and the names of all functions that are answered
    - axes_of: (question, name of an array, its number of dimensions) -> the names of its axes, () if unknown
    - picture_of: (expected, actual, wrong, worst index, name, labels) -> a picture as plain data, or None
    - heat_map: a picture -> HTML that is escaped already
    - model_files: returns {path: bytes} of the saved models of a right submission
    - advice: (regular expression, advice) for exceptions that only this assignment's code raises
    - vocabulary: names of the assignment, for single mistakes that the catalogue does not list
    """

    criteria: Mapping[str, Sequence[Criterion]]
    large_calls: Mapping[str, Callable[[Trial], LargeCall]] = field(
        default_factory=dict[str, Callable[[Trial], LargeCall]]
    )
    wrong_versions: Callable[[], Mapping[str, Sequence[WrongVersion]]] = dict
    answers_for: AnswersFor = _no_answers
    axes_of: Callable[[str, str, int], tuple[str, ...]] = lambda question, name, ndim: ()
    picture_of: Callable[..., dict[str, Any] | None] = plain_picture
    heat_map: Callable[[dict[str, Any]], str] = plain_table
    model_files: Callable[[], dict[str, bytes]] = dict
    advice: tuple[tuple[str, str], ...] = ()
    vocabulary: Vocabulary = EMPTY_VOCABULARY


def merge_checks(parts: Sequence[Checks]) -> Checks:
    """Return one Checks with all criteria and large calls of these, in their order."""
    whole = Checks()
    for part in parts:
        for question, criteria in part.criteria.items():
            whole.criteria.setdefault(question, []).extend(criteria)
        whole.large_calls |= part.large_calls
    return whole


@functools.cache
def load_pack(manifest: Manifest) -> Pack:
    """Return the Pack that a manifest names.

    Raises KitError if there is none, if a question has no criteria, or if the catalogue does not fit the reference.

    After this call the reference's package can be imported, and so can a pack next to the assignment's folder.
    """
    os.environ.setdefault("AUTOGRADER", "1")  # the reference's own notices are for students
    path = pack_path(manifest)
    try:
        pack = importlib.import_module(manifest.pack).PACK
    except (ModuleNotFoundError, AttributeError) as error:
        raise KitError(
            f"{manifest.root / MANIFEST_FILE}: pack = {manifest.pack!r} is not a module with a PACK ({error}). "
            "See docs/author.md."
        ) from None
    if path and path.is_file() and not path.is_relative_to(manifest.root.parent):
        raise KitError(f"{path}: students' code could read this file. Make the pack a folder with an __init__.py.")
    lacking = [question.id for question in manifest.questions if not pack.criteria.get(question.id)]
    if lacking:
        raise KitError(f"{manifest.pack}: no criterion for {', '.join(lacking)}. Add one; see docs/author.md.")
    pack.wrong_versions()  # nothing is graded with a catalogue that does not fit the reference
    return pack


@functools.cache
def pack_path(manifest: Manifest) -> Path | None:
    """Return the folder of the manifest's pack, or the file of a pack without a folder; None if there is none.

    Raises KitError if a pack is next to the assignment's folder, but Python would import another module of that name.
    """
    for folder in (str(manifest.root), str(manifest.root.parent)):
        if folder not in sys.path:
            sys.path.append(folder)
    try:
        found = importlib.util.find_spec(manifest.pack)
    except (ModuleNotFoundError, ValueError):
        found = None
    if not found or not found.origin:
        return None
    path = Path(found.origin).resolve()
    beside = manifest.root.parent.joinpath(*manifest.pack.split("."))
    expected = [file for file in (beside / "__init__.py", beside.with_suffix(".py")) if file.is_file()]
    if expected and path not in expected:
        raise KitError(f"{beside}: Python has another module of this name, {path}. Rename your folder and `pack`.")
    return path.parent if path.name == "__init__.py" else path
