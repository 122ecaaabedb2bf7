"""Attacks on the machine and on other people's work. All are bounded: sizes, counts and time have an end."""

from .attack import Attack

ATTACKS = [
    Attack("Harm", "a file written outside of the hand-in", 'mark("written")'),
    Attack(
        "Harm",
        "recorded grades of a classmate set to 0",
        """
import json
import sqlite3


def spoil(path):
    base = sqlite3.connect(path, timeout=2)
    base.execute("UPDATE grade SET auto_score = 0 WHERE id IN (SELECT id FROM grade)")
    base.commit()


for path, text in list(files(".db", ".json")):
    if path.endswith(".db"):
        try_all(lambda: spoil(path))
    elif "/records/ada" in path:
        try_all(lambda: open(path, "w").write(json.dumps({"score": 0, "tests": [], "questions": []})))
""",
    ),
    Attack(
        "Harm",
        "a classmate's hand-in emptied",
        """
for path, _ in list(files(".ipynb", ".py")):
    if "/submitted/zoe" in path:
        try_all(lambda: open(path, "w").close())
""",
    ),
    Attack(
        "Harm",
        "an endless loop that ignores signals",
        """
import signal

for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM, signal.SIGXCPU):
    signal.signal(number, signal.SIG_IGN)


def relu_forward(x):
    until = time.monotonic() + 300
    while time.monotonic() < until:
        pass
    return np.zeros_like(x), x
""",
    ),
    Attack(
        "Harm",
        "a child that outlives the run",
        """
def bear():
    if os.fork() == 0:
        os.setsid()
        for _ in range(360):
            mark("child")
            time.sleep(0.5)
        os._exit(0)


try_all(bear)
""",
    ),
    Attack(
        "Harm",
        "3 GB of memory",
        """
def hog():
    held = [np.ones(32 << 20) for _ in range(12)]
    mark("3 GB held")
    return held


def relu_forward(x):
    hog()
    return np.zeros_like(x), x
""",
    ),
    Attack(
        "Harm",
        "100 MB written to disk",
        """
def fill(folder):
    with open(folder + "/fill.bin", "wb") as file:
        for _ in range(100):
            file.write(bytes(1 << 20))
    mark("100 MB in " + folder.replace("/", "_"))


try_all(lambda: fill("."), lambda: fill("/tmp"), lambda: fill(ARENA + "/loot"))
""",
    ),
    Attack(
        "Harm",
        "200 MB of output",
        """
def relu_forward(x):
    for _ in range(200):
        print("x" * (1 << 20))
    return np.zeros_like(x), x
""",
        seconds=300,
    ),
    Attack(
        "Harm",
        "the parent process killed",
        "import signal\n\ntry_all(lambda: os.kill(os.getppid(), signal.SIGKILL))",
    ),
    Attack(
        "Harm",
        "a crash of the interpreter (null pointer)",
        "def relu_forward(x):\n    import ctypes\n\n    ctypes.string_at(0)",
    ),
    Attack(
        "Harm",
        "recursion without end",
        "sys.setrecursionlimit(10**9)\n\n\ndef relu_forward(x):\n    return relu_forward(x)",
        seconds=300,
    ),
]
