"""What is odd about the files of a hand-in, in sentences for whoever reads the report."""

from pathlib import PurePosixPath

from autograder.intake.safe_notebook import read_notebook
from autograder.intake.source_text import about_source
from autograder.runtime.text import escape_file_name, join_words


def remarks(files, manifest, seen, noted=()):
    """Return sentences: what cannot be read, and what is not there under the name it has to have.

    - files: {path: bytes} that were taken, relative to the assignment's folder
    - seen: paths of everything that was handed in, of any kind
    - noted: what was said already, as of a file that is too large; of that file no more is said
    """
    said = []
    for path, data in sorted(files.items()):
        if path.endswith(".py"):
            said.append(about_source(data, path))
        elif path.endswith(".ipynb"):
            said.append(_about_notebook(path, data, manifest))
    modules = {question.file for question in manifest.questions if question.file.endswith(".py")}
    notebooks = {f"{question.notebook}.ipynb" for question in manifest.questions if question.cells}
    for path in sorted((modules | notebooks) - set(files)):
        alike = _alike(path, manifest, seen)
        if any(path in note for note in noted):
            continue
        # Modules may be handed in without notebooks; one of a similar name was meant to come along.
        if manifest.aliases.get(path) not in files and (alike or path in modules):
            said.append(f"{path} is not in the hand-in; its answers count as not done. {_instead(alike)}")
    return [sentence for sentence in said if sentence]


def left_out(paths, why):
    """Return the sentence about files that were not taken, the first few by name."""
    names = [escape_file_name(path) for path in paths[:3]] + [f"{len(paths) - 3} more files"] * (len(paths) > 3)
    return f"{join_words(names)} {'were' if len(paths) > 1 else 'was'} left out: {why}"


def _about_notebook(path, data, manifest):
    _, reason = read_notebook(data)
    answers = any(f"{question.notebook}.ipynb" == path and question.cells for question in manifest.questions)
    lost = "Answers in its cells count as not done; the modules" if answers else "The functions"
    return reason and f"{escape_file_name(path)} could not be read: {reason}. {lost} are graded all the same."


def _instead(alike):
    """Say what to do about a file that is not there, given what may have been meant for it."""
    found = f"There is {join_words([escape_file_name(name) for name in alike[:3]])}. " if alike else ""
    return f"{found}Give the file exactly this place and name, capitals too, and hand everything in again."


def _alike(path, manifest, seen):
    """Return what was handed in and carries this file's name with something added, or in other capitals."""
    stem = PurePosixPath(path).stem.casefold()
    others = {PurePosixPath(other).name for other in (*manifest.provided, *(q.file for q in manifest.questions))}
    others.discard(PurePosixPath(path).name)
    names = {name: PurePosixPath(name).name for name in seen}
    found = [full for full, name in names.items() if stem in name.casefold() and name not in others]
    return sorted(found, key=lambda full: (len(names[full]), len(full), full))
