"""A completion request, and the completion that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal, Protocol

from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point


class Trigger(Enum):
    """What made the request: the editor by itself, or the user."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


Gate = Literal["mid-line", "statement-end", "deleting"]
"""A reason not to ask a model while its user types."""


GATES: tuple[Gate, ...] = ("mid-line", "statement-end", "deleting")


Face = Literal["inline", "menu", "command", "edit"]
"""How an answer is shown: as ghost text, in a completion menu, printed by a command, or as a change of other text."""


class AnyRequest(Protocol):
    """What every request of an editor has, whatever it asks for."""

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
    """How long a request's user waits: it sets the deadlines, and which failures are retried."""

    TYPING = "typing"
    """The next key is the next try."""
    ASKED = "asked"
    """The user asked and looks at the screen."""
    COMMAND = "command"
    """A command or a batch, which wants its answer."""


@dataclass(frozen=True, slots=True)
class Selected:
    """The popup's selected item: `text` stands for what the client has from `start` to `end`."""

    start: Point
    end: Point
    text: str


Feature = Literal["completion", "chat", "edits"]
"""What a model is asked for."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What a call to a model needs to know of the request that it is made for, whichever feature makes it."""

    id: int
    feature: Feature
    document: Document
    trigger: Trigger
    patience: Patience
    asked_at: float
    """Seconds of the engine's monotonic clock."""


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
    indent: str = ""
    """What one step of depth is written with, as the project or the client says; "" if neither does."""
    sample: int = 0
    """Which of several answers is wanted: 0 is the first, each further one is sampled by a call of its own."""

    @property
    def patience(self) -> Patience:
        """How long the user waits for it."""
        if self.face == "command":
            return Patience.COMMAND
        return Patience.ASKED if self.trigger is Trigger.MANUAL else Patience.TYPING

    @property
    def for_model(self) -> ModelRequest:
        """What a call to a model needs to know of it."""
        return ModelRequest(self.id, "completion", self.document, self.trigger, self.patience, self.asked_at)


class Mode(Enum):
    """How much is wanted."""

    LINE = "line"
    BLOCK = "block"
    HOLE = "hole"
    """All that is missing between the cursor and what follows: what a manual request on an empty line wants."""


@dataclass(frozen=True, slots=True)
class Completion:
    """Final text that replaces `start` to `end` of the request's document; both on the request's line."""

    id: str
    """Opaque; what an accepted item reports back."""
    generation_id: int
    start: Point
    end: Point
    text: str
