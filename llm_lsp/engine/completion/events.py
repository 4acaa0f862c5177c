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
    """Which model answers, and how. Requests with equal route and place want the same text."""

    provider: str
    model: str
    fim: str
    epoch: int
    """Version of the settings: a call or cache entry of an earlier epoch is not used."""
    thinks: bool = False
    """Whether the model is asked to think first."""
    sample: int = 0
    """Number of the answer if several are sampled: each needs its own call."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that needs a model."""

    request_id: int
    cursor: CursorContext
    route: Route
    face: Face
    ready_at: float
    """Earliest time of a call for it, in seconds; joining a call is possible sooner."""
    slots: int
    """Most calls in flight at its provider."""
    is_hole: bool = False
    """Whether it needs everything that is missing up to the next line; a call for less does not serve it."""
    by_phrase: bool = False
    """Whether part of a line is enough."""

    @property
    def uri(self) -> str:
        return self.cursor.context_key.uri


@dataclass(frozen=True, slots=True)
class Arrived:
    """A request has arrived; it supersedes earlier ones of its document and face."""

    uri: str
    face: Face


@dataclass(frozen=True, slots=True)
class Asked:
    """An arrived request needs a model."""

    ask: Ask


@dataclass(frozen=True, slots=True)
class CursorAt:
    """The current cursor of a document: after an edit, or from a request."""

    cursor: CursorContext


@dataclass(frozen=True, slots=True)
class PrefetchOffered:
    """A suggestion is shown, and the answer that would follow its acceptance is not cached."""

    ask: Ask
    shown_at: CursorContext
    shown: str
    is_free: bool
    """Whether its call costs nothing."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The client has cancelled a request, which has been answered."""

    request_id: int


@dataclass(frozen=True, slots=True)
class Streamed:
    """A call has received more text, possibly a new unit."""

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
    """The time of the last Wake has come."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A document was closed."""

    uri: str


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """The user has switched completions off, or snoozed them."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The server is shutting down."""


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
    """Start a call for this request."""

    call_id: int
    request_id: int


@dataclass(frozen=True, slots=True)
class Close:
    """Close a call's connection; no more events of it are expected."""

    call_id: int


@dataclass(frozen=True, slots=True)
class Give:
    """Answer a request with the rest of a generation after `typed`."""

    request_id: int
    generation: Generation
    typed: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer a request without a completion."""

    request_id: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Fail:
    """Answer a request without a completion, because its call failed."""

    request_id: int
    error: LlmLspError


@dataclass(frozen=True, slots=True)
class Wake:
    """Send Woke at this time; replaces an earlier Wake."""

    at: float


Effect = Start | Close | Give | Refuse | Fail | Wake
