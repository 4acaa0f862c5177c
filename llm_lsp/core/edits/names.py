"""Where a name occurs in a syntax tree, and whether each occurrence binds it, for the available grammars.

A binding has a scope, the node in which its name can be used. Names after a dot, fields and methods are
members, which count as bound in the whole file, because types are unknown. Only occurrences of the name are
examined, so the cost depends on their number and not on the file's size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from llm_lsp.core.text.syntax import SyntaxTree
from llm_lsp.core.text.text import Point, is_word_char

if TYPE_CHECKING:
    from tree_sitter import Node

# Most occurrences of a name that are examined; a more frequent name is not followed.
MAX_OCCURRENCES = 100


class Role(Enum):
    """What a name refers to."""

    VARIABLE = "variable"
    MEMBER = "member"
    KEYWORD = "keyword"
    """The name of a keyword argument, which is that of a parameter elsewhere."""
    EITHER = "either"
    """A variable or a member; the grammar does not distinguish them here."""
    SHORTHAND = "shorthand"
    """A variable and a member of the same name, which cannot be renamed separately."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place where a name occurs in code."""

    node: Node
    point: Point
    role: Role
    scope: Node | None
    """Where it can be used, if this occurrence binds it; None if it is a use."""


@dataclass(frozen=True, slots=True)
class Binding:
    """An occurrence that binds its name, and where the name can be used."""

    occurrence: Occurrence
    scope: Node


@dataclass(frozen=True, slots=True)
class _Grammar:
    """The kinds of nodes that bind names in a grammar, and the scopes of these names."""

    binders: Mapping[str, tuple[str, ...]]
    """Maps a node's kind to the fields with the bound names; no fields means all children."""
    definitions: frozenset[str]
    """Binders whose name can be used around them, not only inside."""
    patterns: Mapping[str, tuple[str, ...]]
    """Nodes between a binder and its names, with the fields to follow; no fields means all children."""
    scopes: frozenset[str]
    classes: frozenset[str]
    """Scopes whose names are members."""
    members: Mapping[str, str]
    """Maps a node's kind to the field with a member's name."""
    has_plain_members: bool = False
    """Whether members can also be used without a dot."""


def _fields(*rows: str) -> Mapping[str, tuple[str, ...]]:
    """Parse rows of a kind and its fields."""
    return MappingProxyType({kind: tuple(fields) for kind, *fields in map(str.split, rows)})


