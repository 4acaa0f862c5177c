"""A small LSP client over the pipes of a child process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE_S

Message = dict[str, Any]

SNIPPET = 2  # InsertTextFormat of LSP 3.18
PARTS = frozenset(
    {
        *("insertText", "range", "command"),  # of an inline item; a menu's has more
        *("label", "kind", "detail", "documentation", "filterText", "sortText", "textEdit"),
        *("insertTextFormat", "insertTextMode"),
    }
)
COMMAND = (sys.executable, "-m", "llm_lsp", "server")


def frame(body: bytes) -> bytes:
    """Put a message's header before it."""
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


@dataclass
class LspClient:
    """Sends what a test says, and answers the server's requests from `results`, by method."""

    process: asyncio.subprocess.Process
    results: Mapping[str, object]
    notifications: list[Message] = field(default_factory=list)
    answered_twice: int = 0
    unsafe: list[str] = field(default_factory=list)
    """What an answer held that no model may bring into an editor."""
    _waiting: dict[int | str | None, asyncio.Future[Message]] = field(default_factory=dict)
    _next_id: int = 0

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    async def send_slowly(self, data: bytes) -> None:
        """Send bytes, and wait until the server has taken most of what was sent."""
        self.send(data)
        assert self.process.stdin is not None
        await self.process.stdin.drain()

    def message(self, message: Message) -> None:
        self.send(frame(json.dumps({"jsonrpc": "2.0", **message}).encode()))

    def notify(self, method: str, params: object) -> None:
        self.message({"method": method, "params": params})

    def expect(self, msg_id: int | str | None) -> asyncio.Future[Message]:
        """Return a future for the answer to an id."""
        return self._waiting.setdefault(msg_id, asyncio.get_running_loop().create_future())

    def begin(self, method: str, params: object) -> tuple[int, asyncio.Future[Message]]:
        """Send a request; give its id, and a future for its answer."""
        self._next_id += 1
        future = self.expect(self._next_id)
        self.message({"id": self._next_id, "method": method, "params": params})
        return self._next_id, future

    async def ask(self, method: str, params: object) -> Message:
        """Send a request; give the whole answer."""
        return await asyncio.wait_for(self.begin(method, params)[1], PATIENCE_S)

    async def initialize(self, capabilities: Message | None = None, **params: object) -> Message:
        """Shake hands; give the server's capabilities."""
        asked = {"processId": os.getpid(), "rootUri": None, "capabilities": capabilities or {}, **params}
        answer = await self.ask("initialize", asked)
        self.notify("initialized", {})
        found = answer["result"]["capabilities"]
        assert isinstance(found, dict)
        return found

    def open(self, uri: str, text: str, language: str = "python") -> None:
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    async def ended(self) -> int:
        """Wait for the server's end; give its exit status."""
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)

    async def errors(self) -> str:
        """Return the server's standard error output, once it has ended."""
        assert self.process.stderr is not None
        return (await asyncio.wait_for(self.process.stderr.read(), PATIENCE_S)).decode()

    async def read(self) -> None:
        """Receive messages until the server closes its output."""
        out = self.process.stdout
        assert out is not None
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                header = await out.readuntil(b"\r\n\r\n")
                length = int(header.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                self._take(json.loads(await out.readexactly(length)))

    def _take(self, message: Message) -> None:
        if "method" not in message:
            self.unsafe += unsafe_parts(message.get("result"))
            future = self.expect(message["id"])
            if future.done():
                self.answered_twice += 1
            else:
                future.set_result(message)
        elif "id" in message:
            if (method := message["method"]) in self.results:
                self.message({"id": message["id"], "result": self.results[method]})
        else:
            self.notifications.append(message)


def unsafe_parts(result: object) -> list[str]:
    """Name what a completion item has beside plain text in one range, and the command that tells of its acceptance."""
    items = result.get("items") if isinstance(result, dict) else None
    return [fault for item in items or [] for fault in _faults(item)]


def _faults(item: Message) -> Iterator[str]:
    yield from sorted({*item} - PARTS)
    command = item.get("command")
    if command and (command["command"], len(command["arguments"])) != ("llm-lsp.accepted", 1):
        yield f"command {command['command']}"
    if not isinstance(item.get("documentation") or "", str):
        yield "markup"
    if not item.get("label", "x").isprintable():
        yield "a label of several lines"
    if item.get("insertTextFormat") == SNIPPET and re.search(
        r"(?<!\\)(\\\\)*[$}]", item["textEdit"]["newText"]
    ):
        yield "a snippet with a variable"


@asynccontextmanager
async def running(
    home: Path, *command: str, results: Mapping[str, object] | None = None, is_ours: bool = True
) -> AsyncIterator[LspClient]:
    """Run a server with a home of its own until the block ends; another project's may answer as it likes."""
    names = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")
    folders = {name: str(home) for name in names}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(command or COMMAND), stdin=pipe, stdout=pipe, stderr=pipe, env={**os.environ, **folders}
    )
    client = LspClient(process, results or {})
    reading = asyncio.create_task(client.read())
    try:
        yield client
        assert not is_ours or client.answered_twice == 0
        assert not is_ours or client.unsafe == []
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await client.ended()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await reading
