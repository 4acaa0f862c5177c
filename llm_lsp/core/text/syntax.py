"""Syntax trees from tree-sitter grammars.

A grammar is loaded when its language is first used: most users need only a few of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from llm_lsp.core.text.text import Point, Text, changed_lines

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Tree

# Maps a language identifier to the package and function of its grammar.
_GRAMMARS = MappingProxyType(
    {
        "python": ("tree_sitter_python", "language"),
        "javascript": ("tree_sitter_javascript", "language"),
        "javascriptreact": ("tree_sitter_javascript", "language"),
        "typescript": ("tree_sitter_typescript", "language_typescript"),
        "typescriptreact": ("tree_sitter_typescript", "language_tsx"),
        "go": ("tree_sitter_go", "language"),
        "rust": ("tree_sitter_rust", "language"),
        "java": ("tree_sitter_java", "language"),
    }
)
# Nodes whose children are statements, members, arms or similar.
_BLOCKS = frozenset(
    (
        "module", "program", "source_file", "block", "statement_block", "statement_list", "class_body",
        "interface_body", "interface_type", "object_type", "enum_body", "enum_body_declarations", "switch_body",
        "switch_block", "switch_block_statement_group", "switch_case", "switch_default", "expression_case",
        "default_case", "type_case", "communication_case", "field_declaration_list", "declaration_list",
        "enum_variant_list", "match_block", "constructor_body", "annotation_type_body", "ERROR",
    )
)  # fmt: skip
# Bytes. 100 KB of Python take 13 ms; larger files are rarely handwritten.
MAX_BYTES = 1 << 18


def has_grammar(language: str) -> bool:
    """Check whether texts in a language can be parsed."""
    return language in _GRAMMARS


def parse(text: str, language: str) -> Node | None:
    """Return a text's tree; None for a language without a grammar, and for a text of more than MAX_BYTES.

    A text with syntax errors has a tree with `has_error`.
    """
    tree = _parse(text, language)
    return tree.root_node if tree else None


def _parse(text: str, language: str, earlier: Tree | None = None) -> Tree | None:
    """Parse a text; `earlier` is the tree of an earlier version with edits applied, whose unchanged parts are
    reused.
    """
    if language not in _GRAMMARS:
        return None
    data = _bytes(text)
    if len(data) > MAX_BYTES:
        return None
    from tree_sitter import Parser

    parser = Parser(_grammar(language))
    return parser.parse(data, earlier) if earlier else parser.parse(data)


def ends_between_statements(text: str, language: str, ends: Sequence[int], start: int) -> list[int]:
    """Return those of some offsets of line ends that no statement spans, but one that began before `start`.

    All of them for a language without a grammar.
    """
    root = parse(text, language)
    if root is None:
        return [*ends]
    first = _count_bytes(text[:start])
    return [end for end in ends if _is_between(root, text, end, first)]


def _is_between(root: Node, text: str, end: int, start_byte: int) -> bool:
    last = _count_bytes(text[:end].rstrip()) - 1
    below = text[end:]
    following = _count_bytes(text[: end + len(below) - len(below.lstrip())])
    node = root.descendant_for_byte_range(last, following + 1)
    if node is None or node.type in _BLOCKS or node.start_byte < start_byte:
        return True
    # Also true at the end of a block that an `else` continues.
    return any(child.start_byte <= last < child.end_byte and child.type in _BLOCKS for child in node.children)


def _count_bytes(text: str) -> int:
    return len(_bytes(text))


def _bytes(text: str) -> bytes:
    # A lone surrogate, such as half of an emoji, becomes a question mark of one byte.
    return text.encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class SyntaxTree:
    """A text with its tree."""

    text: Text
    tree: Tree

    @property
    def root(self) -> Node:
        """The node that spans the text."""
        return self.tree.root_node

    @classmethod
    def of(cls, text: Text, language: str) -> SyntaxTree | None:
        """Parse a text; None as for `parse`, and if a lone CR ends a line, which grammars do not count as one."""
        return cls._of(text, language, None)

    def edited(self, text: Text, language: str) -> SyntaxTree | None:
        """Return the tree of a later version of the text; only what differs is parsed anew.

        5,000 lines of Python take 52 ms to parse, and 7 ms after an edit.
        """
        first, old_stop, new_stop = changed_lines(self.text, text)
        start = _count_bytes("".join(text.lines(0, first)))
        tree = self.tree.copy()
        tree.edit(
            start_byte=start,
            old_end_byte=start + _count_bytes("".join(self.text.lines(first, old_stop))),
            new_end_byte=start + _count_bytes("".join(text.lines(first, new_stop))),
            start_point=(first, 0),
            old_end_point=_line_start(self.text, old_stop),
            new_end_point=_line_start(text, new_stop),
        )
        return self._of(text, language, tree)

    @classmethod
    def _of(cls, text: Text, language: str, earlier: Tree | None) -> SyntaxTree | None:
        whole = str(text)
        if "\r" in whole and whole.count("\r") != whole.count("\r\n"):
            return None
        tree = _parse(whole, language, earlier)
        return None if tree is None else cls(text, tree)

    def leaf(self, point: Point) -> Node | None:
        """Return the smallest node around the character at a position."""
        line, column = point
        before = self.text.line(line)[: column + 1]
        stop = len(before.encode("utf-8", "replace"))
        start = len(before[:column].encode("utf-8", "replace"))
        return self.root.descendant_for_point_range((line, start), (line, stop))


def _line_start(text: Text, line: int) -> tuple[int, int]:
    """Return where a line begins, in bytes; the text's end for the line after the last."""
    last = text.line_count - 1
    return (line, 0) if line <= last else (last, _count_bytes(text.line(last)))


@cache
def _grammar(language: str) -> Language:
    from tree_sitter import Language

    package, function = _GRAMMARS[language]
    return Language(getattr(import_module(package), function)())
