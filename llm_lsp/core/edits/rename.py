"""Finds the remaining uses of a renamed definition, variable or parameter, using the grammar's scopes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from llm_lsp.core.edits.names import Binding, Occurrence, Role, bindings, is_within, may_mean, occurrences
from llm_lsp.core.edits.next_edit import EditKind, NextEdit, line_edit
from llm_lsp.core.edits.rewrite import Rewrite, is_name
from llm_lsp.core.edits.situation import Situation
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.syntax import SyntaxTree

if TYPE_CHECKING:
    from tree_sitter import Node

# Share of exact edits, by the number of lines the user has already renamed. Nine of ten edits were on a line that did
# change; of a thousand finished files, one had any.
_CONFIDENCE = MappingProxyType({1: 0.6, 2: 0.65, 3: 0.8})
# The same if the old name is still bound there, or the change may mean another thing: another value or import.
_UNCERTAIN = 0.3
_IMPORTS = frozenset(
    {
        "dotted_name",
        "scoped_identifier",
        "import_specifier",
        "import_clause",
        "use_list",
        "aliased_import",
        "import_spec",
        "use_declaration",
    }
)


@dataclass(frozen=True, slots=True)
class RenamedBinding:
    """A name that was changed where it is bound."""

    old: str
    new: str
    occurrence: Occurrence
    """The place of the new name."""
    scope: Node
    """Where it can be used."""
    times: int
    """Number of lines changed from the old name to the new one."""
    is_pure: bool
    """Whether nothing else was changed on its line."""
    collides: bool
    """Whether the new name has another binding there."""

    @property
    def is_import(self) -> bool:
        """Whether it is imported: this usually means that a different thing is used, not that it was renamed."""
        parent = self.occurrence.node.parent
        return parent is not None and parent.type in _IMPORTS


@dataclass(frozen=True, slots=True)
class _StaleUse:
    """A line that still has the old name."""

    line: int
    columns: tuple[int, ...]
    is_bound: bool
    """Whether the old name is still bound there, so that it may be intended."""


def renamed_bindings(situation: Situation) -> tuple[RenamedBinding, ...]:
    """Return the bindings of names that the last change replaced, wherever they were changed."""
    tree = situation.tree
    if tree is None:
        return ()
    names = dict.fromkeys(name for made in situation.last_made for name in _renamed_names(made.rewrite))
    return tuple(found for old, new in names for found in _bindings_of(situation, tree, old, new))


def renames(situation: Situation, renamed: Sequence[RenamedBinding]) -> Iterator[NextEdit]:
    """Yield edits for the lines that still use a renamed binding's old name."""
    tree, document = situation.tree, situation.document
    for each in renamed:
        if tree is None or each.collides:
            continue
        for use in _stale_uses(tree, document.language, each):
            is_certain = each.is_pure and not each.is_import and not use.is_bound
            confidence = _CONFIDENCE[min(each.times, 3)] if is_certain else _UNCERTAIN
            yield _use_edit(document, each, use, confidence)


def _renamed_names(rewrite: Rewrite) -> Iterator[tuple[str, str]]:
    for old, new in rewrite.replaced:
        if len(old) == len(new) == 1 and is_name(old[0]) and is_name(new[0]):
            yield old[0], new[0]


def _bindings_of(situation: Situation, tree: SyntaxTree, old: str, new: str) -> Iterator[RenamedBinding]:
    language = situation.document.language
    alike = situation.lines_changed_from(old, new)
    every = bindings(tree, language, new)
    others = [each for each in every if each.occurrence.point.line not in alike]
    for each in every:
        line = each.occurrence.point.line
        if line in alike:
            yield RenamedBinding(
                old=old,
                new=new,
                occurrence=each.occurrence,
                scope=each.scope,
                times=len(alike),
                is_pure=situation.is_rename(line, old, new),
                collides=any(_collides(each, other) for other in others),
            )


def _stale_uses(tree: SyntaxTree, language: str, renamed: RenamedBinding) -> Iterator[_StaleUse]:
    """Yield the lines in a binding's scope with its old name, except where that is bound again."""
    scope = renamed.scope
    known = bindings(tree, language, renamed.old)
    columns: defaultdict[int, list[int]] = defaultdict(list)
    bound: set[int] = set()
    for use in occurrences(tree, language, renamed.old):
        if not is_within(use.node, scope) or not may_mean(language, renamed.occurrence, use):
            continue
        nearest = _nearest(use, known, language)
        if nearest is not None and nearest.scope != scope and is_within(nearest.scope, scope):
            continue
        columns[use.point.line].append(use.point.column)
        if nearest is not None and nearest.scope == scope:
            bound.add(use.point.line)
    return (_StaleUse(line, tuple(found), line in bound) for line, found in sorted(columns.items()))


def _use_edit(document: Document, renamed: RenamedBinding, use: _StaleUse, confidence: float) -> NextEdit:
    old = new = document.text.line(use.line)
    for column in reversed(use.columns):
        new = new[:column] + renamed.new + new[column + len(renamed.old) :]
    return line_edit(EditKind.RENAME, use.line, old, new, confidence)


def _collides(binding: Binding, other: Binding) -> bool:
    roles = binding.occurrence.role, other.occurrence.role
    if Role.MEMBER in roles:
        return roles[0] is roles[1]
    return is_within(binding.scope, other.scope) or is_within(other.scope, binding.scope)


def _nearest(use: Occurrence, known: Sequence[Binding], language: str) -> Binding | None:
    """Return the binding with the smallest scope around a use."""
    around = [
        each for each in known if is_within(use.node, each.scope) and may_mean(language, each.occurrence, use)
    ]
    return min(around, key=lambda each: each.scope.end_byte - each.scope.start_byte, default=None)
