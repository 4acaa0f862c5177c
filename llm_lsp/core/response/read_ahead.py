"""Reads on where an answer is complete, for what its user will want next; knows no model and no cache."""

from __future__ import annotations

from llm_lsp.core.generation import Finish
from llm_lsp.core.response.stops import StopRule

# Lines behind the wanted ones: Cody's hot streak. They cost output tokens only, where a call of their own would
# cost the whole prompt again.
STREAK_LINES = 5


class ReadAhead:
    """A stop rule, and further ones for the lines after it; each is a unit, see Generation."""

    def __init__(self, first: StopRule, lines: int = STREAK_LINES, phrase_words: int | None = None) -> None:
        self._rule = first
        self._lines_left = lines
        self._whole = ""
        """The text of the rules that are done."""
        self._units: tuple[int, ...] = ()
        self._phrase_words = phrase_words
        self._phrases: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """What is kept so far; it only ever grows."""
        return self._whole + ("" if self._is_counted else self._rule.text)

    @property
    def units(self) -> tuple[int, ...]:
        """Where the complete units end."""
        return self._units

    @property
    def phrases(self) -> tuple[int, ...]:
        """Where a line may be shown in part; none where no number of words was given."""
        return self._phrases

    def feed(self, piece: str) -> bool:
        """Take the next piece; True means that no more is wanted."""
        while self._rule.feed(piece):
            self._find_phrases()
            self._count()
            following = self._rule.follow() if self._lines_left else None
            if following is None:
                return True
            piece, self._rule = self._rule.rest, following
            self._lines_left -= 1
        self._find_phrases()
        return False

    def end(self, finish: Finish) -> None:
        """Take note that the stream has ended."""
        if not self._is_counted:
            self._rule.end(finish)
            self._find_phrases()
            self._count()

    @property
    def _is_counted(self) -> bool:
        return self._rule.done

    def _find_phrases(self) -> None:
        if self._phrase_words is None:
            return
        known = len(self._whole)
        start = max(0, max(self._phrases, default=0) - known)
        ends = self._rule.phrase_ends(start, self._phrase_words)
        self._phrases += tuple(known + end for end in ends)

    def _count(self) -> None:
        if text := self._rule.text:
            self._whole += text
            self._units = (*self._units, len(self._whole))
