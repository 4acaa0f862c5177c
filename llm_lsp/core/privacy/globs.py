"""Matches many path globs at once, in one pass over the path.

A glob is a sequence of elements; the parsers for .gitignore and .editorconfig produce it. All globs of a set
are laid out as states of one nondeterministic automaton. The bits of an integer are the active states, and each
character of the path updates all of them with a mask and a shift (Navarro and Raffinot, Flexible Pattern
Matching in Strings, 2002, section 4.2). The cost is the length of the path times the length of the globs, 64
states at a time. There is no backtracking, so a hostile glob costs no more.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

# Cached masks, one per character. Paths with more different characters are matched more slowly.
MAX_MASKS = 256


@dataclass(frozen=True, slots=True)
class CharClass:
    """A character in a set, or with `is_negated` one outside of it; never a slash."""

    chars: frozenset[str] = frozenset()
    ranges: tuple[tuple[str, str], ...] = ()
    """First and last characters; a reversed range is empty."""
    is_negated: bool = False

    def has(self, *spellings: str) -> bool:
        """Check whether a character, in any of its cases, belongs to the class."""
        return any(map(self._lists, spellings)) is not self.is_negated and "/" not in spellings

    def _lists(self, char: str) -> bool:
        return char in self.chars or any(first <= char <= last for first, last in self.ranges)


@dataclass(frozen=True, slots=True)
class AnyRun:
    """Any number of characters, including none."""

    crosses_folders: bool = False
    """Whether it matches slashes too."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several sequences."""

    branches: tuple[Glob, ...]


Element = str | CharClass | AnyRun | Choice
"""A string matches its characters."""
Glob = tuple[Element, ...]

ANY_CHAR = CharClass(is_negated=True)
ANY_FOLDERS = Choice(((), (AnyRun(crosses_folders=True), "/")))
"""Any folders, each with its slash, or none; at the beginning of a path or after a slash."""


class GlobSet:
    """An ordered set of globs, compiled together; nested choices are laid out recursively."""

    def __init__(
        self, globs: Iterable[Glob], folders_only: Collection[int] = (), *, ignore_case: bool = False
    ) -> None:
        """Compile globs; `folders_only` has the indexes of those that do not match files."""
        self._ignore_case = ignore_case
        layout = _Layout(ignore_case)
        starts = []
        self._ends: dict[int, int] = {}
        """Indexes of the globs by their last position, in order."""
        for index, glob in enumerate(globs):
            starts.append(layout.size)
            layout.add(glob)
            self._ends[layout.size] = index
            layout.size += 1
        self._end_bits = _bits(self._ends)
        self._file_end_bits = _bits(end for end, index in self._ends.items() if index not in folders_only)
        self._runs_within, self._runs_across = _bits(layout.runs), _bits(layout.crossing_runs)
        self._jumps = [(distance, _bits(sources)) for distance, sources in layout.jumps.items()]
        self._size = layout.size
        self._start = self._spread(_bits(starts))
        self._any_char_bits = _bits(layout.any_chars)
        self._chars, self._classes = layout.chars, layout.classes
        self._masks: dict[str, int] = {}

    def matches(self, file: str) -> list[int]:
        """Return the indexes of all globs that match a file's path, in order."""
        *_, reached = self._advance(file)
        octets = (reached & self._file_end_bits).to_bytes(self._size // 8 + 1, "little")
        return [index for end, index in self._ends.items() if octets[end >> 3] >> (end & 7) & 1]

    def last_matches(self, path: str) -> Iterator[int | None]:
        """Yield the index of the last matching glob for each folder above a path, then for the path itself.

        A folder's path ends in a slash.
        """
        reached = self._start
        for char, reached in zip([*path, ""], self._advance(path), strict=True):
            if char == "/":
                yield self._last(reached & self._end_bits)
        if not path.endswith("/"):
            yield self._last(reached & self._file_end_bits)

    def _last(self, ends: int) -> int | None:
        return self._ends.get(ends.bit_length() - 1)

    def _advance(self, path: str) -> Iterator[int]:
        """Yield the active positions before each character, and after the last."""
        reached = self._start
        yield reached
        for char in path:
            staying = self._runs_across if char == "/" else self._runs_within | self._runs_across
            reached = self._spread((reached & self._mask(char)) << 1 | reached & staying)
            yield reached

    def _spread(self, reached: int) -> int:
        """Add the positions reachable without a character."""
        while True:
            further = reached
            for distance, sources in self._jumps:
                further |= (further & sources) << distance
            if further == reached:
                return reached
            reached = further

    def _mask(self, char: str) -> int:
        """Return the bits of the positions that match a character."""
        mask = self._masks.get(char)
        if mask is None:
            if len(self._masks) >= MAX_MASKS:
                self._masks.clear()
            mask = _bits(self._positions(char)) | (0 if char == "/" else self._any_char_bits)
            self._masks[char] = mask
        return mask

    def _positions(self, char: str) -> list[int]:
        lower, upper = (char.lower(), char.upper()) if self._ignore_case else (char, char)
        # Some letters have two characters in the other case, which cannot be in a class.
        spellings = {each for each in (char, lower, upper) if len(each) == 1}
        found = [*self._chars.get(lower, ())]
        for char_class, positions in self._classes.items():
            if char_class.has(*spellings):
                found += positions
        return found


class _Layout:
    """The positions of a set's elements, during compilation."""

    def __init__(self, ignore_case: bool) -> None:
        self._ignore_case = ignore_case
        self.size = 0
        self.chars: dict[str, array[int]] = {}
        self.any_chars: list[int] = []
        """Positions of ANY_CHAR, the most frequent class; its bits are the same for each character."""
        self.classes: dict[CharClass, list[int]] = {}
        self.runs: list[int] = []
        self.crossing_runs: list[int] = []
        self.jumps: dict[int, list[int]] = {}
        """Positions from which another one is reachable without a character, by the distance to it."""

    def add(self, glob: Glob) -> None:
        """Lay out elements one after the other; what follows them begins at `size`."""
        for element in glob:
            if isinstance(element, Choice):
                self._add_choice(element)
            elif isinstance(element, AnyRun):
                self._jump(self.size, self.size + 1)
                self._place(self.crossing_runs if element.crosses_folders else self.runs)
            elif element is ANY_CHAR:
                self._place(self.any_chars)
            elif isinstance(element, CharClass):
                self._place(self.classes.setdefault(element, []))
            else:
                chars = map(str.lower, element) if self._ignore_case else element
                for position, char in enumerate(chars, self.size):
                    self.chars.setdefault(char, array("L")).append(position)
                self.size += len(element)

    def _add_choice(self, choice: Choice) -> None:
        """Lay out a position that leads to every branch, and after each branch one that leads out."""
        fork, ends = self.size, []
        self.size += 1
        for branch in choice.branches:
            if not branch:
                ends.append(fork)
                continue
            self._jump(fork, self.size)
            self.add(branch)
            ends.append(self.size)
            self.size += 1
        for end in ends:
            self._jump(end, self.size)

    def _place(self, positions: list[int]) -> None:
        positions.append(self.size)
        self.size += 1

    def _jump(self, source: int, target: int) -> None:
        self.jumps.setdefault(target - source, []).append(source)


def _bits(positions: Iterable[int]) -> int:
    """Return an integer with these bits set; built from bytes, since setting single bits takes quadratic time."""
    places = [*positions]
    octets = bytearray(max(places, default=0) // 8 + 1)
    for place in places:
        octets[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(octets, "little")
