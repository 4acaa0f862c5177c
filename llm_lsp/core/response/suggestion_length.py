"""How much of a line is shown at once: as much as was usually right so far."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from llm_lsp.core.response.completion_extent import next_line
from llm_lsp.core.response.text_kind import TextKind, kind_at_end
from llm_lsp.core.text.languages import language_of
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
# What a line goes on after: a part of it that ends so looks broken.
_GOES_ON = frozenset("=<>!&|+-*/%^~@?:.\\([{") | {
    "and",
    "or",
    "not",
    "in",
    "is",
    "as",
    "instanceof",
    "extends",
}
# Longer than any of these words.
_MAX_WORD_CHARS = 40
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


def goes_on(text: str) -> bool:
    """Check whether a text ends after an operator or an opening bracket; a colon at its end is a header's."""
    words = _WORD.findall(text[-_MAX_WORD_CHARS:])
    return bool(words) and words[-1] != ":" and words[-1] in _GOES_ON


class PhraseFinder:
    """Finds where the first line of an answer may be cut while the answer grows: before a blank, every few words.

    In code not after an operator or an opening bracket, and not inside a string: that reads as broken.
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
        self._quote: str | None = ""
        """The quote of the string that the last word stands in, "" if it stands in none; None where all is text."""
        if _is_text(window):
            self._quote = None
        else:
            for match in _WORD.finditer(window.line_prefix):
                self._follow_quotes(window.line_prefix, match)

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
            self._follow_quotes(line, match)
            is_far_enough = self._count >= self._words and line[end] in " \t"
            if is_far_enough and self._is_whole(match.group()) and self._is_new(line[:end]):
                ends.append(end)
                self._count = 0
        return ends

    def _follow_quotes(self, line: str, match: re.Match[str]) -> None:
        mark, start = match.group(), match.start()
        if self._quote is None or mark not in ('"', "'", "`"):
            return
        before = line[start - 1 : start]
        if self._quote == mark and before != "\\":
            self._quote = ""
        elif self._quote == "" and not (mark == "'" and before.isalpha() and before.isascii()):
            self._quote = mark

    def _is_whole(self, last: str) -> bool:
        """Check whether a line reads well up to its last word or mark."""
        return self._quote is None or (self._quote == "" and last not in _GOES_ON)

    def _is_new(self, start: str) -> bool:
        if self._line_prefix.strip().startswith(start.strip()):
            return False  # It may be the line itself once more.
        so_far = (self._line_prefix + start).rpartition("\n")[2].strip()
        return not any(line.startswith(so_far) for line in self._neighbours)


def _is_text(window: Window) -> bool:
    """Check whether a cursor stands in prose, in a comment, or in a string of several lines."""
    language = language_of(window.language)
    if language.is_prose:
        return True
    kind = kind_at_end(window.prefix + window.line_prefix, language)
    if kind is not TextKind.STRING:
        return kind is not TextKind.CODE
    is_begun_above = kind_at_end(window.prefix, language) is TextKind.STRING
    return is_begun_above or any(
        window.line_prefix.count(mark) % 2 for mark in language.long_strings if len(mark) > 1
    )
