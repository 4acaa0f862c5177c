"""One server that logs all it can, through everything that can go wrong: nothing private is anywhere afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.canary import CANARIES, found_in
from tests.faults.machine import DEBUG, ask_in, machine
from tests.faults.upstream import ANSWER, BUFFER, KEY, refuses, says, writes
from tests.lspclient import LspClient, frame
from tests.patience import PATIENCE_S
from tests.providers.standin import DONE, Peer, Received, Script, text

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
ECHO = f"{KEY} {BUFFER}{ANSWER}"
WRONG = {"error": {"message": ECHO, "type": ECHO, "code": ECHO, "param": ECHO}, "detail": ECHO}
STREAM = HEAD + b"Connection: close\r\n\r\n"
SCRIPTS: tuple[Script, ...] = (
    says(ANSWER),
    *(refuses(status, WRONG) for status in (400, 401, 402, 403, 404, 413, 422, 429, 500, 503, 529)),
    refuses(302, WRONG, Location=f"https://elsewhere.example/{KEY}"),
    writes(HEAD + b"X-Echo: " + ECHO.encode() + b"\r\nContent-Encoding: gzip\r\n\r\n"),
    writes(STREAM, ECHO.encode()),
    writes(STREAM, b"<html>" + ECHO.encode()),
    writes(STREAM, b"data: " + ECHO.encode() + b"\n\n"),
    writes(STREAM, b"data: " + json.dumps(WRONG).encode() + b"\n\n"),
    writes(STREAM, text(ANSWER), b"event: error\ndata: " + json.dumps(WRONG).encode() + b"\n\n"),
    writes(STREAM, text(ANSWER + "\u202e"), text("", "stop"), DONE),
    writes(STREAM, text(ANSWER[:9])),
    writes(b"HTTP/1.1 " + ECHO.encode() + b"\r\n\r\n"),
    writes(b""),
)
CLIENT_FAULTS: tuple[Callable[[LspClient], object], ...] = (
    lambda client: client.send(frame(f"{{{ECHO}".encode())),
    lambda client: client.notify("textDocument/didChange", {"textDocument": ECHO, "contentChanges": ECHO}),
    lambda client: client.notify(ECHO, {ECHO: ECHO}),
    lambda client: client.begin("textDocument/inlineCompletion", {"textDocument": {"uri": ECHO}}),
    lambda client: client.begin("workspace/executeCommand", {"command": ECHO, "arguments": [ECHO]}),
    lambda client: client.notify("workspace/didChangeConfiguration", {"settings": ECHO}),
)
COMMANDS = (
    ["doctor", "--offline"],
    ["config", "show"],
    ["explain", "-n", "100"],
    ["usage"],
    ["provider", "list"],
)


async def test_nothing_private_is_anywhere_after_every_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    async def script(received: Received, peer: Peer) -> None:
        nonlocal calls
        if received.method != "POST":
            return await peer.json({})
        calls += 1
        return await SCRIPTS[(calls - 1) % len(SCRIPTS)](received, peer)

    async with machine(tmp_path, monkeypatch, script) as standing:
        log = tmp_path / "log"
        async with standing.server(*DEBUG, "--log-file", str(log)) as client:
            number = 0
            while calls < len(SCRIPTS):
                await ask_in(client, f"file:///p/{number}.py")
                # By hand what rests is asked as well, but not at once: another key wakes the provider.
                client.notify("workspace/didChangeConfiguration", {"settings": _woken(number)})
                number += 1
            for fault in CLIENT_FAULTS:
                fault(client)
            await ask_in(client, "file:///p/last.py")
        assert "llm_lsp" in log.read_text()
        printed = "".join(_run(standing.home, *command) for command in COMMANDS)
        assert printed.count("\n") > len(COMMANDS)
        assert found_in(printed) == []


def test_a_canary_is_found_in_every_form() -> None:
    assert {KEY, KEY[:8], KEY[-8:], ANSWER, KEY.encode().hex()} <= {*CANARIES}
    assert found_in(f"Authorization: Basic {_base64(f'user:{KEY}:x')}")


def _base64(value: str) -> str:
    from base64 import b64encode

    return b64encode(value.encode()).decode()


def _woken(number: int) -> dict[str, object]:
    return {"llm-lsp": {"providers": {"api": {"temperature": number / 1000}}}}


def _run(home: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "llm_lsp", *command],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env={
            "XDG_CONFIG_HOME": str(home),
            "XDG_DATA_HOME": str(home),
            "HOME": str(home),
            "CANARY_KEY": KEY,
        },
    )
    return done.stdout + done.stderr
