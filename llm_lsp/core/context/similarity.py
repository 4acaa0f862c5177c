"""Measures how similar two pieces of code are, by the words in their lines."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain

from llm_lsp.core.text.text import Point, word_start

# Lines above and below the cursor that are compared, and the factor by which a line counts less than its neighbour
# nearer to the cursor, since the nearest predict best what follows. For missing lines that occur elsewhere in six
# packages, 4 or 16 lines and factors of 0.75 or 0.85 find as many; whole windows of 20 lines find two thirds.
ALIKE_ABOVE, ALIKE_BELOW = 8, 4
DECAY = 0.8
# Least weight of a word, in nats, so that lines of very common words still count.
_LEAST_RARITY = 0.05
# Characters of a line that are used: longer lines are generated.
_LINE_CHARS = 400

_WORD = re.compile(r"[^\W\d]\w{2,}")
# Shorter lines are too common to identify a place: `}`, `else:`, `return`.
_TELLING_CHARS = 8


@dataclass(frozen=True, slots=True)
class LineIndex:
    """The lines of a text, indexed by word."""

    lines_of: Mapping[str, Sequence[int]]
    """The numbers of the lines that contain a word, 0-based."""
    n_words: Sequence[int]
    """The number of words in each line."""

    @classmethod
    def of(cls, lines: Sequence[str]) -> LineIndex:
        """Index a text's lines."""
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
        """All words in the text."""
        return self.lines_of.keys()


@dataclass(frozen=True, slots=True)
class CursorLines:
    """The lines around a cursor with weights, which add up to 1."""

    lines: tuple[tuple[int, frozenset[str], float], ...]
    """Offset from the cursor's line (negative above it), words, weight."""

    @classmethod
    def around(cls, point: Point, lines: Sequence[str], texts: Sequence[LineIndex]) -> CursorLines:
        """Return the lines around a cursor; words that are rare among `texts` count more.

        A word that ends at the cursor is left out, because it may be incomplete and would be the rarest of all.
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
        """Return how similar each place in a text is, from 0 to 1, by the line that corresponds to the
        cursor's.

        Compares each line around the cursor with the line at the same offset, by the Jaccard index of their
        words. Places without a word in common are left out.
        """
        found: defaultdict[int, float] = defaultdict(float)
        for offset, words, weight in self.lines:
            common = Counter(chain.from_iterable(text.lines_of.get(word, ()) for word in words))
            for number, n_common in common.items():
                n_words = len(words) + text.n_words[number] - n_common
                found[number - offset] += weight * n_common / n_words
        # Rounded, because the words come in no fixed order, and sums in different order differ in their last digits.
        return {line: round(likeness, 6) for line, likeness in found.items()}


def words_of(lines: Iterable[str]) -> frozenset[str]:
    """Return the words of three or more characters: nearly all names, and few keywords."""
    return frozenset(word for line in lines for word in _WORD.findall(line[:_LINE_CHARS]))


def repeated_share(text: str, lines: Set[str]) -> float:
    """Return the share of a text's characteristic lines that are in `lines` (stripped); 0 if it has none."""
    telling = telling_lines(text.splitlines())
    return len(telling & lines) / len(telling) if telling else 0.0


def telling_lines(lines: Sequence[str]) -> frozenset[str]:
    """Return the lines that are long enough to identify a place, stripped."""
    stripped = (line[:_LINE_CHARS].strip() for line in lines)
    return frozenset(line for line in stripped if len(line) >= _TELLING_CHARS)


def _rarity(word: str, texts: Sequence[LineIndex]) -> float:
    """Return a word's inverse document frequency (Spärck Jones, 1972)."""
    n_texts = sum(word in text.lines_of for text in texts)
    return max(_LEAST_RARITY, math.log((len(texts) + 1) / (n_texts + 0.5)))
