"""Find the student of a downloaded file or folder from its name.

A learning management system (LMS) writes the student's id before the name that the student chose. So the first match in
a name counts: no student can submit for another student by putting that name into the name of a file.
"""

import os
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import dateutil.parser
import dateutil.tz

from autograder.errors import KitError

MAX_ID = 100  # bytes; an id becomes the name of a folder

_CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_(?P<number>\d+)_(?P<rest>.+)")
_MOODLE = re.compile(r"(?P<student>.+?_\d+)_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)")
_BLACKBOARD = re.compile(r"(?P<heading>.+?)_attempt_(?P<timestamp>\d{4}(?:-\d\d){5})(?:_(?P<rest>.+)|\.txt)?")
_DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.I
)  # names of devices on Windows
_NO_ID = {"", "submission", "submissions", "download", "downloads", "solution", "final", "homework"}


@dataclass(frozen=True)
class Owner:
    """The student of a file, and the time of the submission if the name contains it.

    - rest: the name that the student gave the file, or '' for a folder
    - number: the later of two submissions of one student has the larger number
    - heading: the text of Blackboard before the attempt: a title, '_', and the id
    - explicit: whether the name has the form of an LMS or contains the assignment's name
    """

    student: str
    timestamp: datetime | None = None
    rest: str = ""
    number: int = 0
    explicit: bool = True
    heading: str = ""

    def __post_init__(self) -> None:
        # Two systems may encode the same visible name differently.
        object.__setattr__(self, "student", unicodedata.normalize("NFC", self.student))


def find_owners(
    names: Iterable[str], assignment: str, pattern: re.Pattern[str] | None = None
) -> dict[str, Owner | None]:
    """Return {name: Owner or None} for all names in a download, from `find_owner` except for Blackboard.

    In Blackboard's names, the title and the id may contain '_'. The title is the common beginning of all headings. Two
    students may share the beginning of their ids by chance; so with one or two headings the title ends at the first
    '_'. The ids may then be too long, but two students never get one id.
    """
    owners = {name: find_owner(name, assignment, pattern) for name in names}
    headings = {owner.heading for owner in owners.values() if owner and owner.heading}
    # Character by character is right here: headings are texts, and no paths.
    title = os.path.commonprefix(sorted(headings)).rpartition("_")[0]  # noqa: RUF071
    if not title or len(headings) < 3:
        return owners
    for name, owner in owners.items():
        if owner and owner.heading:
            owners[name] = replace(owner, student=owner.heading[len(title) + 1 :])
    return owners


def find_owner(name: str, assignment: str, pattern: re.Pattern[str] | None = None) -> Owner | None:
    """Return the Owner from the name of a file or folder, or None if the name contains no id.

    The known forms are those of Canvas (`doejane_LATE_12_34_x.zip`: the id is `doejane_12`), Moodle
    (`Jane Doe_12_assignsubmission_file_`: `Jane Doe_12`) and Blackboard (`A2_jdoe_attempt_2026-11-01-10-11-12_x.zip`:
    `jdoe`); then `ID_<assignment>.zip`, `<assignment>_ID.zip` and `ID.zip`.

    - pattern: a compiled regular expression from `compile_pattern`, which replaces all these forms
    """
    if pattern:
        match = pattern.search(name)
        if not match or not match["student"]:
            return None
        parts = match.groupdict()
        return Owner(parts["student"], parse_time(parts.get("timestamp")), parts.get("file") or name)
    if match := _CANVAS.fullmatch(name):
        return Owner(f"{match['name']}_{match['id']}", None, match["rest"], int(match["number"]))
    if match := _MOODLE.fullmatch(name):
        return Owner(match["student"], None, match["rest"])
    if match := _BLACKBOARD.fullmatch(name):
        heading = match["heading"]
        student = heading.partition("_")[2] or heading
        return Owner(student, parse_time(match["timestamp"]), match["rest"] or "", heading=heading)
    return _parse_plain_name(name, assignment)


def _parse_plain_name(name: str, assignment: str) -> Owner | None:
    stem = re.sub(r"(\.zip)?$", "", name, count=1, flags=re.I)
    stem = re.sub(r" ?\(\d+\)$", "", stem)  # a browser's second download
    escaped = re.escape(assignment)
    before = re.fullmatch(rf"(?P<student>.+?)[_-]{escaped}(?:[_. -].*)?", stem, re.I)
    after = re.fullmatch(rf"{escaped}(?:[_-]submission)?[_-](?P<student>.+)", stem, re.I)
    match = before or after
    student = match["student"] if match else stem
    if student.lower() in _NO_ID | {assignment.lower()}:
        return None
    return Owner(student, None, name, explicit=bool(match))


def compile_pattern(text: str) -> re.Pattern[str]:
    """Return a compiled --pattern; raise KitError if it is not a regular expression or has no group `student`."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise KitError(f"--pattern {text!r} is not a regular expression: {error}.") from None
    if "student" not in pattern.groupindex:
        raise KitError(
            f"--pattern {text!r} has no group `student`. Write (?P<student>...) around the "
            r"part of a name that is the student's id, for example --pattern '(?P<student>\w+)_hw2'."
        )
    return pattern


def find_id_problem(student: str) -> str:
    """Return the reason why a text cannot be a student's id, which becomes a folder's name, or ''."""
    if not student.strip() or student.startswith((".", " ", "~", "-")) or student.endswith((".", " ")):
        return f"{student!a} cannot be a student's id: it is empty, begins with . ~ - or space, or ends with . or space"
    if len(student.encode("utf-8", "surrogatepass")) > MAX_ID:
        return f"{student[:20]!a}... cannot be a student's id: it has more than {MAX_ID} bytes"
    # With wildcards, nbgrader would find several students for one id.
    if not student.isprintable() or set(student) & set('/\\*?[]{}<>|:"'):
        return f"{student!a} cannot be a student's id: it contains a character that no folder's name should contain"
    if _DEVICE.fullmatch(student):
        return f"{student!a} cannot be a student's id: it is the name of a device on Windows"
    return ""


def parse_time(text: str | None) -> datetime | None:
    """Return the moment of a time stamp in UTC, or None if the text is not a time stamp. A missing zone means UTC."""
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d-%H-%M-%S")
    except (ValueError, TypeError):
        pass
    try:
        moment = dateutil.parser.parse(text, tzinfos=_find_zone)
    except (ValueError, OverflowError, TypeError):
        return None
    return (moment - (moment.utcoffset() or timedelta())).replace(tzinfo=None)


def _find_zone(name: str | None, offset: int | None) -> Any:
    """Return the time zone for a name such as "CET", or for dateutil's offset in seconds; dateutil has no types."""
    if name is None:
        return offset
    return dateutil.tz.tzoffset(name, offset) if offset is not None else dateutil.tz.gettz(name)
