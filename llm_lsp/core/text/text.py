"""A persistent text: lines, edits, and positions in UTF-8, UTF-16 and UTF-32.

How it works: a text is a tuple of blocks of about BLOCK_LINES lines, with the number of each block's first
line. An edit rebuilds only the blocks that it touches, and shares all others with the text before it. So a
keystroke costs about the same in a file of 100 lines and one of 100,000, and an old snapshot remains valid for
as long as a request uses it, without a copy. Lines are found by binary search for their block.

A line keeps its own line end: LF, CRLF or CR, and no other (LSP 3.18, "Text Documents"); `str.splitlines` would
also split at form feeds, NEL and U+2028. Columns count code points, like Python's strings. Clients count UTF-8
or UTF-16 units; `to_point` and `to_position` convert within one line, whose length limits their cost.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Literal, NamedTuple

Encoding = Literal["utf-8", "utf-16", "utf-32"]
"""The unit in which a client counts columns."""

# Lines. An edit copies the lines of one block and the list of blocks, at 125,000 lines about 500 references each: both
# grow with the square root of the file's size.
BLOCK_LINES = 256
# Characters. A longer run is not a word (base64, minified code), and the search for its start must end.
MAX_WORD_CHARS = 128


class Point(NamedTuple):
    """A position in a text: 0-based line, and column in code points (never UTF-16 units)."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Edit:
    """A change: `text` replaces `start` to `end` of the text before it."""

    start: Point
    end: Point
    text: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Text:
    r"""An immutable text whose edited versions share all blocks but those that the edit touches.

    The last line has no line end, and may be empty: "a\n" has two lines. Two texts are equal only if they are
    the same object; compare `str()` otherwise.
    """

    blocks: tuple[tuple[str, ...], ...]
    """Lines with their line ends; no block is empty."""
    starts: tuple[int, ...]
    """The number of each block's first line."""
    size: int
    """Number of code points."""

    @classmethod
    def of(cls, text: str) -> Text:
        """Split a string into lines."""
        return cls._build(_blocks(_split(text)), len(text))

    @classmethod
    def _build(cls, blocks: tuple[tuple[str, ...], ...], size: int) -> Text:
        return cls(blocks, tuple(accumulate(map(len, blocks[:-1]), initial=0)), size)

    def __str__(self) -> str:
        return "".join(chain.from_iterable(self.blocks))

    def __repr__(self) -> str:
        # Without the text, which must not end up in a log.
        return f"Text({self.line_count} lines, {self.size} code points)"

    @property
    def line_count(self) -> int:
        """The number of lines, at least 1."""
        return self.starts[-1] + len(self.blocks[-1])

    @property
    def end(self) -> Point:
        """The point after the last character."""
        return Point(self.line_count - 1, len(self.blocks[-1][-1]))

    def line(self, number: int) -> str:
        """Return a line without its line end; raises IndexError if there is no such line."""
        return _without_end(self._line(number))

    def line_end(self, number: int) -> str:
        r"""Return "\n", "\r\n", "\r", or "" for the last line; raises IndexError if there is no such line."""
        line = self._line(number)
        return line[len(_without_end(line)) :]

    def lines(self, start: int, stop: int) -> list[str]:
        """Return the lines from `start` up to but excluding `stop`, with line ends; limits beyond the text are
        clamped.
        """
        start, stop = max(start, 0), min(stop, self.line_count)
        if start >= stop:
            return []
        first, last = self._block(start), self._block(stop - 1)
        start, stop = start - self.starts[first], stop - self.starts[first]
        if first == last:  # usually: a few lines of 256
            return list(self.blocks[first][start:stop])
        return list(chain.from_iterable(self.blocks[first : last + 1]))[start:stop]

    def clamp(self, point: Point) -> Point:
        """Return the nearest existing point: a column past the line's end is clamped to it, a line past the end
        to the end.
        """
        if point.line < 0:
            return Point(0, 0)
        if point.line >= self.line_count:
            return self.end
        return Point(point.line, min(max(point.column, 0), len(self.line(point.line))))

    def slice(self, start: Point, end: Point) -> str:
        """Return the text from `start` to `end`, both clamped; empty unless `end` is after `start`."""
        start, end = self.clamp(start), self.clamp(end)
        if end <= start:
            return ""
        lines = self.lines(start.line, end.line + 1)
        # The end first: on one line both columns count from its start.
        lines[-1] = lines[-1][: end.column]
        lines[0] = lines[0][start.column :]
        return "".join(lines)

    def edit(self, start: Point, end: Point, new: str) -> Text:
        """Return the text with `new` instead of `start` to `end`; both are clamped, and may be in either order."""
        start, end = sorted((self.clamp(start), self.clamp(end)))
        # A CR before the edit becomes part of a CRLF if the edit puts a LF after it.
        above = int(start.line > 0 and start.column == 0 and self._line(start.line - 1).endswith("\r"))
        touched = self.lines(start.line - above, end.line + 1)
        joined = "".join((*touched[:above], touched[above][: start.column], new, touched[-1][end.column :]))
        lines = _split(joined)
        if end.line + 1 < self.line_count:
            lines.pop()  # the text after the last touched line's end is the next line, not an empty one
        return self._replace(start.line - above, end.line + 1, lines, len(joined) - sum(map(len, touched)))

    def _replace(self, start: int, stop: int, lines: Sequence[str], grown: int) -> Text:
        first, last = self._block(start), self._block(stop - 1)
        head = self.blocks[first][: start - self.starts[first]]
        tail = self.blocks[last][stop - self.starts[last] :]
        between = (*head, *lines, *tail)
        # Split only at twice the size, so that not every typed line splits the block.
        blocks = _blocks(between) if len(between) > 2 * BLOCK_LINES else (between,)
        return self._build(self.blocks[:first] + blocks + self.blocks[last + 1 :], self.size + grown)

    def _block(self, line: int) -> int:
        return bisect_right(self.starts, line) - 1

    def _line(self, number: int) -> str:
        if number < 0:
            raise IndexError(number)
        block = self._block(number)
        return self.blocks[block][number - self.starts[block]]


