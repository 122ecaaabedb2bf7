"""A class of broken submissions and two good ones in a whole course: collected, graded, recorded, shown.

All students must get a report and grades. The two good submissions must get the same as when they are graded alone.
"""

import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from nbgrader.api import Gradebook

from autograder.course.report_store import get_report_path
from autograder.grade_class import grade_class
from autograder.intake.collect import collect
from autograder.release.publish import publish
from autograder.runtime.secret import SECRET_FILE, load_secret
from tests.courses import make_small_course
from tests.fuzz.cases import bases, make_case, manifest
from tests.fuzz.depths import JUDGED
from tests.fuzz.packings import zipped

GOOD = ("ada", "zoe")
CLASS = 12  # the number of broken submissions in one class


def problems_of(cases, make_course, folder, feedback=True):
    """Grade a class of cases between two good students; return one sentence for each problem.

    - make_course: function from a new folder to a Course whose gradebook knows the cells
    - feedback: also let nbgrader make everybody's feedback pages
    """
    alone, together = make_course(folder / "alone"), make_course(folder / "class")
    load_secret(alone.root)
    shutil.copy(alone.root / SECRET_FILE, together.root)  # else they would be asked other questions
    for course in (alone, together):
        downloads = folder / f"downloads of {course.root.name}"
        downloads.mkdir()
        for student in GOOD:
            (downloads / f"{student}_assignment2.zip").write_bytes(zipped(bases()["reference"]))
        if course is together:
            strange = [f"s{place} é学" for place, _ in enumerate(cases)]
            for place, case in enumerate(cases):
                _hand_in(case, strange[place], downloads, course, by_hand=place % 2)
        collect(course, [downloads])
    expected = {graded.student: graded for graded in grade_class(alone, jobs=1)}
    done = {graded.student: graded for graded in grade_class(together, jobs=1)}
    return list(_problems(cases, strange, expected, done, alone, together, feedback))


def _hand_in(case, student, downloads, course, by_hand):
    """Write a case into the downloads, or directly into submitted/, as an instructor may do."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = case.write(Path(folder))
        target = downloads / f"{student}_assignment2{'' if path.is_dir() else '.zip'}"
        if by_hand:
            target = course.submitted(student)
            target.mkdir(parents=True)
            target = target if path.is_dir() else target / path.name
        if path.is_dir():
            shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True, ignore=_ignore_fifos)
        else:
            shutil.copyfile(path, target)


def _ignore_fifos(folder, names):
    return [name for name in names if (Path(folder) / name).is_fifo()]


def _problems(cases, strange, expected, done, alone, together, feedback):
    by_student = dict(zip(strange, cases))
    for student in GOOD:
        if _told(done[student].report) != _told(expected[student].report):
            yield f"{student}'s report is another one in this class"
        if _grades(together, student) != _grades(alone, student):
            yield f"{student}'s grades are others in this class"
        if done[student].report.score != done[student].report.max_score:
            yield f"{student} is right and has {done[student].report.score} points"
    for student, graded in done.items():
        case = by_student.get(student, "")
        if graded.problem:
            yield f"{student} has no grade: {graded.problem} [{case}]"
            continue
        pages = {"report.json": get_report_path(together, student).is_file()}
        pages |= {"index.html": any(get_report_path(together, student).parent.glob("*.html"))}
        yield from (f"{student} has no {name} [{case}]" for name, there in pages.items() if not there)
        questions = {question.id: question.points for question in graded.report.questions}
        if not questions.items() <= _grades(together, student).items():
            yield f"{student} has other grades than the report says [{case}]"
    if feedback:
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command = [sys.executable, "-m", "nbgrader", "generate_feedback", manifest().name]
        run = subprocess.run(command, cwd=together.root, env=environment, capture_output=True, text=True)
        if run.returncode:
            yield f"nbgrader generate_feedback: {run.stderr[-2000:]}"
        names = {path.name for path in (together.release / manifest().name).glob("*.ipynb")}
        for student in done:
            pages = {path.stem for path in (together.root / "feedback" / student / manifest().name).glob("*.html")}
            if pages != {Path(name).stem for name in names}:
                yield f"{student} has feedback on {sorted(pages)} only [{by_student.get(student, '')}]"


def _told(report):
    """Return a report without the parts that differ between two runs."""
    fields = dataclasses.asdict(report) | {"seconds": 0, "graded_at": ""}
    fields["questions"] = [question | {"seconds": 0} for question in fields["questions"]]
    return fields


def _grades(course, student):
    with Gradebook(course.db_url) as gradebook:
        notebooks = gradebook.find_submission(manifest().name, student).notebooks
        return {grade.name: grade.score for notebook in notebooks for grade in notebook.grades}


def grade_all(cases, seed, console):
    """Grade classes of `CLASS` cases until all cases are graded; print the problems and return the exit code."""
    broken = 0
    for first in range(0, cases, CLASS):
        drawn = [make_case(seed, number) for number in range(first, min(first + CLASS, cases))]
        with tempfile.TemporaryDirectory(prefix="fuzz-course-") as folder:
            for problem in problems_of(drawn, _made, Path(folder)):
                console.print(problem, markup=False, soft_wrap=True)
                broken += 1
        console.print(f"{first + len(drawn)} cases, {broken} problems")
    return int(broken > 0)


def _made(folder):
    """Make a course with all notebooks and only the cheap questions."""
    notebooks = {question.notebook for question in manifest().questions}
    course = make_small_course(folder, notebooks, JUDGED)
    publish(course, course.manifest)
    return course
