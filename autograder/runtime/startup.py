"""What a program does once, before it loads heavy libraries."""

import sys


def skip_slow_grammars() -> None:
    """Let jsonschema do without the grammars of international addresses.

    jsonschema, which nbformat uses, compiles 39 grammars of `rfc3987_syntax` if that package is there: two seconds of
    processor time, for a kind of address that no notebook holds. It works without the package.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
