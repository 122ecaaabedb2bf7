"""Attacks on what a student must not see. Each secret place of the grader's world holds a token of its own."""

from .attack import Attack

_LINES_WITH = """
for path, text in files(".ipynb", ".py"):
    if "/ada" not in path:
        tell(*(line for line in text.split("\\n") if "{token}" in line))
"""
ATTACKS = [
    Attack("Theft", "a file in the home directory", 'for _, text in files("private.txt"):\n    tell(text)'),
    Attack(
        "Theft",
        "a classmate's hand-in",
        'for path, text in files(".ipynb", ".py"):\n    if "/ada" in path:\n        tell(text)',
    ),
    Attack(
        "Theft",
        "the gradebook (SQLite)",
        """
import sqlite3

for path, _ in files(".db"):
    base = sqlite3.connect("file:" + path + "?mode=ro", uri=True)
    for (table,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        tell(path, table, base.execute(f"SELECT * FROM {table}").fetchall())
""",
    ),
    Attack("Theft", "a secret in the environment", 'tell(os.environ.get("GRADER_SECRET"))'),
    Attack(
        "Theft",
        "the environment of other processes (/proc)",
        """
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) != os.getpid():
        try:
            tell(open(f"/proc/{name}/environ", errors="replace").read())
        except OSError:
            pass
""",
    ),
    Attack(
        "Theft",
        "the hidden tests",
        _LINES_WITH.format(token="tests-token"),
    ),
    Attack(
        "Theft",
        "the solution",
        _LINES_WITH.format(token="solution-token"),
    ),
    Attack(
        "Theft",
        "a connection to a listener on this machine (TCP)",
        """
import socket


def call():
    with socket.create_connection(("127.0.0.1", 47111), timeout=2) as line:
        line.sendall(b"hello")


try_all(call)
""",
    ),
    Attack(
        "Theft",
        "a connection to a listener on this machine (abstract socket)",
        """
import socket


def call():
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(2)
        line.connect("\\0attacks-listener")
        line.sendall(b"hello")


try_all(call)
""",
    ),
]
