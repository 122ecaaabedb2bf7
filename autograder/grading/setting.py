"""The setting: everything that all submissions of one run share, apart from the submissions."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import autograder
from autograder.assignment.manifest import Manifest
from autograder.checking.pack import Pack, load_pack, pack_path
from autograder.runtime.paths import KIT
from autograder.runtime.secret import load_secret
from autograder.sandbox.isolation import Isolation


@dataclass(frozen=True)
class Setting:
    """How submissions are graded; make_setting makes one with the usual values.

    - hidden: all folders that the student's code must not be able to read
    - secret: integers that no student can know; images with hidden labels are drawn from them
    - seed: the seed of all hidden inputs
    """

    manifest: Manifest
    pack: Pack
    isolation: Isolation
    hidden: tuple[Path, ...]
    secret: tuple[int, ...]
    seed: int


def make_setting(
    manifest: Manifest,
    isolation: Isolation,
    *,
    hidden: Sequence[Path] = (),
    secret: tuple[int, ...] | None = None,
    seed: int | None = None,
    pack: Pack | None = None,
) -> Setting:
    """Return a Setting.

    - isolation: from sandbox.isolation.choose_isolation
    - hidden: folders that the student's code must not be able to read, in addition to the assignment and its pack
    - secret: the course's secret, from runtime.secret.load_secret; None takes the kit's own secret
    - seed: the seed of the hidden inputs; None derives it from the course's secret, or else from the kit's version
    - pack: the checks; None takes the pack that the manifest names
    """
    return Setting(
        manifest,
        pack or load_pack(manifest),
        isolation,
        list_hidden_folders(manifest, hidden),
        secret or load_secret(KIT),
        derive_seed(manifest, secret) if seed is None else seed,
    )


def derive_seed(manifest: Manifest, secret: tuple[int, ...] | None = None) -> int:
    """Return the seed of all hidden inputs; it is the same for all students of a course.

    - secret: the course's secret; without it, the kit's version and the assignment's name determine the seed
    """
    text = f"{autograder.__version__} {manifest.name} {secret or ''}".strip()
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")


def list_hidden_folders(manifest: Manifest, more: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders of an assignment and its pack, and `more`; no sandbox may make them readable."""
    pack = pack_path(manifest)
    return (manifest.root.parent, *([pack] if pack and pack.is_dir() else []), *map(Path, more))
