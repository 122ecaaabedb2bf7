"""Packings of a submission on disk: a folder, or a zip as students make it."""

import io
import os
import tarfile
import warnings
import zipfile
from pathlib import Path

PACKINGS = {}  # {name: (function, whether what was right in it stays right)}


def _packing(spares):
    def register(function):
        PACKINGS[function.__name__] = function, spares
        return function

    return register


def pack(name, files, folder, random):
    """Write the files below an empty folder, with the packing of this name; return the path of the submission."""
    return PACKINGS[name][0](files, Path(folder), random)


@_packing(spares=True)
def as_folder(files, folder, random):
    top = folder / "submitted 作业"
    top.mkdir()
    for path, data in files.items():
        try:
            (top / path).parent.mkdir(parents=True, exist_ok=True)
            (top / path).write_bytes(data)
        except (OSError, ValueError):
            continue  # no file system has room for this name
    return top


@_packing(spares=True)
def as_zip(files, folder, random):
    return _written(folder / "hand in.zip", zipped(files))


@_packing(spares=True)
def as_zip_in_a_folder(files, folder, random):
    top = folder / "submitted"
    top.mkdir()
    _written(top / random.choice(["作业.zip", "assignment2.zip", "a b (1).zip"]), zipped(files))
    return top


@_packing(spares=True)
def as_windows_zip(files, folder, random):
    return _written(folder / "hand in.zip", zipped({path.replace("/", "\\"): data for path, data in files.items()}))


@_packing(spares=True)
def read_only(files, folder, random):
    top = as_folder(files, folder, random)
    for path in top.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return top


@_packing(spares=True)
def with_links_and_fifos(files, folder, random):
    top = as_folder(files, folder, random)
    os.mkfifo(top / "fifo.py")
    (top / "link.py").symlink_to("/etc/passwd")
    (top / "loop").symlink_to(top)
    return top


@_packing(spares=False)
def unreadable(files, folder, random):
    top = as_folder(files, folder, random)
    for path in top.rglob("*.py"):
        if random.random() < 0.3:
            path.chmod(0)
    return top


@_packing(spares=False)
def as_zip_in_a_zip(files, folder, random):
    return _written(folder / "hand in.zip", zipped({"inner.zip": zipped(files)}))


@_packing(spares=False)
def with_every_entry_twice(files, folder, random):
    return _written(folder / "hand in.zip", zipped(files, again={path: data[:50] for path, data in files.items()}))


@_packing(spares=False)
def damaged(files, folder, random):
    data = bytearray(zipped(files))
    for _ in range(random.choice([1, 20])):
        data[random.randrange(len(data))] = random.randrange(256)
    return _written(folder / "hand in.zip", bytes(data))


@_packing(spares=False)
def cut_off(files, folder, random):
    data = zipped(files)
    return _written(folder / "hand in.zip", data[: random.randrange(len(data))])


@_packing(spares=False)
def no_zip_at_all(files, folder, random):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        for path, data in list(files.items())[:3]:
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    other = [
        b"",
        b"Rar!\x1a\7\1\0" + bytes(99),
        b"7z\xbc\xaf\x27\x1c",
        b"<html>",
        b"PK\5\6" + bytes(18),
        tar.getvalue(),
    ]
    return _written(folder / "hand in.zip", random.choice(other))


@_packing(spares=False)
def one_file_alone(files, folder, random):
    path = random.choice(sorted(files)) if files else "empty"
    return _written(folder / (Path(path).name[:100].strip() or "x"), files.get(path, b""))


def zipped(files, again=()):
    """Return the bytes of a zip of these files.

    - again: files that are added once more, under the same names
    """
    target = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        warnings.simplefilter("ignore")  # about names that occur twice, which is intended
        for path, data in [*files.items(), *dict(again).items()]:
            archive.writestr(path, data)
    return target.getvalue()


def _written(path, data):
    path.write_bytes(data)
    return path
