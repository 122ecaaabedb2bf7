"""Breakages of modules: small functions that break the files of a submission.

A breakage takes {path: bytes} and a random.Random, and returns the broken files. After a breakage that is registered
with `spares`, the fuzz requires that every right answer in the package still passes.
"""

from collections.abc import Callable
from dataclasses import dataclass

OWN = ("cs231n/layers.py", "cs231n/optimizers.py", "cs231n/classifiers/fc_net.py", "cs231n/classifiers/cnn.py")
ALL = {}  # {name: Breakage}; tests/fuzz/notebooks.py and names.py add their own


@dataclass(frozen=True)
class Breakage:
    """One way in which a submission breaks.

    - spares: whether a right answer in a module stays right
    - breaks: (files, random) -> the broken files
    """

    name: str
    spares: bool
    breaks: Callable


def spares(function):
    """Register a breakage after which right answers are still right."""
    return _registered(function, True)


def harms(function):
    """Register a breakage that may cost points."""
    return _registered(function, False)


def _registered(function, spared):
    ALL[function.__name__] = Breakage(function.__name__, spared, function)
    return function


def edited(files, random, suffixes, change):
    """Return the files after `change` (bytes -> bytes) of a random file whose path ends with one of `suffixes`."""
    found = [path for path in sorted(files) if path.endswith(suffixes)]
    path = random.choice(found) if found else None
    return files | {path: change(files[path])} if path else files


def _edited(files, random, change):
    return edited(files, random, OWN, change)


def _edited_text(files, random, change):
    return _edited(files, random, lambda data: change(data.decode("utf-8", "replace")).encode("utf-8", "replace"))


# Encodings, line ends and white space.


