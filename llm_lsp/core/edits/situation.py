"""The input of the rules for next edits: a document, its tree, and the changes that led to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from llm_lsp.core.context.edit_history import ChangedLines, EditBurst
from llm_lsp.core.edits.line_changes import LineChange, line_changes
from llm_lsp.core.edits.regions import Region, region_by_line, region_by_tree
from llm_lsp.core.edits.rewrite import Rewrite
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.syntax import SyntaxTree
from llm_lsp.core.text.text import Point

RewriteKey = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class RewrittenAt:
    """A line that the user changed, its current position, and the rule of its change."""

    line: int
    change: LineChange
    rewrite: Rewrite


@dataclass(frozen=True)
class Situation:
    """A document right after a change."""

    document: Document
    cursor: Point
    bursts: tuple[EditBurst, ...]
    """The recent changes in all documents, oldest first."""
    tree: SyntaxTree | None
    """The document's tree; None for a language without a grammar."""
    is_typing: bool = False
    """Whether the cursor's line may be incomplete."""
    is_typed: bool = True
    """Whether the user typed the last change, at one place."""

    @cached_property
    def change(self) -> ChangedLines | None:
        """The lines of the last change; None if there is none, it is too large, or in another document."""
        is_here = bool(self.bursts) and self.bursts[-1].after is self.document
        return self._changes[-1] if is_here else None

    @cached_property
    def last_made(self) -> tuple[RewrittenAt, ...]:
        """The last change by lines: one line for each rule, latest first."""
        found: dict[RewriteKey, RewrittenAt] = {}
        for change in reversed(self._line_changes[-1] if self.change else ()):
            if self.is_typing and change.line == self.cursor.line:
                continue
            if rewrite := Rewrite.of(change.old, change.new):
                found.setdefault(rewrite.key, RewrittenAt(change.line, change, rewrite))
        return tuple(found.values())

    def times_made(self, rewrite: Rewrite) -> int:
        """Count the lines in all documents that were changed by a rule."""
        return sum(
            rewrite.made(change.old, change.new) for changes in self._line_changes for change in changes
        )

    @cached_property
    def _changes(self) -> tuple[ChangedLines | None, ...]:
        """The change of each burst."""
        return tuple(burst.change() for burst in self.bursts)

    @cached_property
    def _line_changes(self) -> tuple[tuple[LineChange, ...], ...]:
        """The changed lines of each burst."""
        return tuple(line_changes(change) if change else () for change in self._changes)

    @cached_property
    def changed_lines(self) -> dict[int, tuple[LineChange, ...]]:
        """All changed lines in this document, by current position."""
        found: defaultdict[int, list[LineChange]] = defaultdict(list)
        own = [
            (burst, changes)
            for burst, changes in zip(self.bursts, self._line_changes, strict=True)
            if burst.after.uri == self.document.uri
        ]
        for number, (_, changes) in enumerate(own):
            later = [burst for burst, _ in own[number + 1 :]]
            for change in changes:
                found[line_now(change.line, later)].append(change)
        return {line: tuple(changes) for line, changes in found.items()}

    def lines_changed_from(self, old: str, new: str) -> frozenset[int]:
        """Return the lines on which the user replaced a text by another one."""
        return frozenset(
            line
            for line, changes in self.changed_lines.items()
            if any(old in change.old and new in change.new for change in changes)
        )

    def is_rename(self, line: int, old: str, new: str) -> bool:
        """Check whether only a name was changed on a line."""
        rewrites = (Rewrite.of(change.old, change.new) for change in self.changed_lines.get(line, ()))
        return any(rewrite is not None and rewrite.renamed == (old, new) for rewrite in rewrites)

    @property
    def is_one_line(self) -> bool:
        """Whether the last change turned one line into one line."""
        return self.change is not None and len(self.change.old) == len(self.change.new) == 1

    def is_just_changed(self, line: int) -> bool:
        """Check whether a line belongs to the last change."""
        change = self.change
        return change is not None and change.start <= line < change.start + len(change.new)

    def reverts(self, line: int, made: str) -> bool:
        """Check whether a change would restore a line, or a similar one, that the user has changed."""
        old = self.document.text.line(line)
        return any(_holds(change.new, old) and _holds(change.old, made) for change in self._changes if change)

    def distance(self, line: int) -> int:
        """Count the lines from the last change to a line; negative above it."""
        change = self.change
        if change is None:
            return line - self.cursor.line
        return line - change.start if line < change.start else line - (change.start + len(change.new) - 1)

    def region(self, point: Point) -> Region:
        """Return whether a position is in code, a string or a comment."""
        if self.tree is not None:
            return region_by_tree(self.tree, point)
        return region_by_line(self.document.text.line(point.line), point.column, self.document.language)


def _holds(lines: Sequence[str], line: str) -> bool:
    return any(each.rstrip("\r\n") == line for each in lines)


def line_now(line: int, later: Sequence[EditBurst]) -> int:
    """Return the position of a line after later changes of its document."""
    for burst in later:
        line = burst.line_after(line)
    return line
