"""Breakages of the set of files of a submission: missing and additional files, other folders, other names."""

from tests.fuzz.breakages import OWN, edited, harms, spares


def _renamed(files, random, rename):
    """Return the files with one module at the path `rename(path)`, or without it if that is None."""
    found = [path for path in sorted(files) if path.endswith(OWN)]
    if not found:
        return files
    path = random.choice(found)
    new = rename(path)
    return {(new if old == path else old): data for old, data in files.items() if new or old != path}


@harms
def missing(files, random):
    return _renamed(files, random, lambda path: None)


@harms
def renamed(files, random):
    def rename(path):
        folder, _, name = path.rpartition("/")
        stem = name.removesuffix(".py")
        new = random.choice(
            [
                f"{stem}.py.txt",
                f"{stem}.txt",
                f"{stem} (1).py",
                f"{stem}-2.py",
                f"{stem.upper()}.PY",
                f"{stem.capitalize()}.py",
                f"{stem}.PY",
                stem,
                f"{stem}_final.py",
                f"._{name}",
                f"{name} ",
                f"{stem}.pyc",
                f"{stem}.py.py",
                f"Kopie von {name}",
                f"my{name}",
            ]
        )
        return f"{folder}/{new}"

    return _renamed(files, random, rename)


@harms
def module_is_a_folder(files, random):
    return _renamed(files, random, lambda path: f"{path}/{path.rpartition('/')[2]}")


@spares
def folder_shadows_a_module(files, random):
    top = _top(files)
    return files | {f"{top}cs231n/layers/__init__.py": b"x = 1\n", f"{top}cs231n/optimizers/sgd.py": b""}


@spares
def without_init(files, random):
    return {path: data for path, data in files.items() if not path.endswith("__init__.py")}


@spares
def provided_files_spoiled(files, random):
    provided = ("__init__.py", "solver.py", "gradient_check.py", "data_utils.py", "fast_layers.py")
    return edited(files, random, provided, lambda data: random.choice([b"", b"1/0", b"\xff\0", data[:100]]))


@harms
def package_renamed(files, random):
    name = random.choice(["CS231n", "cs231N", "cs231n ", "src", "cs231n_final", "cs231n.py"])
    return {path.replace("cs231n/", f"{name}/", 1): data for path, data in files.items()}


@harms
def package_flattened(files, random):
    return {path.rpartition("/")[2]: data for path, data in files.items()}


@harms
def package_missing(files, random):
    return {path: data for path, data in files.items() if not path.endswith(".py")}


@harms
def nothing_left(files, random):
    return random.choice([{}, {"readme.txt": b"I was ill."}, {"homework.pdf": b"%PDF-1.4"}, {"cs231n/x.txt": b""}])


@spares
def deeper(files, random):
    tops = ["assignment2/", "assignment2/assignment2/", "Ada Lovelace/", "作业二 (最终版)/", "a/b/c/d/", "🎓/hw 2/"]
    return _below(
        files, random.choice([*tops, "e\u0301tude/", "cs231n-master/", "new folder (2)/assignment2/", ".hidden/"])
    )


@spares
def mac_leftovers(files, random):
    ghosts = {}
    for path in files:
        folder, _, name = path.rpartition("/")
        ghosts[f"__MACOSX/{folder}/._{name}".replace("//", "/")] = b"\0\5\26\7"
        ghosts[f"{folder}/._{name}".lstrip("/")] = b"\0\5\26\7"
    return files | ghosts | {".DS_Store": b"\0", "cs231n/.DS_Store": b"\0"}


@spares
def odd_names(files, random):
    odd = [
        "学生 作业.py",
        "🎉.py",
        "e\u0301.py",
        "a b.py",
        "'.py",
        "-rf.py",
        "con.py",
        "$(x).py",
        "a\nb.py",
        "x" * 90 + ".py",
    ]
    name = random.choice(odd)
    return files | {f"{_top(files)}cs231n/{name}": random.choice([b"", b"x = 1\n", b"def broken(:", b"\0"])}


@spares
def caches(files, random):
    top = _top(files)
    return files | {
        f"{top}cs231n/__pycache__/layers.cpython-311.pyc": b"\xa7\r\r\n" + random.randbytes(40),
        f"{top}.ipynb_checkpoints/Dropout-checkpoint.ipynb": b"{",
        f"{top}.git/index": b"DIRC",
        f"{top}cs231n/layers.py~": b"old",
        f"{top}cs231n/.#layers.py": b"lock",
    }


@spares
def many_files(files, random):
    """Many files, such as those of a virtual environment or of another course."""
    folder = random.choice([".venv/lib", "aaa", "cs231n/aaa", "zzz"])
    return {f"{_top(files)}{folder}/m{number}.py": b"" for number in range(random.choice([100, 600, 3_000]))} | files


@spares
def large_files(files, random):
    """Large models and notebooks next to the package, far more than the grader reads."""
    top, size = _top(files), random.choice([1, 20, 33]) << 20
    large = {f"{top}{name}": bytes(size) for name in ("a.npz", "b.npz", "A.ipynb", "zz.npz", "c/d.npz")}
    return large | files


@spares
def second_package(files, random):
    return files | {"zz/old/backup/cs231n/layers.py": random.choice([b"x = 1\n", b"def f(:", b""])}


@spares
def deep_folders(files, random):
    return files | {"/".join(["d"] * random.choice([15, 30, 100])) + "/x.py": b"x = 1\n"}


def _below(files, top):
    return {top + path: data for path, data in files.items()}


def _top(files):
    """Return the folder that contains the package, with a slash at the end."""
    for path in sorted(files):
        if path.endswith("cs231n/layers.py"):
            return path.removesuffix("cs231n/layers.py")
    return ""
