"""Decode and parse a student's Python file, and explain why it cannot be decoded or parsed."""

import ast
import codecs
import re
import tokenize
import warnings
from io import BytesIO

# Encodings that common editors write. Some other codecs of Python take time quadratic in the length of a text.
ENCODINGS = {"utf-8", "utf-8-sig", "ascii", "iso8859-1", "iso8859-15", "cp1252", "gbk", "gb18030", "big5", "euc_jp"}
ENCODINGS |= {"shift_jis", "euc_kr", "koi8-r", "cp1251", "cp949", "mac-roman"}


def find_source_problem(data: bytes, path: str) -> str:
    """Return the reason why a Python file cannot be imported, with the next step, or '' if it parses."""
    if data.lstrip().startswith(b"{") and b'"cells"' in data:  # a notebook may even parse as Python
        return f"{path} is a notebook with the name of a module. Put the module there, and submit it again."
    try:
        parse_source(decode_source(data))
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        reason = "this is Python 2 code; this course runs Python 3" if _is_python_2(data) else error.msg
        return f"{path}{line}: {reason}. Nothing in this file can be graded until it parses."
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        return f"{path}: cannot be decoded as text ({error}). Save it as UTF-8."
    except (RecursionError, MemoryError):
        return f"{path}: the code is nested too deeply for Python's parser. Write it with fewer levels."
    return ""


def convert_to_utf8(data: bytes) -> bytes:
    """Return a text with the byte order mark of UTF-16 as UTF-8, and any other data unchanged."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not data.startswith(codecs.BOM_UTF32_LE)
    try:
        return data.decode("utf-16").encode() if marked else data
    except UnicodeError:
        return data


def decode_source(data: bytes) -> str:
    """Return the text of a Python file, decoded as Python does.

    Raises SyntaxError, ValueError, or LookupError for an encoding that is not in ENCODINGS.
    """
    encoding, _ = tokenize.detect_encoding(BytesIO(data).readline)
    if codecs.lookup(encoding).name not in ENCODINGS:
        raise LookupError(f"unusual encoding {encoding}")
    return data.decode(encoding)


def parse_source(text: str) -> ast.Module:
    """Return the syntax tree of a student's code; raises the errors of ast.parse, also MemoryError and RecursionError.

    Line ends count as in Python's importer, and warnings of the compiler are not printed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text.replace("\r\n", "\n").replace("\r", "\n"))


def is_same_code(one: str, other: str) -> bool:
    """Return whether two texts are the same code, apart from comments, docstrings, annotations and layout."""
    if one == other:
        return True
    try:
        return _dump_without_notes(one) == _dump_without_notes(other)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _dump_without_notes(text: str) -> str:
    tree = parse_source(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return ast.dump(tree)


def _is_python_2(data: bytes) -> bool:
    pattern = rb"^[ \t]*print[ \t]+[^(=\s]|except[ \t]+\w+[ \t]*,[ \t]*\w+[ \t]*:|^[ \t]*exec[ \t]+['\"]"
    return re.search(pattern, data, re.MULTILINE) is not None
