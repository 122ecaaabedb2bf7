"""The cases of the fuzz: a good submission, one to three breakages and a packing, all drawn from a seed."""

import functools
from dataclasses import dataclass
from pathlib import Path
from random import Random

from autograder.assignment.manifest import read_manifest
from autograder.samples.load import load_samples
from autograder.samples.sample import Sample
from tests.fuzz import names, notebooks  # noqa: F401  they add their breakages
from tests.fuzz.breakages import ALL
from tests.fuzz.packings import PACKINGS, pack

ROOT = Path(__file__).resolve().parents[2]
RIGHT = ("reference", "half")  # the bases in which the judged questions are right


@dataclass(frozen=True)
class Case:
    """One broken submission; `seed` and `number` determine it."""

    seed: int
    number: int
    base: str
    breakages: tuple[str, ...]
    packing: str

    def __str__(self):
        return f"seed {self.seed}, case {self.number}: {self.base}, {' + '.join(self.breakages)}, {self.packing}"

    @property
    def stays_right(self):
        """Whether right answers in the package must still get their points."""
        spared = all(ALL[name].spares for name in self.breakages) and PACKINGS[self.packing][1]
        return spared and self.base in RIGHT

    def files(self):
        """Return the broken files as {path: bytes}."""
        files = bases()[self.base]
        for place, name in enumerate(self.breakages):
            files = ALL[name].breaks(dict(files), Random(f"{self.seed} {self.number} {place}"))
        return files

    def write(self, folder):
        """Write the submission below an empty folder and return its path."""
        return pack(self.packing, self.files(), folder, Random(f"{self.seed} {self.number} packing"))


def make_case(seed, number):
    """Return the Case of this number.

    The first breakage is the next one of ALL for each number. Half of the packings are plain.
    """
    random = Random(f"{seed} {number}")
    kinds, packings = list(ALL), list(PACKINGS)
    breakages = [kinds[number % len(kinds)], *random.sample(kinds, random.choice([0, 0, 1, 2]))]
    plain = random.random() < 0.5
    packing = random.choice(packings[:2] if plain else packings)
    base = random.choice(["reference", "reference", "half", "release"])
    return Case(seed, number, base, tuple(dict.fromkeys(breakages)), packing)


@functools.cache
def manifest():
    return read_manifest(ROOT / "assignment2")


@functools.cache
def bases():
    """Return {name: files} of good submissions, with all five notebooks and without saved models."""
    planted = load_samples()
    asked = ("affine_forward",)  # a sample with a list of questions gets no saved models
    released = {path.name: path.read_bytes() for path in (ROOT / "release" / "assignment2").glob("*.ipynb")}
    samples = {
        "reference": Sample("reference", "", questions=asked),
        "half": Sample("half", "", stubs=planted["missing_half"].stubs, questions=asked),
        "release": Sample("release", "", base="release", questions=asked),
    }
    return {name: released | sample.files(manifest()) for name, sample in samples.items()}
