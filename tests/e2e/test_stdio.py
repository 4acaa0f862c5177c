"""The server as an editor starts it, over its pipes: it answers, and it ends when it should.

What editors do wrong is tried in `tests/faults/test_client.py`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.session import FAKE, INLINE, MENU, SOURCE, first_item, options, say_one_line, shut_down
from tests.lsp.editors import EDITORS
from tests.lsp.fakes import URI, at, span
from tests.lspclient import running, unsafe_parts
from tests.providers.standin import DONE, Peer, Received, serve, text


@pytest.mark.parametrize(
    "name",
    [
        "VS Code",
        "lsp-mode",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("Neovim 0.11", "vim-lsp")),
    ],
)
async def test_an_editor_gets_a_completion(name: str, tmp_path: Path) -> None:
    announced, capabilities = EDITORS[name]
    no_settings = {"workspace/configuration": [None]}
    async with serve(say_one_line) as standin, running(tmp_path, results=no_settings) as client:
        await client.initialize(announced, clientInfo={"name": name}, initializationOptions=options(standin))
        client.open(URI, SOURCE)
        item = await first_item(client, INLINE if capabilities.inline else MENU)
    if capabilities.inline:
        assert (item["insertText"], item["range"]) == ("a, b)", span((1, 12), (1, 12)))
    else:
        assert item["textEdit"] == {"newText": "a, b)", "range": span((1, 12), (1, 12))}
    assert item["command"]["command"] == "llm-lsp.accepted"


async def test_what_a_model_says_is_plain_text_whatever_it_says(tmp_path: Path) -> None:
    async def hostile(received: Received, peer: Peer) -> None:
        await peer.stream(text("${CLIPBOARD}, $(rm)\\}\n"), text("", "stop"), DONE)
        await peer.end()

    announced, _ = EDITORS["lsp-mode"]
    async with serve(hostile) as standin, running(tmp_path) as client:
        await client.initialize(announced, initializationOptions=options(standin))
        client.open(URI, SOURCE)
        assert (await first_item(client, MENU))["textEdit"]["newText"].startswith("${CLIPBOARD}")
        assert client.unsafe == []


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({}, []),
        ({"additionalTextEdits": []}, ["additionalTextEdits"]),
        ({"command": {"command": "rm", "arguments": ["1"]}}, ["command rm"]),
        ({"documentation": {"kind": "markdown", "value": "![](x)"}}, ["markup"]),
        ({"label": "a\nb"}, ["a label of several lines"]),
        ({"insertTextFormat": 2, "textEdit": {"newText": "\\\\$1"}}, ["a snippet with a variable"]),
        ({"insertTextFormat": 2, "textEdit": {"newText": "\\$1"}}, []),
    ],
)
def test_what_no_item_may_have_is_seen_in_every_session(changed: dict[str, Any], faults: list[str]) -> None:
    assert unsafe_parts({"items": [{"label": "a", **changed}]}) == faults


async def test_settings_that_an_editor_is_asked_for_are_used(tmp_path: Path) -> None:
    async with serve(say_one_line) as standin:
        results = {"workspace/configuration": [options(standin)]}
        async with running(tmp_path, results=results) as client:
            await client.initialize({"workspace": {"configuration": True}})
            client.open(URI, SOURCE)
            assert (await first_item(client, INLINE))["insertText"] == "a, b)"


async def test_a_binary_file_that_is_opened_as_text_does_no_harm(tmp_path: Path) -> None:
    binary = "\x7fELF\0\x01\ufffd\x1b[2J\u2028\r\n" * 10_000
    async with serve(say_one_line) as standin, running(tmp_path) as client:
        await client.initialize(initializationOptions=options(standin))
        client.open(URI, SOURCE)
        await first_item(client, INLINE)
        client.open("file:///project/a.bin", binary, "plaintext")
        for method in (INLINE, MENU):
            for line in (0, 1, 900):
                asked = {**at(line, 2), "textDocument": {"uri": "file:///project/a.bin"}}
                assert (await client.ask(method, asked))["result"]["items"] == []
        await first_item(client, INLINE)
        assert not any(b"ELF" in received.body for received in standin.received)


async def test_a_cancelled_request_closes_the_call(tmp_path: Path) -> None:
    called, hung_up = asyncio.Event(), asyncio.Event()

    async def say_nothing(received: Received, peer: Peer) -> None:
        called.set()
        await peer.hung_up()
        hung_up.set()

    async with serve(say_nothing) as standin, running(tmp_path) as client:
        await client.initialize(initializationOptions=options(standin))
        client.open(URI, SOURCE)
        msg_id, answer = client.begin(INLINE, at(1, 12))
        await called.wait()
        client.notify("$/cancelRequest", {"id": msg_id})
        assert (await answer)["error"]["code"] == -32800
        await hung_up.wait()


async def test_what_others_print_and_read_leaves_the_protocol_alone(tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE, "print") as client:
        await client.initialize()
        client.open(URI, "x = ")
        assert (await client.ask(INLINE, at(0, 4)))["result"]["items"]
        await shut_down(client)
        assert await client.errors() == "a stray print\nand one past Python\n"


async def test_an_editor_in_another_container_ends_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE) as client:
        await client.initialize(processId=2**22 + 1)  # Above the largest process id of Linux.
        client.open(URI, "x = ")
        assert (await client.ask(INLINE, at(0, 4)))["result"]["items"]
        await shut_down(client)


async def test_neither_a_stuck_thread_nor_a_stuck_connection_holds_the_process(tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE, "stuck") as client:
        await client.initialize()
        client.open(URI, "x = ")
        await client.ask(INLINE, at(0, 4))
        await shut_down(client)


async def test_nothing_heavy_is_imported_before_initialize_is_answered() -> None:
    heavy = [
        "httpx",
        "rich",
        "keyring",
        "huggingface_hub",
        "xllamacpp",
        "tomlkit",
        "platformdirs",
        "cachetools",
        "psutil",
    ]
    code = f"""
import sys
import llm_lsp.cli.commands.server, llm_lsp.lsp.stdio
sys.stderr.write(' '.join(name for name in {heavy} if name in sys.modules))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    assert errors.decode() == ""
