"""Replays to a server the recorded messages of a real editor, each after the answers that the editor had by then."""

from __future__ import annotations

import asyncio

from tests.editors.recording import Message
from tests.lspclient import LspClient
from tests.patience import PATIENCE_S


def answers_of(editor: list[Message]) -> dict[str, object]:
    """Return the editor's answers to the server's requests, by method."""
    asked = {
        line["message"]["id"]: line["message"]["method"]
        for line in editor
        if line["from"] == "server" and {"id", "method"} <= line["message"].keys()
    }
    return {
        asked[line["message"]["id"]]: line["message"].get("result")
        for line in editor
        if line["from"] == "editor" and "method" not in line["message"]
    }


async def replay(client: LspClient, recording: list[Message]) -> dict[int | str, Message]:
    """Replay the editor's messages, each after the answers it had by then; return the answers to its requests."""
    questions = [
        line["message"] for line in recording if line["from"] == "editor" and "id" in line["message"]
    ]
    futures = {message["id"]: client.expect(message["id"]) for message in questions if "method" in message}
    for line in recording:
        message = line["message"]
        if line["from"] == "editor" and "method" in message:
            if message["method"] == "initialize":  # else the server would end with the recorded process
                message["params"]["processId"] = None
            client.message(message)
        elif is_answer(line):
            await asyncio.wait_for(asyncio.shield(futures[message["id"]]), PATIENCE_S)
    answers = await asyncio.wait_for(asyncio.gather(*futures.values()), PATIENCE_S)
    return dict(zip(futures, answers, strict=True))


def is_answer(line: Message) -> bool:
    """Return whether a recorded line is the server's answer to a request."""
    return line["from"] == "server" and "method" not in line["message"]
