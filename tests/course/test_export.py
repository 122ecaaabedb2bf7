"""The real `nbgrader export`: hostile names neither move a column nor become a formula, and numbers stay numbers."""

import csv
import datetime
import json
import os
import subprocess
import sys

import pytest
from nbgrader.api import Gradebook

from autograder.course.export import make_harmless

NAMES = {
    "ann": ("Smith, Jr.", "Ann", "ann@example.org"),
    "=HYPERLINK(A1,A2)": ("=1+1", "+cmd|' /C calc'!A0", "@SUM(1)"),
    "ben": ('Quote "this"', "two\nlines", "\t=1+1"),
    "cleo": ("＝1+1", "x;=1+1;y", "-2+3"),
    "dan": ("-12.5", "李小龍", None),
    "dora": ("Doe", "Dora", "dora@example.org"),
    "emil": ("Lee", "小龍", None),
}


# Runs nbgrader's command line several times, since each process would load it anew.
NBGRADER = """
import json, sys
from nbgrader.apps import ExportApp, NbGraderApp
for arguments in json.loads(sys.argv[1]):
    NbGraderApp.launch_instance(arguments)
    for app in (NbGraderApp, ExportApp):
        app.clear_instance()
"""
ORDINARY = "--student=['dora', 'emil']"


@pytest.fixture(scope="module")
def exported(tmp_path_factory, make_course):
    """The folder with three exports of a course: of everybody, and of the ordinary names by us and by nbgrader itself.

    Everybody has handed in but dan and emil; ann has full points and a late penalty.
    """
    course = make_course(tmp_path_factory.mktemp("export"))
    with Gradebook(course.db_url) as gradebook:
        for student, (last, first, email) in NAMES.items():
            gradebook.add_student(student, last_name=last, first_name=first, email=email)
            if student not in ("dan", "emil"):
                gradebook.add_submission("assignment2", student, timestamp=datetime.datetime(2026, 11, 1, 12))
        for notebook in gradebook.find_submission("assignment2", "ann").notebooks:
            notebook.late_submission_penalty = 0.5
            for grade in notebook.grades:
                grade.auto_score = grade.max_score
        gradebook.db.commit()
    commands = [
        ["export", "--to=all.csv"],
        ["export", "--to=ours.csv", ORDINARY, "--assignment=['assignment2']"],
        ["export", "--to=theirs.csv", ORDINARY, "--exporter=nbgrader.plugins.CsvExportPlugin"],
    ]
    command = [sys.executable, "-c", NBGRADER, json.dumps(commands)]
    done = subprocess.run(command, cwd=course.root, env=dict(os.environ), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return course.root


@pytest.mark.xdist_group("export")
def test_every_name_stays_in_its_column_and_none_is_a_formula(exported):
    with open(exported / "all.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert [None in row or None in row.values() for row in rows] == [False] * len(NAMES)  # as many cells as columns
    found = {row["student_id"]: (row["last_name"], row["first_name"], row["email"]) for row in rows}
    assert found == {
        "ann": ("Smith, Jr.", "Ann", "ann@example.org"),
        "'=HYPERLINK(A1,A2)": ("'=1+1", "'+cmd|' /C calc'!A0", "'@SUM(1)"),
        "ben": ('Quote "this"', "two lines", "' =1+1"),
        "cleo": ("'＝1+1", "x;'=1+1;y", "'-2+3"),
        "dan": ("-12.5", "李小龍", ""),
        "dora": ("Doe", "Dora", "dora@example.org"),
        "emil": ("Lee", "小龍", ""),
    }
    (ann,) = (row for row in rows if row["student_id"] == "ann")
    assert 0 < float(ann["score"]) < float(ann["raw_score"]) == float(ann["max_score"])
    assert ann["timestamp"] == "2026-11-01 12:00:00"


@pytest.mark.xdist_group("export")
def test_for_ordinary_names_it_is_nbgraders_own_file(exported):
    ours, theirs = ((exported / name).read_text() for name in ("ours.csv", "theirs.csv"))
    assert ours == theirs and ours.count("\n") == 3


@pytest.mark.parametrize(
    "text", ["-5", "+5.5", "1e3", "-1.", "ann", "o'hara", "a-b", "x=1", "a@b.c", "Smith, Jr.", "a; b"]
)
def test_numbers_and_ordinary_text_stay(text):
    assert make_harmless(text) == text


@pytest.mark.parametrize(
    "text, said",
    [
        (" =1", "' =1"), ('"=1"', "'\"=1\""), ("\r\n=1", "' =1"), ("\x1b[31m=1", "'=1"), ("-5+1", "'-5+1"),
        ("－1", "'－1"), (3.5, "3.5"), (-1.0, "-1.0"), (None, ""),
        ("a;\t@b", "a;' @b"), ("\u202e=1", "‹U+202E›=1"), ("\x00=1", "‹U+0000›=1"),
    ],
)  # fmt: skip
def test_what_a_spreadsheet_would_run_is_text(text, said):
    assert make_harmless(text) == said
