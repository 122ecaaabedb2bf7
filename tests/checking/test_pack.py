"""The pack: its defaults, where it is found, and the faults of a manifest that names it."""

import io
import json
import sys

import numpy as np
import pytest

from autograder.assignment.manifest import read_manifest
from autograder.checking.pack import MOST_ENTRIES, Pack, load_pack, make_answers_for, pack_path
from autograder.checking.picture import plain_picture, plain_table
from autograder.errors import KitError
from autograder.grading.setting import list_hidden_folders
from autograder.report.redact import _scale
from autograder.sandbox.worker import frames
from autograder.sandbox.worker.values import encode

MANIFEST = """
[assignment]
name = "homework"
package = "{package}"
pack = "{pack}"

[[question]]
id = "first"
title = "First"
notebook = "One"
file = "{package}/a.py"
points = 3
"""
EMPTY = "from autograder.checking.pack import Pack\nPACK = Pack({})\n"
FULL = "from autograder.checking.pack import Pack\nPACK = Pack({'first': ['a criterion']})\n"


@pytest.fixture
def manifest_of(tmp_path, monkeypatch):
    """A function that writes a manifest and reads it; what importing a pack changes is undone."""
    monkeypatch.setattr(sys, "path", [*sys.path])

    def write(pack, package="pkg_of_test"):
        root = tmp_path / "course" / "homework"
        root.mkdir(parents=True)
        (root / "questions.toml").write_text(MANIFEST.format(pack=pack, package=package))
        return read_manifest(root)

    return write


class TestAManifestWithoutLists:
    def test_lets_students_write_every_module_of_the_package(self, manifest_of):
        manifest = manifest_of("x")
        assert manifest.is_editable("pkg_of_test/a.py") and not manifest.is_editable("pkg_of_test/__init__.py")
        assert (manifest.handout, manifest.course) == ((), "pkg_of_test")
        assert manifest.questions[0].limits.cpu_seconds == 5

    @pytest.mark.parametrize("names", [{"pack": "json"}, {"pack": "x", "package": "code"}, {"pack": "answers"}])
    def test_may_not_take_the_name_of_a_module_that_exists(self, manifest_of, names):
        with pytest.raises(KitError, match="is the name of another module; choose another name"):
            manifest_of(**names)


class TestLoading:
    def test_a_folder_beside_the_assignment(self, manifest_of):
        manifest = manifest_of("pack_in_folder")
        folder = manifest.root.parent / "pack_in_folder"
        folder.mkdir()
        (folder / "__init__.py").write_text(FULL)
        assert load_pack(manifest).criteria == {"first": ["a criterion"]}
        assert pack_path(manifest) == folder

    def test_one_file_beside_the_assignment(self, manifest_of):
        manifest = manifest_of("pack_in_file")
        (manifest.root.parent / "pack_in_file.py").write_text(FULL)
        assert load_pack(manifest).criteria and pack_path(manifest).name == "pack_in_file.py"

    def test_names_a_question_without_criteria(self, manifest_of):
        manifest = manifest_of("pack_that_is_empty")
        (manifest.root.parent / "pack_that_is_empty.py").write_text(EMPTY)
        with pytest.raises(KitError, match="no criterion for first"):
            load_pack(manifest)

    def test_says_that_there_is_no_such_module(self, manifest_of):
        with pytest.raises(KitError, match="pack = 'pack_of_nobody' is not a module with a PACK"):
            load_pack(manifest_of("pack_of_nobody"))

    def test_refuses_another_module_of_that_name(self, manifest_of, tmp_path, monkeypatch):
        """The current folder may be a submission that has a module of the pack's name."""
        manifest = manifest_of("pack_twice")
        for folder in (tmp_path / "submission", manifest.root.parent):
            folder.mkdir(exist_ok=True)
            (folder / "pack_twice.py").write_text(FULL)
        monkeypatch.syspath_prepend(str(tmp_path / "submission"))
        with pytest.raises(KitError, match="pack_twice: Python has another module of this name"):
            load_pack(manifest)

    def test_hides_the_folder_of_a_pack_that_is_installed_elsewhere(self, manifest_of, tmp_path, monkeypatch):
        manifest = manifest_of("pack_elsewhere")
        folder = tmp_path / "installed" / "pack_elsewhere"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(FULL)
        monkeypatch.syspath_prepend(str(folder.parent))
        assert load_pack(manifest).criteria
        assert list_hidden_folders(manifest, [tmp_path / "more"]) == (manifest.root.parent, folder, tmp_path / "more")

    def test_refuses_one_file_elsewhere_because_it_cannot_be_hidden(self, manifest_of, tmp_path, monkeypatch):
        manifest = manifest_of("pack_file_elsewhere")
        (tmp_path / "installed").mkdir()
        (tmp_path / "installed" / "pack_file_elsewhere.py").write_text(FULL)
        monkeypatch.syspath_prepend(str(tmp_path / "installed"))
        with pytest.raises(KitError, match="could read this file. Make the pack a folder"):
            load_pack(manifest)


