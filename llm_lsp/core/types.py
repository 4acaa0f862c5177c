"""The values that travel through a completion; they know nothing of who makes or reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from enum import Enum
from typing import Literal

from llm_lsp.core.text.text import Point, Text
from llm_lsp.core.usage.request_log import RequestLog


@dataclass(frozen=True, slots=True)
class Document:
    """A frozen snapshot of an open text; `text` is persistent, so that a snapshot costs nothing."""

    uri: str
    language: str
    """The LSP language identifier, "" where the client gave none."""
    version: int
    text: Text


class Trigger(Enum):
    """Who asked: the editor by itself, or the user."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


Gate = Literal["mid-line", "statement-end", "deleting"]
"""A reason not to ask a model while its user types."""
GATES: tuple[Gate, ...] = ("mid-line", "statement-end", "deleting")

ContextSource = Literal["signatures", "similar", "visited", "edits"]
"""Where context comes from: signatures of what a file uses, alike pieces of other files, places that its user was at,
and their last changes."""
CONTEXT_SOURCES: tuple[ContextSource, ...] = ("signatures", "similar", "visited", "edits")

Face = Literal["inline", "menu", "command"]
"""Which way an answer is shown: ghost text, a completion menu, or printed by a command."""


class Patience(Enum):
    """How long whoever asks will wait: it sets the deadlines, and what failures are worth another try."""

    TYPING = "typing"
    """The next key is the next try."""
    ASKED = "asked"
    """Somebody asked by hand and looks at the screen."""
    COMMAND = "command"
    """A command or a batch, which wants its answer."""


@dataclass(frozen=True, slots=True)
class Selected:
    """The popup's selected item: `text` stands for what the client has from `start` to `end`."""

    start: Point
    end: Point
    text: str


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One question, frozen before its handler's first await.

    Where `selected` is set, `document` and `point` already hold the selected item's text, as if accepted.
    """

    id: int
    document: Document
    point: Point
    trigger: Trigger
    face: Face
    asked_at: float
    """Seconds of the engine's monotonic clock."""
    selected: Selected | None = None
    sample: int = 0
    """Which of several answers is wanted: 0 is the first, each further one is sampled by a call of its own."""
    steps: RequestLog = field(default_factory=RequestLog, compare=False)
    """What it met on its way, for `explain`."""

    @property
    def patience(self) -> Patience:
        """How long whoever asked will wait."""
        if self.face == "command":
            return Patience.COMMAND
        return Patience.ASKED if self.trigger is Trigger.MANUAL else Patience.TYPING


class Finish(Enum):
    """Why a generation ended."""

    STOP = "stop"
    """The model ended it, or a stop string did."""
    LENGTH = "length"
    """The token limit ended it: the last line may be half."""
    CUT = "cut"
    """We stopped reading: the wanted line or block is complete."""
    TRUNCATED = "truncated"
    """The stream broke off; never cached."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call used, in tokens; None where the API did not say."""

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


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a million tokens, in `currency`."""

    input: float
    output: float
    cached: float | None = None
    """Of input that the API had in its cache; None where it costs as much as other input."""
    written: float | None = None
    """Of input that the API writes into its cache, likewise."""
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a stream; `finish` is set on the last one."""

    text: str = ""
    finish: Finish | None = None
    usage: Usage | None = None
    pieces: int = 1
    """In how many pieces the API sent it: a token each, with most servers."""


class Mode(Enum):
    """How much is wanted."""

    LINE = "line"
    BLOCK = "block"
    HOLE = "hole"
    """All that is missing between the cursor and what follows: what somebody wants who asks on an empty line."""


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

    def end_after(self, typed: int, *, by_phrase: bool = False) -> int | None:
        """Give the end of the unit to show when `typed` characters stand there; None where no text is left."""
        ends = sorted({*self.units, *self.phrases}) if by_phrase else self.units
        return next((end for end in ends if self.text[typed:end].strip()), None)

    def answers(self, typed: int, *, by_phrase: bool = False) -> bool:
        """Say whether it tells what comes after `typed` characters: more text, or that the model ended there."""
        if self.end_after(typed, by_phrase=by_phrase) is not None:
            return True
        is_said = self.finish is Finish.STOP and not self.text[typed:].strip()
        # A line of which no more than its beginning came says nothing to whoever wants it whole.
        is_begun = self.finish is Finish.CUT and bool(self.phrases) and not self.units
        return is_said or (typed == 0 and not is_begun)


@dataclass(frozen=True, slots=True)
class Completion:
    """Final text that replaces `start` to `end` of the request's document; both on the request's line."""

    id: str
    """Opaque; what an accepted item reports back."""
    generation_id: int
    start: Point
    end: Point
    text: str


