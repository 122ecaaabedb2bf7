"""The scan finds a solution line in any place of a release; a public line is not a leak."""

import io
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.errors import ReleaseError
from autograder.release.leak_scan import find_leaks, find_secret_lines, refuse_leaks

SECRET = "dx = dout.dot(w.T).reshape(x.shape)"
SHORT = "dw = x.T @ dout"
REFERENCE = f"""import numpy as np

def affine_backward(dout, cache):
    x, w, b = cache
    ### BEGIN SOLUTION
    {SECRET}
    {SHORT}
    x, w, b = cache
    if dx:
    else:
    return dx
    ### END SOLUTION
    return dx, dw, db
"""
ANSWER = "Because the gradient of a saturated unit is 0."


def notebook(*cells):
    return json.loads(json.dumps(new_notebook(cells=list(cells))))


def packed(*cells):
    return json.dumps(notebook(*cells)).encode()


def zipped(name, data):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def secrets():
    return find_secret_lines({"cs/layers.py": REFERENCE}, {})


class TestASecret:
    def test_is_a_telling_line_inside_a_region_that_is_nowhere_public(self, secrets):
        assert secrets == {SECRET: "cs/layers.py, line 6", SHORT: "cs/layers.py, line 7"}

    def test_is_none_where_another_file_shows_the_line(self):
        assert SHORT not in find_secret_lines({"cs/layers.py": REFERENCE, "cs/use.py": f"    {SHORT}\n"}, {})

    def test_of_a_notebook_is_in_a_region_of_a_cell(self):
        code = new_code_cell(f"### BEGIN SOLUTION\n{SECRET}\n### END SOLUTION", id="abc")
        assert find_secret_lines({}, {"One.ipynb": notebook(new_markdown_cell("## Text"), code)}) == {
            SECRET: "One.ipynb, cell 2 (abc), line 2"
        }

    def test_of_a_notebook_is_the_model_answer_of_a_cell_that_is_a_solution_as_a_whole(self):
        cell = new_markdown_cell(f"### Answer\n{ANSWER}", id="abc", metadata={"nbgrader": {"solution": True}})
        assert find_secret_lines({}, {"One.ipynb": notebook(cell)}) == {ANSWER: "One.ipynb, cell 1 (abc)"}

    def test_is_none_where_a_public_cell_shows_the_line(self):
        answer = new_markdown_cell(ANSWER, metadata={"nbgrader": {"solution": True}})
        assert find_secret_lines({}, {"One.ipynb": notebook(answer, new_markdown_cell(ANSWER))}) == {}


class TestALeakIsFound:
    def leaks(self, path, data, secrets):
        found = find_leaks({path: data}, secrets)
        assert all(leak.startswith(path) for leak in found)
        return found

    @pytest.mark.parametrize("line", [SECRET, SHORT])
    def test_in_a_python_file(self, line, secrets):
        (leak,) = self.leaks("cs/layers.py", f"x = 1\n    {line}\n".encode(), secrets)
        assert leak == f"cs/layers.py contains a solution line of {secrets[line]}: {line}"

    def test_in_a_python_file_with_windows_line_ends(self, secrets):
        assert self.leaks("a.py", f"x = 1\r\n{SHORT}\r\n".encode(), secrets)

    @pytest.mark.parametrize(
        "cell",
        [
            new_code_cell(SHORT),
            new_code_cell("1", outputs=[new_output("stream", text=f"1\n{SHORT}\n2")]),
            new_code_cell("1", outputs=[new_output("display_data", data={"text/html": f"<pre>{SECRET}</pre>"})]),
            new_code_cell("1", outputs=[new_output("error", ename="E", evalue="", traceback=["1", f"> {SECRET}"])]),
            new_code_cell("1", metadata={"hint": {"deep": ["x", SHORT]}}),
            new_markdown_cell("![x](attachment:a.txt)", attachments={"a.txt": {"text/plain": f"1\n{SHORT}"}}),
        ],
        ids=["source", "stream", "html", "traceback", "metadata", "attachment"],
    )
    def test_in_a_notebook(self, cell, secrets):
        assert self.leaks("One.ipynb", packed(new_markdown_cell("# One"), cell), secrets)

    def test_in_a_notebook_whose_source_is_a_list_of_lines(self, secrets):
        data = notebook(new_code_cell(""))
        data["cells"][0]["source"] = ["x = 1\n", f"{SHORT}\n", "y = 2"]
        assert self.leaks("One.ipynb", json.dumps(data).encode(), secrets)

    def test_in_a_zip_and_in_a_zip_inside_it(self, secrets):
        inner = zipped("cs/layers.py", SHORT.encode())
        (leak,) = self.leaks("all.zip", zipped("more/inner.zip", inner), secrets)
        assert leak.startswith("all.zip/more/inner.zip/cs/layers.py contains a solution line")

    @given(st.lists(st.sampled_from([" ", "  ", "\t", "\n"]), min_size=5, max_size=5))
    def test_with_any_white_space_in_a_long_line(self, gaps):
        words = ["dx", "=", "dout.dot(", "w.T", ").reshape(x.shape)"]
        secrets = {" ".join(words): "layers.py"}
        text = "".join(word + gap for word, gap in zip(words, [*gaps, ""]))
        assert find_leaks({"a.py": text.encode()}, secrets)

    def test_inside_a_longer_line(self, secrets):
        assert self.leaks("a.py", f"# {SECRET}  # as in the lecture".encode(), secrets)

    @pytest.mark.parametrize("marker", ["### BEGIN SOLUTION", "### END SOLUTION", "# END SOLUTION of f"])
    def test_when_a_marker_was_left_in(self, marker, secrets):
        assert find_leaks({"a.py": f"x = 1\n{marker}\n".encode()}, secrets) == ["a.py contains a solution marker"]

    def test_of_a_model_answer(self):
        secrets = {ANSWER: "One.ipynb, cell 1"}
        assert self.leaks("One.ipynb", packed(new_markdown_cell(f"**Answer**\n\n{ANSWER}")), secrets)


class TestNoLeak:
    @pytest.mark.parametrize("line", ["x, w, b = cache", "else:", "return dx", "if dx:"])
    def test_is_what_is_public_or_says_nothing(self, line, secrets):
        assert find_leaks({"a.py": line.encode(), "b.ipynb": packed(new_code_cell(line))}, secrets) == []

    def test_is_a_binary_file(self, secrets):
        assert find_leaks({"sample.png": bytes(range(256)), "empty.txt": b""}, secrets) == []

    def test_is_left_to_chance_in_a_file_that_cannot_be_searched(self, secrets):
        assert find_leaks({"notes.tar.gz": b"", "layers.pyc": b""}, secrets) == [
            "notes.tar.gz is of a kind that the leak scan cannot search",
            "layers.pyc is of a kind that the leak scan cannot search",
        ]


class TestRefusing:
    def test_names_five_leaks_and_counts_the_others(self):
        secrets = {f"value_{i} = function({i})": "layers.py" for i in range(7)}
        with pytest.raises(ReleaseError, match="would contain solutions") as error:
            refuse_leaks({"a.py": "\n".join(secrets).encode()}, secrets)
        assert str(error.value).count("contains a solution line") == 5 and "... and 2 more" in str(error.value)

    def test_lets_a_clean_release_pass(self, secrets):
        refuse_leaks({"a.py": b"raise NotImplementedError()"}, secrets)
