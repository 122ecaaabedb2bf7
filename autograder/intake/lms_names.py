"""Whose hand-in a file or folder is: read from the name that a learning management system, or the student, gave it.

What the system wrote stands before what the student wrote, so the first match in a name counts: nobody can hand in
for somebody else by putting another name into the name of a file.
"""

import os
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import dateutil.parser
import dateutil.tz

from autograder.errors import KitError

MAX_ID = 100  # bytes: an id becomes the name of a folder

_CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_(?P<number>\d+)_(?P<rest>.+)")
_MOODLE = re.compile(r"(?P<student>.+?_\d+)_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)")
_BLACKBOARD = re.compile(r"(?P<heading>.+?)_attempt_(?P<timestamp>\d{4}(?:-\d\d){5})(?:_(?P<rest>.+)|\.txt)?")
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\..*)?", re.I)  # Windows's own names
_NO_ID = {"", "submission", "submissions", "download", "downloads", "solution", "final", "homework"}


@dataclass(frozen=True)
class Owner:
    """Whose it is, and when it was handed in as far as the name tells.

    - rest: the name that the student gave the file, '' where the name is that of a folder
    - number: of two hand-ins of one student the one with the larger number is the later
    - heading: what Blackboard wrote before the attempt: a title, '_', and the id
    - explicit: the name follows a system's form, or names the assignment; so it cannot be just any name
    """

    student: str
    timestamp: datetime | None = None
    rest: str = ""
    number: int = 0
    explicit: bool = True
    heading: str = ""

    def __post_init__(self):
        # One name typed on two systems may come in two spellings, which look the same.
        object.__setattr__(self, "student", unicodedata.normalize("NFC", self.student))


def find_owners(names, assignment, pattern=None):
    """Return {name: Owner or None} of all names in a download, each as `owner_of` gives it but for Blackboard's.

    There both the title and the id may hold '_'. The title is what all share; of one or two people, who may share the
    beginning of their ids by chance, it goes to its first '_', so that rather too much is kept than one id for two.
    """
    owners = {name: find_owner(name, assignment, pattern) for name in names}
    headings = {owner.heading for owner in owners.values() if owner and owner.heading}
    title = os.path.commonprefix(sorted(headings)).rpartition("_")[0]
    if not title or len(headings) < 3:
        return owners
    for name, owner in owners.items():
        if owner and owner.heading:
            owners[name] = replace(owner, student=owner.heading[len(title) + 1 :])
    return owners


def find_owner(name, assignment, pattern=None):
    """Return the Owner that a file's or folder's name tells, or None where it tells none.

    The forms known are those of Canvas (`doejane_LATE_12_34_x.zip`: the id is `doejane_12`), Moodle
    (`Jane Doe_12_assignsubmission_file_`: `Jane Doe_12`) and Blackboard (`A2_jdoe_attempt_2026-11-01-10-11-12_x.zip`:
    `jdoe`); then `ID_<assignment>.zip`, `<assignment>_ID.zip` and `ID.zip`.

    - pattern: a compiled regular expression that takes the place of all these, from `read_pattern`
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
    return _plain(name, assignment)


def _plain(name, assignment):
    stem = re.sub(r"(\.zip)?$", "", name, count=1, flags=re.I)
    stem = re.sub(r" ?\(\d+\)$", "", stem)  # a browser's second download
    about = re.escape(assignment)
    before = re.fullmatch(rf"(?P<student>.+?)[_-]{about}(?:[_. -].*)?", stem, re.I)
    after = re.fullmatch(rf"{about}(?:[_-]submission)?[_-](?P<student>.+)", stem, re.I)
    match = before or after
    student = match["student"] if match else stem
    if student.lower() in _NO_ID | {assignment.lower()}:
        return None
    return Owner(student, None, name, explicit=bool(match))


def compile_pattern(text):
    """Return a compiled --pattern; KitError where it is no regular expression or has no group `student`."""
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise KitError(f"--pattern {text!r} is no regular expression: {error}.") from None
    if "student" not in pattern.groupindex:
        raise KitError(
            f"--pattern {text!r} has no group that says what of a name is the student's id. Write "
            r"(?P<student>...) around it, for example --pattern '(?P<student>\w+)_hw2'."
        )
    return pattern


def find_id_problem(student):
    """Return why a text cannot be a student's id, which becomes a folder's name, or '' where it can."""
    if not student.strip() or student.startswith((".", " ", "~", "-")) or student.endswith((".", " ")):
        return f"{student!a} cannot be a student's id: it is empty, begins with . ~ - or space, or ends with . or space"
    if len(student.encode("utf-8", "surrogatepass")) > MAX_ID:
        return f"{student[:20]!a}... cannot be a student's id: it has more than {MAX_ID} bytes"
    # The wildcards would make nbgrader take one student for several.
    if not student.isprintable() or set(student) & set('/\\*?[]{}<>|:"'):
        return f"{student!a} cannot be a student's id: it holds a character that no folder's name should have"
    if _DEVICE.fullmatch(student):
        return f"{student!a} cannot be a student's id: Windows takes it for a device"
    return ""


def parse_time(text):
    """Return the moment that a time stamp tells, in UTC (which it is taken to be in if it names no zone), or None."""
    try:
        return datetime.strptime(text, "%Y-%m-%d-%H-%M-%S")
    except (ValueError, TypeError):
        pass
    try:
        moment = dateutil.parser.parse(
            text, tzinfos=lambda name, offset: offset if name is None else _zone(name, offset)
        )
    except (ValueError, OverflowError, TypeError):
        return None
    return (moment - (moment.utcoffset() or timedelta())).replace(tzinfo=None)


def _zone(name, offset):
    """Return the time zone that a time stamp names, as "CET" or "+0200"; dateutil gives the offset in seconds."""
    return dateutil.tz.tzoffset(name, offset) if offset is not None else dateutil.tz.gettz(name)
