"""A scripted engine, and a client's end of the protocol in the same process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_lsp.core.chat.dialogue import ChatQuestion, ChatReply
from llm_lsp.core.chat.rewriting import RewriteAnswer, RewriteQuestion
from llm_lsp.core.context.notebook_cells import NotebookCell
from llm_lsp.core.edits.next_edit import EditRequest, OfferedEdit
from llm_lsp.core.privacy.secret import GivenKey
from llm_lsp.core.request import Completion, CompletionRequest
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit
from llm_lsp.engine.client.interface import Client, EditorSource
from llm_lsp.errors import ConfigError
from llm_lsp.lsp.server import create_server

URI = "file:///project/a.py"
CAPABLE: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "textDocument": {"completion": {"completionItem": {"snippetSupport": True}}, "inlineCompletion": {}},
}


@dataclass
class FakeEngine:
    """Answers each request with `text` at the cursor; with `hold` it waits until that is set."""

    client: Client
    text: str = "answer()"
    keys: list[GivenKey] = field(default_factory=list)
    others: tuple[Completion, ...] = ()
    """Answers beside the first."""
    page: str = ""
    """Where a dialogue is kept."""
    failure: BaseException | None = None
    hold: asyncio.Event | None = None
    offer: OfferedEdit | None = None
    """The next edit."""
    edit_requests: list[EditRequest] = field(default_factory=list)
    requests: list[CompletionRequest] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    edits: list[tuple[Edit, ...]] = field(default_factory=list)
    settings: list[tuple[EditorSource, Mapping[str, object]]] = field(default_factory=list)
    users_settings: list[Mapping[str, object]] = field(default_factory=list)
    folders: tuple[str, ...] = ()
    calls: list[tuple[str, object]] = field(default_factory=list)
    cancelled: int = 0
    notebooks: dict[str, tuple[NotebookCell, ...]] = field(default_factory=dict)

    def take_keys(self, given: Sequence[GivenKey]) -> None:
        self.keys = [*given]

    def configure(
        self,
        source: EditorSource,
        settings: Mapping[str, object],
        users: Mapping[str, object] | None = None,
    ) -> None:
        self.settings.append((source, settings))
        if users is not None:
            self.users_settings.append(users)

    def expect_settings(self) -> None:
        self.calls.append(("expect_settings", len(self.settings)))

    @property
    def settings_files(self) -> tuple[Path, ...]:
        return (Path("/settings/config.toml"),)

    def provider_names(self) -> list[str]:
        return ["mine", "auto"]

    def settings_changed(self) -> None:
        self.calls.append(("settings_changed", None))

    def saved(self, uri: str) -> None:
        self.calls.append(("saved", uri))

    def set_folders(self, folders: tuple[str, ...]) -> None:
        self.folders = folders

    def open(self, document: Document) -> None:
        self.documents[document.uri] = document

    def change(self, document: Document, edits: tuple[Edit, ...]) -> None:
        self.documents[document.uri] = document
        self.edits.append(edits)

    def close(self, uri: str) -> None:
        self.documents.pop(uri, None)

    def arrange(self, notebook: str, cells: tuple[NotebookCell, ...]) -> None:
        self.notebooks[notebook] = cells

    def document(self, uri: str) -> Document | None:
        return self.documents.get(uri)

    async def complete(self, request: CompletionRequest) -> Completion | Skip:
        self.requests.append(request)
        try:
            if self.hold is not None:
                await self.hold.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failure is not None:
            raise self.failure
        if not self.text:
            return Skip(Reason.EMPTY)
        return Completion("opaque", 1, request.point, request.point, self.text)

    async def suggestions(self, request: CompletionRequest) -> tuple[Completion, ...]:
        first = await self.complete(request)
        return () if isinstance(first, Skip) else (first, *self.others)

    async def ask(self, inquiry: ChatQuestion) -> ChatReply:
        self.calls.append(("ask", inquiry))
        if self.failure is not None:
            raise self.failure
        return ChatReply(self.text, True, self.page)

    async def rewrite(self, question: RewriteQuestion, progress: Callable[[str], None]) -> RewriteAnswer:
        self.calls.append(("rewrite", question))
        progress(self.text)
        return RewriteAnswer(self.text, True)

    async def commit_message(self, folder: str) -> str:
        self.calls.append(("commit_message", folder))
        return self.text

    def accepted(self, completion_id: str) -> None:
        self.calls.append(("accepted", completion_id))

    async def next_edit(self, request: EditRequest, *, may_wait: bool = True) -> OfferedEdit | Skip:
        self.edit_requests.append(request)
        return self.offer or Skip(Reason.NOTHING_FOLLOWS)

    def dismissed(self, offer_id: str) -> None:
        self.calls.append(("dismissed", offer_id))

    def toggle(self) -> bool:
        self.calls.append(("toggle", None))
        return False

    def snooze(self, minutes: float) -> None:
        self.calls.append(("snooze", minutes))

    def select_provider(self, name: str) -> None:
        if name == "unknown":
            raise ConfigError("provider unknown is not enabled")
        self.calls.append(("select_provider", name))

    def explain(self) -> str:
        return "because"

    def next_id(self) -> int:
        return len(self.requests)

    def now(self) -> float:
        return 7.0

    async def aclose(self) -> None:
        self.calls.append(("aclose", None))

    def text_of(self, uri: str = URI) -> str:
        return str(self.documents[uri].text)

    @property
    def last(self) -> CompletionRequest:
        return self.requests[-1]


class Wire:
    """A server, and its client's end: `send` and `ask` go in, what the server writes is in `received`."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.exit_status: int | None = None
        self.engines: list[FakeEngine] = []
        self.server = create_server(self._build)
        self.server.protocol.writer = self
        self.server.protocol.end = self._end
        self._next_id = 0

    def _build(self, client: Client) -> FakeEngine:
        self.engines.append(FakeEngine(client))
        return self.engines[-1]

    def _end(self, status: int) -> None:
        self.exit_status = status

    @property
    def engine(self) -> FakeEngine:
        return self.engines[-1]

    def write(self, data: bytes) -> None:
        """Receive what the server sends."""
        header, _, body = data.partition(b"\r\n\r\n")
        assert header == b"Content-Length: %d" % len(body)
        self.received.append(json.loads(body))

    def raw(self, body: bytes) -> list[dict[str, Any]]:
        """Send bytes; give what came back at once."""
        seen = len(self.received)
        self.server.protocol.receive(body)
        return self.received[seen:]

    def send(self, method: str, params: object, **more: object) -> list[dict[str, Any]]:
        """Send a message; with `id=` it is a request."""
        return self.raw(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode())

    def begin(self, method: str, params: object) -> int:
        """Send a request without waiting; give its id."""
        self._next_id += 1
        self.send(method, params, id=self._next_id)
        return self._next_id

    async def ask(self, method: str, params: object) -> dict[str, Any]:
        """Send a request, and give its answer."""
        return await self.answer(self.begin(method, params))

    async def answer(self, msg_id: object) -> dict[str, Any]:
        """Let the server work until a request is answered."""
        for _ in range(20):
            if answers := self.answers(msg_id):
                return answers[0]
            await asyncio.sleep(0)
        raise AssertionError(f"request {msg_id} was not answered")

    def answers(self, msg_id: object) -> list[dict[str, Any]]:
        """Return every answer to an id."""
        return [m for m in self.received if "method" not in m and m.get("id") == msg_id]

    def sent(self, method: str) -> list[Any]:
        """Return the params of the messages that the server sent with a method."""
        return [m["params"] for m in self.received if m.get("method") == method]

    def shake_hands(self, capabilities: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
        params = {
            "processId": None,
            "rootUri": None,
            "capabilities": CAPABLE if capabilities is None else capabilities,
        }
        [answer] = self.send("initialize", {**params, **more}, id="initialize")
        self.send("initialized", {})
        result = answer["result"]
        assert isinstance(result, dict)
        return result

    def open(self, text: str, uri: str = URI) -> None:
        self.send(
            "textDocument/didOpen",
            {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": text}},
        )

    def change(self, *changes: dict[str, Any], uri: str = URI) -> None:
        self.send(
            "textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": changes}
        )


def started(text: str | None = None, **capabilities: Any) -> Wire:
    """Return a server after the handshake, with an open document if there is a text."""
    wire = Wire()
    wire.shake_hands({**CAPABLE, **capabilities})
    if text is not None:
        wire.open(text)
    return wire


def span(start: tuple[int, int], end: tuple[int, int]) -> dict[str, Any]:
    """Return an LSP range."""
    return {
        "start": {"line": start[0], "character": start[1]},
        "end": {"line": end[0], "character": end[1]},
    }


def at(line: int, character: int, **context: Any) -> dict[str, Any]:
    """Return the params of a completion request of either kind."""
    return {
        "textDocument": {"uri": URI},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 1, **context},
    }


def edit(start: tuple[int, int], end: tuple[int, int], text: str) -> dict[str, Any]:
    """Return a change for didChange."""
    return {"range": span(start, end), "text": text}
