"""Jobs that do more than judge. Processes of a pool import this module."""

import multiprocessing
import os
import signal

from autograder.grading.pool import Job
from autograder.grading.retry import RetryLater


class JobThatKillsForEve(Job):
    """A job whose process is killed when it comes to eve."""

    def run(self, alone):
        if self.submission.student == "eve" and multiprocessing.parent_process():
            os.kill(os.getpid(), signal.SIGKILL)
        return super().run(alone)


class LoggedJob(Job):
    """A job that writes to the file JUDGED_LOG when it begins and ends, and whether it was alone.

    Eve's asks for another try, alone, as one that reached a limit does, so that there are two.
    """

    def run(self, alone):
        self._log("begins", alone)
        try:
            if self.submission.student == "eve" and not alone:
                raise RetryLater
            return super().run(alone)
        finally:
            self._log("ends", alone)

    def _log(self, what, alone):
        with open(os.environ["JUDGED_LOG"], "a") as file:
            file.write(f"{what} {self.submission.student} {'alone' if alone else 'beside others'}\n")
