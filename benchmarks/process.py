"""A server process for a simulated typist: LSP over stdio, a model API over loopback."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.model_api import ModelApi
from benchmarks.session import Manuscript
from benchmarks.typist import Answer
from benchmarks.world import Model
from llm_lsp.core.text.text import Edit, Point, Text, to_position
from tests.lspclient import LspClient, Message, running

AUTOMATIC = 2  # InlineCompletionTriggerKind of LSP 3.18
CAPABILITIES: Message = {"textDocument": {"inlineCompletion": {}}}


class ProcessDesk:
    """Positions are in UTF-16, which every client may send."""

    def __init__(self, client: LspClient, api: ModelApi, manuscript: Manuscript, uri: str) -> None:
        self.client = client
        self._manuscript = manuscript
        self.api = api
        self.uri = uri
        self._text = manuscript.text
        self._version = 1
        client.open(uri, str(self._text), manuscript.session.language)

    def now(self) -> float:
        return time.perf_counter()

    async def until(self, when: float) -> None:
        """Wait."""
        await asyncio.sleep(max(0.0, when - self.now()))

    def change(self, text: Text, edit: Edit) -> None:
        """Send an edit."""
        span = {"start": self._position(edit.start), "end": self._position(edit.end)}
        self._version += 1
        document = {"uri": self.uri, "version": self._version}
        changes = [{"range": span, "text": edit.text}]
        self.client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
        self._text = text

    async def ask(self) -> Answer:
        """Ask at the cursor; an answer came at once if no call ran from the question to it."""
        began, calls, was_idle = self.now(), len(self.api.written), not self.api.active
        where = {"textDocument": {"uri": self.uri}, "position": self._position(self._manuscript.cursor)}
        context = {"triggerKind": AUTOMATIC}
        number, future = self.client.begin("textDocument/inlineCompletion", {**where, "context": context})
        try:
            answer = await asyncio.shield(future)
        except asyncio.CancelledError:
            self.client.notify("$/cancelRequest", {"id": number})
            raise
        took_ms = 1e3 * (self.now() - began)
        items = (answer.get("result") or {}).get("items") or []
        text = items[0]["insertText"] if items else ""
        is_at_once = text and was_idle and len(self.api.written) == calls
        return Answer(text, took_ms if is_at_once else None)

    def _position(self, point: Point) -> Message:
        line, character = to_position(self._text, point, "utf-16")
        return {"line": line, "character": character}


@asynccontextmanager
async def process_desk(manuscript: Manuscript, model: Model) -> AsyncIterator[ProcessDesk]:
    """Run a server with a home of its own, and a model that knows the manuscript, until the block ends."""
    api = ModelApi(model, manuscript.foretell)
    with tempfile.TemporaryDirectory() as folder:
        async with api.serving(), running(Path(folder)) as client:
            await client.initialize(CAPABILITIES, initializationOptions=_options(api.url, model))
            yield ProcessDesk(client, api, manuscript, (Path(folder) / "session.py").as_uri())


def _options(url: str, model: Model) -> Message:
    provider = {
        "api": "openai-completions",
        "base_url": url,
        "model": "m",
        "fim": "none",
        "local": False,
        "cancel_stops_billing": model.cancel_stops_billing,
    }
    return {"provider": "simulated", "providers": {"simulated": provider}}
