"""The outline of a text: the signatures of its definitions, without the bodies."""

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

# Lines of one definition, and of all that is said of a file.
MAX_DEFINITION_LINES = 24
MAX_LINES = 40
# Characters of a signature's line; what is longer is data.
_LINE_CHARS = 200
_LAST_WORD = re.compile(r"[^\s\"'`,;(){}\[\]]*+\Z")
# Definitions of a file that are looked at.
_MAX_DEFINITIONS = 500
_MAX_DEPTH = 4


@dataclass(frozen=True, slots=True)
class _Shapes:
    """The kinds of nodes, as a language's grammar names them."""

    callables: frozenset[str]
    """Their signature ends where their body begins."""
    containers: frozenset[str]
    """As callables, and their members belong to the signature."""
    wholes: frozenset[str]
    """Short enough to be a signature as they stand: types, fields, constants."""
    through: frozenset[str]
    """Only hold others: exports, decorators."""


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
    """A definition at the top of a text."""

    name: str
    lines: tuple[str, ...]
    """Its signature, and those of its members, without line ends."""
    start: int
    """The number of its first line, 0-based."""


def definitions(text: str, language: str) -> tuple[Definition, ...]:
    """Return the definitions of a text, in order; none for a language without a grammar."""
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
    """Return the lines of the definitions whose names are `wanted`, in the file's order."""
    lines: list[str] = []
    for definition in found:
        if definition.name in wanted and len(lines) + len(definition.lines) <= MAX_LINES:
            lines += definition.lines
    return tuple(lines)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads signatures off a tree."""

    source: bytes
    shapes: _Shapes

    def nodes(self, parent: Node) -> Iterator[Node]:
        """Yield the definitions right below a node, also those inside mere containers."""
        shapes = self.shapes
        known = shapes.callables | shapes.containers | shapes.wholes
        for child in parent.named_children:
            if child.type in known and not _is_mere_expression(child):
                yield child
            elif child.type in shapes.through:
                yield from self.nodes(child)

    def signature(self, node: Node, depth: int) -> Iterator[str]:
        """Return the lines of a definition without its body, and those of its members."""
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
        """Return the node before which a signature ends; the body of `const f = () => …` is that of its function."""
        if node.type not in self.shapes.wholes:
            return node.child_by_field_name("body")
        if node.type != "lexical_declaration" or not node.named_children:
            return None
        value = node.named_children[0].child_by_field_name("value")
        return value.child_by_field_name("body") if value is not None else None

    def _lines(self, node: Node, end_byte: int, depth: int) -> Iterator[str]:
        text = self.source[node.start_byte : end_byte].decode("utf-8", "replace").rstrip()
        if end_byte < node.end_byte:
            # A brace or an arrow that leads to a body says nothing where that is left out.
            text = text.removesuffix("{").removesuffix("=>").rstrip()
        for line in f"{self._margin(node, depth)}{text}".splitlines():
            if line.strip():
                yield _short(line.rstrip())

    def _margin(self, node: Node, depth: int) -> str:
        """Return the white space before a node's line, or of its depth if the line begins with something else."""
        line_start = self.source.rfind(b"\n", 0, node.start_byte) + 1
        before = self.source[line_start : node.start_byte].decode("utf-8", "replace")
        return before if before.isspace() or not before else "    " * depth


def _short(line: str) -> str:
    """Cut a line; of a word that the cut would divide nothing stays: half a token may not be known as one."""
    if len(line) <= _LINE_CHARS:
        return line
    return line[:_LINE_CHARS] if line[_LINE_CHARS].isspace() else _LAST_WORD.sub("", line[:_LINE_CHARS])


def _is_mere_expression(node: Node) -> bool:
    """Python's assignments are statements of an expression, as docstrings and calls are."""
    return node.type == "expression_statement" and not any(
        child.type == "assignment" for child in node.named_children
    )


def _name(node: Node) -> str:
    for field in ("name", "left", "type"):
        named = node.child_by_field_name(field)
        if named is not None and node.type != "field_declaration":
            return (named.text or b"").decode("utf-8", "replace")
    # The name of a declaration stands in what it declares: a `type_spec`, `variable_declarator`, `assignment`.
    declared = node.named_children[-1:] if node.type == "field_declaration" else node.named_children[:1]
    return _name(declared[0]) if declared else ""


def _is_private(name: str, line: str) -> bool:
    starts = line.lstrip().startswith(("private ", "#"))
    return starts or (name.startswith("_") and name not in ("__init__", "__call__", "__enter__"))
