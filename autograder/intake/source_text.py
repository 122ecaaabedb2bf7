"""A Python file from a stranger: decoded, parsed, and explained where it cannot be."""

import ast
import codecs
import re
import tokenize
import warnings
from io import BytesIO

# Encodings that people's editors write.
ENCODINGS = {"utf-8", "utf-8-sig", "ascii", "iso8859-1", "iso8859-15", "cp1252", "gbk", "gb18030", "big5", "euc_jp"}
ENCODINGS |= {"shift_jis", "euc_kr", "koi8-r", "cp1251", "cp949", "mac-roman"}


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
