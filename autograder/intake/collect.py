"""Collecting: what students handed in, taken from a download into submitted/<student>/<assignment>/.

The zip a student made stays as it is; `read_submission` reads it there. Each hand-in is laid out aside, read once to
see that something in it can be graded, and then put in its place by one rename. What it replaces is kept beside it in
submitted/<student>/.earlier/, so collecting twice, or the wrong thing, loses nothing. Between the two renames the new
hand-in waits in submitted/<student>/ under another name: where collecting is killed just there, `tidy` ends its work.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import KitError
from autograder.intake.downloads import find
from autograder.intake.lms_names import compile_pattern, parse_time
from autograder.intake.reading import read_submission
from autograder.runtime.locks import lock_folder
from autograder.runtime.os_errors import find_storage_error, raise_if_everywhere

_TITLES = {
    "new": "collected",
    "replaced": "collected again",
    "unchanged": "already there and unchanged",
    "older": "left as they were, because submitted/ has a later hand-in",
}
STAMP = "timestamp.txt"  # nbgrader's name for it
_ASIDE = ".collecting-"


@dataclass
class Collected:
    """What collecting did: {student: "new", "replaced", "unchanged" or "older"}, and (what, why) of the rest."""

    students: dict[str, str] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def sentences(self):
        """Return what a person wants to know of it, a line each; the problems come last, in one list."""
        said = []
        for state, title in _TITLES.items():
            students = [student for student, found in sorted(self.students.items()) if found == state]
            if students:
                said.append(f"{len(students)} {title}: {', '.join(students)}")
        said += [f"{what}: {why}" for what, why in self.notes]
        if self.problems:
            said.append(f"{len(self.problems)} could not be collected:")
            said += [f"  {what}: {why}" for what, why in self.problems]
        return said


def students_and_sources(course, arguments):
    """Split what a person typed into (ids of students, folders and zips to collect from).

    The id of a student with a submission is that student, even if there is a file of that name; a path into
    submitted/ is the student there; any other existing path is a source; the rest are ids. Each is listed once.
    """
    known, top = course.students(), _top(course)
    students, sources = [], []
    for argument in map(str, arguments):
        path = Path(argument).resolve()
        if argument in known or not (argument and path.exists()):
            students.append(argument)
        elif path == top:
            students += known
        elif path.is_relative_to(top):
            students.append(path.relative_to(top).parts[0])
        else:
            sources.append(path)
    return list(dict.fromkeys(students)), list(dict.fromkeys(sources))


def collect(course, sources, pattern=None, wait=None):
    """Collect the hand-ins of folders and zips into a course; return what was Collected.

    Of several hand-ins of a student the latest that can be graded counts. One that differs from what is in submitted/
    replaces it, unless both carry a time stamp and the new one is the earlier ("older").

    - sources: as for `downloads.find`
    - pattern: regular expression with a group `student` (and perhaps `timestamp`), for names of another form
    - wait: as for `locks.alone`

    Raises KitError where a source is no folder and no zip or the pattern is none, StorageError where submitted/ cannot
    be written to, Busy where another command is at work in the course.
    """
    pattern = compile_pattern(pattern) if pattern else None
    top = _top(course)
    for source in map(Path, sources):
        if course.root.is_relative_to(source.resolve()) or source.resolve().is_relative_to(top):
            raise KitError(f"{source} holds this course itself. Give the folder or zip that you downloaded.")
    with lock_folder(course.root, "autograder collect", wait):
        try:
            top.mkdir(parents=True, exist_ok=True)
            finish_interrupted_collect(course)
            return _collect(course, sources, pattern)
        except OSError as error:
            said = find_storage_error(error)
            if said is None:
                raise
            raise said from None


def finish_interrupted_collect(course):
    """End what a killed `collect` left half done in submitted/; whoever calls holds the course's lock."""
    for aside in _top(course).glob(f"{_ASIDE}*"):
        shutil.rmtree(aside, ignore_errors=True)
    for waiting in _top(course).glob(f"*/{_waiting(Path(course.manifest.name))}"):
        target = waiting.with_name(course.manifest.name)
        if os.path.lexists(target):
            shutil.rmtree(waiting, ignore_errors=True)
        else:
            os.rename(waiting, target)


