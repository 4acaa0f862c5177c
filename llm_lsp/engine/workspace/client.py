"""The border between the engine and whoever shows its answers; knows neither LSP nor a screen.

`Engine` is what a face asks; `Client` is what the engine may tell the editor behind that face.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from llm_lsp.core.request import Completion, CompletionRequest
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit

if TYPE_CHECKING:
    from llm_lsp.core.chat.dialogue import ChatQuestion, ChatReply

Level = Literal["error", "warning", "info"]
Kind = Literal["Normal", "Error", "Warning", "Inactive"]
"""The kinds of a status, with the names that Copilot's server gave them."""
EditorSource = Literal["initializationOptions", "editor settings"]
"""Where an editor's settings came from."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One state of a longer task; the first of a token opens its bar, and `done` closes it."""

    token: str
    title: str
    message: str = ""
    percent: int | None = None
    """0 to 100; None where it cannot be told."""
    done: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """How the server is, for a status line."""

    kind: Kind = "Normal"
    message: str = ""
    busy: bool = False
    """A model is loading, or somebody waits for an answer that was asked for by hand."""
    provider: str = ""
    model: str = ""
    """What answered last; both are empty until something did."""
    spent_today: str = ""
    """As "0.12 USD"; empty while nothing is spent."""


class Client(Protocol):
    """An editor. All methods return at once and never raise; a client that cannot show something does not."""

    @property
    def name(self) -> str:
        """What the editor calls itself, "" where it did not say."""
        ...

    @property
    def has_inline(self) -> bool:
        """Whether it shows inline completions: it announced them, or has asked for one."""
        ...

    def show(self, level: Level, text: str) -> None:
        """Show one message to the user."""
        ...

    def progress(self, progress: Progress) -> None:
        """Show how far a longer task is."""
        ...

    def status(self, status: Status) -> None:
        """Say how the server is."""
        ...


class Engine(Protocol):
    """Completion itself, as a face sees it. What is awaited aside, everything returns at once."""

    def configure(self, source: EditorSource, settings: Mapping[str, object]) -> None:
        """Take an editor's settings in place of those that it gave before from the same source."""
        ...

    def expect_settings(self) -> None:
        """Settings were asked for: begin nothing big before they come, or a second has passed."""
        ...

    def set_folders(self, folders: tuple[str, ...]) -> None:
        """Take the URIs of the workspace's folders."""
        ...

    def open(self, document: Document) -> None:
        """Take a document that was opened, or opened again."""
        ...

    def change(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Take a new version of an open document, and the changes that led to it."""
        ...

    def close(self, uri: str) -> None:
        """Forget a document; one that is not open is no error."""
        ...

    def document(self, uri: str) -> Document | None:
        """Give the newest version of an open document."""
        ...

    async def complete(self, request: CompletionRequest) -> Completion | Skip:
        """Answer a request; cancelling the task detaches it."""
        ...

    async def suggestions(self, request: CompletionRequest) -> tuple[Completion, ...]:
        """Answer a request with all that can be chosen among, best first; cancelling the task detaches it."""
        ...

    async def ask(self, inquiry: ChatQuestion) -> ChatReply:
        """Answer a question about code; raises LlmLspError. Cancelling the task closes the call."""
        ...

    def accepted(self, completion_id: str) -> None:
        """Take note that the user accepted a completion; an unknown id is no error."""
        ...

    def toggle(self) -> bool:
        """Switch completion off or on; give whether it is on now."""
        ...

    def snooze(self, minutes: float) -> None:
        """Make no completions for a while; 0 ends that."""
        ...

    def select_provider(self, name: str) -> None:
        """Use another provider from now on; raises ConfigError where there is none of that name."""
        ...

    def explain(self) -> str:
        """Say in words what became of the last request, and why."""
        ...

    def next_id(self) -> int:
        """Give a number for a request, unique in this process."""
        ...

    def now(self) -> float:
        """Give the engine's time in seconds, for a request's `asked_at`."""
        ...

    async def aclose(self) -> None:
        """Close every call and connection."""
        ...
