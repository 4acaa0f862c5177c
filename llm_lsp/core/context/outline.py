"""The outline of a text: the signatures of its definitions, without bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING

from llm_lsp.core.text.syntax import parse

if TYPE_CHECKING:
    from tree_sitter import Node

# Most lines of one definition, and of one file's outline.
MAX_DEFINITION_LINES = 24
MAX_LINES = 40
# Characters of a signature's line; longer ones contain data.
_LINE_CHARS = 200
_LAST_WORD = re.compile(r"[^\s\"'`,;(){}\[\]]*+\Z")
# Definitions per file that are read.
_MAX_DEFINITIONS = 500
_MAX_DEPTH = 4


@dataclass(frozen=True, slots=True)
class _Shapes:
    """The kinds of nodes that form signatures, by the names in a language's grammar."""

    callables: frozenset[str]
    """Their signature ends where the body begins."""
    containers: frozenset[str]
    """Like callables, but their members' signatures are included."""
    wholes: frozenset[str]
    """Short enough to be included whole: types, fields, constants."""
    through: frozenset[str]
    """Only wrap other nodes: exports, decorators."""


def _shapes(callables: str, containers: str, wholes: str, through: str) -> _Shapes:
    return _Shapes(*(frozenset(kinds.split()) for kinds in (callables, containers, wholes, through)))


_TYPESCRIPT = _shapes(
    "function_declaration generator_function_declaration method_definition function_signature method_signature "
    "abstract_method_signature",
    "class_declaration abstract_class_declaration internal_module",
    "interface_declaration type_alias_declaration enum_declaration public_field_definition field_definition "
    "lexical_declaration",
    "export_statement ambient_declaration expression_statement",
)
_SHAPES = MappingProxyType(
    {
        "python": _shapes(
            "function_definition", "class_definition", "expression_statement", "decorated_definition"
        ),
        "javascript": _TYPESCRIPT,
        "javascriptreact": _TYPESCRIPT,
        "typescript": _TYPESCRIPT,
        "typescriptreact": _TYPESCRIPT,
        "go": _shapes(
            "function_declaration method_declaration",
            "",
            "type_declaration const_declaration var_declaration",
            "",
        ),
        "rust": _shapes(
            "function_item function_signature_item",
            "impl_item trait_item mod_item",
            "struct_item enum_item type_item const_item static_item",
            "",
        ),
        "java": _shapes(
            "method_declaration constructor_declaration",
            "class_declaration interface_declaration record_declaration",
            "field_declaration enum_declaration",
            "",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition at the top level of a text."""

    name: str
    lines: tuple[str, ...]
    """Its signature and those of its members, without line ends."""
    start: int
    """Number of its first line, 0-based."""


def definitions(text: str, language: str) -> tuple[Definition, ...]:
    """Return the definitions in a text, in order; none for a language without a grammar."""
    shapes = _SHAPES.get(language)
    root = parse(text, language) if shapes else None
    if root is None or shapes is None:
        return ()
    reader = _Reader(text.encode("utf-8", "replace"), shapes)
    found = []
    for node in islice(reader.nodes(root), _MAX_DEFINITIONS):
        lines = tuple(islice(reader.signature(node, depth=0), MAX_DEFINITION_LINES))
        if lines:
            found.append(Definition(_name(node), lines, node.start_point.row))
    return tuple(found)


def outline(found: Sequence[Definition], wanted: Set[str]) -> tuple[str, ...]:
    """Return the lines of the definitions with `wanted` names, in the file's order."""
    lines: list[str] = []
    for definition in found:
        if definition.name in wanted and len(lines) + len(definition.lines) <= MAX_LINES:
            lines += definition.lines
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Extracts signatures from a tree."""

    source: bytes
    shapes: _Shapes

    def nodes(self, parent: Node) -> Iterator[Node]:
        """Yield the definitions directly below a node, including those in wrapping nodes."""
        shapes = self.shapes
        known = shapes.callables | shapes.containers | shapes.wholes
        for child in parent.named_children:
            if child.type in known and not _is_mere_expression(child):
                yield child
            elif child.type in shapes.through:
                yield from self.nodes(child)

    def signature(self, node: Node, depth: int) -> Iterator[str]:
        """Yield the lines of a definition without its body, and of its members."""
        body = self._body(node)
        if body is None:
            yield from self._lines(node, node.end_byte, depth)
            return
        lines = list(self._lines(node, body.start_byte, depth))
        if node.type not in self.shapes.containers:
            if lines and lines[-1].endswith(":"):
                lines[-1] += " ..."  # as in Python's stubs
            yield from lines
            return
        yield from lines
        if depth >= _MAX_DEPTH:
            return
        for member in self.nodes(body):
            lines = list(self.signature(member, depth + 1))
            if lines and not _is_private(_name(member), lines[0]):
                yield from lines

    def _body(self, node: Node) -> Node | None:
        """Return the node at which a signature ends; for `const f = () => …`, the body of the function."""
        if node.type not in self.shapes.wholes:
            return node.child_by_field_name("body")
        if node.type != "lexical_declaration" or not node.named_children:
            return None
        value = node.named_children[0].child_by_field_name("value")
        return value.child_by_field_name("body") if value is not None else None

    def _lines(self, node: Node, end_byte: int, depth: int) -> Iterator[str]:
        text = self.source[node.start_byte : end_byte].decode("utf-8", "replace").rstrip()
        if end_byte < node.end_byte:
            # Without the body, an opening brace or an arrow has no meaning.
            text = text.removesuffix("{").removesuffix("=>").rstrip()
        for line in f"{self._margin(node, depth)}{text}".splitlines():
            if line.strip():
                yield _short(line.rstrip())

    def _margin(self, node: Node, depth: int) -> str:
        """Return the white space before a node on its line, or the indentation for its depth if there is other
        text.
        """
        line_start = self.source.rfind(b"\n", 0, node.start_byte) + 1
        before = self.source[line_start : node.start_byte].decode("utf-8", "replace")
        return before if before.isspace() or not before else "    " * depth


def _short(line: str) -> str:
    """Shorten a line before the word that would be cut: part of a token may no longer be recognized as a secret."""
    if len(line) <= _LINE_CHARS:
        return line
    return line[:_LINE_CHARS] if line[_LINE_CHARS].isspace() else _LAST_WORD.sub("", line[:_LINE_CHARS])


def _is_mere_expression(node: Node) -> bool:
    """Check for an expression statement other than an assignment, such as a docstring or call in Python."""
    return node.type == "expression_statement" and not any(
        child.type == "assignment" for child in node.named_children
    )


def _name(node: Node) -> str:
    for field in ("name", "left", "type"):
        named = node.child_by_field_name(field)
        if named is not None and node.type != "field_declaration":
            return (named.text or b"").decode("utf-8", "replace")
    # A declaration's name is in the node it declares: a `type_spec`, `variable_declarator` or `assignment`.
    declared = node.named_children[-1:] if node.type == "field_declaration" else node.named_children[:1]
    return _name(declared[0]) if declared else ""


def _is_private(name: str, line: str) -> bool:
    starts = line.lstrip().startswith(("private ", "#"))
    return starts or (name.startswith("_") and name not in ("__init__", "__call__", "__enter__"))
