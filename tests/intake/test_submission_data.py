"""A submission as data: the code of one of its functions, and its digest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.intake.reading import read_submission
from autograder.intake.submission import Submission


class TestCode:
    def code(self, data, name="f"):
        return Submission("ada", {"a.py": data}).find_code("a.py", name)

    def test_is_the_text_of_the_function_with_its_first_line(self):
        assert self.code(b"x = 1\n\ndef f(x):\n    return x\n\ny = 2\n") == {
            "file": "a.py", "line": 3, "text": "def f(x):\n    return x",
        }  # fmt: skip

    def test_is_that_of_the_last_definition(self):
        assert self.code(b"def f(): return 1\ndef f(): return 2\n")["text"] == "def f(): return 2"

    def test_may_be_a_class(self):
        assert self.code(b"class f:\n    pass\n")["text"] == "class f:\n    pass"

    @pytest.mark.parametrize(
        "data", [b"", b"def g(): 1\n", b"def f(:\n", b"f = 3\n", b"class A:\n  def f(x): 1\n", b"\0"]
    )
    def test_is_none_where_there_is_none(self, data):
        assert self.code(data) is None
        assert Submission("ada", {}).find_code("a.py", "f") is None

    @pytest.mark.parametrize("end", [b"\r\n", b"\r", b"\n"])
    def test_has_plain_line_ends(self, end):
        assert self.code(b"x = 1\ndef f():\n    return 1\n".replace(b"\n", end))["text"] == "def f():\n    return 1"

    @pytest.mark.parametrize(
        "data",
        [
            "# coding: latin-1\ndef f(): 'é'\n".encode("latin-1"),
            "\ufeffdef f(): 'é'\n".encode(),
            "def f(): 'é'\n".encode(),
        ],
    )
    def test_is_read_in_the_encoding_it_declares(self, data):
        assert self.code(data)["text"] == "def f(): 'é'"

    @pytest.mark.parametrize("data", [b"# coding: klingon\ndef f(): 1\n", b"def f(): '\xe9'\n"])
    def test_is_none_in_an_encoding_that_is_none(self, data):
        assert self.code(data) is None


@pytest.mark.parametrize("order", ["utf-16", "utf-16-be"])
def test_a_module_that_was_saved_as_utf_16_is_read_and_a_note_says_so(order, manifest, tmp_path):
    (tmp_path / "cs231n").mkdir()
    text = "def relu_forward(x):\n    return 'é'\n"
    mark = "" if order == "utf-16" else "\ufeff"
    (tmp_path / "cs231n" / "layers.py").write_bytes((mark + text).encode(order))
    read = read_submission(tmp_path, manifest)
    assert read.files["cs231n/layers.py"] == text.encode()
    assert "cs231n/layers.py was saved as UTF-16" in read.notes[0] and "Save it as UTF-8" in read.notes[0]


class TestTheDigest:
    FILES = st.dictionaries(st.text(min_size=1, max_size=5), st.binary(max_size=5), max_size=4)

    @given(FILES, FILES)
    def test_is_equal_exactly_where_the_files_are(self, one, other):
        assert (Submission("a", one).digest == Submission("a", other).digest) == (one == other)

    @given(FILES, st.randoms())
    def test_depends_neither_on_order_nor_name_nor_notes(self, files, random):
        shuffled = list(files.items())
        random.shuffle(shuffled)
        assert Submission("a", files).digest == Submission("b", dict(shuffled), ["odd"], "ada").digest
