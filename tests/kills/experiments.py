"""The experiments: each has a command to kill, the most important moments, and conditions that must hold afterwards.

Each experiment makes its course once, and copies it for every trial.
"""

import shutil
import time

from autograder.course.course import Course
from autograder.intake.collect import collect
from autograder.intake.reading import read_submission
from autograder.release.publish import publish
from tests.kills import state
from tests.kills.course import CLASS, change_sources, make_class, make_sources, write_download
from tests.kills.running import Run, alive


class Broken(AssertionError):
    """Something is lost, left over or incomplete after a kill."""


class Experiment:
    """A command in a course below `folder`; subclasses give the command and its conditions."""

    def __init__(self, folder):
        self.folder, self.temporary = folder, folder / "tmp"
        self.temporary.mkdir(parents=True)
        self.template = self.make(folder / "template")
        self.number = 0
        undisturbed = self.fresh()
        self.wanted_before = self.look(undisturbed)
        started = time.monotonic()
        self.to_the_end(undisturbed)
        self.seconds = time.monotonic() - started
        self.wanted = self.look(undisturbed)
        self.forget(undisturbed)

    def fresh(self):
        """Return a copy of the course in which the command has not run."""
        self.number += 1
        folder = self.folder / f"course-{self.number}"
        shutil.copytree(self.template.root, folder, symlinks=True)
        return Course(folder)

    def forget(self, course):
        shutil.rmtree(course.root)

    def start(self, course, *more):
        return Run([*self.arguments(course), "--course", course.root, *more], self.temporary, self.folder / "said.txt")

    def to_the_end(self, course):
        """Run the command undisturbed."""
        code = self.start(course).finish()
        if code:
            raise Broken(f"exit code {code}: {(self.folder / 'said.txt').read_text()[-2000:]}")

    def check(self, course):
        """Run the command again; raise Broken if it does not end as an undisturbed run, or if anything is left over."""
        self.expect_nobody(course)
        self.check_before_resuming(course)
        self.to_the_end(course)
        found = self.look(course)
        if found != self.wanted:
            raise Broken(f"not as after an undisturbed run: {state.difference(found, self.wanted)}")
        left = [path.name for path in self.temporary.iterdir()]
        if left:
            raise Broken(f"left in the temporary folder: {left}")

    def expect_nobody(self, course):
        """Raise Broken if a process of the killed run still exists after a while."""
        end = time.monotonic() + 120
        while lines := alive(str(course.root), str(self.temporary)):
            if time.monotonic() > end:
                raise Broken(f"still alive: {lines}")
            time.sleep(0.05)

    def check_before_resuming(self, course):
        """Raise Broken if the state just after a kill is not an allowed one."""

    def matters(self, course):
        """Return whether the run has begun to write important files."""
        return False

    def seconds_that_matter(self):
        return 0.3 * self.seconds


class Grading(Experiment):
    """`autograder grade` of a class of three."""

    make = staticmethod(make_class)
    look = staticmethod(state.graded)

    def arguments(self, course):
        return ["grade", "--jobs", "1"]

    def matters(self, course):
        return any((course.reports / student / "report.json").exists() for student in CLASS)

    def phase(self, course):
        """Return the phase that a run reached."""
        reports = {student for student in CLASS if (course.reports / student / "report.json").exists()}
        notes = {student for student in CLASS if (course.reports / student / "recorded.sha256").exists()}
        pages = (course.reports / "index.html").exists()
        if pages:
            return "all written"
        if len(notes) == len(CLASS):
            return "writing pages"
        if reports != notes:
            return "recording"
        return "judging" if (course.root / ".autograder.scratch").exists() else "starting"


class Releasing(Experiment):
    """`autograder release` of changed sources over an older release."""

    look = staticmethod(state.released)

    def make(self, folder):
        course = make_sources(folder)
        publish(course, course.manifest)
        change_sources(course)
        return Course(folder)

    def arguments(self, course):
        return ["release"]

    def matters(self, course):
        return (course.release / ".ready").exists()

    def phase(self, course):
        if (course.release / ".ready").exists():
            return "putting in place"
        if any(course.release.glob(".building-*")):
            return "building"
        return "done" if b"Reworded" in (course.release / "assignment2.zip").read_bytes() else "starting"

    def check_before_resuming(self, course):
        """There is one complete release, the old one or the new one, and the gradebook that belongs to it."""
        Run(["release", "--check", "--course", course.root], self.temporary, self.folder / "said.txt").finish()
        found = self.look(course)
        if found not in (self.wanted_before, self.wanted):
            raise Broken(
                f"neither release: {state.difference(found, self.wanted_before)} are not as before, "
                f"{state.difference(found, self.wanted)} not as after"
            )


class Collecting(Experiment):
    """`autograder collect` of a class that submits again."""

    STUDENTS = [f"s{number:03}" for number in range(60)]

    def make(self, folder):
        course = make_sources(folder)
        collect(course, [write_download(self.folder / "first", "a = 1\n", self.STUDENTS)])
        write_download(self.folder / "second", "a = 2\n", self.STUDENTS)
        return course

    def look(self, course):
        return state.files(course.root / "submitted")

    def arguments(self, course):
        return ["collect", self.folder / "second"]

    def matters(self, course):
        return any((course.root / "submitted").glob("*/.earlier"))

    def phase(self, course):
        kept = len([*(course.root / "submitted").glob("*/.earlier/*")])
        return "starting" if not kept else "done" if kept == len(self.STUDENTS) else "putting in place"

    def check_before_resuming(self, course):
        """No submission is lost: the old one is in its place or kept, or the new one is ready next to it."""
        for student in self.STUDENTS:
            top = course.root / "submitted" / student
            if not {"a = 1\n", "a = 2\n"} & {_layers(path, course) for path in top.glob("**/assignment2*")}:
                raise Broken(f"{student} has no submission")


def _layers(path, course):
    return read_submission(path, course.manifest).decode_text("cs231n/layers.py")


EXPERIMENTS = {"grade": Grading, "release": Releasing, "collect": Collecting}
