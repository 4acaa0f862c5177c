"""Checks whether the log-probabilities of an answer belong to its text.

Some APIs send them for other tokens than the text's, with a chat template's tokens in front, for some tokens only, or
with values that are no logarithms of probabilities. All of these count as sending none.
"""

from __future__ import annotations

from collections.abc import Callable

from llm_lsp.core.generation import Token

# Above 0 by rounding only: the logarithm of a probability that was summed in single precision.
_ROUNDING = 1e-3
# An API's value for a token whose probability it does not know (OpenAI's -9999), or one that rounds to 0.
_LEAST = -1e4


class LogprobCheck:
    """Matches the tokens of one answer with its text; stops at the first contradiction."""

    def __init__(self, distrust: Callable[[], None], trust: Callable[[], None]) -> None:
        """`distrust` is called once if this API's values cannot be used, `trust` once if the first one can."""
        self._distrust, self._trust = distrust, trust
        self._waiting: list[tuple[bytes, float]] = []
        """Tokens whose text has not come: a server holds back what may be the beginning of a stop string."""
        self._is_over = self._is_trusted = False

    def matched(self, text: str, tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        """Return the tokens that make up the next piece of text, none if they do not."""
        if self._is_over:
            return ()
        self._waiting += [(token.raw, token.logprob) for token in tokens]
        if not text:
            return ()
        rest, found = text.encode("utf-8", "replace"), []
        while rest and self._waiting:
            raw, value = self._waiting.pop(0)
            if not _LEAST <= value <= _ROUNDING:  # also false for NaN
                return self._end()
            if raw.startswith(rest):
                # The rest of it is still held back.
                self._waiting[:0] = [(raw[len(rest) :], value)] if len(raw) > len(rest) else []
                raw = rest
            elif not rest.startswith(raw):
                return self._end()
            rest = rest[len(raw) :]
            found.append((raw, min(value, 0.0)))
        if rest:
            return self._end()
        if not self._is_trusted:
            self._is_trusted = True
            self._trust()
        return _whole_characters(found)

    def _end(self) -> tuple[Token, ...]:
        self._is_over = True
        self._waiting.clear()
        self._distrust()
        return ()


def _whole_characters(found: list[tuple[bytes, float]]) -> tuple[Token, ...]:
    """Join tokens that divide a character: together they are as likely as all of them."""
    tokens: list[Token] = []
    begun, likelihood = b"", 0.0
    for raw, value in found:
        begun, likelihood = begun + raw, likelihood + value
        try:
            text = begun.decode()
        except UnicodeDecodeError:
            continue
        if text:
            tokens.append(Token(text, likelihood))
            begun, likelihood = b"", 0.0
    return tuple(tokens)
