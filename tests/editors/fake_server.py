"""A language server with scripted inline completions, which records what the editor sends.

Runs by itself: `python fake_server.py SCRIPT.json RECORD.jsonl`.
The script maps what stands before the cursor in its line to an answer:
`{"items": [...]}`, and with `"late": true` the answer leaves only once the editor cancels the question.
A script's `"status"` is sent before each answer; its `"commands"` maps a command to what that returns.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

Message = dict[str, Any]

CAPABILITIES: Message = {
    "textDocumentSync": 1,  # whole texts: nothing to get wrong here
    "inlineCompletionProvider": {},
    "executeCommandProvider": {
        "commands": [
            f"llm-lsp.{name}" for name in ("accepted", "explain", "selectProvider", "snooze", "toggle")
        ]
    },
}


def read_messages(stream: IO[bytes]) -> Iterator[Message]:
    """Yield each message of a JSON-RPC stream."""
    while header := stream.readline():
        length = int(header.split(b":")[1])
        while stream.readline().strip():
            pass
        yield json.loads(stream.read(length))


class FakeServer:
    """Answers from the script, and records every message before it answers."""

    def __init__(self, script: Path, record: Path, out: BinaryIO) -> None:
        self._script = script
        self._record = record
        self._out = out
        self._lines: dict[str, list[str]] = {}
        self._late: dict[int | str, Message] = {}

    def handle(self, message: Message) -> None:
        """Answer one message."""
        with self._record.open("a", encoding="utf-8") as record:
            record.write(json.dumps(message) + "\n")
        method: str | None = message.get("method")
        params: Message = message.get("params") or {}
        if method == "initialize":
            self._reply(message, {"capabilities": CAPABILITIES | _encoding(params)})
        elif method in ("textDocument/didOpen", "textDocument/didChange"):
            document = params["textDocument"]
            text = document["text"] if "text" in document else params["contentChanges"][-1]["text"]
            self._lines[document["uri"]] = text.split("\n")
        elif method == "textDocument/inlineCompletion":
            self._complete(message)
        elif method == "$/cancelRequest":
            if late := self._late.pop(params["id"], None):
                self._complete(late | {"late": True})
        elif method == "workspace/executeCommand":
            self._reply(message, self._scripted().get("commands", {}).get(params["command"]))
        elif method == "fake/status":
            self._send({"method": "llm-lsp/status", "params": params})
            self._reply(message, None)
        elif "id" in message and method is not None:
            self._reply(message, None)

    def _complete(self, message: Message) -> None:
        params = message["params"]
        position = params["position"]
        line = self._lines[params["textDocument"]["uri"]][position["line"]]
        before = line.encode()[: position["character"]].decode()
        manual = params["context"]["triggerKind"] == 1
        script = self._scripted()
        if status := script.get("status"):
            self._send({"method": "llm-lsp/status", "params": status})
        answer = script.get(f"{before}?" if manual else before, {"items": []})
        if answer.get("late") and not message.get("late"):
            self._late[message["id"]] = message
            return
        items = [item | _range(item, position["line"]) for item in answer["items"]]
        self._reply(message, {"items": items})

    def _scripted(self) -> Message:
        script: Message = json.loads(self._script.read_text("utf-8"))
        return script

    def _reply(self, message: Message, result: object) -> None:
        self._send({"id": message["id"], "result": result})

    def _send(self, message: Message) -> None:
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        self._out.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._out.flush()


def _encoding(params: Message) -> Message:
    """Agree on bytes where the editor offers them; where it does not, a script must keep to ASCII."""
    offered = params["capabilities"].get("general", {}).get("positionEncodings", [])
    return {"positionEncoding": "utf-8"} if "utf-8" in offered else {}


def _range(item: Message, line: int) -> Message:
    """Write a scripted range, two columns, as the protocol has it."""
    if "range" not in item:
        return {}
    start, end = item["range"]
    return {"range": {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}}


def main() -> None:
    """Serve until the editor says exit, or is gone."""
    script, record = (Path(argument) for argument in sys.argv[1:3])
    server = FakeServer(script, record, sys.stdout.buffer)
    for message in read_messages(sys.stdin.buffer):
        if message.get("method") == "exit":
            return
        server.handle(message)


if __name__ == "__main__":
    main()
