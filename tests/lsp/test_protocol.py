"""Every request is answered exactly once, whatever is sent, and nothing of it stays behind."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from llm_lsp.errors import ConfigError
from tests.lsp.fakes import CAPABLE, Wire, at, edit, started

INLINE = "textDocument/inlineCompletion"
MENU = "textDocument/completion"
FAR = 2**32 - 1


def code(message: dict[str, Any]) -> int:
    error = message["error"]
    assert isinstance(error["message"], str)
    assert "result" not in message
    return int(error["code"])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"{", -32700, id="bad JSON"),
        pytest.param(b"", -32700, id="empty"),
        pytest.param(b"\xff\xfe\xfa", -32700, id="bad UTF-8"),
        pytest.param(b"[" * 100_000, -32700, id="deep nesting"),
        pytest.param(b"[]", -32600, id="a batch"),
        pytest.param(b"5", -32600, id="a number"),
        pytest.param(b"null", -32600, id="null"),
        pytest.param(b'{"jsonrpc":"2.0"}', -32600, id="no method"),
        pytest.param(b'{"jsonrpc":"2.0","id":null,"method":"shutdown"}', -32600, id="id null"),
        pytest.param(b'{"jsonrpc":"2.0","id":true,"method":"shutdown"}', -32600, id="id true"),
        pytest.param(b'{"jsonrpc":"2.0","id":1.5,"method":"shutdown"}', -32600, id="id is no whole number"),
    ],
)
def test_what_is_no_message_is_refused_without_an_id(body: bytes, expected: int) -> None:
    wire = started()
    [answer] = wire.raw(body)
    assert (answer["id"], code(answer)) == (None, expected)
    assert wire.send("shutdown", None, id=9)[0]["result"] is None


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        pytest.param(INLINE, None, -32602, id="params null"),
        pytest.param(INLINE, {}, -32602, id="params empty"),
        pytest.param(INLINE, [1], -32602, id="params a list"),
        pytest.param(INLINE, at(-1, 0), -32602, id="negative line"),
        pytest.param(INLINE, at(FAR, 0), -32602, id="line over 31 bits"),
        pytest.param(INLINE, at(0, 0, triggerKind=99), -32602, id="unknown trigger kind"),
        pytest.param(MENU, {"textDocument": {}}, -32602, id="menu without position"),
        pytest.param("workspace/executeCommand", {"command": "rm"}, -32602, id="unknown command"),
        pytest.param("textDocument/hover", at(0, 0), -32601, id="a method that we have not"),
        pytest.param("no/such", None, -32601, id="a method that nobody has"),
        pytest.param("initialize", {"capabilities": {}}, -32600, id="a second initialize"),
    ],
)
def test_a_request_that_cannot_be_served_is_refused_at_once(
    method: str, params: object, expected: int
) -> None:
    wire = started("x = 1\n")
    [answer] = wire.send(method, params, id="n")
    assert (answer["id"], code(answer)) == ("n", expected)


def test_before_initialize_only_initialize_is_served() -> None:
    wire = Wire()
    assert code(wire.send(INLINE, at(0, 0), id=1)[0]) == -32002
    assert wire.send("textDocument/didOpen", {}) == []
    assert code(wire.send("initialize", {"capabilities": 5}, id=2)[0]) == -32602
    wire.shake_hands()


def test_after_shutdown_only_exit_is_served() -> None:
    wire = started("x")
    assert wire.send("shutdown", None, id=1)[0]["result"] is None
    assert code(wire.send("shutdown", None, id=2)[0]) == -32600
    assert code(wire.send(INLINE, at(0, 0), id=3)[0]) == -32600
    wire.send("exit", None)
    assert wire.exit_status == 0


def test_exit_without_shutdown_ends_with_1() -> None:
    wire = started()
    wire.send("exit", None)
    assert wire.exit_status == 1


@pytest.mark.parametrize("params", [None, {}, []])
def test_shutdown_takes_whatever_clients_send_as_params(params: object) -> None:
    assert started().send("shutdown", params, id=1)[0]["result"] is None


async def test_shutdown_answers_what_is_pending_and_then_itself() -> None:
    wire = started("x")
    wire.engine.hold = asyncio.Event()
    pending = [wire.begin(INLINE, at(0, 1)) for _ in range(3)]
    answers = wire.send("shutdown", None, id="end")
    assert [(a["id"], code(a)) for a in answers[:3]] == [(n, -32800) for n in pending]
    assert answers[3] == {"jsonrpc": "2.0", "id": "end", "result": None}


async def test_a_cancelled_request_is_answered_at_once_and_once() -> None:
    wire = started("x")
    wire.engine.hold = asyncio.Event()
    msg_id = wire.begin(INLINE, at(0, 1))
    await asyncio.sleep(0)
    [answer] = wire.send("$/cancelRequest", {"id": msg_id})
    assert code(answer) == -32800
    wire.send("$/cancelRequest", {"id": msg_id})
    for _ in range(5):
        await asyncio.sleep(0)
    assert wire.engine.cancelled == 1
    assert len(wire.answers(msg_id)) == 1


async def test_an_id_can_be_used_again_while_its_cancelled_task_still_ends() -> None:
    wire = started("x")
    wire.engine.hold = asyncio.Event()
    wire.send(INLINE, at(0, 1), id=5)
    await asyncio.sleep(0)
    wire.send("$/cancelRequest", {"id": 5})
    wire.engine.hold = None
    wire.send(INLINE, at(0, 1), id=5)
    for _ in range(5):
        await asyncio.sleep(0)
    assert ["error" in answer for answer in wire.answers(5)] == [True, False]


async def test_a_second_request_under_a_pending_id_is_refused() -> None:
    wire = started("x")
    wire.engine.hold = asyncio.Event()
    wire.send(INLINE, at(0, 1), id=5)
    assert code(wire.send(INLINE, at(0, 1), id=5)[0]) == -32600
    wire.engine.hold.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(wire.answers(5)) == 2


@pytest.mark.parametrize("params", [{"id": 99}, {"id": "never"}, {"id": None}, {}, None, []])
def test_cancelling_what_is_not_there_does_nothing(params: object) -> None:
    assert started().send("$/cancelRequest", params) == []


async def test_a_handler_that_raises_is_answered_without_the_exceptions_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wire = started("x")
    wire.engine.failure = ValueError("sk-SECRET and buffer text")
    with caplog.at_level(logging.DEBUG):
        answer = await wire.ask(INLINE, at(0, 1))
    assert code(answer) == -32603
    assert "SECRET" not in str(answer) + caplog.text
    assert "ValueError" in caplog.text


async def test_our_own_error_is_answered_with_its_one_line() -> None:
    wire = started("x")
    wire.engine.failure = ConfigError("model m is not there; run: llm-lsp model pull m")
    answer = await wire.ask(INLINE, at(0, 1))
    assert answer["error"] == {"code": -32803, "message": "model m is not there; run: llm-lsp model pull m"}


def test_no_popup_is_shown_for_what_a_client_does_wrong() -> None:
    wire = started("x")
    wire.raw(b"{")
    wire.send("textDocument/didChange", {})
    wire.send("textDocument/didOpen", None)
    wire.send("no/such/notification", {"jsonrpc": "2.0"})
    assert wire.sent("window/showMessage") == []


def test_the_same_fault_is_logged_once_and_without_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    wire = started()
    with caplog.at_level(logging.DEBUG):
        for _ in range(50):
            wire.send("textDocument/didOpen", {"textDocument": {"text": "buffer text"}})
    assert len([r for r in caplog.records if r.name.startswith("llm_lsp")]) == 1
    assert "buffer text" not in caplog.text


def test_a_key_called_jsonrpc_inside_params_is_an_ordinary_key() -> None:
    wire = Wire()
    wire.shake_hands(initializationOptions={"jsonrpc": {"jsonrpc": "2.0"}})
    assert wire.engine.settings[0] == ("initializationOptions", {"jsonrpc": {"jsonrpc": "2.0"}})


def test_nothing_is_kept_of_a_notification() -> None:
    wire = started("x")
    for _ in range(100):
        wire.change(edit((0, 0), (0, 0), "y"))
    assert wire.server.protocol._request_futures == {}
    assert wire.server.protocol._tasks == {}


async def test_nothing_is_kept_of_an_answered_request() -> None:
    wire = started("x")
    for _ in range(20):
        await wire.ask(INLINE, at(0, 1))
    assert wire.server.protocol._tasks == {}


async def test_a_request_sees_the_text_as_it_was_when_it_was_sent() -> None:
    wire = started("before")
    msg_id = wire.begin(INLINE, at(0, 6))
    wire.change(edit((0, 0), (0, 6), "after"))
    await wire.answer(msg_id)
    assert str(wire.engine.last.document.text) == "before"


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        pytest.param([1, 2], ["manual", "automatic"], id="as LSP 3.18 has it"),
        pytest.param([0, 1], ["manual", "automatic"], id="a client that sent 0 counts from 0"),
        pytest.param([1, 0, 1], ["manual", "manual", "automatic"], id="from the first 0 on"),
    ],
)
async def test_trigger_kinds_are_read_as_the_client_numbers_them(
    kinds: list[int], expected: list[str]
) -> None:
    wire = started("x")
    for kind in kinds:
        await wire.ask(INLINE, at(0, 1, triggerKind=kind))
    assert [request.trigger.value for request in wire.engine.requests] == expected


@pytest.mark.parametrize(
    "respond",
    [
        pytest.param(lambda n: {"id": n, "error": {"code": -32601, "message": "no"}}, id="an error"),
        pytest.param(lambda n: {"id": n, "result": 5}, id="a result of the wrong type"),
        pytest.param(lambda n: {"id": n, "result": None}, id="null"),
        pytest.param(lambda n: {"id": n, "result": []}, id="too few"),
        pytest.param(lambda n: {"id": "other", "result": []}, id="an id that was never asked"),
    ],
)
def test_a_client_may_answer_our_requests_with_anything(respond: Callable[[object], dict[str, Any]]) -> None:
    wire = Wire()
    wire.shake_hands({**CAPABLE, "workspace": {"configuration": True}})
    [asked] = [m for m in wire.received if m.get("method") == "workspace/configuration"]
    assert wire.raw(json.dumps({"jsonrpc": "2.0", **respond(asked["id"])}).encode()) == []
    assert [source for source, _ in wire.engine.settings] in (
        ["initializationOptions"],
        ["initializationOptions", "editor settings"],
    )