def _collect(course, sources, pattern):
    collected = Collected()
    with tempfile.TemporaryDirectory(dir=_top(course), prefix=_ASIDE) as aside:
        for source in sources:
            unpacked = Path(tempfile.mkdtemp(dir=aside))
            found = find(source, course.manifest, unpacked, pattern)
            collected.problems += found.problems
            for student, hand_ins in sorted(found.hand_ins.items()):
                try:
                    folder, hand_in = first_usable(hand_ins, course.manifest, aside, collected)
                    state = folder and _place(course, hand_in, folder, collected.notes)
                except OSError as error:
                    raise_if_everywhere(error)
                    why = f"could not be put into {course.submitted(student)}: {error.strerror or error}"
                    collected.problems.append((student, why))
                    continue
                # What an earlier source of this run brought still counts as brought.
                if state and not (student in collected.students and state in ("unchanged", "older")):
                    collected.students[student] = state
    return collected


def first_usable(hand_ins, manifest, aside, collected):
    """Return (folder in which it is laid out, the HandIn) of the first that can be graded, or (None, None).

    Those before it go into `collected.problems` with the reason, those after it into `collected.notes`.
    """
    for number, hand_in in enumerate(hand_ins):
        folder = Path(tempfile.mkdtemp(dir=aside)) / "hand-in"  # never the assignment's name: nobody takes it for one
        try:
            _lay_out(hand_in, folder)
            read_submission(folder, manifest)
        except (KitError, OSError) as error:
            raise_if_everywhere(error)
            collected.problems.append((hand_in.where, _reason(error, folder, hand_in.where)))
            continue
        collected.notes += [(late.where, f"passed over: {hand_in.where} is later") for late in hand_ins[number + 1 :]]
        return folder, hand_in
    return None, None


def _top(course):
    return course.submitted("student").parents[1].resolve()


def _reason(error, folder, where):
    """Return what an error says, without the temporary folder's name."""
    reason = str(error).replace(f"{folder}{os.sep}", "").replace(str(folder), where)
    return reason.removeprefix(where).removeprefix(":").strip()


def _lay_out(hand_in, folder):
    folder.mkdir()
    for inside, path in hand_in.files.items():
        target = folder / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target, follow_symlinks=False)
    if hand_in.timestamp:
        (folder / STAMP).write_text(f"{hand_in.timestamp.isoformat(' ')}\n", encoding="utf-8")


def _place(course, hand_in, folder, notes):
    """Move a laid-out hand-in to its place in submitted/; return what that made of the student's submission."""
    target = course.submitted(hand_in.student)
    if not target.exists() and not target.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(folder, target)
        return "new"
    if _digest(target, course.manifest) == _digest(folder, course.manifest):
        return "unchanged"
    if hand_in.timestamp and _earlier(folder / STAMP, target / STAMP):
        notes.append((hand_in.where, f"passed over: what is in {target} was handed in later"))
        return "older"
    kept, waiting = _place_to_keep(target), target.with_name(_waiting(target))
    os.rename(folder, waiting)
    try:
        os.rename(target, kept)
        os.rename(waiting, target)
    except OSError:
        if not os.path.lexists(target):
            os.rename(kept, target)
        shutil.rmtree(waiting, ignore_errors=True)
        raise
    notes.append((hand_in.where, f"replaced the submission there was, which is now {kept}"))
    return "replaced"


def _waiting(target):
    """The name beside its place that a hand-in has while the one before is moved away."""
    return f".new-{target.name}"


def _place_to_keep(target):
    """Return where in .earlier/ a submission goes that is replaced."""
    earlier = target.parent / ".earlier"
    earlier.mkdir(exist_ok=True)
    number = 1
    while (kept := earlier / f"{target.name}-{number}").exists():
        number += 1
    return kept


def _digest(folder, manifest):
    try:
        return read_submission(folder, manifest).digest
    except KitError:
        return None


def _earlier(new, old):
    """Say whether the time stamp in one file is earlier than that in another; not where one of them tells none."""
    moments = [
        parse_time(path.read_bytes()[:100].decode("utf-8", "replace").strip()) if path.is_file() else None
        for path in (new, old)
    ]
    return None not in moments and moments[0] < moments[1]