@spares
def crlf(files, random):
    return _edited(files, random, lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


@spares
def lone_cr(files, random):
    return _edited(files, random, lambda data: data.replace(b"\r\n", b"\n").replace(b"\n", b"\r"))


@spares
def bom(files, random):
    return _edited(files, random, lambda data: b"\xef\xbb\xbf" + data.removeprefix(b"\xef\xbb\xbf"))


@spares
def tabs(files, random):
    def indent(text):
        lines = text.split("\n")
        return "\n".join("\t" * ((len(t) - len(t.lstrip(" "))) // 4) + t.lstrip(" ") for t in lines)

    return _edited_text(files, random, indent)


@spares
def form_feeds(files, random):
    return _edited(files, random, lambda data: data.replace(b"\ndef ", b"\n\f\ndef "))


@spares
def long_line(files, random):
    return _edited(files, random, lambda data: data + b"\n# " + b"x" * 100_000 + b"\n")


@spares
def odd_escapes(files, random):
    return _edited(
        files,
        random,
        lambda data: (
            data
            + rb"""
PATTERN = "\d+\w"
"""
        ),
    )


@spares
def emoji_in_comment(files, random):
    return _edited_text(files, random, lambda text: f"{text}\n# 作业 é 🎉 \u202e\n")


@harms
def encoding_cookie(files, random):
    cookie = random.choice(
        ["utf-16", "utf-7", "klingon", "punycode", "rot13", "idna", "hex", "latin-1", "ascii", "cp037"]
    )
    return _edited(files, random, lambda data: f"# -*- coding: {cookie} -*-\n".encode() + data)


@harms
def utf_16(files, random):
    codec = random.choice(["utf-16", "utf-16-be", "utf-32"])
    return _edited(files, random, lambda data: data.decode("utf-8", "replace").encode(codec))


@harms
def latin_1(files, random):
    return _edited(files, random, lambda data: b"# caf\xe9\n" + data)


@harms
def null_bytes(files, random):
    def spoil(data):
        at = random.randrange(len(data) + 1)
        return data[:at] + b"\0" * random.choice([1, 1000]) + data[at:]

    return _edited(files, random, spoil)


@harms
def random_bytes(files, random):
    def spoil(data):
        at = random.randrange(len(data) + 1)
        return data[:at] + random.randbytes(8) + data[at + 8 :]

    return _edited(files, random, spoil)


# Contents.


@harms
def truncated(files, random):
    return _edited(files, random, lambda data: data[: random.randrange(len(data) + 1)])


@harms
def emptied(files, random):
    return _edited(files, random, lambda data: random.choice([b"", b"\n\n", b"#", b"\xef\xbb\xbf", b"\\"]))


@harms
def python_2(files, random):
    line = random.choice(
        ['print "done"', "exec 'x = 1'", "x = 0777", "raise ValueError, 'no'", "print `1`", "x = 1 <> 2"]
    )
    return _edited(files, random, lambda data: data + f"\n{line}\n".encode())


@harms
def merge_conflict(files, random):
    def spoil(data):
        lines = data.split(b"\n")
        at = random.randrange(len(lines))
        return b"\n".join([*lines[:at], b"<<<<<<< HEAD", b"x = 1", b"=======", b"x = 2", b">>>>>>> mine", *lines[at:]])

    return _edited(files, random, spoil)


@harms
def mixed_indentation(files, random):
    def spoil(data):
        lines = data.split(b"\n")
        at = random.randrange(len(lines))
        lines[at] = lines[at].replace(b"    ", b"\t", 1)
        return b"\n".join(lines)

    return _edited(files, random, spoil)


@harms
def lost_line(files, random):
    def spoil(data):
        lines = data.split(b"\n")
        del lines[random.randrange(len(lines))]
        return b"\n".join(lines)

    return _edited(files, random, spoil)


@harms
def unclosed(files, random):
    return _edited(
        files, random, lambda data: data + random.choice([b'\n"""', b"\nx = (", b"\nx = '", b"\nif x:", b"\nx = \\"])
    )


@harms
def deep_nesting(files, random):
    depth = random.choice([90, 150, 250, 5_000, 60_000])
    text = random.choice(
        [
            "(" * depth + "1" + ")" * depth,
            "-" * depth + "1",
            "1" + "+1" * depth,
            "[" * depth,
            "not " * depth + "1",
            "a" + ".b" * depth,
            "f" + "()" * depth,
            "lambda: " * (depth // 8) + "1",
            "'a' " * depth,
            "1" + "<1" * depth,
            "9" * depth,
        ]
    )
    return _edited(files, random, lambda data: data + f"\ndef nested():\n    return {text}\n".encode())


@harms
def deep_blocks(files, random):
    depth = random.choice([19, 21, 98, 101, 500])
    text = "".join(" " * level + "if 1:\n" for level in range(depth)) + " " * depth + "pass\n"
    return _edited(files, random, lambda data: data + b"\n" + text.encode())


@harms
def many_branches(files, random):
    text = "if 0:\n  pass\n" + "elif 0:\n  pass\n" * random.choice([500, 5_000, 14_000])
    return _edited(files, random, lambda data: data + b"\n" + text.encode())


@harms
def too_long(files, random):
    return _edited(files, random, lambda data: data + b"\n" + b"#" * (1 << random.choice([17, 18, 21])))


@harms
def notebook_as_module(files, random):
    notebooks = [data for path, data in sorted(files.items()) if path.endswith(".ipynb")]
    return _edited(files, random, lambda data: random.choice(notebooks) if notebooks else b'{"cells": []}')


@harms
def stray_code(files, random):
    line = random.choice(
        [
            "%matplotlib inline",
            "!ls",
            "import torch.nn.nope",
            "1/0",
            "exit()",
            "input()",
            "raise KeyError",
            "import cs231n.nowhere",
            "from .layer import *",
            "assert False",
            "x = y",
            "return 5",
            "def relu_forward(x): raise SystemExit",
            "del relu_forward",
            "__name__ = None",
            "b'\\xff'.decode()",
            "raise Exception('\\ud800 lone')",
            "raise Exception('x' * 10**6)",
            "print('\\x1b[2J' * 9)",
            "class relu_forward: pass",
            "relu_forward = 3",
            "await x",
            "async def f(): pass",
        ]
    )
    return _edited(files, random, lambda data: data + f"\n{line}\n".encode())
