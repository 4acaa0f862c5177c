"""The scheduler's events and effects, as values."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.generation import Generation
from llm_lsp.core.request import Face
from llm_lsp.core.skip import Reason
from llm_lsp.core.text.cursor_context import CursorContext
from llm_lsp.errors import LlmLspError


@dataclass(frozen=True, slots=True)
class Route:
    """Which model answers, and how: two requests with the same route and place want the same text."""

    provider: str
    model: str
    fim: str
    epoch: int
    """Counts the settings; nothing of an old epoch is joined or cached under a new one."""
    thinks: bool = False
    """Whether the model is asked to think first."""
    sample: int = 0
    """Which of several answers: each has a call of its own."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request that needs a model."""

    request_id: int
    cursor: CursorContext
    route: Route
    face: Face
    ready_at: float
    """From when on a call may be made for it, in seconds; joining one needs no wait."""
    slots: int
    """Calls that its provider may have in flight."""
    is_hole: bool = False
    """Whether it asks for all that is missing up to the next line; a call for less does not serve it."""
    by_phrase: bool = False
    """Whether part of a line may answer it."""

    @property
    def uri(self) -> str:
        return self.cursor.context_key.uri


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request has arrived: earlier ones of its document and face are superseded."""

    uri: str
    face: Face


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that has arrived needs a model."""

    ask: Ask


@dataclass(frozen=True, slots=True)
class CursorAt:
    """Where a document's cursor is now: after an edit, or as a request says."""

    cursor: CursorContext


@dataclass(frozen=True, slots=True)
class PrefetchOffered:
    """A suggestion is shown, and the request that would follow its acceptance is not in the cache."""

    ask: Ask
    shown_at: CursorContext
    shown: str
    is_free: bool
    """Whether its call costs nothing."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The client has cancelled a request, and was answered."""

    request_id: int


@dataclass(frozen=True, slots=True)
class Streamed:
    """A call has this text so far; it may hold a new unit."""

    call_id: int
    generation: Generation


@dataclass(frozen=True, slots=True)
class Ended:
    call_id: int
    generation: Generation


@dataclass(frozen=True, slots=True)
class Failed:
    call_id: int
    error: LlmLspError


@dataclass(frozen=True, slots=True)
class Woke:
    """The time that Wake named has come."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A document was closed."""

    uri: str


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """The user has switched completions off, or snoozed them."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The server shuts down."""


Event = (
    Arrived
    | Asked
    | CursorAt
    | PrefetchOffered
    | Cancelled
    | Streamed
    | Ended
    | Failed
    | Woke
    | Closed
    | SwitchedOff
    | Stopped
)


@dataclass(frozen=True, slots=True)
class Start:
    """Make a call for this request's text."""

    call_id: int
    request_id: int


@dataclass(frozen=True, slots=True)
class Close:
    """Close a call's connection; its end is of no interest."""

    call_id: int


@dataclass(frozen=True, slots=True)
class Give:
    """Answer a request with what remains of a generation after `typed`."""

    request_id: int
    generation: Generation
    typed: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer a request with nothing."""

    request_id: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Fail:
    """Answer a request with nothing, since its call failed."""

    request_id: int
    error: LlmLspError


@dataclass(frozen=True, slots=True)
class Wake:
    """Send Woke at this time; takes the place of an earlier Wake."""

    at: float


Effect = Start | Close | Give | Refuse | Fail | Wake
