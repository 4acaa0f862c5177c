"""Decides how much of a line to show at once, from a running estimate of the model's confidence.

How it works: without token probabilities (see `confidence/`), confidence is estimated from what users do. While a
user types where something was shown, the words that agree with it are counted until one does not. The average
of these runs is how many words the model usually gets right in a row. It starts at START_RUN, and each new run
has the weight RUN_WEIGHT, so about the last ten misses count. A run that is still going on counts as soon as it
is longer.

If a run has `run` words on average, the next word is right with probability p = exp(-1 / run). Showing few
words at a time wastes the key presses that accept them; showing many risks that one of them is wrong, and the
user then accepts none. `phrase_words` is the number of words that saves the most typing between the two.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from llm_lsp.core.response.completion_extent import next_line
from llm_lsp.core.response.text_kind import TextKind, kind_at_end
from llm_lsp.core.text.languages import language_of
from llm_lsp.core.text.window import Window

# Words that are right before one is wrong, until it is known. The smallest model that we run gets half of HumanEval's
# lines right, which have 8 words on average: 8 / ln 2.
START_RUN = 11.5
# Of a small model on this machine: in real sessions its first word is wrong more often than right.
SMALL_START_RUN = 4.0
# Runs from which the whole line is shown: with a model that is right about 95 % of tokens, whole lines save 3 to 4 more
# keys in 100 characters than three words at a time, in the recorded session of ADR 10 and in a second one.
WHOLE_LINE_RUN = 8.0
# Weight of a new run in the moving average.
RUN_WEIGHT = 0.2
# Cost of accepting, in typed words: a key press and a glance equal half a word of four characters.
ACCEPT_WORDS = 0.5
# A word or a punctuation mark, as counted by the simulations in ADR 31. Without blanks: a pattern that included them
# would retry a long run of blanks from each of them.
_WORD = re.compile(r"\w+|[^\w\s]")
# A part of a line that ends in one of these looks incomplete.
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
# The first non-blank line of an answer, with the blank lines before it.
_FIRST_LINE = re.compile(r"\s*[^\n]*")


@dataclass(frozen=True, slots=True)
class SuggestionLength:
    """How many words of a model are right in a row, learned from what was typed where something was shown."""

    mean_run: float = START_RUN
    """Average number of words that were right before one was wrong."""
    run: int = 0
    """Number of words that were right since the last wrong one."""

    def seen(self, words: int, *, missed: bool) -> SuggestionLength:
        """Return the estimate after so many right words; `missed` means that the next one was wrong."""
        run = self.run + words
        if not missed:
            return SuggestionLength(self.mean_run, run)
        return SuggestionLength(self.mean_run + RUN_WEIGHT * (run - self.mean_run))

    @property
    def phrase_words(self) -> int | None:
        """Return the number of words to show at once that saves the most typing; None for the whole line.

        With the probability p = exp(-1/run) that the next word is right and a cost c of accepting, phrases of n
        words save (n - c) p^n / (1 - p^n) in sequence. The best n is close to sqrt(2 c run), and the maximum is
        flat.
        """
        run = max(self.mean_run, self.run)
        if run >= WHOLE_LINE_RUN:
            return None
        return max(1, math.floor(math.sqrt(2 * ACCEPT_WORDS * run)))


def count_words(text: str, end: int) -> int:
    """Return the number of words in a text that end at or before an offset."""
    return sum(match.end() <= end for match in _WORD.finditer(text))


def goes_on(text: str) -> bool:
    """Check whether a text ends after an operator or an opening bracket; a colon at its end is a header's."""
    words = _WORD.findall(text[-_MAX_WORD_CHARS:])
    return bool(words) and words[-1] != ":" and words[-1] in _GOES_ON


class PhraseFinder:
    """Finds where the first line of a growing answer may be cut: before a blank, every few words.

    In code, never after an operator or an opening bracket, nor inside a string, which would look incomplete. Not while
    the line may still turn out to be the line above, the next line or the current one. Each character is examined once,
    however often the answer grows.
    """

    def __init__(self, words: int, window: Window) -> None:
        above = window.prefix.rstrip().rpartition("\n")[2]
        self._neighbours = (above.strip(), next_line(window).strip())
        self._line_prefix = window.line_prefix
        self._words = words
        self._count = 0
        """Number of words since the last cut."""
        self._at = 0
        """The offset after the last counted word."""
        self._quote: str | None = ""
        """The quote of the string that contains the last word, "" outside of strings; None if everything is prose."""
        if _is_text(window):
            self._quote = None
        else:
            for match in _WORD.finditer(window.line_prefix):
                self._follow_quotes(window.line_prefix, match)

    def find(self, text: str) -> list[int]:
        """Return the new cuts in an answer that begins with the text of the last call, as offsets."""
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