def to_point(text: Text, line: int, character: int, encoding: Encoding) -> Point:
    """Convert an LSP position.

    Clamped like in LSP: past a line's end means the line's end, past the last line the text's end. A position
    inside a character's units means the position before it.
    """
    if line >= text.line_count:
        return text.end
    content = text.line(line)
    if encoding == "utf-32" or content.isascii():  # isascii() reads a flag: no work on a line of 1 MB.
        return Point(line, min(character, len(content)))
    return Point(line, _column(content, character, encoding))


def to_position(text: Text, point: Point, encoding: Encoding) -> tuple[int, int]:
    """Convert a point to an LSP position, (line, character); the point is clamped first."""
    line, column = text.clamp(point)
    content = text.line(line)
    if encoding == "utf-32" or content.isascii():
        return line, column
    return line, _units(content[:column], encoding)


def advance(point: Point, inserted: str) -> Point:
    """Return the end of a text inserted at a point."""
    line, column = Text.of(inserted).end
    return Point(point.line + line, column if line else point.column + column)


def difference(text: Text, new: str) -> Edit:
    """Return the small edit that turns a text into `new`, for clients that send the whole text at each
    keystroke.
    """
    old = str(text)
    limit = min(len(old), len(new))
    head = common_start(old, new)
    if old[head - 1 : head] == "\r":
        head -= 1  # no position is between CR and LF
    tail = _agreement(
        limit - head, lambda start, stop: _from_end(old, start, stop) == _from_end(new, start, stop)
    )
    if tail and old[-tail] == "\n" and "\r" in (old[-tail - 1 : -tail], new[-tail - 1 : -tail]):
        tail -= 1
    start = Text.of(old[:head]).end
    return Edit(start, advance(start, old[head : len(old) - tail]), new[head : len(new) - tail])


def changed_lines(old: Text, new: Text) -> tuple[int, int, int]:
    """Return the first line that differs between two versions, and the lines where the difference stops in each.

    Blocks that both share are not read.
    """
    limit = min(len(old.blocks), len(new.blocks))
    head = next((at for at in range(limit) if old.blocks[at] is not new.blocks[at]), limit)
    limit -= head
    tail = next((at for at in range(limit) if old.blocks[-1 - at] is not new.blocks[-1 - at]), limit)
    mine = list(chain.from_iterable(old.blocks[head : len(old.blocks) - tail]))
    theirs = list(chain.from_iterable(new.blocks[head : len(new.blocks) - tail]))
    first = old.starts[head] if head < len(old.starts) else old.line_count
    limit = min(len(mine), len(theirs))
    above = next((at for at in range(limit) if mine[at] != theirs[at]), limit)
    limit -= above
    below = next((at for at in range(limit) if mine[-1 - at] != theirs[-1 - at]), limit)
    return first + above, first + len(mine) - below, first + len(theirs) - below


def common_start(one: str, other: str) -> int:
    """Return the number of characters that both begin with."""
    limit = min(len(one), len(other))
    return _agreement(limit, lambda start, stop: one[start:stop] == other[start:stop])


def word_start(line: str, column: int) -> int:
    """Return where the word that ends at a column begins; the column itself if there is none, at most the
    line's end.

    Of a run of more than MAX_WORD_CHARS only that many are examined.
    """
    start = min(column, len(line))
    least = max(start - MAX_WORD_CHARS, 0)
    while start > least and is_word_char(line[start - 1]):
        start -= 1
    return start


def is_word_char(char: str) -> bool:
    """Return whether a character is part of a name in most languages; False for ""."""
    return char.isalnum() or char == "_"


def _agreement(limit: int, agrees: Callable[[int, int], bool]) -> int:
    """Return how far two strings agree, up to `limit`, comparing at most twice their length."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if agrees(low, middle):
            low = middle
        else:
            high = middle - 1
    return low


def _from_end(string: str, start: int, stop: int) -> str:
    return string[len(string) - stop : len(string) - start]


# Code points measured at a time: a line of 1 MB takes 250 steps of a few microseconds.
_STRIDE = 4096


def _column(content: str, character: int, encoding: Encoding) -> int:
    """Return the largest number of code points whose units are not more than `character`."""
    column, stride = 0, _STRIDE
    while stride and column < len(content):
        piece = content[column : column + stride]
        units = _units(piece, encoding)
        if units <= character:
            column += len(piece)
            character -= units
        else:
            stride //= 2
    return column


def _units(piece: str, encoding: Encoding) -> int:
    # Lone surrogates occur in real documents (half of an emoji was deleted) and count as the client counts them.
    if encoding == "utf-8":
        return len(piece.encode("utf-8", "surrogatepass"))
    return len(piece.encode("utf-16-le", "surrogatepass")) // 2


def _split(text: str) -> list[str]:
    """Return the lines with line ends; the last has none and may be empty."""
    lines = io.StringIO(text, newline="").readlines()  # splits at LF, CRLF and CR, and keeps them
    if not lines or lines[-1][-1] in "\r\n":
        lines.append("")
    return lines


def _blocks(lines: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(lines[at : at + BLOCK_LINES]) for at in range(0, len(lines), BLOCK_LINES))


def _without_end(line: str) -> str:
    # Not rstrip: U+2028 and form feeds belong to the line, and a line has exactly one end.
    return line[:-2] if line.endswith("\r\n") else line[:-1] if line.endswith(("\n", "\r")) else line