class Reason(Enum):
    """Why there is nothing to show; the value is the sentence that a user reads."""

    DISABLED = "completion is switched off"
    LANGUAGE = "this language is not among the enabled ones"
    EXCLUDED = "this file is excluded"
    SECRET = "a key or password stands there"
    SCHEME = "documents of this kind are not completed"
    TOO_LARGE = "the file is too large"
    BINARY = "the file looks binary"
    UNKNOWN_DOCUMENT = "the document is not open"
    MANUAL_ONLY = "completion is set to manual"
    MENU_OFF = "menu items are off for this client"
    NO_PROVIDER = "no model is available"
    LOADING = "the model is still loading"
    SUPERSEDED = "a newer request took its place"
    CANCELLED = "the client cancelled it"
    MID_LINE = "the rest of the line is not inert"
    STATEMENT_END = "the line ends a statement"
    DELETING = "text is being deleted"
    RATE_LIMITED = "the provider's rate limit was reached"
    RESTING = "the model API fails again and again, and is left alone for a moment"
    OVER_BUDGET = "the budget is used up"
    PROVIDER_FAILED = "the model API failed"
    EMPTY = "the model had nothing to say"
    ONLY_WHITESPACE = "the model answered only white space"
    ALL_CUT = "all that the model answered was cut, as it does not fit there"
    REPEATS_SUFFIX = "the answer repeats what follows"
    REPEATS_PREFIX = "the answer repeats what stands before"
    UNSAFE = "the answer holds invisible or control characters"
    MASKED = "the answer holds a masked secret"
    TIMED_OUT = "the answer did not come in time"
    SHUTTING_DOWN = "the server is shutting down"


@dataclass(frozen=True, slots=True)
class Skip:
    """Nothing to show, and why."""

    reason: Reason
    detail: str = ""
    """One line that may be shown to the user; never a key, never buffer text."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of another file, for context."""

    path: str
    text: str


Fim = Literal["native", "chat", "none"] | str
"""How the hole is filled: "native" (the API takes prefix and suffix), "chat", "none" (left to right), or a template family."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the engine needs to know of a provider; all "auto" settings are resolved."""

    provider: str
    model: str
    fim: Fim
    context_tokens: int = 2048
    """Budget of the whole prompt in tokens."""
    max_tokens: int = 128
    local: bool = False
    """It runs on this machine, and its speed is this machine's."""
    free: bool = False
    """Calls cost nothing."""
    max_in_flight: int = 2
    cancel_stops_billing: bool = True
    price: Price | None = None
    """None where it is not known."""
    forces_start: bool = False
    """The API can hold an answer to a given beginning, as llama.cpp does by a grammar."""
    takes_prefill: bool = False
    """A dialogue may end with the assistant's message: the answer then goes on from it, and does not repeat it."""
    thinks_by_hand: bool = False
    """The model may think step by step where it is asked by hand."""
    takes_files: bool = False
    """The API has a field for pieces of other files, as llama.cpp's `/infill` has."""


@dataclass(frozen=True, slots=True)
class RawPrompt:
    """Text that is sent as it is: a rendered fill-in-the-middle template, or the prefix alone."""

    text: str
    stop: tuple[str, ...] = ()
    max_tokens: int = 128
    begins: str = ""
    """What the answer is to begin with, and the prompt leaves out: the last word before the cursor.

    An API that `forces_start` holds the model to it, any other passes it over.
    """
    temperature: float | None = None
    """In place of the provider's own, where the API takes one; None leaves that."""


@dataclass(frozen=True, slots=True)
class FimPrompt:
    """The two sides of the hole, for an API that renders them itself.

    The text before the cursor is `prefix + line_prefix + begins`; `line_prefix` is the current line's, apart so that
    an API with a field for text after the middle token can keep the rest in its cache.
    """

    prefix: str
    line_prefix: str
    suffix: str
    snippets: tuple[Snippet, ...] = ()
    stop: tuple[str, ...] = ()
    max_tokens: int = 128
    begins: str = ""
    """As in RawPrompt."""
    temperature: float | None = None
    """As in RawPrompt."""


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    """A dialogue; `messages` are (role, text) pairs with roles system, user and assistant.

    The last one is the assistant's only for a provider that `takes_prefill`.
    """

    messages: tuple[tuple[str, str], ...]
    stop: tuple[str, ...] = ()
    max_tokens: int = 128
    thinks: bool = False
    """The model may think first, where it does so by itself; `max_tokens` bounds thoughts and answer together."""
    temperature: float | None = None
    """As in RawPrompt."""


Prompt = RawPrompt | FimPrompt | ChatPrompt

Json = Mapping[str, object]
