"""How similar two pieces of code are, by the words in their lines."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain

from llm_lsp.core.text.text import Point, word_start

# Lines above and below the cursor that a place is compared by, and what a line counts less than the one next to it on
# the cursor's side: the nearest tell what comes next. Of the missing lines that stood elsewhere in six packages, as many
# were found with 4 or 16 lines, and with 0.75 or 0.85; windows of 20 lines compared as a whole found two thirds.
ALIKE_ABOVE, ALIKE_BELOW = 8, 4
DECAY = 0.8
# What a word that stands in every text counts, in nats, so that lines of such words still say something.
_LEAST_RARITY = 0.05
# Of a longer line only this many characters count: what is longer was written by a program.
_LINE_CHARS = 400

_WORD = re.compile(r"[^\W\d]\w{2,}")
# Lines shorter than this say nothing of where they come from: `}`, `else:`, `return`.
_TELLING_CHARS = 8


@dataclass(frozen=True, slots=True)
class LineIndex:
    """The lines of a text by their words."""

    lines_of: Mapping[str, Sequence[int]]
    """The numbers of the lines that a word stands in, 0-based."""
    n_words: Sequence[int]
    """How many words each line has."""

    @classmethod
    def of(cls, lines: Sequence[str]) -> LineIndex:
        """Read a text's lines once."""
        lines_of: defaultdict[str, list[int]] = defaultdict(list)
        n_words = []
        for number, line in enumerate(lines):
            words = words_of((line,))
            n_words.append(len(words))
            for word in words:
                lines_of[word].append(number)
        return cls(dict(lines_of), n_words)

    @property
    def words(self) -> Set[str]:
        """All words of the text."""
        return self.lines_of.keys()


@dataclass(frozen=True, slots=True)
class CursorLines:
    """The lines around a cursor, each with what it counts; what there is to count sums up to 1."""

    lines: tuple[tuple[int, frozenset[str], float], ...]
    """Lines from the cursor's (above are negative), words, weight."""

    @classmethod
    def around(cls, point: Point, lines: Sequence[str], texts: Sequence[LineIndex]) -> CursorLines:
        """Look at the lines around a cursor; rare among `texts` is what stands in few of them.

        A word that ends at the cursor is left out: half typed, it would be the rarest of all.
        """
        found = []
        top = max(0, point.line - ALIKE_ABOVE)
        for number, line in enumerate(lines[top : point.line + ALIKE_BELOW + 1], top):
            offset = number - point.line
            if not offset:
                line = line[: word_start(line, point.column)] + line[point.column :]
            words = words_of((line,))
            weight = DECAY ** abs(offset) * sum(_rarity(word, texts) for word in words)
            found.append((offset, words, weight))
        total = sum(weight for _, _, weight in found) or 1.0
        return cls(tuple((offset, words, weight / total) for offset, words, weight in found if words))

    def likeness(self, text: LineIndex) -> dict[int, float]:
        """Return how similar each place of a text is, from 0 to 1, by the line that the cursor would be in.

        Each line around the cursor is compared with the one that stands as far from the place, by the Jaccard index of
        their words. Places where no line has a word in common are not told.
        """
        found: defaultdict[int, float] = defaultdict(float)
        for offset, words, weight in self.lines:
            common = Counter(chain.from_iterable(text.lines_of.get(word, ()) for word in words))
            for number, n_common in common.items():
                n_words = len(words) + text.n_words[number] - n_common
                found[number - offset] += weight * n_common / n_words
        # Rounded: words come in no order, and sums of the same weights would differ by it in their last digits.
        return {line: round(likeness, 6) for line, likeness in found.items()}


def words_of(lines: Iterable[str]) -> frozenset[str]:
    """Return the words of three characters and more: nearly all names, and few operators."""
    return frozenset(word for line in lines for word in _WORD.findall(line[:_LINE_CHARS]))


def repeated_share(text: str, lines: Set[str]) -> float:
    """Return the share of a text's characteristic lines that are among `lines` (stripped); 0 if it has none."""
    telling = telling_lines(text.splitlines())
    return len(telling & lines) / len(telling) if telling else 0.0


def telling_lines(lines: Sequence[str]) -> frozenset[str]:
    """Return the lines that are characteristic of where they come from, stripped."""
    stripped = (line[:_LINE_CHARS].strip() for line in lines)
    return frozenset(line for line in stripped if len(line) >= _TELLING_CHARS)


def _rarity(word: str, texts: Sequence[LineIndex]) -> float:
    """Return the word's inverse document frequency (Spärck Jones, 1972)."""
    n_texts = sum(word in text.lines_of for text in texts)
    return max(_LEAST_RARITY, math.log((len(texts) + 1) / (n_texts + 0.5)))
