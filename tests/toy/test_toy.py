"""An assignment outside this repository goes through every stage, and no file of the grader is changed for it."""

import csv
import hashlib
import json
import shutil
import zipfile

import pytest

from tests.toy.guide import ROOT

pytestmark = [pytest.mark.xdist_group("toy"), pytest.mark.uncounted]

HOSTILE = """
import glob, os

def row_shares(counts):
    seen = []
    for path in {paths!r} + glob.glob("../*") + glob.glob("../../*"):
        try:
            seen.append(open(path, errors="replace").read())
        except OSError:
            pass
    try:
        import diversity_checks
        seen.append("the pack")
    except ImportError:
        pass
    if seen:
        raise ValueError("SEEN " + repr(seen)[:200])
    raise ValueError("NOTHING SEEN")
"""


def read_report(tutorial, student):
    return json.loads((tutorial.course / "reports" / student / "report.json").read_text(encoding="utf-8"))


def read_question(tutorial, student, identifier):
    return next(each for each in read_report(tutorial, student)["questions"] if each["id"] == identifier)


def check(tutorial, path, *options, folder=None):
    """Grade one submission with the command line; return (its report, the printed text)."""
    target = tutorial.course.parent / "found.json"
    command = f"autograder check {' '.join(options)} --assignment {tutorial.course}/assignment1 --json {target} {path}"
    done = tutorial.run(command, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(target.read_text(encoding="utf-8")), done.stdout


class TestTheRelease:
    def test_has_no_solution_and_no_check(self, followed):
        tutorial, _ = followed
        with zipfile.ZipFile(tutorial.course / "release" / "assignment1.zip") as archive:
            released = {name: archive.read(name).decode() for name in archive.namelist()}
        assert sorted(released) == [
            f"assignment1/{name}"
            for name in ("Diversity.ipynb", "diversity/__init__.py", "diversity/measures.py", "questions.toml")
        ]
        assert not any("keepdims" in text or "np.log" in text or "SOLUTION" in text for text in released.values())
        assert "raise NotImplementedError()" in released["assignment1/diversity/measures.py"]

    def test_is_not_made_if_a_file_would_reveal_the_solution(self, tutorial, run_cli):
        path = tutorial.course / "assignment1" / "notes.md"
        path.write_text("Hint: totals = counts.sum(axis=1, keepdims=True)\n")
        manifest = tutorial.course / "assignment1" / "questions.toml"
        manifest.write_text(manifest.read_text().replace('["questions.toml"]', '["questions.toml", "notes.md"]'))
        code, _, said = run_cli("release", "--course", tutorial.course)
        assert code == 4 and "notes.md contains a solution line of diversity/measures.py" in said
        assert not (tutorial.course / "release" / "assignment1").exists()


class TestTheCatalogue:
    def test_that_does_not_fit_the_reference_stops_grading_with_the_file_and_the_line(self, tutorial):
        """A right submission is refused too: the fault is found before anybody is graded without a diagnosis."""
        catalogue = tutorial.course / "diversity_checks" / "misconceptions" / "row_shares.toml"
        text = catalogue.read_text()
        assert text.startswith('[lines]\ntotals = "totals = ')
        catalogue.write_text(text.replace('totals = "totals = ', 'totals = "sums = ', 1))
        done = tutorial.run("autograder check --assignment assignment1 assignment1")
        assert done.returncode == 3 and done.stdout == "" and "Traceback" not in done.stderr
        assert "row_shares.toml" in done.stderr and "totals" in done.stderr


class TestTheCourse:
    def test_has_the_points_in_the_gradebook(self, followed):
        tutorial, _ = followed
        with open(tutorial.course / "grades.csv", newline="", encoding="utf-8") as file:
            scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
        assert scores == {"ada": 10, "ben": 6, "cleo": 4}

    def test_runs_in_the_best_sandbox(self, followed):
        assert read_report(followed[0], "ben")["isolation"]["name"] == "bubblewrap"

    def test_names_a_misconception_of_its_own_catalogue(self, followed):
        found = read_question(followed[0], "ben", "row_shares")["diagnosis"]
        assert [(each["kind"], each["name"]) for each in found] == [("misconception", "columns instead of rows")]

    def test_names_a_single_edit_that_the_catalogue_does_not_have(self, followed):
        found = read_question(followed[0], "cleo", "entropy")["diagnosis"]
        assert [(each["kind"], each["name"]) for each in found] == [("edit", "sign flipped")]

    def test_gives_follow_through_credit(self, followed):
        (criterion,) = read_question(followed[0], "ben", "entropy")["criteria"]
        assert (criterion["verdict"], criterion["given"], criterion["points"]) == ("passed", ["row_shares"], 6)

    def test_shows_a_wrong_array_beside_the_right_one(self, followed):
        tutorial, _ = followed
        page = (tutorial.course / "reports" / "ben" / "index.html").read_text(encoding="utf-8")
        assert "columns instead of rows" in page and "shares, shape (3, 4)" in page and "<td" in page
        students = (tutorial.course / "reports" / "ben" / "student.html").read_text(encoding="utf-8")
        assert "as shares of the largest entry" in students and "Likely reasoning" not in students


class TestWhatIsHidden:
    @pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])
    def test_reference_pack_and_course_cannot_be_read(self, tutorial, sandbox, request):
        request.getfixturevalue(sandbox)
        (tutorial.course / "gradebook.db").write_text("points")
        paths = [str(path) for path in tutorial.course.rglob("*") if path.is_file()]
        assert len(paths) == 8
        eve = tutorial.course / "downloads" / "eve"
        (eve / "diversity").mkdir(parents=True)
        (eve / "diversity" / "measures.py").write_text(HOSTILE.format(paths=paths))
        found, _ = check(tutorial, eve, "--sandbox", sandbox)
        message = found["questions"][0]["criteria"][0]["message"]
        assert "NOTHING SEEN" in message and not (eve / "diversity_checks").exists()

    def test_the_attack_itself_works_without_a_sandbox(self, tutorial):
        (tutorial.course / "attack.py").write_text(HOSTILE.format(paths=[str(tutorial.course / "nbgrader_config.py")]))
        assert "SEEN ['" in tutorial.run("python3 -c 'import attack; attack.row_shares(0)'").stderr

    def test_code_of_the_current_folder_does_not_run_in_the_judge(self, tutorial):
        eve = tutorial.course / "downloads" / "eve"
        for name in ("diversity", "diversity_checks", "numpy"):
            (eve / name).mkdir(parents=True)
            (eve / name / "__init__.py").write_text(f"open({str(tutorial.course / 'forged')!r}, 'w')\n")
        (eve / "diversity" / "measures.py").write_text("def row_shares(counts):\n    return counts\n")
        check(tutorial, ".", folder=eve)
        assert not (tutorial.course / "forged").exists()


