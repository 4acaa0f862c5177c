"""Reads on after an answer is complete, for the lines that are wanted next."""

from __future__ import annotations

from llm_lsp.core.generation import Finish, Token, TokenLogprobs
from llm_lsp.core.response.confidence.token_alignment import TokenAlignment
from llm_lsp.core.response.stops import StopRule
from llm_lsp.core.response.suggestion_length import goes_on

# Lines after the wanted ones: Cody's hot streak. They cost only output tokens, while a separate call would cost the
# whole prompt again.
READ_AHEAD_LINES = 5


class ReadAhead:
    """A stop rule, followed by rules for the next lines; each is a unit, see Generation."""

    def __init__(
        self,
        first: StopRule,
        lines: int = READ_AHEAD_LINES,
        phrase_words: int | None = None,
        forced: str = "",
    ) -> None:
        """`forced` is the text with which the model was forced to begin its answer."""
        self._alignment = TokenAlignment(forced)
        self._lines_left = lines
        self._whole = ""
        """The text of the rules that are done."""
        self._units: tuple[int, ...] = ()
        self._phrase_words = phrase_words
        self._phrases: tuple[int, ...] = ()
        self._begin(first)

    @property
    def text(self) -> str:
        """The text kept so far; it only grows."""
        return self._whole + ("" if self._is_counted else self._rule.text)

    @property
    def units(self) -> tuple[int, ...]:
        """Ends of the complete units."""
        return self._units

    @property
    def phrases(self) -> tuple[int, ...]:
        """Ends of the parts in which a line may be shown; none without a number of words."""
        return self._phrases

    @property
    def logprobs(self) -> TokenLogprobs:
        """The log-probabilities of the tokens in the text, if the API sends them."""
        return self._alignment.of(self.text)

    @property
    def finish(self) -> Finish:
        """Why `feed` ended the reading: TRUNCATED within a first line that is too long to be shown."""
        if self._rule.finish and not self.text:
            return self._rule.finish
        return Finish.TRUNCATED if self._rule.is_overlong and not self._units else Finish.CUT

    def feed(self, piece: str, tokens: tuple[Token, ...] = ()) -> bool:
        """Add the next piece, with its tokens if they are known; return whether no more is wanted."""
        self._alignment.add(piece, tokens)
        while self._rule.feed(piece):
            self._find_phrases()
            self._count()
            following = self._rule.follow() if self._lines_left else None
            if following is None:
                return True
            piece = self._rule.rest
            self._begin(following)
            self._lines_left -= 1
        self._find_phrases()
        return False

    def end(self, finish: Finish) -> Finish:
        """End the answer with the stream; return why it ended as it did."""
        if not self._is_counted:
            finish = self._rule.end(finish)
            self._find_phrases()
            self._count()
        return finish

    @property
    def _is_counted(self) -> bool:
        return self._rule.done

    def _begin(self, rule: StopRule) -> None:
        self._rule = rule
        self._finder = rule.phrase_finder(self._phrase_words) if self._phrase_words else None

    def _find_phrases(self) -> None:
        if self._finder is not None:
            known = len(self._whole)
            self._phrases += tuple(known + end for end in self._finder.find(self._rule.text))

    def _count(self) -> None:
        if text := self._rule.text:
            self._whole += text
            # An incomplete statement that is read ahead forms a unit with the next line; the requested line is a unit
            # anyway.
            if not (self._rule.is_overlong or (self._units and goes_on(text))):
                self._units = (*self._units, len(self._whole))
