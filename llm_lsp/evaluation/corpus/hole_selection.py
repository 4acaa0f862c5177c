"""Holes in source files, and a balanced random selection of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle
from random import Random

from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text
from llm_lsp.evaluation.corpus.hole_places import KINDS, CutPoint, Kind, Spot, cuts

# In drawing order, weighted by how common they are: mostly bodies and calls, and one for imports.
SPOTS: Mapping[Kind, tuple[Spot, ...]] = {
    "line": ("body", "argument", "body", "import"),
    "span": ("argument", "body"),
    "block": ("body",),
}


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """A file in the repository."""

    path: str
    """Relative to the repository, with slashes."""
    language: str
    text: Text


@dataclass(frozen=True)
class Hole:
    """A cut in a file."""

    source: CorpusFile
    cut: CutPoint

    @cached_property
    def missing(self) -> str:
        """The text that was cut out."""
        return self.source.text.slice(self.cut.start, self.cut.end)

    @cached_property
    def id(self) -> str:
        """Identifies the hole across runs; changes if the surrounding text changes."""
        where = (self.source.path, self.cut, str(self.source.text))
        return hashlib.sha256(repr(where).encode()).hexdigest()[:16]

    def document(self, uri: str) -> Document:
        """Return the file without the missing text."""
        text = self.source.text.edit(self.cut.start, self.cut.end, "")
        return Document(uri, self.source.language, 1, text)


Read = Callable[[str], CorpusFile | None]
"""Reads a path; returns None if it is not source code."""


def draw(paths: Sequence[str], read: Read, seed: int, kinds: Sequence[Kind] = KINDS) -> Iterator[Hole]:
    """Yield holes, evenly over the kinds, and for each sort of hole evenly over the files that have it.

    The same seed gives the same holes in the same order, however many are used. Files are read when needed.
    """
    turns = [
        (kind, spots[turn % len(spots)]) for turn in range(4) for kind in kinds for spots in [SPOTS[kind]]
    ]
    piles = {(kind, spot): _pile(sorted(paths), read, kind, spot, seed) for kind, spot in turns}
    for kind, spot in cycle(turns):
        if not piles:
            return
        if (kind, spot) in piles:
            hole = next(piles[kind, spot], None)
            if hole is None:
                del piles[kind, spot]
            else:
                yield hole


def _pile(paths: list[str], read: Read, kind: Kind, spot: Spot, seed: int) -> Iterator[Hole]:
    """Yield one hole from each file in random order, then a second one from each, and so on."""
    rng = Random(f"{seed} {kind} {spot}")
    rng.shuffle(paths)
    hands = [_hand(path, read, kind, spot, rng) for path in paths]
    while hands:
        left: list[Iterator[Hole]] = []
        for hand in hands:
            if (hole := next(hand, None)) is not None:
                left.append(hand)
                yield hole
        hands = left


def _hand(path: str, read: Read, kind: Kind, spot: Spot, rng: Random) -> Iterator[Hole]:
    source = read(path)
    if source is None:
        return
    found = list(cuts(source.text, source.language, kind, spot, rng))
    rng.shuffle(found)
    for cut in found:
        yield Hole(source, cut)
