"""Attacks on the score by code: every answer is wrong, and tries to get points."""

from .attack import Attack

PATCHED = """
def yes(*arguments, **options):
    return True


for name in ("allclose", "isclose", "array_equal", "all"):
    setattr(np, name, yes)
for name in ("assert_allclose", "assert_array_equal", "assert_array_almost_equal", "assert_equal"):
    setattr(np.testing, name, yes)
"""

ATTACKS = [
    Attack("Forgery", "comparisons of NumPy patched to say yes", PATCHED),
    Attack(
        "Forgery",
        "NumPy patched so that the right answer comes out as the wrong one",
        "np.maximum = lambda a, b: np.zeros_like(a + b)",
    ),
    Attack(
        "Forgery",
        "assert statements removed by an IPython AST transformer",
        """
import ast


class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)


try_all(lambda: get_ipython().ast_transformers.append(NoAsserts()))
""",
    ),
    Attack(
        "Forgery",
        "exceptions swallowed by an IPython handler",
        "try_all(lambda: get_ipython().set_custom_exc((Exception,), lambda *about, **more: None))",
    ),
    Attack(
        "Forgery",
        "the grading library patched in its own process",
        """
def otter():
    from otter.test_files import ok_test

    ok_test.run_doctest = lambda *arguments: (True, "")


def doctests():
    import doctest

    doctest.DocTestRunner.run = lambda self, *arguments, **options: doctest.TestResults(0, 1)


def worker():
    frames = sys.modules["worker.frames"]
    frames.pack = lambda header, arrays: b"A2" + bytes(8)


try_all(otter, doctests, worker)
""",
    ),
    Attack(
        "Forgery",
        "array class that claims to equal anything",
        """
class Equal(np.ndarray):
    def __eq__(self, other):
        return True

    def __array_function__(self, function, types, arguments, options):
        return True

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return True


def relu_forward(x):
    return np.zeros_like(x).view(Equal), x


def relu_backward(dout, cache):
    return np.zeros_like(dout).view(Equal)


def affine_forward(x, w, b):
    return np.zeros((len(x), len(b))).view(Equal), (x, w, b)
""",
    ),
    Attack(
        "Forgery",
        "expected values taken from the caller's frames",
        """
def taken():
    frame = sys._getframe(1)
    while frame:
        for names in (frame.f_locals, frame.f_globals):
            if "expected" in names:
                return names["expected"]
        frame = frame.f_back
    return np.zeros(1)


def relu_forward(x):
    return taken(), x


def relu_backward(dout, cache):
    return taken()


def affine_forward(x, w, b):
    return taken(), (x, w, b)
""",
    ),
    Attack(
        "Forgery",
        "expected values found through the garbage collector",
        """
import gc


def found(shape):
    for thing in gc.get_objects():
        if type(thing) is dict and "expected" in thing and np.shape(thing["expected"]) == shape:
            return thing["expected"]
    return np.zeros(shape)


def relu_forward(x):
    return found(x.shape), x


def relu_backward(dout, cache):
    return found(dout.shape)


def affine_forward(x, w, b):
    return found((len(x), len(b))), (x, w, b)
""",
    ),
    Attack(
        "Forgery",
        "the solution read from disk and handed in as it runs",
        """
import json
import re


def texts():
    for path, text in files(".ipynb", ".py"):
        if "/submitted/" in path:
            continue
        try:
            yield from ("".join(cell["source"]) for cell in json.loads(text)["cells"])
        except (ValueError, KeyError, TypeError):
            yield text


for text in texts():
    if "BEGIN SOLUTION" in text and "def tell(" not in text:
        for name in ("relu_forward", "relu_backward", "affine_forward"):
            for function in re.findall(rf"^def {name}\\(.*?(?=^\\S)", text + "\\nx", re.M | re.S):
                try_all(lambda: exec(function, globals()))
""",
    ),
    Attack(
        "Forgery",
        "a report with all points printed",
        """
import json

print(json.dumps({"score": 8, "max_score": 8, "tests": [{"score": 8, "max_score": 8}]}))
print("8.0")
8.0
""",
    ),
    Attack(
        "Forgery",
        "a report printed as the process ends (atexit)",
        'import atexit\n\natexit.register(os.write, 1, b\'{"score": 8, "max_score": 8}\')',
    ),
    Attack(
        "Forgery",
        "points shown as a result after every cell",
        """
def show(*about):
    from IPython.core.displayhook import DisplayHook

    get_ipython().displayhook(3.0)


try_all(lambda: get_ipython().events.register("post_run_cell", show))
""",
    ),
    Attack("Forgery", "process ended with status 0 (os._exit)", "def relu_forward(x):\n    os._exit(0)"),
    Attack("Forgery", "process ended with sys.exit", "def relu_forward(x):\n    sys.exit(0)"),
    Attack(
        "Forgery",
        "a thread that writes into every open descriptor",
        """
import threading


def write():
    until = time.monotonic() + 5
    while time.monotonic() < until:
        for descriptor in range(3, 40):
            try:
                os.write(descriptor, b"A2" + bytes(8) + b'{"score": 8}')
            except OSError:
                pass
        time.sleep(0.01)


def relu_forward(x):
    threading.Thread(target=write, daemon=True).start()
    return np.zeros_like(x), x
""",
    ),
]
