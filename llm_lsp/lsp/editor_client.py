"""The editor, as the engine's `Client`."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from lsprotocol import types

from llm_lsp.engine.client.interface import Level, Progress, Status
from llm_lsp.lsp.conversion import Capabilities
from llm_lsp.lsp.protocol import Protocol

STATUS = "llm-lsp/status"
REWRITING = "llm-lsp/rewriting"


class EditorClient:
    """Sends messages to the editor, if the editor supports them."""

    def __init__(self, protocol: Protocol, capabilities: Capabilities) -> None:
        self._protocol = protocol
        self.capabilities = capabilities
        self.asked_inline = False
        self.asked_edits = False
        """Whether the client shows next edits itself, and needs none as ghost text."""
        """It has requested an inline completion; Emacs' lsp-mode does so without announcing support."""
        self._bars: dict[str, _Bar] = {}

    @property
    def name(self) -> str:
        """The editor's name, "" if it sent none."""
        return self.capabilities.name

    @property
    def has_inline(self) -> bool:
        """Whether it shows inline completions: it announced support, or has requested one."""
        return self.capabilities.inline or self.asked_inline

    @property
    def offers_models(self) -> bool:
        """Whether it announced that it offers a model when the status says that one is needed."""
        return self.capabilities.offers_models

    def show(self, level: Level, text: str) -> None:
        """Show a message to the user."""
        kind = {
            "error": types.MessageType.Error,
            "warning": types.MessageType.Warning,
            "info": types.MessageType.Info,
        }
        self._protocol.notify(types.WINDOW_SHOW_MESSAGE, types.ShowMessageParams(kind[level], _visible(text)))

    def open_file(self, uri: str, instead: str) -> None:
        """Open one of our files next to the current one; if the client cannot, show the message `instead`."""
        if not (uri and self.capabilities.opens_files):
            self.show("info", instead)
            return
        params = types.ShowDocumentParams(uri, take_focus=False)
        self._protocol.send_request(types.WINDOW_SHOW_DOCUMENT, params)

    def status(self, status: Status) -> None:
        """Send the status as a custom notification, which other clients ignore."""
        message, provider, model = map(_visible, (status.message, status.provider, status.model))
        plain = replace(status, message=message, provider=provider, model=model)
        self._protocol.notify(STATUS, _to_status(plain))

    def rewriting(self, token: str, text: str) -> None:
        """Send the text of a rewrite so far; `token` is the client's name for it, "" if it wants none."""
        if token:
            self._protocol.notify(REWRITING, {"token": token, "text": text})

    def progress(self, progress: Progress) -> None:
        """Start, update or end a progress report."""
        if not self.capabilities.progress:
            return
        bar = self._bars.setdefault(progress.token, _Bar(self._protocol, progress.token))
        title, message = _visible(progress.title), _visible(progress.message)
        bar.show(replace(progress, title=title, message=message))
        if progress.done:
            del self._bars[progress.token]


def _to_status(status: Status) -> dict[str, object]:
    """Return a status as the parameters of its notification."""
    return {
        "kind": status.kind,
        "busy": status.busy,
        "message": status.message,
        "provider": status.provider,
        "model": status.model,
        "spentToday": status.spent_today,
        **({"needsModel": True} if status.needs_model else {}),
    }


def _visible(text: str) -> str:
    # A model's name may come from a server. Imported here: the server starts without it.
    from llm_lsp.core.text.invisible_chars import visible

    return visible(text)


class _Bar:
    """One progress report. The client must accept its token before it may be used (LSP 3.18, "Work Done
    Progress").
    """

    def __init__(self, protocol: Protocol, token: str) -> None:
        self._protocol = protocol
        self._token = token
        self._wanted: Progress | None = None
        self._is_asked = self._is_agreed = self._is_open = False

    def show(self, progress: Progress) -> None:
        self._wanted = progress
        if self._is_agreed:
            self._send(progress)
        elif not self._is_asked:
            self._is_asked = True
            params = types.WorkDoneProgressCreateParams(self._token)
            asked = self._protocol.send_request(types.WINDOW_WORK_DONE_PROGRESS_CREATE, params)
            asked.add_done_callback(self._take_answer)

    def _take_answer(self, asked: Future[Any]) -> None:
        # If the client refuses the token, nothing is shown; nor if the task has ended meanwhile.
        self._is_agreed = not asked.cancelled() and asked.exception() is None
        if self._is_agreed and self._wanted is not None and not self._wanted.done:
            self._send(self._wanted)

    def _send(self, progress: Progress) -> None:
        notify = partial(self._protocol.notify, types.PROGRESS)
        if not self._is_open:
            self._is_open = True
            begin = types.WorkDoneProgressBegin(
                progress.title, message=progress.message, percentage=progress.percent
            )
            notify(types.ProgressParams(self._token, begin))
        elif progress.done:
            notify(types.ProgressParams(self._token, types.WorkDoneProgressEnd(message=progress.message)))
        else:
            report = types.WorkDoneProgressReport(message=progress.message, percentage=progress.percent)
            notify(types.ProgressParams(self._token, report))