_PYTHON = _Grammar(
    binders=_fields(
        "function_definition name", "class_definition name", "assignment left", "augmented_assignment left",
        "for_statement left", "for_in_clause left", "named_expression name", "as_pattern_target",
        "parameters", "lambda_parameters", "aliased_import alias", "import_from_statement name",
        "import_statement name",
    ),
    definitions=frozenset({"function_definition", "class_definition"}),
    patterns=_fields(
        "pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern", "dictionary_splat_pattern",
        "typed_parameter", "default_parameter name", "typed_default_parameter name", "dotted_name",
    ),
    scopes=frozenset(
        {
            "module", "function_definition", "class_definition", "lambda", "list_comprehension",
            "set_comprehension", "dictionary_comprehension", "generator_expression",
        }
    ),
    classes=frozenset({"class_definition"}),
    members=MappingProxyType({"attribute": "attribute"}),
)  # fmt: skip
_TYPESCRIPT = _Grammar(
    binders=_fields(
        "variable_declarator name", "function_declaration name", "generator_function_declaration name",
        "class_declaration name", "abstract_class_declaration name", "interface_declaration name",
        "type_alias_declaration name", "enum_declaration name", "enum_body name", "enum_assignment name",
        "formal_parameters", "arrow_function parameter", "catch_clause parameter", "for_in_statement left",
        "import_clause", "namespace_import", "import_specifier", "method_definition name",
        "public_field_definition name", "field_definition property", "property_signature name",
        "method_signature name", "abstract_method_signature name", "pair key", "type_parameter name",
        "function_signature name",
    ),
    definitions=frozenset(
        {
            "function_declaration", "generator_function_declaration", "class_declaration",
            "abstract_class_declaration", "interface_declaration", "type_alias_declaration", "enum_declaration",
            "function_signature",
        }
    ),
    patterns=_fields(
        "object_pattern", "array_pattern", "pair_pattern value", "rest_pattern", "assignment_pattern left",
        "object_assignment_pattern left", "required_parameter pattern", "optional_parameter pattern",
    ),
    scopes=frozenset(
        {
            "program", "function_declaration", "generator_function_declaration", "function_expression",
            "generator_function", "arrow_function", "method_definition", "statement_block", "for_statement",
            "for_in_statement", "catch_clause", "class_body", "interface_body", "enum_body", "object",
            "method_signature", "function_signature", "type_alias_declaration",
        }
    ),
    classes=frozenset({"class_body", "interface_body", "enum_body", "object"}),
    members=MappingProxyType({"member_expression": "property"}),
)  # fmt: skip
_GO = _Grammar(
    binders=_fields(
        "function_declaration name", "method_declaration name", "parameter_declaration name",
        "variadic_parameter_declaration name", "short_var_declaration left", "var_spec name", "const_spec name",
        "type_spec name", "type_alias name", "field_declaration name", "method_elem name", "range_clause left",
        "type_switch_statement alias", "import_spec name",
    ),
    definitions=frozenset({"function_declaration", "method_declaration", "type_spec", "type_alias"}),
    patterns=_fields("expression_list"),
    scopes=frozenset(
        {
            "source_file", "function_declaration", "method_declaration", "func_literal", "block",
            "if_statement", "for_statement", "expression_switch_statement", "type_switch_statement",
            "expression_case", "type_case", "communication_case", "default_case", "field_declaration_list",
            "interface_type",
        }
    ),
    classes=frozenset({"field_declaration_list", "interface_type"}),
    members=MappingProxyType({"selector_expression": "field"}),
)  # fmt: skip
_RUST = _Grammar(
    binders=_fields(
        "function_item name", "function_signature_item name", "parameter pattern", "closure_parameters",
        "let_declaration pattern", "let_condition pattern", "for_expression pattern", "match_pattern",
        "struct_item name", "enum_item name", "enum_variant name", "field_declaration name", "const_item name",
        "static_item name", "trait_item name", "type_item name", "mod_item name", "use_as_clause alias",
        "use_list", "use_declaration argument", "macro_definition name",
    ),
    definitions=frozenset(
        {
            "function_item", "function_signature_item", "struct_item", "enum_item", "const_item", "static_item",
            "trait_item", "type_item", "mod_item", "macro_definition",
        }
    ),
    patterns=_fields(
        "tuple_pattern", "mut_pattern", "ref_pattern", "reference_pattern", "slice_pattern",
        "tuple_struct_pattern", "struct_pattern", "field_pattern pattern", "captured_pattern", "or_pattern",
        "scoped_identifier name", "scoped_use_list list",
    ),
    scopes=frozenset(
        {
            "source_file", "function_item", "function_signature_item", "closure_expression", "block",
            "for_expression", "match_arm", "if_expression", "while_expression", "declaration_list",
            "enum_variant_list", "field_declaration_list",
        }
    ),
    classes=frozenset({"declaration_list", "enum_variant_list", "field_declaration_list"}),
    members=MappingProxyType({"field_expression": "field"}),
)  # fmt: skip
_JAVA = _Grammar(
    binders=_fields(
        "class_declaration name", "interface_declaration name", "enum_declaration name",
        "record_declaration name", "method_declaration name", "constructor_declaration name",
        "variable_declarator name", "formal_parameter name", "enhanced_for_statement name", "resource name",
        "catch_formal_parameter name", "inferred_parameters", "lambda_expression parameters",
        "enum_constant name", "import_declaration", "type_parameter",
    ),
    definitions=frozenset(
        {
            "class_declaration", "interface_declaration", "enum_declaration", "record_declaration",
            "method_declaration", "constructor_declaration",
        }
    ),
    patterns=_fields("scoped_identifier name"),
    scopes=frozenset(
        {
            "program", "method_declaration", "constructor_declaration", "lambda_expression", "block",
            "constructor_body", "for_statement", "enhanced_for_statement", "catch_clause",
            "try_with_resources_statement", "class_body", "interface_body", "enum_body", "record_declaration",
        }
    ),
    classes=frozenset({"class_body", "interface_body", "enum_body", "record_declaration"}),
    members=MappingProxyType({"field_access": "field", "method_invocation": "name"}),
    has_plain_members=True,
)  # fmt: skip
_GRAMMARS: Mapping[str, _Grammar] = MappingProxyType(
    {
        "python": _PYTHON,
        **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), _TYPESCRIPT),
        "go": _GO,
        "rust": _RUST,
        "java": _JAVA,
    }
)
_SHORTHANDS = frozenset(
    {
        "shorthand_property_identifier",
        "shorthand_property_identifier_pattern",
        "shorthand_field_initializer",
        "shorthand_field_identifier",
    }
)
_ASSIGNMENTS = frozenset({"assignment", "assignment_expression", "assignment_statement"})
_MEMBER_KINDS = frozenset({"property_identifier", "private_property_identifier", "field_identifier"})
# A name after a path, or the key in a literal: Rust's `a::b`, Go's `T{b: 1}`.
_EITHER_PARENTS = frozenset(
    {"scoped_identifier", "scoped_type_identifier", "literal_element", "keyed_element"}
)


