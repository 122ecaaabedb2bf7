"""Settings that a program makes once, before it loads heavy libraries."""

import sys


def skip_slow_grammars() -> None:
    """Make jsonschema work without the grammars of international addresses.

    nbformat uses jsonschema, which compiles 39 grammars of `rfc3987_syntax` if that package is installed. This takes
    two seconds of processor time, and no notebook contains such addresses.
    """
    # None makes the import fail, as Python's import system documents; typeshed allows modules only.
    sys.modules.setdefault("rfc3987_syntax", None)  # pyright: ignore[reportArgumentType, reportCallIssue]
