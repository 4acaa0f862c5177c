"""Determines whether a position is in code, a string or a comment: from the tree, else from the line alone."""

from __future__ import annotations

from typing import Literal

from llm_lsp.core.text.languages import language_of, without_comment
from llm_lsp.core.text.syntax import SyntaxTree
from llm_lsp.core.text.text import Point

Region = Literal["code", "string", "comment"]

# Nodes with code inside of a string: Python's f-strings, JavaScript's templates.
_CODE_IN_STRINGS = frozenset({"interpolation", "template_substitution"})
# A string as a statement is documentation in Python.
_DOCUMENTATION = ("expression_statement", "string")
# Beginnings of lines in multi-line comments.
_COMMENT_STARTS = ("*", "/*", '"""', "'''")


def region_by_tree(tree: SyntaxTree, point: Point) -> Region:
    """Return the region according to the grammar."""
    node = tree.leaf(point)
    while node is not None:
        kind = node.type
        if kind in _CODE_IN_STRINGS:
            return "code"
        if "comment" in kind:
            return "comment"
        if "string" in kind or kind in ("char_literal", "regex", "rune_literal"):
            parent = node.parent
            is_documentation = parent is not None and (parent.type, kind) == _DOCUMENTATION
            return "comment" if is_documentation else "string"
        node = node.parent
    return "code"


def region_by_line(line: str, column: int, language: str) -> Region:
    """Guess the region from a line alone; a string or comment that began on an earlier line is not noticed."""
    if line.lstrip().startswith(_COMMENT_STARTS):
        return "comment"
    code = without_comment(line, language_of(language))
    if len(code) < len(line) and len(code) <= column:
        return "comment"
    before = line[:column]
    return "string" if any(before.count(quote) % 2 for quote in "\"'`") else "code"
