"""Advice for exceptions with a well-known cause: removed names of NumPy, Python 2, missing modules."""

import re
from collections.abc import Sequence

# (regular expression for the exception, advice for the student); the first match wins
_KNOWN = [
    (r"module 'numpy' has no attribute '(int|float|bool|object|complex|long)'",
     r"np.\1 was removed from NumPy; write plain \1 (or np.float64, np.int64) instead"),
    (r"module 'numpy.lib' has no attribute 'pad'|numpy.lib.pad", "np.lib.pad was removed from NumPy; write np.pad"),
    (r"no attribute '(mat|asscalar|product|cumproduct|alltrue|sometrue|in1d|row_stack)'",
     r"np.\1 was removed from NumPy; its release notes name the successor (np.asmatrix, .item(), np.prod, np.all)"),
    (r"unexpected keyword argument 'newshape'",
     "np.reshape no longer takes newshape=; write shape=, or just pass the shape"),
    (r"inhomogeneous shape",
     "Rows of different lengths no longer make an array; check the sizes, or keep a plain list"),
    (r"only (length-1|0-dimensional|size-1) arrays can be converted",
     "An array is used where one number is needed; index it or call .item()"),
    (r"name 'xrange' is not defined", "xrange is Python 2; write range"),
    (r"name '(raw_input|unicode|long|reduce)' is not defined", r"\1 is Python 2; this course runs Python 3"),
    (r"'dict' object has no attribute '(iteritems|itervalues|iterkeys|has_key)'",
     r"dict.\1 is Python 2; write items(), values(), keys() or `in`"),
    (r"No module named '(past|builtins|future|six|cPickle)",
     "This import is for code that runs on Python 2 too; take it out"),
    (r"No module named '(\w+(?:\.\w+)+)'",
     r"The file of \1 is not in the submission; submit it too, or take the import out"),
    (r"No module named '(scipy|torch|tensorflow|numba|pandas|sklearn)",
     r"\1 is not installed where grading happens; NumPy is all these functions need"),
    (r"No module named '(\w+)'",
     r"There is no module \1 where grading happens; import the package's own modules by their full names"),
    (r"EOFError", "Nobody can answer input() during grading; take it out"),
    (r"Missing parentheses in call to '(print|exec)'|multiple exception types must be parenthesized",
     "This is Python 2 code; this course runs Python 3"),
    (r"TabError|unindent does not match", "Tabs and spaces are mixed; let your editor replace all tabs by spaces"),
    (r"BdbQuit", "A debugger call was left in; take out pdb.set_trace() or breakpoint()"),
    (r"'float' object cannot be interpreted as an integer|slice indices must be integers"
     r"|Cannot cast array data from dtype\('float64'\) to dtype\('int64'\)",
     "In Python 3 `/` gives a float; use // where a whole number is needed, as in sizes and indices"),
    (r"assignment destination is read-only", "The array may not be written to; work on a copy: x = x.copy()"),
]  # fmt: skip


def find_advice(kind: str, message: str, more: Sequence[tuple[str, str]] = ()) -> str:
    """Return one sentence of advice for an exception that a student's code raised, or ''.

    - more: (regular expression, advice) for this assignment's code; these are tried first
    """
    for pattern, advice in (*more, *_KNOWN):
        match = re.search(pattern, f"{kind}: {message}")
        if match:
            return match.expand(advice)
    return ""
