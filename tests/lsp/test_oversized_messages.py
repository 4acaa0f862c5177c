"""Both ends of a message say whose it is, in whatever order its client writes the members."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llm_lsp.lsp.oversized_messages import KEPT_BYTES, OversizedMessage
from tests.lsp.fakes import URI, Wire, at, edit, started

INLINE = "textDocument/inlineCompletion"
LONG = {"text": '{"uri": "file:///in/a/text"}' * 2000}


def overlong(message: object) -> OversizedMessage:
    body = json.dumps(message).encode()
    return OversizedMessage(len(body), body[:KEPT_BYTES], body[-KEPT_BYTES:])


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param({"jsonrpc": "2.0", "id": 7, "method": "m", "params": LONG}, 7, id="a request"),
        pytest.param({"id": 'a"b', "params": LONG, "method": "m"}, 'a"b', id="its method last"),
        pytest.param({"params": LONG, "id": 7, "method": "m"}, None, id="its id last"),
        pytest.param({"id": 7, "jsonrpc": "2.0", "result": LONG}, None, id="a response"),
        pytest.param({"id": 7, "error": LONG}, None, id="a refusal"),
        pytest.param(
            {"method": "m", "params": {"id": 7, **LONG}}, None, id="a notification with an id inside"
        ),
        pytest.param({"id": None, "method": "m", "params": LONG}, None, id="no usable id"),
        pytest.param([LONG], None, id="a batch"),
        pytest.param("x" * 10_000, None, id="a text"),
    ],
)
def test_a_request_is_known_by_its_id(message: object, expected: object) -> None:
    assert overlong(message).request_id() == expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        pytest.param({"textDocument": {"uri": "file:///a", **LONG}}, {"file:///a"}, id="before its text"),
        pytest.param(
            {"contentChanges": [LONG], "textDocument": {"uri": "file:///a"}}, {"file:///a"}, id="after"
        ),
        pytest.param({"textDocument": {**LONG, "uri": "file:///é\n"}}, {"file:///é\n"}, id="escaped"),
        pytest.param({"cells": [{"uri": "x:1"}, LONG, {"uri": "x:2"}]}, {"x:1", "x:2"}, id="several"),
        pytest.param(LONG, set(), id="in a text only"),
    ],
)
def test_documents_are_known_by_their_uris(params: object, expected: set[str]) -> None:
    assert overlong({"method": "m", "params": params}).uris() == expected


def receive(wire: Wire, message: dict[str, Any]) -> list[dict[str, Any]]:
    """Let the server read past a message; give what came back at once."""
    seen = len(wire.received)
    wire.server.protocol.receive(overlong({"jsonrpc": "2.0", **message}))
    return wire.received[seen:]


def test_a_request_that_is_too_long_is_refused() -> None:
    [answer] = receive(started(), {"id": 7, "method": "workspace/executeCommand", "params": LONG})
    assert (answer["id"], answer["error"]["code"]) == (7, -32600)


async def test_a_document_whose_change_was_not_read_is_unknown_until_it_is_opened_again() -> None:
    wire = started("x = ")
    wire.open("other", "file:///other")
    identifier = {"uri": URI, "version": 2}
    change = {"textDocument": identifier, "contentChanges": [LONG]}
    assert receive(wire, {"method": "textDocument/didChange", "params": change}) == []
    assert set(wire.engine.documents) == {"file:///other"}
    wire.change(edit((0, 0), (0, 0), "y"))
    assert (await wire.ask(INLINE, at(0, 4)))["result"]["items"] == []
    wire.open("x = ")
    assert (await wire.ask(INLINE, at(0, 4)))["result"]["items"]


def test_a_change_that_is_no_text_puts_its_document_out_of_step() -> None:
    wire = started("x = ")
    body = json.dumps(
        {"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {"textDocument": {"uri": URI}}}
    ).encode()
    wire.raw(body.replace(b'"jsonrpc"', b'"raw": "\xff", "jsonrpc"'))

    assert wire.engine.documents == {}
    wire.change({"text": "y = "})
    assert str(wire.engine.documents[URI].text) == "y = "


async def test_a_document_whose_change_was_not_read_comes_back_with_its_whole_text() -> None:
    wire = started("x = ")
    change = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [LONG]}
    receive(wire, {"method": "textDocument/didChange", "params": change})

    wire.change({"text": "y = "})

    assert str(wire.engine.documents[URI].text) == "y = "
    assert (await wire.ask(INLINE, at(0, 4)))["result"]["items"]


@pytest.mark.parametrize("misfits", [1, 2])
async def test_the_whole_text_in_the_very_message_of_a_change_that_does_not_fit_is_used(misfits: int) -> None:
    wire = started("x = ")

    wire.change(*[edit((9, 0), (9, 0), "q")] * misfits, {"text": "z = "}, edit((0, 4), (0, 4), "1"))

    assert str(wire.engine.documents[URI].text) == "z = 1"
    assert (await wire.ask(INLINE, at(0, 5)))["result"]["items"]


def test_messages_that_are_too_long_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    wire = started()
    for _ in range(3):
        receive(wire, {"method": "textDocument/didOpen", "params": {"textDocument": {"uri": URI, **LONG}}})
    [record] = caplog.records
    assert "was discarded" in record.message
