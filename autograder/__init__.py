"""The autograder: from one reference solution to a student release, and from a class of submissions to grades."""

import sys

__version__ = "0.5.0"

# jsonschema, under nbformat, compiles 39 grammars of this package if it is there: half of the time that a command or a
# judge takes to start, for a kind of address that no notebook holds.
sys.modules.setdefault("rfc3987_syntax", None)