class TestMakeAnswersFor:
    ANSWERS_FOR = staticmethod(
        make_answers_for({"first": ("pkg.a:first", np.cumsum), "second": ("pkg.a:second", np.sum)})
    )

    def reply(self, question, *args):
        answers, _ = self.ANSWERS_FOR("last", [question], {})
        tensors = {}
        header = {"ask": f"pkg.a:{question}", "args": [encode(value, tensors) for value in args], "kwargs": {}}
        return frames.read(io.BytesIO(answers.reply(header, tensors)).read)

    def test_answers_only_for_what_is_unmet_and_known(self):
        answers, names = self.ANSWERS_FOR("last", ["first", "other"], {})
        assert names == ["first"] and answers.names == ["pkg.a:first"]

    def test_gives_what_the_right_version_returns(self):
        _, tensors = self.reply("first", np.array([1.0, 2.0, 3.0]))
        assert [array.tolist() for array in tensors.values()] == [[1, 3, 6]]

    def test_refuses_large_arrays(self):
        header, _ = self.reply("second", np.zeros(MOST_ENTRIES), np.zeros(1))
        assert "more than 1000000 entries" in header["raised"]


class TestThePlainPicture:
    def picture(self, shape, worst):
        expected = np.arange(np.prod(shape), dtype=float).reshape(shape)
        actual, wrong = expected.copy(), np.zeros(shape, dtype=bool)
        actual[worst], wrong[worst] = np.nan, True
        return plain_picture(expected, actual, wrong, worst, "out", ("expected", "yours"))

    @pytest.mark.parametrize(
        "shape, worst, rows, columns, first",
        [
            ((), (), 1, 1, []),
            ((5,), (2,), 1, 5, [0]),
            ((40,), (39,), 1, 12, [28]),
            ((3, 4), (1, 2), 3, 4, [0, 0]),
            ((2, 3, 40, 30), (1, 2, 20, 0), 12, 12, [1, 2, 14, 0]),
        ],
    )
    def test_shows_the_part_around_the_worst_entry(self, shape, worst, rows, columns, first):
        picture = self.picture(shape, worst)
        assert (len(picture["ours"]), len(picture["ours"][0]), picture["first"]) == (rows, columns, first)
        assert sum(map(sum, picture["wrong"])) == 1
        assert sum(row.count(None) for row in picture["theirs"]) == 1
        assert json.loads(json.dumps(picture)) == picture

    def test_is_shown_as_escaped_html_and_can_be_scaled_for_students(self):
        picture = _scale(self.picture((3, 4), (1, 2)) | {"labels": ["<b>", "yours"], "caption": "a < b"})
        page = plain_table(picture)
        assert "&lt;b&gt;" in page and "a &lt; b" in page and "<b>" not in page
        assert page.count("<td") == 24 and page.count('font-weight:600">not finite') == 1

    def test_is_what_a_pack_of_criteria_alone_has(self):
        pack = Pack({})
        assert (pack.picture_of, pack.heat_map) == (plain_picture, plain_table)
        assert pack.wrong_versions() == {} and pack.answers_for("a", ["b"], {})[1] == []
        assert pack.axes_of("a", "out", 2) == () and pack.model_files() == {}
