"""What a model wrote, and what the call used."""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from enum import Enum


class Finish(Enum):
    """Why a generation ended."""

    STOP = "stop"
    """The model ended it, or a stop string did."""
    LENGTH = "length"
    """The token limit ended it: the last line may be half."""
    CUT = "cut"
    """We stopped reading: the wanted line or block is complete."""
    TRUNCATED = "truncated"
    """The stream broke off."""
    BLOCKED = "blocked"
    """A content filter or the model's own refusal took the place of an answer."""
    THOUGHTS = "thoughts"
    """The model thought, and came to no answer."""
    LOADED = "loaded"
    """The server has loaded the model and asked it nothing."""
    PROSE = "prose"
    """A dialogue's answer holds no code."""

    @property
    def is_lasting(self) -> bool:
        """Whether the same request would be answered in the same way, so that the answer may be cached."""
        return self not in (Finish.TRUNCATED, Finish.BLOCKED, Finish.THOUGHTS, Finish.LOADED)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call used, in tokens; None if the API did not say."""

    input_tokens: int | None = None
    """The whole prompt, whatever of it a cache held or took in."""
    output_tokens: int | None = None
    """All that was written, thoughts among it."""
    cached_tokens: int | None = None
    """Of the prompt, what was read from the API's cache."""
    cache_write_tokens: int | None = None
    """Of the prompt, what was written into the API's cache, where that has a price of its own."""
    reasoning_tokens: int | None = None
    """Of the answer, what was thought and not shown."""

    def updated(self, newer: Usage) -> Usage:
        """Lay what a later event says over this: some APIs count the prompt first and the answer last."""
        pairs = zip(astuple(self), astuple(newer), strict=True)
        return Usage(*(old if new is None else new for old, new in pairs))

    def within(self, most_input: int, most_output: int) -> Usage:
        """Return the counts that can be true: None stands for one that is larger than what it is a part of."""
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
    """How far a server has read a prompt, in tokens."""

    total: int
    cached: int
    """Those that it had in its cache and does not read."""
    processed: int
    """Those that are done, the cached ones among them."""
    seconds: float
    """Since it began to read, without the wait for its turn."""

    @property
    def n_read(self) -> int:
        """Return how many tokens were read so far."""
        return self.processed - self.cached


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a stream; `finish` is set on the last one."""

    text: str = ""
    finish: Finish | None = None
    usage: Usage | None = None
    pieces: int = 1
    """In how many pieces the API sent it: a token each, with most servers."""
    progress: PromptProgress | None = None
    """Set on pieces without text that come while the prompt is read, from servers that send them."""
    thinks: bool = False
    """Whether it carried thoughts, which are left out."""


@dataclass(frozen=True, slots=True)
class Generation:
    """Raw model text for a place; the text before and after that place is its anchor's business.

    It may hold more than is shown at once: its first unit is the wanted line or block, each further one is
    what would be asked for next if all before it were accepted.
    """

    id: int
    text: str
    finish: Finish
    units: tuple[int, ...]
    """Where its units end: offsets in `text`, rising."""
    usage: Usage = Usage()
    phrases: tuple[int, ...] = ()
    """Where a line may be shown in part: offsets in `text`, rising."""

    def shown_as(self, text: str, typed: int, end: int) -> Generation:
        """Return it as if the model had written what is shown: `text` in place of what it says from `typed` to `end`.

        What it says behind that stays. Itself if it begins with the text there.
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
        )

    def end_after(self, typed: int, *, by_phrase: bool = False) -> int | None:
        """Return the end of the unit to show when `typed` characters stand there; None if no text is left."""
        ends = sorted({*self.units, *self.phrases}) if by_phrase else self.units
        return next((end for end in ends if self.text[typed:end].strip()), None)

    def answers(self, typed: int, *, by_phrase: bool = False) -> bool:
        """Return whether it answers what comes after `typed` characters: more text, or that the model ended there."""
        if self.end_after(typed, by_phrase=by_phrase) is not None:
            return True
        is_said = self.finish is Finish.STOP and not self.text[typed:].strip()
        # The beginning of a line does not answer a request for the whole line.
        is_begun = self.finish is Finish.CUT and bool(self.phrases) and not self.units
        return is_said or (typed == 0 and not is_begun)
