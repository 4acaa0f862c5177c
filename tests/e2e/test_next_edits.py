"""Next edits from the server's own process, over its pipes, without a model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.session import shut_down
from tests.lsp.fakes import URI, edit, span
from tests.lspclient import LspClient, running

COPILOT = "textDocument/copilotInlineEdit"
SOURCE = "def total(cart, rate):\n    price = sum(cart)\n    return price * rate * len(cart)\n"
UTF_16 = {"general": {"positionEncodings": ["utf-16"]}}


def change(client: LspClient, version: int, *changes: dict[str, Any]) -> None:
    document = {"uri": URI, "version": version}
    client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [*changes]})


async def next_edits(client: LspClient, version: int, line: int, character: int) -> list[Any]:
    position = {"line": line, "character": character}
    params = {"textDocument": {"uri": URI, "version": version}, "position": position}
    edits = (await client.ask(COPILOT, params))["result"]["edits"]
    assert isinstance(edits, list)
    return edits


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
async def test_a_rename_is_followed_use_by_use(ends: str, tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await client.initialize(UTF_16)
        client.open(URI, SOURCE.replace("\n", ends))
        assert await next_edits(client, 1, 0, 0) == []
        change(client, 2, edit((0, 10), (0, 14), "basket"))

        [first] = await next_edits(client, 2, 0, 15)
        change(client, 3, {"range": first["range"], "text": first["text"]})
        await client.ask("workspace/executeCommand", first["command"])
        [second] = await next_edits(client, 3, 1, 5)
        change(client, 4, {"range": second["range"], "text": second["text"]})

        assert (first["range"], first["text"]) == (span((1, 16), (1, 20)), "basket")
        assert first["textDocument"] == {"uri": URI, "version": 2}
        assert (second["range"], second["text"]) == (span((2, 30), (2, 34)), "basket")
        assert await next_edits(client, 4, 2, 5) == []
        words = (await client.ask("workspace/executeCommand", {"command": "llm-lsp.explain"}))["result"]
        assert words.startswith("While you typed in python, nothing was shown")
        await shut_down(client)


async def test_a_code_action_changes_all_places(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await client.initialize(UTF_16)
        client.open(URI, SOURCE)
        change(client, 2, edit((0, 10), (0, 14), "basket"))
        [_] = await next_edits(client, 2, 0, 15)
        params = {
            "textDocument": {"uri": URI},
            "range": span((0, 15), (0, 15)),
            "context": {"diagnostics": []},
        }

        one, everywhere = (await client.ask("textDocument/codeAction", params))["result"]

        assert [one["title"], everywhere["title"]] == [
            "Apply next edit (line 2)",
            "Apply next edit at all 2 places",
        ]
        assert len(everywhere["edit"]["changes"][URI]) == 2


async def test_the_setting_switches_them_off(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await client.initialize(UTF_16, initializationOptions={"edits": {"enabled": False}})
        client.open(URI, SOURCE)
        change(client, 2, edit((0, 10), (0, 14), "basket"))

        assert await next_edits(client, 2, 0, 15) == []


async def test_a_request_that_waits_can_be_cancelled(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        await client.initialize(UTF_16)
        client.open(URI, SOURCE)
        change(client, 2, edit((0, 10), (0, 14), "basket"))
        position = {"line": 0, "character": 16}  # behind a name that may not be typed to its end
        params = {"textDocument": {"uri": URI, "version": 2}, "position": position}
        msg_id, answer = client.begin(COPILOT, params)

        client.notify("$/cancelRequest", {"id": msg_id})

        assert (await asyncio.wait_for(answer, 30))["error"]["code"] == -32800
        assert len(await next_edits(client, 2, 0, 16)) == 1
