"""The site of a change: a node in a text, and the expression around it."""

import ast
import itertools
from dataclasses import dataclass

from autograder.diagnosis.mutation.rewrite import normalise, write, write_within
from autograder.diagnosis.mutation.scopes import Parents

Node = ast.stmt | ast.expr
Meaning = tuple[int, str]  # the start of a root expression, and its normal form


@dataclass(frozen=True)
class Site:
    """A node in a text, with its root: the outermost expression that contains the node, or the node itself.

    - start, end: offsets of the node in the text
    - lines_start, lines_end: offsets of the lines that contain the node
    - root_start, root_end: offsets of the root
    """

    text: str
    node: Node
    start: int
    end: int
    lines_start: int
    lines_end: int
    root: Node
    root_start: int
    root_end: int

    @property
    def original(self) -> str:
        """The text of the node."""
        return self.text[self.start : self.end]

    def write(self, new: ast.AST | str) -> str:
        """Return the text of a replacement for the node."""
        first = self.text[self.start]
        if isinstance(self.node, ast.stmt):
            return write(new, first)
        before, after = self._around_node()
        return write_within(before, new, after, first)

    def meaning_with(self, code: str) -> Meaning:
        """Return the Meaning of the root with `code` in place of the node."""
        before, after = self._around_node()
        return self.root_start, normalise(before + code + after, self.root)

    def describe_change(self, code: str) -> str:
        """Return "old lines -> new lines" for `code` in place of the node, each on one line."""
        old = self.text[self.lines_start : self.lines_end]
        new = self.text[self.lines_start : self.start] + code + self.text[self.end : self.lines_end]
        return f"{_join_lines(old)} -> {_join_lines(new)}"

    def _around_node(self) -> tuple[str, str]:
        """Return the text of the root before the node and after it."""
        return self.text[self.root_start : self.start], self.text[self.end : self.root_end]


class Sites:
    """Finds the Site of each node of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.splitlines(keepends=True)
        self._line_starts = list(itertools.accumulate(map(len, self._lines), initial=0))

    def find(self, node: Node, parents: Parents) -> Site:
        """Return the Site of a node; `parents` go from the module down."""
        root = next((each for each in parents if isinstance(each, ast.expr)), node)
        return Site(self._text, node, *self._span(node), *self._lines_span(node), root, *self._span(root))

    def _span(self, node: Node) -> tuple[int, int]:
        """Return the offsets of the start and the end of a node."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self._offset(node.lineno, node.col_offset), self._offset(end_line, end_column)

    def _lines_span(self, node: Node) -> tuple[int, int]:
        """Return the offsets of the start and the end of the lines that contain a node."""
        return self._line_starts[node.lineno - 1], self._line_starts[node.end_lineno or node.lineno]

    def _offset(self, line: int, column: int) -> int:
        # ast counts columns in bytes of UTF-8
        return self._line_starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())


def _join_lines(text: str) -> str:
    return " ".join(text.split())
