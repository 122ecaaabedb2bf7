"""The kinds of files that are read from a submission, and the limits of their size, number and names."""

import os
from pathlib import PurePosixPath

MAX_FILES, MAX_FILE, MAX_TOTAL = 500, 32 << 20, 80 << 20  # files; bytes of one file and of all files
# The judge itself parses every module, and a syntax tree needs five hundred times the memory of its text.
MAX_SOURCE = 256 << 10
MAX_NAME, MAX_DEPTH = 100, 20  # bytes of a name; folders in a path
KINDS = (".py", ".ipynb", ".npz")  # code, notebooks, saved models
IGNORED_FOLDERS = {"__MACOSX", "__pycache__", ".ipynb_checkpoints", ".git", "datasets", "build"}


def find_limit_problem(path: str, size: int, files: int, total: int) -> str:
    """Return the reason why a file must not be read, or ''.

    - size: the bytes of the file
    - files, total: the number of files read so far, and their bytes
    """
    parts, limit = PurePosixPath(path).parts, min(MAX_FILE, MAX_SOURCE) if path.endswith(".py") else MAX_FILE
    if size > limit:
        advice = " Clear the notebook's outputs, save it, and submit it again." if path.endswith(".ipynb") else ""
        bound = f"{limit >> 20} MB" if limit >> 20 else f"{limit >> 10} KB"
        return f"one such file may have {bound}.{advice}"
    if total + size > MAX_TOTAL:
        return f"all files together may have {MAX_TOTAL >> 20} MB. Submit only the files of the assignment."
    if files >= MAX_FILES:
        return f"a submission may have {MAX_FILES} files. Submit only the files of the assignment."
    if len(parts) > MAX_DEPTH or any(len(os.fsencode(part)) > MAX_NAME for part in parts):
        return f"a name may have {MAX_NAME} bytes, and a path {MAX_DEPTH} folders. Use shorter names and fewer folders."
    if any(parent.suffix in KINDS for parent in PurePosixPath(path).parents):
        return "it is in a folder with the name of a file. Move it out, and remove the folder."
    return ""
