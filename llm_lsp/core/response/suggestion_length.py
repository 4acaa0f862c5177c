"""How much of a line is shown at once: as much as was usually right so far."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from llm_lsp.core.response.completion_extent import next_line
from llm_lsp.core.text.window import Window

# Words that are right before one is wrong, until it is known. Half of HumanEval's lines, of 8 words in the mean, come
# out right with the smallest model we run: 8 / ln 2.
START_RUN = 11.5
# The weight of a new run in the mean: about the last ten wrong words count.
RUN_WEIGHT = 0.2
# What it costs to accept, in words that are typed: a key and a glance are half a word of four characters.
ACCEPT_WORDS = 0.5
# A word or a mark: what the simulations in docs/adr/0031 count. Blanks are no part of it: a pattern that takes them in
# tries a long row of them again from each of its characters.
_WORD = re.compile(r"\w+|[^\w\s]")
# The first line with text of an answer, with the blank lines before it.
_FIRST_LINE = re.compile(r"\s*[^\n]*")


@dataclass(frozen=True, slots=True)
class SuggestionLength:
    """How far a model sees ahead of its user: learned from what was typed where something was shown."""

    mean_run: float = START_RUN
    """Words that were right before one was wrong."""
    run: int = 0
    """Words that were right since the last wrong one."""

    def seen(self, words: int, *, missed: bool) -> SuggestionLength:
        """Count words that were right, and whether the next one was wrong."""
        run = self.run + words
        if not missed:
            return SuggestionLength(self.mean_run, run)
        return SuggestionLength(self.mean_run + RUN_WEIGHT * (run - self.mean_run))

    @property
    def phrase_words(self) -> int:
        """Return the words to show at once that save the most typing.

        With a chance of p = exp(-1/run) for each next word and a cost c of accepting, phrases of n words save
        (n - c) p^n / (1 - p^n) in a row; the best n is near sqrt(2 c run), and flat around it.
        """
        return max(1, math.floor(math.sqrt(2 * ACCEPT_WORDS * max(self.mean_run, self.run))))


def count_words(text: str, end: int) -> int:
    """Count the words of a text that end at or before an offset."""
    return sum(match.end() <= end for match in _WORD.finditer(text))


class PhraseFinder:
    """Finds where the first line of an answer may be cut while the answer grows: before a blank, every few words.

    Not while the line is the beginning of the one above, the next one or itself: it may turn out to be that line. Each
    character is looked at once, however often the answer grows.
    """

    def __init__(self, words: int, window: Window) -> None:
        above = window.prefix.rstrip().rpartition("\n")[2]
        self._neighbours = (above.strip(), next_line(window).strip())
        self._line_prefix = window.line_prefix
        self._words = words
        self._count = 0
        """Words since the last cut."""
        self._at = 0
        """The offset after the last word that was counted."""

    def find(self, text: str) -> list[int]:
        """Return the new cuts of an answer that begins with the text of the last call, as offsets in it."""
        first = _FIRST_LINE.match(text)
        line = first.group() if first else ""
        ends: list[int] = []
        for match in _WORD.finditer(line, self._at):
            end = match.end()
            if end == len(line):
                break  # It may go on.
            self._at = end
            self._count += 1
            if self._count >= self._words and line[end] in " \t" and self._is_new(line[:end]):
                ends.append(end)
                self._count = 0
        return ends

    def _is_new(self, start: str) -> bool:
        if self._line_prefix.strip().startswith(start.strip()):
            return False  # It may be the line itself once more.
        so_far = (self._line_prefix + start).rpartition("\n")[2].strip()
        return not any(line.startswith(so_far) for line in self._neighbours)