class TestAnAnswerInANotebook:
    """A third question, answered in a cell; beside it a second assignment in the same folder."""

    CHECK = """

@CHECKS.criterion("richness", "values")
def richness_values(trial):
    "The number of positive counts of each row is right."
    counts = trial.rng("richness").integers(0, 2, size=(3, 4))
    result = trial.call("answers.Diversity.richness:richness", counts)
    return expect_close(result, (counts > 0).sum(axis=1), "richness(counts)")
"""
    ANSWER = """import numpy as np
from diversity.measures import row_shares

def richness(counts):
    ### BEGIN SOLUTION
    kinds = (counts > 0).sum(axis=1)
    ### END SOLUTION
    return kinds"""

    @pytest.fixture
    def tutorial(self, tutorial):
        question = {"id": "richness", "title": "Kinds", "notebook": "Diversity", "cells": ["answer"], "points": 2}
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in question.items())
        shutil.copytree(tutorial.course / "assignment1", tutorial.course / "assignment3")
        shutil.copy(ROOT / "assignment2" / "make_submission.py", tutorial.course / "assignment1")
        manifest = tutorial.course / "assignment1" / "questions.toml"
        text = manifest.read_text().replace('["questions.toml"]', '["questions.toml", "make_submission.py"]')
        manifest.write_text(f"{text}\n[[question]]\n{lines}")
        with open(tutorial.course / "diversity_checks" / "__init__.py", "a") as file:
            file.write(self.CHECK)
        path = tutorial.course / "source_notebooks" / "assignment1" / "Diversity.ipynb"
        notebook = json.loads(path.read_text())
        notebook["cells"] += [
            self.cell("answer", self.ANSWER, grade=False, locked=False, solution=True),
            self.cell("richness", "richness(np.ones((1, 2)))", grade=True, locked=True, solution=False, points=2),
        ]
        path.write_text(json.dumps(notebook))
        return tutorial

    def cell(self, name, source, **marks):
        mark = {"grade_id": name, "schema_version": 3, "task": False, **marks}
        empty = {"cell_type": "code", "execution_count": None, "outputs": []}
        return empty | {"id": name, "metadata": {"nbgrader": mark}, "source": source}

    def test_is_released_as_a_stub_and_graded_as_the_kits_own_script_hands_it_in(self, tutorial, run_cli):
        """The manifest names no editable files: script and grader agree on the same default."""
        code, _, said = run_cli("release", "--course", tutorial.course)
        assert code == 3 and "found assignment1, assignment3" in said
        configuration = tutorial.course / "nbgrader_config.py"
        configuration.write_text(configuration.read_text().replace("kit=HERE", 'kit=HERE, assignment="assignment1"'))
        done = tutorial.run("autograder release")
        assert done.returncode == 0, done.stderr
        released = tutorial.course / "release" / "assignment1"
        assert check(tutorial, released)[0]["score"] == 0
        shutil.copy(tutorial.course / "source_notebooks" / "assignment1" / "Diversity.ipynb", released)
        shutil.copy(tutorial.course / "assignment1" / "diversity" / "measures.py", released / "diversity")
        done = tutorial.run("python3 make_submission.py", released)
        assert done.returncode == 0, done.stdout + done.stderr
        found, _ = check(tutorial, released / "assignment1_submission.zip")
        assert [each["points"] for each in found["questions"]] == [4, 6, 2]


class TestTheDigest:
    """A change to a file that decides a verdict makes the reports on file out of date."""

    def test_covers_the_pack_and_the_reference(self, tutorial):
        code = "from autograder.assignment.manifest import read_manifest\n"
        code += "from autograder.grading.kit import describe_kit\n"
        code += "print(describe_kit(read_manifest('assignment1'))['digest'])"
        (tutorial.course / "diversity_checks" / "table.npy").write_bytes(b"1")
        (tutorial.course / "digest.py").write_text(code)
        digests = [tutorial.run("python3 digest.py").stdout.strip()]
        paths = "diversity_checks/table.npy", "diversity_checks/__init__.py", "assignment1/diversity/measures.py"
        for path in paths:
            with open(tutorial.course / path, "ab") as file:
                file.write(b"\n# changed\n")
            digests.append(tutorial.run("python3 digest.py").stdout.strip())
        assert {len(digest) for digest in digests} == {len(hashlib.sha256().hexdigest())}
        assert len(set(digests)) == 1 + len(paths)
