"""The release: complete, the same on every build, free of solutions, and none at all where anything is wrong."""

import contextlib
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.course.course import Course
from autograder.errors import ReleaseError
from autograder.release.build import make_zip, read_secret_lines
from autograder.release.publish import find_differences, publish
from tests.courses import configuration, copy_sources, make_small_course

pytestmark = pytest.mark.xdist_group("release")  # one process, so that what they share is made once

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def kit(tmp_path):
    """A copy of the sources as a course of its own, which a test may spoil."""
    return _make_kit(tmp_path)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A copy of the sources with its release. Tests only read it."""
    kit = _make_kit(tmp_path_factory.mktemp("published"))
    publish(kit, kit.manifest)
    return kit


@pytest.fixture
def released(published, tmp_path):
    """A copy of the sources and their release, which a test may change."""
    shutil.copytree(published.root, tmp_path, dirs_exist_ok=True)
    return Course(tmp_path)


def _make_kit(folder):
    copy_sources(folder)
    (folder / "nbgrader_config.py").write_text(configuration())
    return Course(folder)


def contents(release):
    return {p.relative_to(release).as_posix(): p.read_bytes() for p in release.rglob("*") if p.is_file()}


def test_the_committed_release_is_fresh():
    here = Course(ROOT)
    assert find_differences(here, here.manifest) == []


@pytest.mark.uncounted
def test_a_build_at_another_time_and_place_is_the_same_to_the_byte(published):
    committed, built = contents(ROOT / "release"), contents(published.release)
    assert {name: data for name, data in built.items() if committed.get(name) != data} == {}
    assert "assignment2.zip" in built


def version_of_tables(course):
    with contextlib.closing(sqlite3.connect(course.root / "gradebook.db")) as gradebook:
        return gradebook.execute("SELECT version_num FROM alembic_version").fetchall()


@pytest.mark.uncounted
def test_nbgrader_on_its_own_makes_the_same_release_and_a_gradebook_of_the_same_version(tmp_path):
    course = make_small_course(tmp_path, ("FullyConnectedNets", "Dropout"), ("adam", "dropout_forward"))
    publish(course, course.manifest)
    ours, version = contents(course.release), version_of_tables(course)
    assert {"assignment2.zip", "assignment2/cs231n/layers.py", "assignment2/Dropout.ipynb"} <= ours.keys()
    shutil.rmtree(course.release)
    (course.root / "gradebook.db").unlink()
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "assignment2"]
    subprocess.run(command, cwd=course.root, check=True, capture_output=True)
    assert contents(course.release) == ours
    assert len(version) == 1 and version_of_tables(course) == version


def test_the_archive_holds_just_what_the_folder_holds(published):
    folder = published.release / "assignment2"
    with zipfile.ZipFile(published.release / "assignment2.zip") as archive:
        packed = {name.removeprefix("assignment2/"): archive.read(name) for name in archive.namelist()}
    assert packed == contents(folder)
    assert {"cs231n/layers.py", "FullyConnectedNets.ipynb", "README.md", "requirements.txt"} <= packed.keys()
    assert {"get_datasets.sh", "make_submission.py", "setup.py", "Makefile", "questions.toml"} <= packed.keys()


def test_the_list_of_hashes_is_right(published):
    listed = dict(
        reversed(line.split("  ")) for line in (published.release / "assignment2.sha256").read_text().splitlines()
    )
    assert listed["assignment2.zip"] == hashlib.sha256((published.release / "assignment2.zip").read_bytes()).hexdigest()
    assert len(listed) == len(contents(published.release)) - 1


def test_no_solution_line_is_in_any_released_file():
    """Looked for plainly, without the scanner that the build itself uses to look."""
    here = Course(ROOT)
    secrets = read_secret_lines(here.manifest, ROOT / "source_notebooks" / "assignment2")
    assert len(secrets) > 100
    for path, data in contents(ROOT / "release" / "assignment2").items():
        text = data.decode()
        if path.endswith(".ipynb"):
            text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
        lines = {" ".join(line.split()) for line in text.splitlines()}
        assert not lines & secrets.keys(), path


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("### END SOLUTION", "### end solution", "is not a marker"),
        ("### BEGIN SOLUTION", "### BEGIN SOLUTON", "is not a marker"),
        ("    ### BEGIN SOLUTION\n", "", "without a ### BEGIN SOLUTION"),
        ("    ### END SOLUTION\n", "", "inside the region that began at line"),
    ],
)
def test_a_malformed_marker_in_the_package_stops_the_build(kit, old, new, said):
    path = kit.root / "assignment2" / "cs231n" / "layers.py"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ReleaseError, match="cs231n/layers.py, line") as stopped:
        publish(kit, kit.manifest)
    assert said in str(stopped.value)
    assert not (kit.release / "assignment2").exists() and not (kit.release / "assignment2.zip").exists()


def spoil_notebook(kit, spoil):
    path = kit.root / "source_notebooks" / "assignment2" / "FullyConnectedNets.ipynb"
    notebook = json.loads(path.read_text())
    spoil(notebook)
    path.write_text(json.dumps(notebook))


def test_a_malformed_marker_in_a_notebook_stops_the_build_with_its_cell(kit):
    spoil_notebook(kit, lambda nb: nb["cells"][3].update(source="### begin solution\nx = 1\n### end solution"))
    with pytest.raises(ReleaseError, match=r"FullyConnectedNets.ipynb, cell 4 \(data-text\), line 1"):
        publish(kit, kit.manifest)


def test_points_that_differ_from_the_manifest_stop_the_build(kit):
    def dearer(notebook):
        cell = next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == "adam")
        cell["metadata"]["nbgrader"]["points"] = 7

    spoil_notebook(kit, dearer)
    with pytest.raises(ReleaseError, match="'adam' is worth 7"):
        publish(kit, kit.manifest)


@pytest.mark.parametrize("where", ["output", "metadata", "stray file"])
def test_a_leak_by_any_other_way_stops_the_build(kit, where):
    secret = 'velocity = config["momentum"] * config["velocity"] - config["learning_rate"] * dw'
    if where == "stray file":  # nbgrader copies it as it is
        (kit.root / "source_notebooks" / "assignment2" / "notes.py").write_text(f"# {secret}\n{secret}\n")
    elif where == "metadata":
        spoil_notebook(kit, lambda nb: nb["cells"][0]["metadata"].update(note=secret))
    else:
        spoil_notebook(kit, lambda nb: nb["metadata"].update(printed=[f"text\n{secret}\nmore"]))
    with pytest.raises(ReleaseError, match="would contain solutions"):
        publish(kit, kit.manifest)
    assert not (kit.release / "assignment2").exists()


def test_a_build_that_fails_leaves_the_old_release_alone(released):
    before = contents(released.release)
    path = released.root / "assignment2" / "cs231n" / "layers.py"
    path.write_text(path.read_text() + "\n### END SOLUTION\n")
    with pytest.raises(ReleaseError):
        publish(released, released.manifest)
    assert contents(released.release) == before


def test_check_names_what_is_out_of_date(released):
    folder = released.release / "assignment2"
    (folder / "cs231n" / "layers.py").write_text("changed")
    (folder / "README.md").unlink()
    (folder / "extra.txt").write_text("x")
    said = find_differences(released, released.manifest)
    assert "assignment2/cs231n/layers.py is out of date" in said
    assert "assignment2/README.md is missing" in said and "assignment2/extra.txt does not belong there" in said


def test_a_handout_that_does_not_exist_is_named(kit):
    (kit.root / "assignment2" / "README.md").unlink()
    with pytest.raises(ReleaseError, match="README.md: no such file, but the manifest's handout"):
        publish(kit, kit.manifest)


def test_zip_bytes_depend_on_names_and_contents_alone():
    files = {"b.sh": b"2", "a.py": b"1"}
    assert make_zip("x", files) == make_zip("x", dict(reversed(files.items())))


def test_the_release_imports_alone_and_every_stub_says_so(tmp_path):
    """Unpacked where nothing of this repository is, as on a student's machine."""
    with zipfile.ZipFile(ROOT / "release" / "assignment2.zip") as archive:
        archive.extractall(tmp_path)
    code = (
        "import pkgutil, importlib, cs231n, numpy as np\n"
        "for m in pkgutil.walk_packages(cs231n.__path__, 'cs231n.'): importlib.import_module(m.name)\n"
        "from cs231n import layers, optimizers\n"
        "for f, a in ((layers.relu_forward, (np.ones(3),)), (optimizers.adam, (np.ones(3), np.ones(3)))):\n"
        "    try: f(*a)\n"
        "    except NotImplementedError: pass\n"
        "    else: raise SystemExit('no stub')\n"
        "print(cs231n.__file__)\n"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=tmp_path / "assignment2", capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert str(tmp_path) in run.stdout
