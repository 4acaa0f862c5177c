"""The change of one line as a rule that can be applied to other lines.

The two versions of a line are compared token by token. Replaced, inserted and deleted tokens form operations,
all other tokens are context. If a rule has a single operation, or several equal ones, it replaces every
occurrence in another line. If its operations differ, all of them must apply, in order, with any tokens between
them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Literal

Shape = Literal["name", "tokens", "sequence", "insertion"]

_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_NAME = re.compile(r"[^\W\d]\w*\Z")
# Tokens of a line that are compared; longer lines contain data.
MAX_TOKENS = 200
# The agreement of a side on which all tokens agree, up to the end of the line.
WHOLE_SIDE = 9


def tokens(line: str) -> tuple[str, ...]:
    """Split a line into words, runs of blanks, and other single characters."""
    return tuple(_TOKEN.findall(line))


@dataclass(frozen=True, slots=True)
class Operation:
    """Tokens `old_start` to `old_stop` of the old line became `new_start` to `new_stop` of the new one."""

    old_start: int
    old_stop: int
    new_start: int
    new_stop: int


@dataclass(frozen=True, slots=True)
class RewrittenLine:
    """The result of applying a rule to a line."""

    text: str
    start: int
    """Column of the first operation, in the original line."""
    stop: int
    """Column after the last operation."""
    agreement: int
    """Number of tokens before the first and after the last operation that agree with the rule's own line."""


