"""What to say about code that fails for a reason every teaching assistant knows by heart."""

import ast
import codecs
import re
import tokenize
import warnings
from io import BytesIO

# (what the exception says, what to tell the student), first match wins
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
     "An array stands where one number is needed; index it or call .item()"),
    (r"name 'xrange' is not defined", "xrange is Python 2; write range"),
    (r"name '((?:im2col|col2im)_\w+|(?:conv|max_pool)_\w+_(?:im2col|strides|reshape))'",
     r"\1 belonged to an older edition; call conv_forward_fast or max_pool_forward_fast and their backward functions, "
     "or hand the helper in under a file name of your own"),
    (r"name '(raw_input|unicode|long|reduce)' is not defined", r"\1 is Python 2; this course runs Python 3"),
    (r"'dict' object has no attribute '(iteritems|itervalues|iterkeys|has_key)'",
     r"dict.\1 is Python 2; write items(), values(), keys() or `in`"),
    (r"No module named '(past|builtins|future|six|cPickle)",
     "This import is for code that runs on Python 2 too; take it out"),
    (r"No module named '(\w+(?:\.\w+)+)'",
     r"The file of \1 is not in the submission; hand it in too, or take the import out"),
    (r"No module named '(scipy|torch|tensorflow|numba|pandas|sklearn)",
     r"\1 is not installed where grading happens; NumPy is all these functions need"),
    (r"No module named '(\w+)'",
     r"There is no module \1 where grading happens; import the package's own modules by their full names"),
    (r"EOFError", "Nobody is there to answer input(); take it out"),
    (r"Missing parentheses in call to '(print|exec)'|multiple exception types must be parenthesized",
     "This is Python 2 code; this course runs Python 3"),
    (r"TabError|unindent does not match", "Tabs and spaces are mixed; let your editor turn all tabs into spaces"),
    (r"BdbQuit", "A debugger call was left in; take out pdb.set_trace() or breakpoint()"),
    (r"'float' object cannot be interpreted as an integer|slice indices must be integers"
     r"|Cannot cast array data from dtype\('float64'\) to dtype\('int64'\)",
     "In Python 3 `/` gives a float; use // where a whole number is needed, as in sizes and indices"),
    (r"assignment destination is read-only", "The array may not be written to; work on a copy: x = x.copy()"),
]  # fmt: skip


# Encodings that people's editors write.
ENCODINGS = {"utf-8", "utf-8-sig", "ascii", "iso8859-1", "iso8859-15", "cp1252", "gbk", "gb18030", "big5", "euc_jp"}
ENCODINGS |= {"shift_jis", "euc_kr", "koi8-r", "cp1251", "cp949", "mac-roman"}


def about_exception(kind, message):
    """Return one sentence of advice for an exception a student's code raised, or ''."""
    for pattern, advice in _KNOWN:
        match = re.search(pattern, f"{kind}: {message}")
        if match:
            return match.expand(advice)
    return ""


def about_source(data, path):
    """Return what keeps a Python file (bytes) from being imported at all, or '' where it parses."""
    if data.lstrip().startswith(b"{") and b'"cells"' in data:  # which may even parse
        return f"{path} is a notebook under the name of a module. Put the module itself there, and hand it in again."
    try:
        parse(decode_source(data))
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        reason = "this is Python 2 code; this course runs Python 3" if _python_2(data) else error.msg
        return f"{path}{line}: {reason}. Nothing in this file can be graded until it parses."
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        return f"{path}: not readable as text ({error}). Save it as UTF-8."
    except (RecursionError, MemoryError):
        return f"{path}: nested too deeply to be read as Python."
    return ""


def as_utf8(data):
    """Return a text that an editor or a shell saved as UTF-16, and marked so, as UTF-8; other data as it is."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not data.startswith(codecs.BOM_UTF32_LE)
    try:
        return data.decode("utf-16").encode() if marked else data
    except UnicodeError:
        return data


def decode_source(data):
    """Return a Python file's text, decoded as Python would; SyntaxError, ValueError or LookupError where it cannot be.

    Python knows codecs that take time quadratic in the length; nobody writes code in those.
    """
    encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
    if codecs.lookup(encoding).name not in ENCODINGS:
        raise LookupError(f"unusual encoding {encoding}")
    return data.decode(encoding)


def parse(text):
    """Return the syntax tree of a stranger's code; what ast.parse raises (MemoryError and RecursionError among it).

    Line ends are read as Python's importer reads them, and what the compiler warns of is not printed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text.replace("\r\n", "\n").replace("\r", "\n"))


def _python_2(data):
    said = rb"^[ \t]*print[ \t]+[^(=\s]|except[ \t]+\w+[ \t]*,[ \t]*\w+[ \t]*:|^[ \t]*exec[ \t]+['\"]"
    return re.search(said, data, re.MULTILINE) is not None
