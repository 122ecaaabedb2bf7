"""What to say about code that fails for a reason every teaching assistant knows by heart."""

import ast
import re
import tokenize
from io import BytesIO

# (what the exception says, what to tell the student), first match wins
_KNOWN = [
    (r"module 'numpy' has no attribute '(int|float|bool|object|complex|long)'",
     r"np.\1 was removed from NumPy; write plain \1 (or np.float64, np.int64) instead"),
    (r"module 'numpy.lib' has no attribute 'pad'|numpy.lib.pad", "np.lib.pad was removed from NumPy; write np.pad"),
    (r"no attribute '(mat|asscalar|product|cumproduct|alltrue|sometrue|in1d|row_stack)'",
     r"np.\1 was removed from NumPy; its release notes name the successor (np.asmatrix, .item(), np.prod, np.all, ...)"),
    (r"unexpected keyword argument 'newshape'", "np.reshape no longer takes newshape=; write shape=, or just pass the shape"),
    (r"inhomogeneous shape", "rows of different lengths no longer make an array; check the sizes, or keep a plain list"),
    (r"only (length-1|0-dimensional|size-1) arrays can be converted",
     "an array stands where one number is needed; index it or call .item()"),
    (r"name 'xrange' is not defined", "xrange is Python 2; write range"),
    (r"name '(raw_input|unicode|long|reduce)' is not defined", r"\1 is Python 2; this course runs Python 3"),
    (r"'dict' object has no attribute '(iteritems|itervalues|iterkeys|has_key)'",
     r"dict.\1 is Python 2; write items(), values(), keys() or `in`"),
    (r"No module named '(past|builtins|future|six|cPickle)", "this import is for code that runs on Python 2 too; take it out"),
    (r"BdbQuit", "a debugger call was left in; take out pdb.set_trace() or breakpoint()"),
    (r"'float' object cannot be interpreted as an integer|slice indices must be integers",
     "in Python 3 `/` gives a float; use // where a whole number is needed, as in sizes and indices"),
    (r"assignment destination is read-only", "the array may not be written to; work on a copy: x = x.copy()"),
]  # fmt: skip


def about_exception(kind, message):
    """Return one sentence of advice for an exception a student's code raised, or ''."""
    for pattern, advice in _KNOWN:
        match = re.search(pattern, f"{kind}: {message}")
        if match:
            return match.expand(advice)
    return ""


def about_source(data, path):
    """Return what keeps a Python file (bytes) from being imported at all, or '' where it parses."""
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
        text = data.decode(encoding)
        ast.parse(text)
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        reason = "this is Python 2 code; this course runs Python 3" if _python_2(data) else error.msg
        return f"{path}{line}: {reason}. Nothing in this file can be graded until it parses."
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        return f"{path}: not readable as text ({error}). Save it as UTF-8."
    except (RecursionError, MemoryError):
        return f"{path}: nested too deeply to be read as Python."
    return ""


def _python_2(data):
    return (
        re.search(rb"^\s*print\s+[^(=\s]|except\s+\w+\s*,\s*\w+\s*:|^\s*exec\s+['\"]", data, re.MULTILINE) is not None
    )
