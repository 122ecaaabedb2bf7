"""The numbers of the system calls that the filter names: makes worker/syscalls.tbl from the headers of Linux.

    python -m autograder.sandbox.syscall_table            write the table
    python -m autograder.sandbox.syscall_table --check    say whether it is up to date; exit status 1 if it is not

The numbers of a system call never change. So the table changes only after a change of the names in worker/seccomp.py.
Debian's package linux-libc-dev contains both headers: that of x86_64, and the generic one, whose numbers aarch64 uses.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from autograder.errors import KitError
from autograder.runtime.atomic import write_atomically
from autograder.sandbox.worker.seccomp import MACHINES, NAMES, TABLE, Row, parse_table

_COMMAND = "python -m autograder.sandbox.syscall_table"
_HEADERS = {
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h"),
    "aarch64": ("/usr/include/asm-generic/unistd.h",),
}
_DEFINITION = re.compile(r"^#define\s+__NR(3264)?_(\w+)\s+(?:(\d+)|__NR3264_(\w+))\s*$", re.MULTILINE)
_COUNT = "syscalls"  # __NR_syscalls is not a call but the number of calls
_TITLE = f"""# Numbers of the system calls that seccomp.py names. Made by `{_COMMAND}`; do not edit.
# A call that a processor does not have is marked by a minus sign.
"""


def parse_header(text: str) -> dict[str, int]:
    """Return {system call: number} of a header; raise KitError if one call has two numbers.

    The generic header defines some calls in two steps, because their names differ on 32-bit processors:
    `__NR3264_fcntl` is 25, and `__NR_fcntl` is `__NR3264_fcntl`.
    """
    found = _DEFINITION.findall(text)
    shared = {name: number for is_shared, name, number, _ in found if is_shared}
    numbers: dict[str, int] = {}
    for is_shared, name, own_number, other in found:
        number = own_number or shared.get(other)
        if number and not is_shared and name != _COUNT and numbers.setdefault(name, int(number)) != int(number):
            raise KitError(f"__NR_{name} has the numbers {numbers[name]} and {number} in one header")
    return numbers


def make_table(names: Iterable[str], headers: Sequence[Mapping[str, int]], known: Mapping[str, Row]) -> str:
    """Return the text of a table.

    - names: the system calls, in their order in the table
    - headers: {system call: number} for each of MACHINES
    - known: the present table, for calls that are newer than the headers of this machine

    Raises KitError if neither a header nor the present table contains a call.
    """
    lines: list[str] = []
    for name in names:
        row = tuple(_find_number(name, header, known.get(name), column) for column, header in enumerate(headers))
        if all(number is None for number in row):
            raise KitError(f"no header contains the system call {name!r}. Is it misspelt, or newer than the headers?")
        lines.append(" ".join([name, *("-" if number is None else str(number) for number in row)]))
    return _TITLE + "".join(f"{line}\n" for line in lines)


def _find_number(name: str, header: Mapping[str, int], known: Row | None, column: int) -> int | None:
    """Return the number of a call; a call above all numbers of the header is newer, and keeps its known number."""
    number = known[column] if known else None
    return number if number is not None and number > max(header.values()) else header.get(name)


def find_headers() -> list[Path] | None:
    """Return the header for each of MACHINES, or None if this machine lacks one."""
    found = [next((Path(path) for path in _HEADERS[machine] if Path(path).is_file()), None) for machine in MACHINES]
    paths = [path for path in found if path]
    return paths if len(paths) == len(MACHINES) else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table, or check it; end the process with a sentence if that fails."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description="Make the table of system call numbers.")
    parser.add_argument("--check", action="store_true", help="only say whether the table is up to date")
    options = parser.parse_args(arguments)
    path, headers = Path(TABLE), find_headers()
    if headers is None:
        sys.exit("This machine has no headers of Linux. Install them: apt install linux-libc-dev")
    present = path.read_text(encoding="ascii") if path.is_file() else ""
    try:
        numbers = [parse_header(header.read_text(encoding="utf-8")) for header in headers]
        table = make_table(NAMES, numbers, parse_table(present))
    except KitError as error:
        sys.exit(str(error))
    if not options.check:
        write_atomically(path, table.encode())
    elif table != present:
        sys.exit(f"{path} is out of date. Run: {_COMMAND}")


if __name__ == "__main__":
    main()
