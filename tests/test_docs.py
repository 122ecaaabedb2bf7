"""The documentation: links, widths, commands, paths and tables are right. Every test lists all offenders at once."""

import datetime
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

import autograder
from autograder.cli import app

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 100
TOP_FOLDERS = ("assignment2", "autograder", "benchmarks", "datasets", "docs", "release", "source_notebooks", "tests")
# The README of the release is a copy of assignment2/README.md.
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(page for folder in TOP_FOLDERS if folder != "release" for page in (ROOT / folder).rglob("*.md")),
    ]
)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def where(path, number):
    return f"{path.relative_to(ROOT).as_posix()}:{number}"


def prose(text):
    """Return [(line number, line)] without code blocks, tables and the parts that a program writes."""
    found, fenced, generated, blank, indented, in_list = [], False, False, True, False, False
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("```"):
            fenced = not fenced
            continue
        if re.fullmatch(r"<!-- .+: (begin|end) -->", line):
            generated = line.endswith("begin -->")
            continue
        in_list = bool(re.match(r"\s*([-*]|\d+\.) ", line)) or (in_list and (not line.strip() or line.startswith(" ")))
        indented = line.startswith("    ") and not in_list and (blank or indented)
        blank = not line.strip()
        if not (fenced or generated or indented or line.startswith("|")):
            found.append((number, line))
    return found


def code(text):
    """Return [(line number, text)] of all code spans and all lines of code blocks."""
    kept = dict(prose(text))
    found, lines = [], text.split("\n")
    for number, line in enumerate(lines, 1):
        if number not in kept and not line.startswith("|"):
            found.append((number, line.strip()))
    # A span may go on in the next line; a table has its spans in one.
    joined = "\n".join(line if number in kept or line.startswith("|") else "" for number, line in enumerate(lines, 1))
    for span in re.finditer(r"`([^`]+)`", joined):
        words = span[1].replace(r"\|", "|")  # as a table has to write it
        found.append((joined.count("\n", 0, span.start()) + 1, " ".join(words.split())))
    return found


def anchors(text):
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path, text):
    """Return the relative links of a page that lead nowhere, each with its place."""
    found = []
    kept = "\n".join(line for _, line in prose(text)) + "\n" + "\n".join(re.findall(r"^\|.*$", text, re.M))
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", kept)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        if name and not file.exists():
            found.append(f"{path.relative_to(ROOT)}: {target}: there is no such file")
        elif anchor and anchor not in anchors(text if file == path else file.read_text(encoding="utf-8")):
            found.append(f"{path.relative_to(ROOT)}: {target}: there is no such heading")
    return found


def too_long(path, text):
    """Return the lines of prose that are too long; a URL, a link's target and a lone code span cannot be wrapped."""
    found = []
    for number, line in prose(text):
        short = re.sub(r"\]\([^)]*\)|\w+://\S+", "", line)
        lone = re.fullmatch(r"\s*(- |\d+\. )?`[^`]+`[.,:;]?", line)
        if len(short) > WIDTH and not lone:
            found.append(f"{where(path, number)}: {len(short)} columns")
    return found


def commands():
    """Return {name: the options of this command of the command line}."""
    found = typer.main.get_command(app).commands
    return {
        name: {option for parameter in one.params for option in parameter.opts} | {"--help"}
        for name, one in found.items()
    }


def wrong_commands(path, text):
    """Return the commands `autograder X` and their options that the command line does not have."""
    known, found = commands(), []
    for number, span in code(text):
        named = re.search(r"(?:^|[\s/])autograder ([a-z][\w-]*)(.*)", span)
        if not named:
            continue
        name, rest = named.groups()
        rest = re.split(r"[#;]|\s\\?\|\s|&&", rest)[0]
        if name not in known:
            found.append(f"{where(path, number)}: autograder {name}: there is no such command")
        else:
            options = re.findall(r"(?<![\w-])--[a-z][\w-]*", rest)
            found += [
                f"{where(path, number)}: autograder {name} has no option {option}"
                for option in options
                if option not in known[name]
            ]
    return found


def wrong_targets(path, text):
    """Return the commands `make X` of a page that no Makefile has; students have that of the assignment alone."""
    files = [ROOT / "assignment2" / "Makefile"]
    if path.parent != ROOT / "assignment2":
        files.append(ROOT / "Makefile")
    targets = {target for file in files for target in re.findall(r"^([a-z]+):", file.read_text(encoding="utf-8"), re.M)}
    return [
        f"{where(path, number)}: make {target}: there is no such target"
        for number, span in code(text)
        for target in re.findall(r"(?:^|[\s&])make ([a-z]+)\b", span)
        if target not in targets
    ]


def wrong_paths(path, text):
    """Return the files of this repository that a page names and that do not exist."""
    found = []
    for number, span in code(text):
        is_path = re.fullmatch(rf"({'|'.join(TOP_FOLDERS)})/[\w./-]*", span) and not re.search(r"\b[A-Z]{4,}_", span)
        if is_path and not (ROOT / span).exists():
            found.append(f"{where(path, number)}: {span}")
    return found


def offenders(look, pages=PAGES):
    return [found for path in pages for found in look(path, path.read_text(encoding="utf-8"))]


def test_every_relative_link_leads_somewhere():
    assert offenders(broken_links) == []


def test_no_line_is_too_long():
    assert offenders(too_long) == []


def test_every_command_and_option_exists():
    assert offenders(wrong_commands) == []


def test_every_target_of_make_exists():
    assert offenders(wrong_targets) == []


def is_made_later(found):
    """Return whether a path is made by a command, and so is not in a fresh checkout."""
    return re.search(r": (datasets/cifar|datasets/.*\.npz|benchmarks/results\.json)", found) is not None


