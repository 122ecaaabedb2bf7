"""Staging: the files that a worker imports, the student's over the released ones."""

from pathlib import Path, PurePosixPath


def stage(submission, released, manifest, folder, modules):
    """Write what the worker imports: the released package with the student's own files laid over it.

    - released: {path: bytes} of the student release's package, every solution taken out
    - modules: {path: text} of the answers in notebook cells
    """
    package = f"{manifest.package}/"
    files = {path: data for path, data in released.items() if path.startswith(package)}
    for path, data in submission.files.items():
        provided = path in released and not manifest.is_editable(path)
        # A folder layers/ would be imported in the place of layers.py, which is what people are file_name.
        shadows = any(f"{parent}.py" in released for parent in PurePosixPath(path).parents)
        if path.startswith(package) and path.endswith(".py") and not provided and not shadows:
            files[path] = data
    for today, former in manifest.aliases.items():
        untouched = submission.files.get(today) in (None, released.get(today))
        if former in submission.files and untouched:
            files[today] = submission.files[former]
    files |= {path: text.encode("utf-8", "backslashreplace") for path, text in modules.items()}
    for path, data in files.items():
        target = Path(folder) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def own_path(submission, path, manifest, released):
    """Return which of the student's files stands for this one: itself, or its former name."""
    former = manifest.aliases.get(path)
    if former in submission.files and submission.files.get(path) in (None, released.get(path)):
        return former
    return path
