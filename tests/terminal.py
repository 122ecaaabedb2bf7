"""A pseudo-terminal: the output of a command on a terminal, with colours and cursor movements."""

import json
import os
import pty
import re
import subprocess
import sys
import unicodedata

# What rich itself sends: colours, the cursor hidden and shown, a line up, a line cleared.
OURS = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|1A|2K)")


# Runs commands of the kit one after another, since each process would load nbgrader again.
_ONE_BY_ONE = """
import json, sys
from autograder import cli
for command in json.loads(sys.argv[1]):
    sys.argv, code = ["autograder", *command], 0
    try:
        cli.main()
    except SystemExit as stopped:
        code = stopped.code or 0
    print(f"exit code {code}", flush=True)
"""


def commands_on_a_terminal(*commands):
    """Run commands of the kit on one pseudo-terminal; return the lines of plain(), and "exit code N" after each."""
    texts = json.dumps([[str(argument) for argument in command] for command in commands])
    code, sent = on_a_terminal(sys.executable, "-c", _ONE_BY_ONE, texts)
    assert code == 0, sent
    return plain(sent)


def on_a_terminal(*command, cwd=None):
    """Run a command on a new pseudo-terminal; return (exit code, output)."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "50"}
    process = subprocess.Popen(
        list(map(str, command)), stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd, env=environment
    )
    os.close(theirs)
    sent = bytearray()
    try:
        while data := os.read(ours, 1 << 16):
            sent += data
    except OSError:  # the other end is closed: the command is done
        pass
    finally:
        os.close(ours)
    return process.wait(), sent.decode(errors="surrogateescape")


def plain(sent):
    """Return the lines that a terminal shows for an output; raise AssertionError for unknown control characters."""
    text = OURS.sub("", sent).replace("\r\n", "\n").replace("\r", "\n")
    odd = {character for character in text if unicodedata.category(character) in ("Cc", "Cf", "Cs")} - {"\n"}
    assert not odd, f"{odd!a} in {text!a}"
    return text.split("\n")
