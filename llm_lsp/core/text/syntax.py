"""Syntax trees by tree-sitter's own grammars.

A grammar is loaded when its language is first met: loading all of them would cost what most users never need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from llm_lsp.core.text.text import Point, Text

if TYPE_CHECKING:
    from tree_sitter import Language, Node

# Language identifier to the package and function that give its grammar.
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
# Nodes whose children are statements, members, arms or their like.
_BLOCKS = frozenset(
    (
        "module", "program", "source_file", "block", "statement_block", "statement_list", "class_body",
        "interface_body", "interface_type", "object_type", "enum_body", "enum_body_declarations", "switch_body",
        "switch_block", "switch_block_statement_group", "switch_case", "switch_default", "expression_case",
        "default_case", "type_case", "communication_case", "field_declaration_list", "declaration_list",
        "enum_variant_list", "match_block", "constructor_body", "annotation_type_body", "ERROR",
    )
)  # fmt: skip
# Bytes. 100 KB of Python take 13 ms; what is larger is rarely written by hand.
MAX_BYTES = 1 << 18


def has_grammar(language: str) -> bool:
    """Return whether texts of a language can be parsed."""
    return language in _GRAMMARS


def parse(text: str, language: str) -> Node | None:
    """Return a text's tree; None for a language without a grammar, and for a text of more than MAX_BYTES.

    A text that breaks the language's rules has a tree with `has_error`.
    """
    if language not in _GRAMMARS:
        return None
    # A lone surrogate, half an emoji in a real buffer, is a question mark here: offsets in bytes stay true.
    data = text.encode("utf-8", "replace")
    if len(data) > MAX_BYTES:
        return None
    from tree_sitter import Parser

    return Parser(_grammar(language)).parse(data).root_node


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
    # The block before an `else`.
    return any(child.start_byte <= last < child.end_byte and child.type in _BLOCKS for child in node.children)


def _count_bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class SyntaxTree:
    """A text with its tree."""

    text: Text
    root: Node

    @classmethod
    def of(cls, text: Text, language: str) -> SyntaxTree | None:
        """Parse a text; None as for `parse`, and if a lone CR ends a line, which grammars do not count as one."""
        whole = str(text)
        if "\r" in whole and whole.count("\r") != whole.count("\r\n"):
            return None
        root = parse(whole, language)
        return None if root is None else cls(text, root)

    def leaf(self, point: Point) -> Node | None:
        """Return the smallest node around the character at a place."""
        line, column = point
        before = self.text.line(line)[: column + 1]
        stop = len(before.encode("utf-8", "replace"))
        start = len(before[:column].encode("utf-8", "replace"))
        return self.root.descendant_for_point_range((line, start), (line, stop))


@cache
def _grammar(language: str) -> Language:
    from tree_sitter import Language

    package, function = _GRAMMARS[language]
    return Language(getattr(import_module(package), function)())
