"""Solution regions are found, replaced exactly as nbgrader does, and refused with file and line if malformed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell
from nbgrader.preprocessors import ClearSolutions

from autograder.assignment.reference import read_reference_texts
from autograder.assignment.regions import BEGIN, END, Region, find_regions, strip_regions
from autograder.errors import RELEASE, ReleaseError

CODE = f"""def f(x):
    '''Double x.'''
    {BEGIN}
    y = 2 * x

    return y
    {END}


def g(x):
\t{BEGIN}
\treturn x
\t{END}
"""


LINES = st.sampled_from(
    ["x = 1", "", "  y()", "# a comment", "\tz = '###'", "'''", '"""', "return {", "    ", "\r", "é = '☃'"]
)
INDENTS = st.sampled_from(["", "    ", "        ", "\t", "  \t", "\u00a0"])


@st.composite
def python_texts(draw):
    """Draw lines like those of Python files, with well-formed regions among them and a newline at the end or none."""
    lines = draw(st.lists(LINES, max_size=4))
    for _ in range(draw(st.integers(0, 4))):
        begin, end = draw(INDENTS), draw(INDENTS)
        lines += [f"{begin}{BEGIN}{draw(st.sampled_from(['', ' ', chr(9)]))}", *draw(st.lists(LINES, max_size=4))]
        lines += [f"{end}{END}", *draw(st.lists(LINES, max_size=3))]
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


def clear_solutions(text):
    """Return a text after nbgrader's ClearSolutions, as the source of a cell that is not marked as a solution cell."""
    cell, _ = ClearSolutions(enforce_metadata=False).preprocess_cell(new_code_cell(text), {"language": "python"}, 0)
    return cell.source


class TestFinding:
    def test_gives_the_line_of_begin_and_the_lines_inside(self):
        assert find_regions(CODE, "f.py") == [
            Region(3, ("    y = 2 * x", "", "    return y")),
            Region(11, ("\treturn x",)),
        ]

    def test_an_empty_region_is_one(self):
        assert find_regions(f"{BEGIN}\n{END}", "f.py") == [Region(1, ())]

    @pytest.mark.parametrize("comment", ["# begin with a guess", "# the end", "x = '###'", "# ###", "# solve for x"])
    def test_ordinary_comments_are_no_markers(self, comment):
        assert find_regions(comment, "f.py") == []

    @pytest.mark.parametrize(
        "heading", ["### Softmax", "### Inline question 1", "## Solutions of a quadratic", "#### End of part 1"]
    )
    def test_headings_are_no_markers_in_markdown(self, heading):
        assert find_regions(heading, "cell 3", code=False) == []

    @pytest.mark.parametrize("marker", ["### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS", "### BEGIN MARK SCHEME"])
    def test_nbgraders_other_markers_are_left_to_nbgrader(self, marker):
        assert find_regions(marker, "cell 3") == []


class TestStripping:
    def test_leaves_nbgraders_stub_at_the_indentation_of_begin(self):
        assert strip_regions(CODE, "f.py") == (
            "def f(x):\n    '''Double x.'''\n    # YOUR CODE HERE\n    raise NotImplementedError()\n"
            "\n\ndef g(x):\n\t# YOUR CODE HERE\n\traise NotImplementedError()\n"
        )

    @given(python_texts())
    def test_equals_clear_solutions_on_generated_python(self, text):
        assert strip_regions(text, "f.py") == clear_solutions(text)

    def test_equals_clear_solutions_on_every_file_of_the_reference(self, manifest):
        texts = read_reference_texts(manifest)
        answered = {question.file for question in manifest.questions if question.source and not question.cells}
        assert answered <= {path for path, text in texts.items() if BEGIN in text}
        for path, text in texts.items():
            stripped = strip_regions(text, path)
            assert stripped == clear_solutions(text), path
            assert BEGIN not in stripped and stripped.count("raise NotImplementedError()") >= text.count(BEGIN), path

    @given(st.text(alphabet=st.characters(exclude_characters="#", exclude_categories=["Cs"])))
    def test_leaves_a_text_without_markers_as_it_is(self, text):
        assert strip_regions(text, "f.py") == text


class TestAMalformedMarkerIsRefused:
    @pytest.mark.parametrize(
        "lines, number, says",
        [
            (("x = 1", END), 2, "without a ### BEGIN SOLUTION before it"),
            ((BEGIN, END, END), 3, "without a ### BEGIN SOLUTION before it"),
            ((BEGIN, "x = 1", BEGIN, END, END), 3, "inside the region that began at line 1"),
            ((BEGIN, END, "", BEGIN, "x = 1"), 4, "has no ### END SOLUTION after it"),
            (("### begin solution", END), 1, "is not a marker"),
            ((BEGIN, "### End Solution"), 2, "is not a marker"),
            (("### BEGIN SOLUTIN", END), 1, "is not a marker"),
            (("### BEGIN SOULTION", END), 1, "is not a marker"),
            (("### BEGINN SOLUTION", END), 1, "is not a marker"),
            (("### SOLUTION BEGIN", END), 1, "is not a marker"),
            (("## BEGIN SOLUTION", END), 1, "is not a marker"),
            (("#### BEGIN SOLUTION", END), 1, "is not a marker"),
            (("###BEGIN SOLUTION", END), 1, "is not a marker"),
            (("### BEGIN  SOLUTION", END), 1, "is not a marker"),
            (("### BEGIN_SOLUTION", END), 1, "is not a marker"),
            (("### BEGIN SOLUTION: 3 lines", END), 1, "is not a marker"),
            (("# BEGIN SOLUTION", END), 1, "is not a marker"),
            ((BEGIN, "x = 1  ### END SOLUTION"), 2, "is not a marker"),
            (("x = 1  # BEGIN SOLUTION", END), 1, "is not a marker"),
            (("### anything else",), 1, "is not a marker"),
        ],
    )
    def test_with_file_and_line(self, lines, number, says):
        with pytest.raises(ReleaseError) as error:
            find_regions("\n".join(lines), "cs/layers.py")
        assert str(error.value).startswith(f"cs/layers.py, line {number}: ") and says in str(error.value)
        assert error.value.exit_code == RELEASE

    @pytest.mark.parametrize("marker", ["### Begin Solution", "### END SOLUTON", "## BEGIN SOLUTION"])
    def test_in_markdown_too(self, marker):
        with pytest.raises(ReleaseError, match="is not a marker"):
            find_regions(marker, "cell 3", code=False)

    @pytest.mark.parametrize("lines", [("x", END), (BEGIN, "x"), ("### begin solution", "x", "### end solution")])
    def test_by_stripping_as_well(self, lines):
        with pytest.raises(ReleaseError, match="^f.py, line"):
            strip_regions("\n".join(lines), "f.py")

    @given(st.sampled_from([BEGIN, END]), st.data())
    def test_when_any_one_letter_of_it_is_lost(self, marker, data):
        position = data.draw(st.integers(4, len(marker) - 1).filter(lambda i: marker[i] != " "))
        with pytest.raises(ReleaseError, match="is not a marker"):
            find_regions(marker[:position] + marker[position + 1 :], "f.py")