@dataclass(frozen=True)
class Rewrite:
    """The change of one line, as a rule."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    operations: tuple[Operation, ...]

    @classmethod
    def of(cls, old: str, new: str) -> Rewrite | None:
        """Compare two versions of a line; None if they are equal, too long, or differ only in blanks."""
        before, after = tokens(old), tokens(new)
        if max(len(before), len(after)) > MAX_TOKENS:
            return None
        operations = tuple(_operations(before, after))
        found = cls(before, after, operations)
        if not any("".join(pair[0] + pair[1]).strip() for pair in found.replaced):
            return None
        return found

    @cached_property
    def replaced(self) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
        """The old and new tokens of each operation."""
        return tuple(
            (self.old[each.old_start : each.old_stop], self.new[each.new_start : each.new_stop])
            for each in self.operations
        )

    @cached_property
    def key(self) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
        """Equal for equal changes."""
        return self.replaced[:1] if self.is_substitution else self.replaced

    @cached_property
    def is_substitution(self) -> bool:
        """Whether all its operations are equal and replace something."""
        return len(set(self.replaced)) == 1 and not _is_blank(self.replaced[0][0])

    @cached_property
    def renamed(self) -> tuple[str, str] | None:
        """The old and new name, if exactly one name was changed."""
        (old, new), *_ = self.replaced
        names = len(old) == len(new) == 1 and is_name(old[0]) and is_name(new[0])
        return (old[0], new[0]) if self.is_substitution and names else None

    @cached_property
    def shape(self) -> Shape:
        """What was changed: one name, one run of tokens, several in sequence, or only an insertion."""
        if self.renamed:
            return "name"
        if self.is_substitution:
            return "tokens"
        return "sequence" if self.letters else "insertion"

    @cached_property
    def anchors(self) -> tuple[str, ...]:
        """Texts of which a line must contain one for the rule to apply, most specific ones; () if none is
        specific.
        """
        found = [self._anchors(operation) for operation in self.operations]
        return max((each for each in found if each), key=lambda each: min(map(letters, each)), default=())

    def _anchors(self, operation: Operation) -> tuple[str, ...]:
        """Return what is replaced; for an insertion, its possible neighbours."""
        first, stop = operation.old_start, operation.old_stop
        spans = _around(first, stop) if _is_blank(self.old[first:stop]) else ((first, stop),)
        texts = ("".join(self.old[max(0, start) : end]) for start, end in spans)
        return tuple(text for text in texts if letters(text))

    @cached_property
    def letters(self) -> int:
        """Number of letters and digits in everything replaced, a measure of how specific the rule is."""
        return sum(letters("".join(old)) for old, _ in self.replaced)

    @property
    def is_deletion(self) -> bool:
        """Whether it only deletes."""
        return all(_is_blank(new) for _, new in self.replaced)

    @property
    def new_column(self) -> int:
        """Column of the first operation in the new line."""
        return sum(map(len, self.new[: self.operations[0].new_start]))

    def made(self, old: str, new: str) -> bool:
        """Check whether a change of a line follows this rule."""
        if not all("".join(gone) in old and "".join(come) in new for gone, come in self.key):
            return False  # true for most lines; a comparison by tokens takes a hundred times as long
        other = Rewrite.of(old, new)
        return other is not None and other.key == self.key

    def apply(self, line: str) -> RewrittenLine | None:
        """Apply the rule to another line; None if it does not apply, or changes nothing."""
        there = tokens(line)
        if len(there) > MAX_TOKENS:
            return None
        places = self._occurrences(there) if self.is_substitution else self._sequence(there)
        if not places:
            return None
        text, at = [], 0
        for start, stop, new in places:
            text += [*there[at:start], *new]
            at = stop
        text += there[at:]
        made = "".join(text)
        if made == line:
            return None
        start, stop = places[0][0], places[-1][1]
        return RewrittenLine(
            made, len("".join(there[:start])), len("".join(there[:stop])), self._agreement(there, places)
        )

    def _occurrences(self, there: Sequence[str]) -> list[_Place]:
        """Return where the replaced tokens occur in a line; only with matching neighbours if the rule's line
        kept some.
        """
        old, new = self.replaced[0]
        found = list(_find(there, old))
        if len(list(_find(self.old, old))) > len(self.operations):
            found = [at for at in found if any(self._is_beside(there, at, each) for each in self.operations)]
        places, stop = [], 0
        for at in found:
            if at >= stop:
                stop = at + len(old)
                places.append((at, stop, new))
        return places

    def _sequence(self, there: Sequence[str]) -> list[_Place]:
        """Return where all operations apply in order; [] if one does not."""
        places: list[_Place] = []
        at = 0
        for each, (old, new) in zip(self.operations, self.replaced, strict=True):
            found = self._place(there, at, each)
            if found is None:
                return []
            at = found + len(old)
            places.append((found, at, new))
        return places

    def _place(self, there: Sequence[str], at: int, operation: Operation) -> int | None:
        """Return the next place for an operation: next to a token it was next to, or with specific enough
        tokens.
        """
        old = self.old[operation.old_start : operation.old_stop]
        found = list(_find(there, old, at))
        beside = next((start for start in found if self._is_beside(there, start, operation)), None)
        if beside is None and len(old) > 1 and letters("".join(old)):
            return found[0] if found else None
        return beside

    def _is_beside(self, there: Sequence[str], at: int, operation: Operation) -> bool:
        """Check the tokens around a place: one must agree with the rule's line; two, with a letter, for an
        insertion.
        """
        first, stop = operation.old_start, operation.old_stop
        offset = at - first
        if not _is_blank(self.old[first:stop]):
            left = _token(there, at - 1) == _token(self.old, first - 1)
            return left or _token(there, stop + offset) == _token(self.old, stop)
        return any(
            letters("".join(self.old[max(0, start) : end]))
            and all(_token(there, each + offset) == _token(self.old, each) for each in range(start, end))
            for start, end in _around(first, stop)
        )

    def _agreement(self, there: Sequence[str], places: Sequence[_Place]) -> int:
        if not self.is_substitution:
            first, last = self.operations[0], self.operations[-1]
            return self._sides(there, places[0][0], places[-1][1], first.old_start, last.old_stop)
        return max(
            self._sides(there, start, stop, each.old_start, each.old_stop)
            for start, stop, _ in places
            for each in self.operations
        )

    def _sides(self, there: Sequence[str], start: int, stop: int, old_start: int, old_stop: int) -> int:
        return _common(_words(there[:start])[::-1], _words(self.old[:old_start])[::-1]) + _common(
            _words(there[stop:]), _words(self.old[old_stop:])
        )


_Place = tuple[int, int, tuple[str, ...]]
"""First and last token, and the tokens that replace them."""


def is_name(token: str) -> bool:
    """Check whether a token is a name, not a number."""
    return _NAME.match(token) is not None


def _around(first: int, stop: int) -> tuple[tuple[int, int], ...]:
    """Return the spans with two more tokens: both before, one on each side, both after."""
    return (first - 2, stop), (first - 1, stop + 1), (first, stop + 2)


def letters(text: str) -> int:
    """Count the letters and digits."""
    return sum(map(str.isalnum, text))


def _operations(old: Sequence[str], new: Sequence[str]) -> Iterator[Operation]:
    """Compare tokens; operations separated only by blanks are merged."""
    limit = min(len(old), len(new))
    head = next((at for at in range(limit) if old[at] != new[at]), limit)
    tail = next((at for at in range(limit - head) if old[-1 - at] != new[-1 - at]), limit - head)
    middle = old[head : len(old) - tail], new[head : len(new) - tail]
    waiting: Operation | None = None
    for tag, first, stop, new_first, new_stop in SequenceMatcher(None, *middle, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        here = Operation(head + first, head + stop, head + new_first, head + new_stop)
        if waiting and _is_blank(old[waiting.old_stop : here.old_start]):
            here = Operation(waiting.old_start, here.old_stop, waiting.new_start, here.new_stop)
        elif waiting:
            yield waiting
        waiting = here
    if waiting:
        yield waiting


def _find(there: Sequence[str], wanted: Sequence[str], start: int = 0) -> Iterator[int]:
    size = len(wanted)
    wanted = tuple(wanted)
    return (at for at in range(start, len(there) - size + 1) if tuple(there[at : at + size]) == wanted)


def _token(there: Sequence[str], at: int) -> str | None:
    return there[at] if 0 <= at < len(there) else None


def _words(there: Sequence[str]) -> list[str]:
    return [token for token in there if not token.isspace()]


def _is_blank(there: Sequence[str]) -> bool:
    return not "".join(there).strip()


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the common tokens at the beginning of two sides."""
    for at, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return at
    return WHOLE_SIDE if len(one) == len(other) else min(len(one), len(other))
