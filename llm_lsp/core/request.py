"""A completion request, and the completion that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol

from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point


class Trigger(Enum):
    """What caused the request: the editor automatically, or the user."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


Gate = Literal["mid-line", "statement-end", "deleting"]
"""A condition under which no model is called while the user types."""


GATES: tuple[Gate, ...] = ("mid-line", "statement-end", "deleting")


Face = Literal["inline", "menu", "command", "edit"]
"""How an answer is shown: as ghost text, in a completion menu, printed by a command, or as a change of other
text.
"""


class AnyRequest(Protocol):
    """The common parts of all requests from an editor."""

    @property
    def id(self) -> int: ...
    @property
    def document(self) -> Document: ...
    @property
    def trigger(self) -> Trigger: ...
    @property
    def face(self) -> Face: ...
    @property
    def asked_at(self) -> float: ...


class Patience(Enum):
    """How long the user is willing to wait: decides the deadlines, and which failures are retried."""

    TYPING = "typing"
    """The user is typing, and the next keystroke makes a new request."""
    ASKED = "asked"
    """The user made a manual request and watches the screen."""
    COMMAND = "command"
    """A command or batch, which needs its answer."""


@dataclass(frozen=True, slots=True)
class Selected:
    """The menu's selected item: its `text` replaces the client's text from `start` to `end`."""

    start: Point
    end: Point
    text: str


Feature = Literal["completion", "chat", "edits"]
"""What a model is called for."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What a call to a model needs to know about its request, for all features."""

    id: int
    feature: Feature
    document: Document
    trigger: Trigger
    patience: Patience
    asked_at: float
    """Seconds by the engine's monotonic clock."""


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One request, created before its handler's first await.

    If `selected` is set, `document` and `point` already include the selected item's text, as if it were accepted.
    """

    id: int
    document: Document
    point: Point
    trigger: Trigger
    face: Face
    asked_at: float
    """Seconds of the engine's monotonic clock."""
    selected: Selected | None = None
    indent: str = ""
    """One indentation step, as the project or the client defines it; "" if neither does."""
    sample: int = 0
    """Number of the answer: 0 is the first, each further one is sampled by a separate call."""

    @property
    def patience(self) -> Patience:
        """How long the user is willing to wait."""
        if self.face == "command":
            return Patience.COMMAND
        return Patience.ASKED if self.trigger is Trigger.MANUAL else Patience.TYPING

    @property
    def for_model(self) -> ModelRequest:
        """Return what a call to a model needs to know about it."""
        return ModelRequest(self.id, "completion", self.document, self.trigger, self.patience, self.asked_at)


class Mode(Enum):
    """How much to complete."""

    LINE = "line"
    BLOCK = "block"
    HOLE = "hole"
    """Everything missing between the cursor and the next text, for a manual request on an empty line."""


@dataclass(frozen=True, slots=True)
class Completion:
    """Final text that replaces `start` to `end` of the request's document; both are on the request's line."""

    id: str
    """Opaque; reported back when the item is accepted."""
    generation_id: int
    start: Point
    end: Point
    text: str