def test_every_file_named_exists():
    pages = [path for path in PAGES if path.name not in ("CONTRIBUTING.md", "CHANGELOG.md")]
    assert [found for found in offenders(wrong_paths, pages) if not is_made_later(found)] == []


def test_every_file_to_change_exists():
    assert offenders(wrong_paths, [ROOT / "CONTRIBUTING.md"]) == []


def test_every_choice_of_tests_finds_a_test():
    files = " ".join(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))
    spans = code((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    chosen = [(number, shlex.split(span)[-1]) for number, span in spans if span.startswith("pytest -k ")]
    assert len(chosen) > 10
    assert [each for each in chosen if not any(word in files for word in each[1].split(" or "))] == []


def test_the_citation_is_valid_and_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= citation.keys()
    assert citation["authors"] == [{"name": "The maintainers"}]
    assert citation["version"] == autograder.__version__
    assert isinstance(citation["date-released"], datetime.date)
    assert f"## {citation['version']} ({citation['date-released']})" in (ROOT / "CHANGELOG.md").read_text()


def test_the_changelog_has_dated_versions_newest_first():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert headings[0] == "Unreleased"
    versions = [re.fullmatch(r"(\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)", heading) for heading in headings[1:]]
    assert all(versions)
    numbers = [tuple(map(int, version[1].split("."))) for version in versions]
    dates = [version[2] for version in versions]
    assert numbers == sorted(numbers, reverse=True) and dates == sorted(dates, reverse=True)
    assert versions[0][1] == autograder.__version__


def test_the_index_lists_every_decision_as_it_is():
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| \[(.+?)\]\((.+?)\) \| (.+?) \| \d{4}-\d\d-\d\d \| .+\. \|$", index, re.M)
    expected = []
    for path in DECISIONS:
        text = path.read_text(encoding="utf-8")
        title, status = re.search(r"^# (.+)$", text, re.M), re.search(r"^Status: (.+)$", text, re.M)
        expected.append((str(int(path.name[:4])), title and title[1], path.name, status and status[1]))
    assert rows == expected and len(rows) >= 15


def test_the_overview_links_to_every_page():
    overview = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [path.name for path in (ROOT / "docs").glob("*.md") if path.name != "README.md"]
    assert [name for name in pages if f"]({name})" not in overview] == []


def test_the_glossary_has_the_verdicts_of_the_report():
    def verdicts(name):
        section = (ROOT / "docs" / name).read_text(encoding="utf-8").split("## Verdicts\n")[1].split("\n## ")[0]
        return sorted(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.+?) \|", section, re.M))))

    assert verdicts("glossary.md") == verdicts("report_format.md") and len(verdicts("glossary.md")) == 10


def test_every_term_of_the_glossary_has_one_meaning():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!term|verdict \||---)(.+?) \| (.+) \|$", text, re.M)
    terms = [term for term, _ in rows]
    assert len(rows) > 50 and [term for term in terms if terms.count(term) > 1] == []
    assert [term for term, meaning in rows if not meaning.endswith(".") or ". " in meaning] == []


def test_pages_say_submission():
    avoided = re.compile(r"\bhand(ed|s|ing)?[- ]?ins?\b|\bteaching assistants?\b", re.I)
    assert [
        f"{where(path, number)}: {word[0]}"
        for path in PAGES
        for number, line in prose(path.read_text(encoding="utf-8"))
        for word in avoided.finditer(line)
    ] == []


class TestTheSearchItself:
    """Each search finds an offender that is put in front of it, and lets a right page pass."""

    PAGE = ROOT / "docs" / "made_up.md"

    @pytest.mark.parametrize(
        "look, text",
        [
            (broken_links, "See [that](nowhere.md)."),
            (broken_links, "| a | [that](nowhere.md) |"),
            (broken_links, "See [that](student.md#nothing-of-the-kind)."),
            (broken_links, "See [that](#nothing-of-the-kind)."),
            (too_long, "word " * 21),
            (too_long, "- word\n  " + "word " * 21),
            (too_long, "`code` " + "word " * 21),
            (wrong_commands, "Run `autograder launch`."),
            (wrong_commands, "Run `.venv/bin/autograder grade\n--backwards`."),
            (wrong_commands, "Text:\n\n    autograder check PATH --backwards\n"),
            (wrong_commands, "| `autograder grade [A\\|B] [--backwards]` | x |"),
            (wrong_targets, "Type `make war`."),
            (wrong_paths, "See `autograder/nowhere.py`."),
        ],
    )
    def test_finds(self, look, text):
        assert len(look(self.PAGE, text)) == 1

    @pytest.mark.parametrize(
        "look, text",
        [
            (broken_links, "See [that](student.md), [this](#here) and [more](https://example.org/x).\n\n## Here\n"),
            (broken_links, "```python\nx[0](1)\n```\n"),
            (too_long, "| " + "word " * 30 + "|"),
            (too_long, "```\n" + "word " * 30 + "\n```"),
            (too_long, "Text:\n\n    " + "word " * 30),
            (too_long, "See https://example.org/" + "x" * 100),
            (too_long, "<!-- x: begin -->\n" + "word " * 30 + "\n<!-- x: end -->"),
            (wrong_commands, "Run `autograder grade --jobs 2 | head`; the grader is `autograder`."),
            (wrong_targets, "Type `make test`; they make progress."),
            (wrong_paths, "See `autograder/cli.py`, `tests/submissions/VERDICT_NAME/case.toml` and `a/b.py`."),
        ],
    )
    def test_lets_pass(self, look, text):
        assert look(self.PAGE, text) == []
