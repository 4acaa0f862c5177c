"""Finds which tokens of an answer make up the text that is kept of it."""

from __future__ import annotations

from llm_lsp.core.generation import NO_LOGPROBS, Token, TokenLogprobs


class TokenAlignment:
    """The tokens of an answer so far.

    A model may have been forced to begin its answer with a text. The values of those tokens were computed before the
    force was applied, so they are left out.
    """

    def __init__(self, forced: str = "") -> None:
        self._forced = forced
        self._answer = ""
        self._ends: list[int] = []
        self._values: list[float] = []
        self._is_complete = True

    def add(self, text: str, tokens: tuple[Token, ...]) -> None:
        """Add a piece of the answer; without tokens for all of it, nothing is known of the answer."""
        if not self._is_complete or not text:
            return
        if not tokens:
            self._is_complete = False
            return
        end = len(self._answer)
        for token in tokens:
            end += len(token.text)
            self._ends.append(end)
            self._values.append(token.logprob)
        self._answer += text
        self._is_complete = end == len(self._answer)

    def of(self, text: str) -> TokenLogprobs:
        """Return the log-probabilities of a text that is part of the answer, none if it is not."""
        if not self._is_complete or not self._ends or not text:
            return NO_LOGPROBS
        n_forced = len(self._forced) if self._answer.startswith(self._forced) else 0
        start = self._answer.find(text, n_forced)
        if start < 0:
            return NO_LOGPROBS
        ends: list[int] = []
        values = []
        begin = first = 0
        for end, value in zip(self._ends, self._values, strict=True):
            if begin >= start + len(text):
                break
            if begin >= max(start, n_forced):
                first = first if ends else begin - start
                # The last one may go on after the text.
                ends.append(min(end - start, len(text)))
                values.append(value)
            begin = end
        return TokenLogprobs(tuple(ends), tuple(values), first)
