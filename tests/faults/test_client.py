"""Faults 28 to 41 and 67 to 69 of docs/faults.md: what an editor can do wrong, to the server's own process over its pipes."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from llm_lsp.system import is_alive
from tests.e2e.session import FAKE, INLINE, MENU, SOURCE, first_item, options, say_one_line, shut_down
from tests.lsp.fakes import URI, at, edit
from tests.lspclient import LspClient, frame, running
from tests.patience import PATIENCE_S
from tests.providers.standin import Peer, Received, StandIn, serve

PARSE_ERROR, INVALID_REQUEST, NO_METHOD, INVALID_PARAMS = -32700, -32600, -32601, -32602
NOT_INITIALIZED = -32002
MEBIBYTE = 1024 * 1024
ROOT = Path(__file__).parents[2]


# The interpreter's own timer ends a process with this, see `ProcessEnd`.
STUCK_STATUS = 1


async def stands_still(client: LspClient) -> None:
    """Wait until the server says so; it builds its engine after `initialize` is answered."""
    client.notify("initialized", {})
    assert client.process.stderr is not None
    assert await client.process.stderr.readline() == b"stands still\n"


async def still_works(client: LspClient, after: str = "") -> None:
    """Check that the next request is answered, by the stand-in that says `answer()`; name what came before if not."""
    client.open("file:///project/after.py", "x = ")
    asked = {**at(0, 4), "textDocument": {"uri": "file:///project/after.py"}}
    assert (await client.ask(INLINE, asked))["result"]["items"][0]["insertText"] == "answer()", after


def change(client: LspClient, version: object, *changes: object) -> None:
    params = {"textDocument": {"uri": URI, "version": version}, "contentChanges": changes}
    client.notify("textDocument/didChange", params)


async def raw(client: LspClient, body: str) -> None:
    client.send(frame(body.encode()))


COPILOT_EDIT = "textDocument/copilotInlineEdit"


async def edits_at(client: LspClient, line: int, character: int, version: int | None = None) -> list[object]:
    """Return the next edits for a cursor."""
    document = {"uri": URI} if version is None else {"uri": URI, "version": version}
    answer = await client.ask(
        COPILOT_EDIT, {"textDocument": document, "position": {"line": line, "character": character}}
    )
    found = answer["result"]["edits"]
    assert isinstance(found, list)
    return found


@pytest.fixture
async def next_edits(tmp_path: Path) -> AsyncIterator[LspClient]:
    """A client whose document has a next edit: a parameter was renamed, and its use not yet."""
    async with running(tmp_path) as client:
        await client.initialize({"general": {"positionEncodings": ["utf-16"]}})
        client.open(URI, "def total(cart, rate):\n    return rate * len(cart)\n")
        change(client, 2, edit((0, 10), (0, 14), "basket"))
        yield client


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"Content-Length: 100000000000\r\n\r\n", id="too many digits", marks=pytest.mark.slow),
        pytest.param(b"Content-Length: -2\r\n\r\n", id="negative", marks=pytest.mark.slow),
        pytest.param(b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", id="5,000 digits"),
        pytest.param(b"Content-Type: x\r\n\r\n{}\r\n\r\n", id="missing"),
        pytest.param(b"X: " + b"y" * (1 << 20), id="a header without end"),
    ],
)
async def test_fault_28_broken_framing_ends_the_server_with_one_line(head: bytes, tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE) as client:
        await client.initialize()
        client.send(head)
        assert await client.ended() == 1
        [line] = (await client.errors()).splitlines()
        assert line.startswith("llm-lsp: ")


HEADS = {
    "small letters": "content-length: {}\r\n\r\n",
    "no blank": "Content-Length:{}\r\n\r\n",
    "line feeds only": "Content-Length: {}\n\n",
    "more headers": "X-Other: y\r\nContent-Length: {}\r\nContent-Type: a/b; charset=utf-8\r\n\r\n",
}


async def test_fault_29_whatever_can_be_read_is_read_byte_by_byte(tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE) as client:
        await client.initialize()
        for name, head in HEADS.items():
            body = json.dumps({"jsonrpc": "2.0", "id": name, "method": "no/such"}).encode()
            for byte in head.format(len(body)).encode() + body:
                await client.send_slowly(bytes([byte]))
            assert (await client.expect(name))["error"]["code"] == NO_METHOD
            await still_works(client, name)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{", id="half a message"),
        pytest.param('[{"jsonrpc":"2.0","id":1,"method":"shutdown"}]', id="batch"),
        pytest.param("null", id="null"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param('{"a":' * 100_000, id="deep objects"),
        pytest.param('{"jsonrpc":"2.0","id":"n","method":5}', id="no method"),
        pytest.param(
            '{"jsonrpc":"2.0","id":7,"id":8,"method":"no/such","method":"shutdown/not"}', id="keys twice"
        ),
    ],
)
async def test_fault_30_what_is_no_message_harms_no_other(body: str, tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE) as client:
        await client.initialize()
        for _ in range(3):
            await raw(client, body)
        client.send(frame(b"\xff\xfe{}"))
        await still_works(client)
        assert client.expect(None).result()["error"]["code"] in (PARSE_ERROR, INVALID_REQUEST)
        client.answered_twice = 0  # What has no id, or the same one, is refused with it each time.
        await shut_down(client)
        # Each kind of fault once, however often it comes.
        assert len([line for line in (await client.errors()).splitlines() if line]) <= 3


async def test_fault_30_a_message_that_is_too_long_harms_no_other(tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE) as client:
        await client.initialize()
        client.send(b"Content-Length: %d\r\n\r\n" % (129 * MEBIBYTE))
        for _ in range(129):
            await client.send_slowly(b"x" * MEBIBYTE)
        await still_works(client)


async def test_fault_31_the_order_of_a_session_is_held(tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE) as client:
        client.message({"id": "early", "method": INLINE, "params": at(0, 0)})
        assert (await client.expect("early"))["error"]["code"] == NOT_INITIALIZED
        await client.initialize()
        again = await client.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        assert again["error"]["code"] == INVALID_REQUEST
        await still_works(client)
        assert (await client.ask("shutdown", None))["result"] is None
        assert (await client.ask(INLINE, at(0, 0)))["error"]["code"] == INVALID_REQUEST
        client.notify("exit", None)
        assert await client.ended() == 0


async def test_fault_31_an_exit_without_shutdown_is_told_by_the_status(tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE) as client:
        await client.initialize()
        client.notify("exit", None)
        assert await client.ended() == 1


async def test_fault_32_params_that_cannot_be_are_refused(tmp_path: Path) -> None:
    where: list[object] = [
        None,
        {},
        {"line": 0},
        {"line": 1.5, "character": 0},
        {"line": "0", "character": 0},
    ]
    where += [{"line": None, "character": 0}, {"line": -1, "character": 0}, {"line": 0, "character": 2**32}]
    async with running(tmp_path, *FAKE) as client:
        await client.initialize()
        client.open(URI, "x = ")
        for method in (INLINE, MENU):
            for position in where:
                answer = await client.ask(method, {"textDocument": {"uri": URI}, "position": position})
                refused = answer.get("error", {}).get("code") == INVALID_PARAMS
                assert refused or "items" in answer["result"], position
            nothing: list[object] = [None, [], 5, {"textDocument": None}]
            for params in nothing:
                assert (await client.ask(method, params))["error"]["code"] == INVALID_PARAMS
        await still_works(client)


async def test_fault_66_formatting_options_that_cannot_be_are_left_out(tmp_path: Path) -> None:
    options: list[object] = [
        None,
        7,
        [],
        {},
        {"tabSize": -4, "insertSpaces": True},
        {"tabSize": 2**40, "insertSpaces": True},
        {"tabSize": "4", "insertSpaces": "yes"},
        {"tabSize": 4.5, "insertSpaces": True},
    ]
    async with running(tmp_path, *FAKE) as client:
        await client.initialize()
        client.open(URI, "x = ")
        for one in options:
            answer = await client.ask(INLINE, {**at(0, 4), "formattingOptions": one})
            assert answer["result"]["items"], one
        await still_works(client)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", pytest.param("utf-32", marks=pytest.mark.slow)])
async def test_fault_33_a_position_that_does_not_exist_is_the_next_that_does(
    encoding: str, tmp_path: Path
) -> None:
    async with running(tmp_path, *FAKE) as client:
        await client.initialize({"general": {"positionEncodings": [encoding]}})
        client.open(URI, "😀 = 1\nx = ")
        for line, character in ((0, 1), (0, 2), (0, 10_000), (9, 9), (1, 10_000)):
            answer = await client.ask(INLINE, at(line, character))
            for item in answer["result"]["items"]:
                assert item["range"]["start"]["line"] <= 1
        assert (await client.ask(INLINE, at(1, 10_000)))["result"]["items"][0]["range"]["start"] == {
            "line": 1,
            "character": 4,
        }


async def test_fault_67_a_client_that_leaves_out_required_fields_is_served(tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE) as client:
        await client.initialize({})
        client.notify(
            "textDocument/didOpen", {"textDocument": {"uri": URI, "languageId": None, "text": "x = "}}
        )
        change(client, None, edit((0, 4), (0, 4), "y"))
        asked = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 5}}
        contexts: list[dict[str, Any]] = [{}, {"context": None}, {"context": {}}]
        for more in contexts:
            assert (await client.ask(INLINE, {**asked, **more}))["result"]["items"]


NONSENSE: list[object] = [
    None,
    {"textDocument": {"uri": URI}},
    {"textDocument": None, "position": {"line": 0, "character": 0}},
    {"textDocument": {"uri": "x" * 10_000}, "position": {"line": 0, "character": 0}},
    {"textDocument": {"uri": URI}, "position": {"line": -1, "character": 2**40}},
    {"textDocument": {"uri": URI}, "position": {"line": True, "character": "0"}},
]


async def test_fault_68_a_request_for_next_edits_that_makes_no_sense_is_refused(
    next_edits: LspClient,
) -> None:
    for wrong in NONSENSE:
        assert (await next_edits.ask(COPILOT_EDIT, wrong))["error"]["code"] == INVALID_PARAMS
    assert await edits_at(next_edits, 0, 16) != []


async def test_fault_69_no_edit_is_given_for_a_text_that_is_not_there(next_edits: LspClient) -> None:
    for document in (
        {"uri": URI, "version": 1},
        {"uri": URI, "version": 99},
        {"uri": "file:///never/opened.py"},
    ):
        asked = {"textDocument": document, "position": {"line": 0, "character": 16}}
        assert (await next_edits.ask(COPILOT_EDIT, asked))["result"] == {"edits": []}
    # A position behind the end of its line counts as its end, and version 0 as none.
    assert await edits_at(next_edits, 0, 10_000, version=0) != []

    late = asyncio.create_task(edits_at(next_edits, 0, 16))
    next_edits.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    await late
    assert await edits_at(next_edits, 0, 16) == []


def calls(standin: StandIn) -> list[Received]:
    """Return the requests with a prompt: a connection is warmed by another."""
    return [received for received in standin.received if received.method == "POST"]


async def test_fault_34_no_text_is_sent_that_may_not_be_the_editors(tmp_path: Path) -> None:
    async with serve(say_one_line) as standin, running(tmp_path) as client:
        await client.initialize(initializationOptions=options(standin))
        client.open(URI, SOURCE)
        await first_item(client, INLINE)
        n_calls = len(calls(standin))
        client.notify("textDocument/didClose", {"textDocument": {"uri": "file:///never/opened.py"}})
        change(client, 9, edit((1, 12), (1, 12), "b, "))
        change(client, 2, edit((0, 0), (0, 0), "from an older time "))
        change(client, 10, edit((1, 0), (1, 0), "# "))
        for method in (INLINE, MENU):
            assert (await client.ask(method, at(1, 12)))["result"]["items"] == []
        assert len(calls(standin)) == n_calls

        change(client, 11, {"text": SOURCE})
        await first_item(client, INLINE)
        client.open(URI, SOURCE)  # A second time, without a close.
        await first_item(client, INLINE)


TEXTS = {
    "all line ends": "a\r\nb\rc\nd = ",
    "no line ends": "a\u2028b\x0cc\x85d\x0be = ",
    "half a surrogate pair": "s = '\ud83d'; t = ",
    "a line of 1 MB": "x" * 1_000_000 + " = ",
}


async def test_fault_35_any_text_is_completed_at_its_end(tmp_path: Path) -> None:
    async with serve(say_one_line) as standin, running(tmp_path) as client:
        await client.initialize(initializationOptions=options(standin))
        for number, (name, text) in enumerate(TEXTS.items()):
            document = {"textDocument": {"uri": f"file:///project/{number}.py"}}
            client.open(document["textDocument"]["uri"], text)
            lines = re.split(r"\r\n|\r|\n", text)
            end = at(len(lines) - 1, len(lines[-1].encode("utf-16-le", "surrogatepass")) // 2)
            standin.received.clear()
            while not (await client.ask(INLINE, end | document))["result"]["items"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            # The body that came is JSON, and ends where the cursor is.
            bodies = [received.json for received in standin.received if received.body]
            assert any(" =" in str(body.get("prompt")) for body in bodies), name


async def test_fault_36_a_flood_is_answered_once_each_and_asks_two_calls_at_most(tmp_path: Path) -> None:
    n_open = most = 0

    async def say_later(received: Received, peer: Peer) -> None:
        nonlocal n_open, most
        n_open += 1
        most = max(most, n_open)
        try:
            await peer.hung_up()
        finally:
            n_open -= 1

    async with serve(say_later) as standin, running(tmp_path) as client:
        await client.initialize(initializationOptions=options(standin))
        client.open(URI, SOURCE)
        answers = []
        for number in range(3000):
            msg_id, answer = client.begin(INLINE if number % 2 else MENU, at(1, 12))
            answers.append(answer)
            if number % 3 == 0:
                client.notify("$/cancelRequest", {"id": msg_id})
                client.notify("$/cancelRequest", {"id": "unknown"})
        client.message({"id": 3000, "method": INLINE, "params": at(1, 12)})  # An id that is pending already.
        await asyncio.gather(*answers[:-1])
        assert most <= 2
        client.answered_twice = 0  # The id that was used twice.


def test_fault_37_a_client_that_reads_nothing_holds_nobody() -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "x" * 1000}).encode()
    process = subprocess.Popen(FAKE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    with process:
        assert process.stdin is not None
        for _ in range(2000):
            # More than a pipe holds comes back, and is not read: the server must take all of this in nevertheless.
            process.stdin.write(frame(body))
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0


async def test_fault_38_a_dead_editor_ends_the_server(tmp_path: Path) -> None:
    editor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE
    )
    async with running(tmp_path, *FAKE) as client:
        await client.initialize(processId=editor.pid)
        editor.kill()
        await editor.wait()
        # Its input stays open, as if another process had inherited it.
        assert await client.ended() == 1


@pytest.mark.parametrize("named", [None, 0, pytest.param(2**22 + 1, marks=pytest.mark.slow)])
def test_fault_38_the_end_of_what_started_the_server_ends_it(named: int | None) -> None:
    """Where the client names no process that is visible here."""
    launch = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:]); time.sleep(1000)"
    command = (sys.executable, "-c", launch, *FAKE)
    params: dict[str, object] = {"processId": named, "rootUri": None, "capabilities": {}}
    asked = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()
    # Its input and output stay open: this test has them.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as starter:
        assert starter.stdin is not None
        assert starter.stdout is not None
        starter.stdin.write(frame(asked))
        starter.stdin.flush()
        assert starter.stdout.readline().startswith(b"Content-Length")
        (server,) = psutil.Process(starter.pid).children()
        starter.kill()
        while is_alive(server.pid):
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("last", "status"),
    [
        pytest.param(b"", 0, id="between messages"),
        pytest.param(b"Content-Length: 9\r\n\r\n{", 1, id="within one"),
    ],
)
async def test_fault_38_the_end_of_the_input_ends_the_server(
    last: bytes, status: int, tmp_path: Path
) -> None:
    async with running(tmp_path, *FAKE) as client:
        await client.initialize()
        client.send(last)
        assert client.process.stdin is not None
        client.process.stdin.close()
        assert await client.ended() == status


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(
    ("number", "how"),
    [
        (signal.SIGTERM, "code"),
        (signal.SIGTERM, "wait"),
        (signal.SIGTERM, "expression"),
        (signal.SIGINT, "code"),
        pytest.param(signal.SIGINT, "wait", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, "expression", marks=pytest.mark.slow),
    ],
)
async def test_fault_38_39_a_signal_ends_a_server_that_stands_still(
    how: str, number: signal.Signals, tmp_path: Path
) -> None:
    async with running(tmp_path, *FAKE, how) as client:
        await client.initialize()
        await stands_still(client)
        client.process.send_signal(number)
        assert await client.ended() in (128 + number, STUCK_STATUS)


@pytest.mark.parametrize("how", ["code", "wait"])
async def test_fault_38_39_the_end_of_the_input_ends_a_server_that_stands_still(
    how: str, tmp_path: Path
) -> None:
    async with running(tmp_path, *FAKE, how) as client:
        await client.initialize()
        await stands_still(client)
        assert client.process.stdin is not None
        client.process.stdin.close()
        assert await client.ended() == 0


async def test_fault_39_shutdown_answers_what_is_pending_and_hangs_up(tmp_path: Path) -> None:
    called, hung_up = asyncio.Event(), asyncio.Event()

    async def say_nothing(received: Received, peer: Peer) -> None:
        called.set()
        await peer.hung_up()
        hung_up.set()

    async with serve(say_nothing) as standin, running(tmp_path) as client:
        await client.initialize(initializationOptions=options(standin))
        client.open(URI, SOURCE)
        _, pending = client.begin(INLINE, at(1, 12))
        await called.wait()
        await shut_down(client)
        assert "result" in await pending or "error" in await pending
        await hung_up.wait()


EVIL = {"api": "ollama", "base_url": "https://evil.example"}
SETTINGS: dict[str, Any] = {
    "null": None,
    "nothing": [],
    "wrong types": [{"provider": 5, "completion": "x", "providers": [1]}],
    "1 MB": [{"x": "y" * 1_000_000}],
    "another address": [{"provider": "evil", "providers": {"evil": EVIL}}],
}


async def test_fault_40_whatever_settings_come_the_server_serves(tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE, results=SETTINGS) as client:
        for name, answer in SETTINGS.items():
            client.results = {"workspace/configuration": answer}
            if name == "null":
                await client.initialize({"workspace": {"configuration": True}})
            else:
                client.notify("workspace/didChangeConfiguration", {"settings": None})
            await still_works(client, name)
            explained = await client.ask("workspace/executeCommand", {"command": "llm-lsp.explain"})
            assert "evil.example" not in json.dumps(explained), name


async def test_fault_40_a_client_that_never_says_its_settings_is_served(tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE) as client:
        await client.initialize({"workspace": {"configuration": True}})
        await still_works(client)


async def test_fault_41_a_command_with_anything_does_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, *FAKE) as client:
        await client.initialize()
        commands: list[tuple[str, object]] = [
            ("llm-lsp.noSuch", []),
            ("os.system", ["id"]),
            ("llm-lsp.accepted", [{"a": 1}]),
            ("llm-lsp.snooze", ["x"]),
            ("llm-lsp.snooze", [-1]),
            ("llm-lsp.selectProvider", [None]),
        ]
        for command, arguments in commands:
            answer = await client.ask(
                "workspace/executeCommand", {"command": command, "arguments": arguments}
            )
            assert answer["error"]["code"] == INVALID_PARAMS, command
        await still_works(client)
