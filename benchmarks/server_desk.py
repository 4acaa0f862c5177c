"""Any language server's process for a user of a recorded session: LSP over stdio, a model API over loopback."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.model_api import ModelApi
from benchmarks.trace_replay import Replay, offered
from benchmarks.user import Shown, TraceUser
from benchmarks.written_trace import WrittenTrace, asked_in
from llm_lsp.core.text.text import Edit, Point, Text, to_point, to_position
from tests.lspclient import LspClient, Message, running

# Of LSP: how inline completion is triggered while typing, a menu by hand, and a server that wants whole texts.
AUTOMATIC, INVOKED, FULL_SYNC = 2, 1, 1
# Seconds after the start, in which a server may read the document.
SETTLE_S = 1.0
_WORD_BEFORE = re.compile(r"\w*$")


class ServerDesk:
    """A server that answers textDocument/inlineCompletion, or textDocument/completion if it `has_menu`."""

    def __init__(
        self, client: LspClient, written: WrittenTrace, uri: str, sync: int, *, has_menu: bool
    ) -> None:
        self._client = client
        self._written = written
        self._uri = uri
        self._is_full = sync == FULL_SYNC
        self._has_menu = has_menu
        self._text = written.text
        self._version = 1
        client.open(uri, str(written.text), written.trace.language)

    def now(self) -> float:
        return time.perf_counter()

    async def until(self, when: float) -> None:
        """Wait."""
        await asyncio.sleep(max(0.0, when - self.now()))

    def change(self, edits: tuple[Edit, ...]) -> None:
        """Send edits, or the whole text if the server wants it."""
        self._version += 1
        changes = [self._change(edit) for edit in edits]
        document = {"uri": self._uri, "version": self._version}
        if self._is_full:
            changes = [{"text": self._written.string}]
        self._client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    async def ask(self) -> Shown:
        """Ask at the cursor, and return the first answer."""
        text, cursor = self._text, self._written.cursor
        method = "textDocument/completion" if self._has_menu else "textDocument/inlineCompletion"
        context = {"triggerKind": INVOKED if self._has_menu else AUTOMATIC}
        where = {"textDocument": {"uri": self._uri}, "position": _position(text, cursor)}
        number, future = self._client.begin(method, {**where, "context": context})
        try:
            answer = await asyncio.shield(future)
        except asyncio.CancelledError:
            self._client.notify("$/cancelRequest", {"id": number})
            raise
        result = answer.get("result") or []
        items = result.get("items", []) if isinstance(result, dict) else result
        shown = (shown_at(text, cursor, item) for item in items)
        return next((each for each in shown if each.text.strip()), Shown())

    def accepted(self, shown: Shown) -> None:
        """Report an acceptance, if the server asked for it."""
        if shown.id:
            command = json.loads(shown.id)
            params = {"command": command["command"], "arguments": command.get("arguments", [])}
            self._client.begin("workspace/executeCommand", params)

    def _change(self, edit: Edit) -> Message:
        span = {"start": _position(self._text, edit.start), "end": _position(self._text, edit.end)}
        self._text = self._text.edit(edit.start, edit.end, edit.text)
        return {"range": span, "text": edit.text}


def shown_at(text: Text, cursor: Point, item: Mapping[str, object]) -> Shown:
    """Return what an item of an inline completion or a menu shows at the cursor."""
    edit = item.get("textEdit")
    new, span = item.get("insertText") or item.get("label") or "", item.get("range")
    if isinstance(edit, dict):
        new, span = edit["newText"], edit.get("range") or edit.get("insert")
    elif "label" in item:
        # Without a range, an editor replaces the word before the cursor that the text repeats.
        word = _WORD_BEFORE.search(text.line(cursor.line)[: cursor.column])
        repeated = word.group() if word and str(new).startswith(word.group()) else ""
        return Shown(str(new)[len(repeated) :], _command(item))
    if isinstance(new, dict):
        new = new.get("value", "")
    start = end = cursor
    if isinstance(span, dict):
        start, end = (
            to_point(text, span[side]["line"], span[side]["character"], "utf-16") for side in ("start", "end")
        )
    if not start <= cursor <= end:
        return Shown()
    return Shown(offered(str(new), text.slice(start, cursor), text.slice(cursor, end)), _command(item))


def _command(item: Mapping[str, object]) -> str:
    return json.dumps(item["command"]) if item.get("command") else ""


def _position(text: Text, point: Point) -> Message:
    line, character = to_position(text, point, "utf-16")
    return {"line": line, "character": character}


@asynccontextmanager
async def server_desk(
    written: WrittenTrace, api: ModelApi, command: str, options: str, *, has_menu: bool
) -> AsyncIterator[ServerDesk]:
    """Run a server with a home of its own until the block ends; `{url}` stands for the model API's address."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{written.trace.name}.{written.trace.language}"
        path.write_text(written.string)
        async with api.serving():
            address = api.url.removesuffix("/v1")
            arguments = shlex.split(command.replace("{url}", address))
            settings = json.loads(options.replace("{url}", address))
            root = Path(folder).as_uri()
            results: Mapping[str, object] = {"workspace/configuration": [settings]}
            async with running(Path(folder), *arguments, results=results, is_ours=False) as client:
                inline: Message = {} if has_menu else {"inlineCompletion": {}}
                capabilities = {"textDocument": {"completion": {}, **inline}}
                told = await client.initialize(capabilities, initializationOptions=settings, rootUri=root)
                sync = told.get("textDocumentSync", 0)
                kind = sync if isinstance(sync, int) else sync.get("change", 0)
                desk = ServerDesk(client, written, path.as_uri(), kind, has_menu=has_menu)
                await asyncio.sleep(SETTLE_S)
                yield desk


async def replay_server(replay: Replay, command: str, options: str, *, has_menu: bool) -> dict[str, float]:
    """Replay a trace against a server's process at the recorded pace, and return the figures."""
    written = WrittenTrace(replay.trace)
    answers = replay.answers(written)

    def answer(prompt: str) -> list[str]:
        return [token.text for token in answers.answer(asked_in(prompt))[0]]

    api = ModelApi(replay.model, answer=answer)
    async with server_desk(written, api, command, options, has_menu=has_menu) as desk:
        balance = await TraceUser(written, desk, replay.habit, replay.asks_after).run()
    return balance.report(len(api.written), sum(api.written), replay.reading_keys)