def occurrences(tree: SyntaxTree, language: str, name: str) -> tuple[Occurrence, ...]:
    """Return where a name occurs in code, from top to bottom; nothing if there are more than MAX_OCCURRENCES."""
    grammar = _GRAMMARS.get(language)
    if grammar is None or not name:
        return ()
    found = []
    for number, point in enumerate(_places(tree, name)):
        if number == MAX_OCCURRENCES:
            return ()
        if occurrence := occurrence_at(tree, language, point, name):
            found.append(occurrence)
    return tuple(found)


def bindings(tree: SyntaxTree, language: str, name: str) -> tuple[Binding, ...]:
    """Return where a name is bound, from top to bottom."""
    found = occurrences(tree, language, name)
    return tuple(Binding(each, each.scope) for each in found if each.scope is not None)


def occurrence_at(tree: SyntaxTree, language: str, point: Point, name: str) -> Occurrence | None:
    """Return the occurrence at a position; None in strings, comments and languages without a grammar."""
    grammar = _GRAMMARS.get(language)
    node = tree.leaf(point)
    if grammar is None or node is None or "identifier" not in node.type or node.text != name.encode():
        return None
    scope = _scope(node, grammar)
    role = _role(node, grammar)
    if scope is not None and scope.type in grammar.classes:
        role, scope = Role.MEMBER, tree.root
    elif role is Role.MEMBER and (scope is not None or _is_assigned(node)):
        scope = tree.root
    return Occurrence(node, point, role, scope)


def may_mean(language: str, binding: Occurrence, use: Occurrence) -> bool:
    """Check whether a use may refer to a binding, by the roles of both."""
    if use.role is Role.SHORTHAND:
        return False
    if binding.role is Role.MEMBER:
        has_plain = _GRAMMARS[language].has_plain_members and use.role is Role.VARIABLE
        return use.role in (Role.MEMBER, Role.EITHER) or has_plain
    return use.role in (Role.VARIABLE, Role.EITHER)


def is_within(node: Node, scope: Node) -> bool:
    """Check whether a node is inside another."""
    return scope.start_byte <= node.start_byte and node.end_byte <= scope.end_byte


def _places(tree: SyntaxTree, name: str) -> Iterator[Point]:
    """Yield where a name occurs in a text as a whole word."""
    number = 0
    for block in tree.text.blocks:
        for line in block:
            at = line.find(name) if name in line else -1
            while at >= 0:
                stop = at + len(name)
                if not is_word_char(line[at - 1 : at]) and not is_word_char(line[stop : stop + 1]):
                    yield Point(number, at)
                at = line.find(name, stop)
            number += 1


def _scope(node: Node, grammar: _Grammar) -> Node | None:
    """Return where a name that a node binds can be used; None if the node binds none."""
    child, parent = node, node.parent
    while parent is not None and parent.type in grammar.patterns:
        if not _holds(parent, grammar.patterns[parent.type], child):
            return None
        child, parent = parent, parent.parent
    if parent is None or parent.type not in grammar.binders:
        return None
    if not _holds(parent, grammar.binders[parent.type], child):
        return None
    scope = parent.parent if parent.type in grammar.definitions else parent
    while scope is not None and scope.type not in grammar.scopes:
        scope = scope.parent
    return scope


def _is_assigned(member: Node) -> bool:
    """Check whether a member is assigned here, which is how undeclared fields are created."""
    child = member.parent
    parent = child.parent if child is not None else None
    if parent is not None and parent.type == "expression_list":
        child, parent = parent, parent.parent
    return parent is not None and parent.type in _ASSIGNMENTS and child_of(parent, "left") == child


def _holds(parent: Node, fields: tuple[str, ...], child: Node) -> bool:
    return not fields or any(child in parent.children_by_field_name(field) for field in fields)


def _role(node: Node, grammar: _Grammar) -> Role:
    parent = node.parent
    if node.type in _SHORTHANDS or (parent is not None and parent.type in _SHORTHANDS):
        return Role.SHORTHAND
    if node.type in _MEMBER_KINDS:
        return Role.MEMBER
    if parent is None:
        return Role.VARIABLE
    if parent.type in _EITHER_PARENTS:
        return Role.EITHER
    if parent.type == "keyword_argument" and child_of(parent, "name") == node:
        return Role.KEYWORD
    field = grammar.members.get(parent.type)
    return Role.MEMBER if field and child_of(parent, field) == node else Role.VARIABLE


def child_of(node: Node, field: str) -> Node | None:
    """Return a node's child in a field."""
    return node.child_by_field_name(field)
