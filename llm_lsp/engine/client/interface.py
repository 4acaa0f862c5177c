"""The interfaces between the engine and the editor that shows its answers.

LSP handlers and commands call `Engine`; the engine calls `Client` to show something to the user.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from llm_lsp.core.context.notebook_cells import NotebookCell
from llm_lsp.core.request import Completion, CompletionRequest
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit

if TYPE_CHECKING:
    from llm_lsp.core.chat.dialogue import ChatQuestion, ChatReply
    from llm_lsp.core.chat.rewriting import RewriteAnswer, RewriteQuestion
    from llm_lsp.core.edits.next_edit import EditRequest, OfferedEdit
    from llm_lsp.core.privacy.secret import GivenKey

Level = Literal["error", "warning", "info"]
Kind = Literal["Normal", "Error", "Warning", "Inactive"]
"""Kinds of status, named as in Copilot's language server."""
EditorSource = Literal["initializationOptions", "editor settings"]
"""Where an editor's settings came from."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a longer task; the first one of a token starts its progress report, and `done` ends it."""

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
    """Whether a model is loading, or a manual request is waiting for its answer."""
    provider: str = ""
    model: str = ""
    """Provider and model of the last call, empty before the first."""
    spent_today: str = ""
    """For example "0.12 USD"; empty if nothing was spent."""
    needs_model: bool = False
    """There is nothing to complete with: the user may download a model or add a provider."""


class Client(Protocol):
    """An editor. All methods return at once and never raise, even if the editor cannot show something."""

    @property
    def name(self) -> str:
        """The editor's name, "" if it sent none."""
        ...

    @property
    def has_inline(self) -> bool:
        """Whether it shows inline completions: it announced support, or has requested one."""
        ...

    @property
    def offers_models(self) -> bool:
        """Whether it offers a model itself when the status says that one is needed."""
        ...

    def show(self, level: Level, text: str) -> None:
        """Show a message to the user."""
        ...

    def progress(self, progress: Progress) -> None:
        """Show the progress of a longer task."""
        ...

    def status(self, status: Status) -> None:
        """Show the server's status."""
        ...


class Engine(Protocol):
    """Everything that LSP handlers and commands can ask for. Methods that are not coroutines return at once."""

    def configure(
        self,
        source: EditorSource,
        settings: Mapping[str, object],
        users: Mapping[str, object] | None = None,
    ) -> None:
        """Replace the editor settings from a source.

        `users` are the user's own settings, from an editor that separates them from the workspace's.
        """
        ...

    def take_keys(self, given: Sequence[GivenKey]) -> None:
        """Use keys that the editor keeps, for providers of the user's own file; before any model is needed."""
        ...

    @property
    def settings_files(self) -> tuple[Path, ...]:
        """Files outside of workspace folders that the client should watch; empty if settings files are not
        reread.
        """
        ...

    def settings_changed(self) -> None:
        """Read the settings files again a moment later, if they changed."""
        ...

    def saved(self, uri: str) -> None:
        """Check whether the saved document is a settings file."""
        ...

    def expect_settings(self) -> None:
        """Delay the search for a model until requested settings arrive, for a second at most."""
        ...

    def set_folders(self, folders: tuple[str, ...]) -> None:
        """Use these workspace folders (URIs)."""
        ...

    def open(self, document: Document) -> None:
        """Add a newly opened document, or replace its text."""
        ...

    def change(self, document: Document, edits: tuple[Edit, ...]) -> None:
        """Replace an open document by its new version; `edits` lead from the old to the new text."""
        ...

    def close(self, uri: str) -> None:
        """Forget a document; ignored if it is not open."""
        ...

    def arrange(self, notebook: str, cells: tuple[NotebookCell, ...]) -> None:
        """Record the order of a notebook's cells, which are documents of their own; none forgets it."""
        ...

    def document(self, uri: str) -> Document | None:
        """Return the newest version of an open document, or None."""
        ...

    async def complete(self, request: CompletionRequest) -> Completion | Skip:
        """Answer a request. If the task is cancelled, the call may go on for later requests."""
        ...

    async def suggestions(self, request: CompletionRequest) -> tuple[Completion, ...]:
        """Answer a request with all choices, best first. If the task is cancelled, the call may go on."""
        ...

    async def ask(self, inquiry: ChatQuestion) -> ChatReply:
        """Answer a question about code; raises LlmLspError. If the task is cancelled, the call is closed."""
        ...

    async def rewrite(self, question: RewriteQuestion, progress: Callable[[str], None]) -> RewriteAnswer:
        """Return new text for some lines of a document; `progress` gets the text so far. Raises LlmLspError."""
        ...

    async def commit_message(self, folder: str) -> str:
        """Return a message for what is staged in a workspace folder, given its URI; raises LlmLspError."""
        ...

    def accepted(self, completion_id: str) -> None:
        """Record that the user accepted a completion; an unknown id is ignored."""
        ...

    async def next_edit(self, request: EditRequest, *, may_wait: bool = True) -> OfferedEdit | Skip:
        """Return the edit that follows from the last change of a document; never raises.

        With `may_wait` a name that is being typed is waited for.
        """
        ...

    def dismissed(self, offer_id: str) -> None:
        """Record that the user dismissed a next edit or a completion; an unknown id is no error."""
        ...

    def toggle(self) -> bool:
        """Switch completions off or on; return whether they are on now."""
        ...

    def snooze(self, minutes: float) -> None:
        """Pause completions for some minutes; 0 ends the pause."""
        ...

    def select_provider(self, name: str) -> None:
        """Use another provider from now on; raises ConfigError if its name is unknown."""
        ...

    def provider_names(self) -> list[str]:
        """Return the names that `select_provider` accepts, the one in use first."""
        ...

    def explain(self) -> str:
        """Describe how the last request was answered, and why."""
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
