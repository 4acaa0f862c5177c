"""The text that a model generated, and what the call used."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from enum import Enum


class Finish(Enum):
    """Why a generation ended."""

    STOP = "stop"
    """The model ended it, or a stop string did."""
    LENGTH = "length"
    """The token limit ended it, so the last line may be incomplete."""
    CUT = "cut"
    """We stopped reading, because the wanted line or block is complete."""
    TRUNCATED = "truncated"
    """The stream was interrupted."""
    BLOCKED = "blocked"
    """A content filter or the model's refusal replaced the answer."""
    THOUGHTS = "thoughts"
    """The model only thought, and did not answer."""
    LOADED = "loaded"
    """The server only loaded the model."""
    PROSE = "prose"
    """A chat answer contains no code."""

    @property
    def is_lasting(self) -> bool:
        """Whether the same request would get the same answer, so that it can be cached."""
        return self not in (Finish.TRUNCATED, Finish.BLOCKED, Finish.THOUGHTS, Finish.LOADED)


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that a call used; None if the API did not report them."""

    input_tokens: int | None = None
    """The whole prompt, including cached tokens."""
    output_tokens: int | None = None
    """The whole output, including thoughts."""
    cached_tokens: int | None = None
    """Prompt tokens read from the API's cache."""
    cache_write_tokens: int | None = None
    """Prompt tokens written to the API's cache, if they have a price of their own."""
    reasoning_tokens: int | None = None
    """Output tokens for thoughts that are not shown."""

    def updated(self, newer: Usage) -> Usage:
        """Update with a later event: some APIs report the prompt first and the output last."""
        pairs = zip(astuple(self), astuple(newer), strict=True)
        return Usage(*(old if new is None else new for old, new in pairs))

    def within(self, most_input: int, most_output: int) -> Usage:
        """Replace impossible counts, those larger than the whole they are part of, by None."""
        read = _at_most(self.input_tokens, most_input)
        written = _at_most(self.output_tokens, most_output)
        cached = (self.cached_tokens or 0) + (self.cache_write_tokens or 0)
        has_parts = cached <= (most_input if read is None else read)
        return Usage(
            read,
            written,
            self.cached_tokens if has_parts else None,
            self.cache_write_tokens if has_parts else None,
            _at_most(self.reasoning_tokens, most_output if written is None else written),
        )


def _at_most(count: int | None, most: int) -> int | None:
    return count if count is not None and count <= most else None


@dataclass(frozen=True, slots=True)
class PromptProgress:
    """How much of a prompt a server has read, in tokens."""

    total: int
    cached: int
    """Tokens from its cache, which it need not read."""
    processed: int
    """Tokens done, including cached ones."""
    seconds: float
    """Seconds since it started to read, without waiting in the queue."""

    @property
    def n_read(self) -> int:
        """Return how many tokens were read so far."""
        return self.processed - self.cached


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an answer, and the natural logarithm of the probability that the model gave it."""

    text: str
    logprob: float
    data: bytes | None = None
    """Its bytes, if the API sends them: a character may be divided among several tokens."""

    @property
    def raw(self) -> bytes:
        """Its bytes."""
        return self.text.encode("utf-8", "replace") if self.data is None else self.data


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """The log-probabilities of the tokens in a text, in order; characters without a token are possible."""

    ends: tuple[int, ...] = ()
    """Offsets in the text at which the tokens end."""
    values: tuple[float, ...] = ()
    start: int = 0
    """Offset at which the first one begins."""

    def __bool__(self) -> bool:
        return bool(self.ends)

    def moved(self, start: int, end: int, by: int) -> TokenLogprobs:
        """Return those outside of a replaced part of the text; the text after it moves by `by` characters."""
        kept = [
            (at if at <= start else at + by, value)
            for at, value in zip(self.ends, self.values, strict=True)
            if at <= start or at > end
        ]
        return TokenLogprobs(tuple(at for at, _ in kept), tuple(value for _, value in kept), self.start)


NO_LOGPROBS = TokenLogprobs()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a stream; `finish` is set on the last one."""

    text: str = ""
    finish: Finish | None = None
    usage: Usage | None = None
    pieces: int = 1
    """In how many pieces the API sent it; most servers send one token per piece."""
    progress: PromptProgress | None = None
    """Set on pieces without text that some servers send while they read the prompt."""
    thinks: bool = False
    """Whether it carried thoughts, which are left out."""
    tokens: tuple[Token, ...] = ()
    """The tokens of the text, if the API sends log-probabilities."""


@dataclass(frozen=True, slots=True)
class Generation:
    """Raw model text for a place in a document.

    It may contain more than is shown at once. Its first unit is the wanted line or block; each further unit is what
    would be requested next if everything before it were accepted.
    """

    id: int
    text: str
    finish: Finish
    units: tuple[int, ...]
    """Ends of its units: ascending offsets in `text`."""
    usage: Usage = Usage()
    phrases: tuple[int, ...] = ()
    """Ends of the parts in which a line may be shown: ascending offsets in `text`."""
    logprobs: TokenLogprobs = NO_LOGPROBS
    """Empty if the API sends none."""

    def shown_as(self, text: str, typed: int, end: int) -> Generation:
        """Return a copy in which the shown `text` replaces what the model wrote from `typed` to `end`.

        The rest is unchanged. Returns itself if its text there begins with `text`.
        """
        if self.text.startswith(text, typed):
            return self
        said = self.text[typed:end]
        text += said[len(said.rstrip()) :] if text == text.rstrip() else ""
        moved = typed + len(text) - end
        return replace(
            self,
            text=self.text[:typed] + text + self.text[end:],
            units=tuple(unit + moved for unit in self.units if unit >= end),
            phrases=tuple(phrase + moved for phrase in self.phrases if phrase >= end),
            logprobs=self.logprobs.moved(typed, end, moved),
        )

    def end_after(self, typed: int, *, by_phrase: bool = False) -> int | None:
        """Return the end of the unit to show after `typed` characters; None if no text is left."""
        ends = sorted({*self.units, *self.phrases}) if by_phrase else self.units
        return next((end for end in ends if self.text[typed:end].strip()), None)

    def answers(self, typed: int, *, by_phrase: bool = False) -> bool:
        """Check whether it has more text after `typed` characters, or the model ended there."""
        if self.end_after(typed, by_phrase=by_phrase) is not None:
            return True
        is_said = self.finish is Finish.STOP and not self.text[typed:].strip()
        # The beginning of a line is not an answer to a request for the whole line.
        is_begun = self.finish is Finish.CUT and bool(self.phrases) and not self.units
        return is_said or (typed == 0 and not is_begun)
