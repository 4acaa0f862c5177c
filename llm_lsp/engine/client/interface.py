"""The interfaces between the engine and the editor that shows its answers.

`Engine` is what an LSP server or a command calls; `Client` is what the engine may show to the user.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from llm_lsp.core.request import Completion, CompletionRequest
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit

if TYPE_CHECKING:
    from llm_lsp.core.chat.dialogue import ChatQuestion, ChatReply
    from llm_lsp.core.edits.next_edit import EditRequest, OfferedEdit

Level = Literal["error", "warning", "info"]
Kind = Literal["Normal", "Error", "Warning", "Inactive"]
"""The kinds of a status, with the names that Copilot's server gave them."""
EditorSource = Literal["initializationOptions", "editor settings"]
"""Where an editor's settings came from."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One state of a longer task; the first of a token opens its progress bar, and `done` closes it."""

    token: str
    title: str
    message: str = ""
    percent: int | None = None
    """0 to 100; None if unknown."""
    done: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """The server's status, for a status line."""

    kind: Kind = "Normal"
    message: str = ""
    busy: bool = False
    """A model is loading, or a manual request waits for its answer."""
    provider: str = ""
    model: str = ""
    """What was called last; both are empty before the first call."""
    spent_today: str = ""
    """For example "0.12 USD"; empty while nothing is spent."""


class Client(Protocol):
    """An editor. All methods return at once and never raise; a client that cannot show something does not."""

    @property
    def name(self) -> str:
        """The editor's name for itself, "" if it gave none."""
        ...

    @property
    def has_inline(self) -> bool:
        """Whether it shows inline completions: it announced them, or has requested one."""
        ...

    def show(self, level: Level, text: str) -> None:
        """Show one message to the user."""
        ...

    def progress(self, progress: Progress) -> None:
        """Show the progress of a longer task."""
        ...

    def status(self, status: Status) -> None:
        """Show the server's status."""
        ...


class Engine(Protocol):
    """Everything that an LSP server or a command can ask for; what is not a coroutine returns at once."""

    def configure(
        self,
        source: EditorSource,
        settings: Mapping[str, object],
        users: Mapping[str, object] | None = None,
    ) -> None:
        """Use an editor's settings in place of earlier ones from the same source.

        `users` are those that stand in its user's own settings, from an editor that keeps them apart.
        """
        ...

    @property
    def settings_files(self) -> tuple[Path, ...]:
        """The files whose changes are worth reporting; empty if settings files are not read again."""
        ...

    def settings_changed(self) -> None:
        """Read the settings files again a moment later, if they changed."""
        ...

    def saved(self, uri: str) -> None:
        """Look whether the document that was saved is one of the settings files."""
        ...

    def expect_settings(self) -> None:
        """Start no search for a model before requested settings have come, or a second has passed."""
        ...

    def set_folders(self, folders: tuple[str, ...]) -> None:
        """Use these workspace folders (URIs)."""
        ...

    def open(self, document: Document) -> None:
        """Add a document that was opened, or opened again."""
        ...

    def change(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Replace an open document by a new version, given with the edits that led to it."""
        ...

    def close(self, uri: str) -> None:
        """Forget a document; one that is not open is no error."""
        ...

    def document(self, uri: str) -> Document | None:
        """Return the newest version of an open document, or None."""
        ...

    async def complete(self, request: CompletionRequest) -> Completion | Skip:
        """Answer a request; cancelling the task detaches it."""
        ...

    async def suggestions(self, request: CompletionRequest) -> tuple[Completion, ...]:
        """Answer a request with all choices, best first; cancelling the task detaches it."""
        ...

    async def ask(self, inquiry: ChatQuestion) -> ChatReply:
        """Answer a question about code; raises LlmLspError. Cancelling the task closes the call."""
        ...

    def accepted(self, completion_id: str) -> None:
        """Record that the user accepted a completion; an unknown id is no error."""
        ...

    async def next_edit(self, request: EditRequest, *, may_wait: bool = True) -> OfferedEdit | Skip:
        """Return the edit that follows from the last change of a document; never raises.

        With `may_wait` a name that is being typed is waited for.
        """
        ...

    def dismissed(self, offer_id: str) -> None:
        """Record that the user dismissed a next edit; an unknown id is no error."""
        ...

    def toggle(self) -> bool:
        """Switch completions off or on; return whether they are on now."""
        ...

    def snooze(self, minutes: float) -> None:
        """Make no completions for a while; 0 ends that."""
        ...

    def select_provider(self, name: str) -> None:
        """Use another provider from now on; raises ConfigError if there is none of that name."""
        ...

    def provider_names(self) -> list[str]:
        """Return the names that `select_provider` takes, the one in use first."""
        ...

    def explain(self) -> str:
        """Return a description of how the last request was answered, and why."""
        ...

    def next_id(self) -> int:
        """Return a number for a request, unique in this process."""
        ...

    def now(self) -> float:
        """Return the engine's time in seconds, for a request's `asked_at`."""
        ...

    async def aclose(self) -> None:
        """Close every call and connection."""
        ...
