"""What an editor says reaches the engine, and what the engine says reaches the editor."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_lsp.core.request import Completion
from llm_lsp.core.text.text import Point
from llm_lsp.engine.client.interface import Progress, Status
from tests.lsp.fakes import CAPABLE, URI, Wire, at, edit, span, started
from tests.lsp.positions import positions

INLINE = "textDocument/inlineCompletion"
MENU = "textDocument/completion"
CELL = "vscode-notebook-cell:/nb.ipynb#1"


def test_what_the_server_can_is_announced_at_once() -> None:
    announced = Wire().shake_hands()["capabilities"]
    assert announced["inlineCompletionProvider"] == {}
    assert announced["completionProvider"]["triggerCharacters"]
    assert announced["textDocumentSync"] == {"openClose": True, "change": 2, "save": {"includeText": False}}
    assert announced["notebookDocumentSync"] == {"notebookSelector": [{"notebook": "*"}]}
    assert announced["executeCommandProvider"]["commands"] == [
        "llm-lsp.accepted",
        "llm-lsp.ask",
        "llm-lsp.rewrite",
        "llm-lsp.commitMessage",
        "llm-lsp.dismissed",
        "llm-lsp.toggle",
        "llm-lsp.snooze",
        "llm-lsp.selectProvider",
        "llm-lsp.providers",
        "llm-lsp.explain",
    ]
    assert announced["workspace"]["workspaceFolders"] == {"supported": True, "changeNotifications": True}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_the_clients_first_encoding_is_taken(encoding: str) -> None:
    announced = Wire().shake_hands({"general": {"positionEncodings": [encoding]}})["capabilities"]
    assert announced["positionEncoding"] == encoding


def test_the_engine_is_built_once_and_after_initialize_is_answered() -> None:
    wire = Wire()
    wire.send("initialize", {"processId": None, "rootUri": "file:///p", "capabilities": CAPABLE}, id=1)
    assert (len(wire.received), wire.engines) == (1, [])
    wire.send("initialized", {})
    wire.open("x")
    assert len(wire.engines) == 1
    assert wire.engine.folders == ("file:///p",)


async def test_an_inline_request_is_answered_at_the_cursor() -> None:
    wire = started("x = \n")
    answer = await wire.ask(INLINE, at(0, 4))
    [item] = answer["result"]["items"]
    assert (item["insertText"], item["range"]) == ("answer()", span((0, 4), (0, 4)))
    assert item["command"]["arguments"] == ["opaque"]


async def test_several_answers_are_items_in_their_order() -> None:
    wire = started("x = \n")
    wire.engine.others = (Completion("other", 2, Point(0, 4), Point(0, 4), "another()"),)
    answer = await wire.ask(INLINE, at(0, 4))
    items = answer["result"]["items"]
    assert [item["insertText"] for item in items] == ["answer()", "another()"]
    assert [item["command"]["arguments"] for item in items] == [["opaque"], ["other"]]


async def test_a_menu_request_is_answered_incomplete() -> None:
    wire = started("x = an\n")
    wire.engine.text = "swer()"
    answer = await wire.ask(MENU, at(0, 6))
    assert answer["result"]["isIncomplete"] is True
    [item] = answer["result"]["items"]
    assert item["textEdit"] == {"range": span((0, 4), (0, 6)), "newText": "answer()"}


@pytest.mark.parametrize(
    ("method", "empty"),
    [(INLINE, {"items": []}), (MENU, {"isIncomplete": True, "items": []})],
)
async def test_nothing_to_show_is_an_empty_answer(method: str, empty: dict[str, Any]) -> None:
    wire = started("x")
    wire.engine.text = ""
    assert (await wire.ask(method, at(0, 1)))["result"] == empty
    unknown = {**at(0, 1), "textDocument": {"uri": "file:///never-opened"}}
    assert (await wire.ask(method, unknown))["result"] == empty
    assert len(wire.engine.requests) == 1


async def test_a_cursor_past_the_end_is_at_the_end() -> None:
    wire = started("ab\ncd")
    await wire.ask(INLINE, at(70, 7))
    assert wire.engine.last.point == (1, 2)


@pytest.mark.parametrize(
    ("uri", "line", "logged"),
    [
        pytest.param(
            "file:///never-opened",
            0,
            "'file:///never-opened': a completion was requested",
            id="a document that is not open",
        ),
        pytest.param(URI, 2, f"'{URI}': the cursor is below", id="a line below the last"),
        pytest.param(
            "file:///a\nforged",
            0,
            "'file:///a\\nforged': a completion was requested",
            id="a line feed in its name",
        ),
    ],
)
async def test_a_client_out_of_step_is_logged_once(
    uri: str, line: int, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    wire = started("ab\ncd")
    for method in (INLINE, MENU, INLINE):
        await wire.ask(method, {**at(line, 0), "textDocument": {"uri": uri}})
    [record] = caplog.records
    assert record.getMessage().startswith(logged)
    assert wire.sent("window/showMessage") == []


async def test_a_client_that_opens_no_document_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    wire = started()
    for number in range(200):
        await wire.ask(INLINE, {**at(0, 0), "textDocument": {"uri": f"file:///{number}"}})
    assert len(caplog.records) == 100


async def test_a_menu_request_after_a_keystroke_is_automatic_and_the_next_one_manual() -> None:
    wire = started("x = \n")
    wire.change(edit((0, 4), (0, 4), "a"))
    for _ in range(2):
        await wire.ask(MENU, at(0, 5))
    assert [request.trigger.value for request in wire.engine.requests] == ["automatic", "manual"]


async def test_a_client_that_asks_for_inline_completion_has_it() -> None:
    wire = Wire()
    wire.shake_hands({})
    wire.open("x")
    assert wire.engine.client.has_inline is False
    await wire.ask(INLINE, at(0, 1))
    assert wire.engine.client.has_inline is True


async def test_the_indentation_beside_an_inline_request_is_passed_on() -> None:
    wire = started("x")
    await wire.ask(INLINE, at(0, 1) | {"formattingOptions": {"tabSize": 2, "insertSpaces": True}})
    await wire.ask(INLINE, at(0, 1) | {"formattingOptions": 7})
    assert [request.indent for request in wire.engine.requests] == ["  ", ""]


def test_changes_of_documents_that_are_not_open_are_ignored() -> None:
    wire = started("x")
    wire.change(edit((0, 0), (0, 0), "y"), uri="file:///never-opened")
    wire.send("textDocument/didClose", {"textDocument": {"uri": "file:///never-opened"}})
    assert set(wire.engine.documents) == {URI}
    wire.send("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert wire.engine.documents == {}


@pytest.mark.parametrize(
    "misfit",
    [
        pytest.param({"version": 1, "contentChanges": [edit((0, 0), (0, 0), "old")]}, id="an older version"),
        pytest.param({"version": 9, "contentChanges": [edit((7, 0), (7, 0), "far")]}, id="far below the end"),
        pytest.param(
            {"version": 9, "contentChanges": [{"range": {"start": {}}, "text": "y"}]}, id="half a range"
        ),
        pytest.param({"version": 9, "contentChanges": [edit((0, -1), (0, 0), "")]}, id="a negative column"),
        pytest.param({"version": 9, "contentChanges": [5]}, id="a change that is a number"),
    ],
)
async def test_a_text_that_may_be_another_is_not_used_before_it_comes_whole(misfit: dict[str, Any]) -> None:
    wire = started("a\nb")

    def change(version: int, *changes: dict[str, Any]) -> None:
        params = {"textDocument": {"uri": URI, "version": version}, "contentChanges": changes}
        wire.send("textDocument/didChange", params)

    change(5, edit((1, 1), (1, 1), "c"))
    change(misfit["version"], *misfit["contentChanges"])
    change(10, edit((1, 1), (1, 1), "d"))
    assert wire.engine.document(URI) is None
    assert (await wire.ask(INLINE, at(0, 0)))["result"]["items"] == []

    change(11, {"text": "whole\n"}, edit((1, 0), (1, 0), "x"))
    document = wire.engine.document(URI)
    assert document is not None
    assert (str(document.text), document.version, document.language) == ("whole\nx", 11, "python")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param([edit((0, -1), (0, 1), "x")], id="a negative column"),
        pytest.param([{"range": None}], id="a change without a text"),
        pytest.param(None, id="no changes"),
    ],
)
async def test_a_change_that_cannot_be_read_closes_its_document(changes: object) -> None:
    wire = started("a\nb")
    wire.open("other", URI + ".other")

    params = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": changes}
    assert wire.send("textDocument/didChange", params) == []

    assert set(wire.engine.documents) == {URI + ".other"}
    assert (await wire.ask(INLINE, at(0, 0)))["result"]["items"] == []
    wire.open("again")
    assert wire.engine.text_of() == "again"


def test_a_full_text_change_is_the_edit_that_it_makes() -> None:
    wire = started("one\ntwo\n")
    wire.change({"text": "one\ntwo!\n"})
    assert wire.engine.text_of() == "one\ntwo!\n"
    assert [e.text for e in wire.engine.edits[0]] == ["!"]


PIECES = ["a", " ", "\n", "\r\n", "\r", "\f", "\u2028", "\x85", "é", "漢", "😀"]
texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


@given(st.data(), st.sampled_from(["utf-8", "utf-16", "utf-32"]), texts)
@settings(max_examples=60)
def test_the_servers_text_never_drifts_from_the_editors(
    data: st.DataObject, encoding: str, text: str
) -> None:
    wire = Wire()
    wire.shake_hands({"general": {"positionEncodings": [encoding]}})
    wire.open(text)
    for _ in range(data.draw(st.integers(0, 5))):
        new = data.draw(texts)
        if data.draw(st.booleans()):
            text = new
            wire.change({"text": new})
            continue
        places = positions(text, encoding)
        first, last = sorted(data.draw(st.tuples(*[st.sampled_from(sorted(places))] * 2)))
        wire.change(edit(places[first], places[last], new))
        text = text[:first] + new + text[last:]
    assert wire.engine.text_of() == text


def test_notebook_cells_are_documents() -> None:
    wire = started()
    cell = {"uri": CELL, "languageId": "python", "version": 1, "text": "x"}
    notebook = {
        "uri": "file:///nb.ipynb",
        "notebookType": "jupyter-notebook",
        "version": 1,
        "cells": [{"kind": 2, "document": CELL}],
    }
    wire.send("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": [cell]})
    assert wire.engine.text_of(CELL) == "x"
    other = {**cell, "uri": CELL + "2", "text": "y"}
    identifier = {"uri": "file:///nb.ipynb", "version": 2}
    structure = {"array": {"start": 1, "deleteCount": 0}, "didOpen": [other], "didClose": [{"uri": CELL}]}
    content = [{"document": {"uri": CELL + "2", "version": 2}, "changes": [edit((0, 1), (0, 1), "z")]}]
    cells = {"structure": structure, "textContent": content}
    wire.send("notebookDocument/didChange", {"notebookDocument": identifier, "change": {"cells": cells}})
    assert (set(wire.engine.documents), wire.engine.text_of(CELL + "2")) == ({CELL + "2"}, "yz")
    closing = {"notebookDocument": {"uri": "file:///nb.ipynb"}, "cellTextDocuments": [{"uri": CELL + "2"}]}
    wire.send("notebookDocument/didClose", closing)
    assert wire.engine.documents == {}
    assert wire.engine.notebooks["file:///nb.ipynb"] == ()


def answer_configuration(wire: Wire, **answer: object) -> None:
    asked = [m for m in wire.received if m.get("method") == "workspace/configuration"][-1]
    assert asked["params"] == {"items": [{"section": "llm-lsp"}]}
    wire.raw(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer}).encode())


def test_settings_are_asked_for_and_asked_again_when_they_changed() -> None:
    wire = Wire()
    wire.shake_hands({"workspace": {"configuration": True}}, initializationOptions={"enabled": True})
    answer_configuration(wire, result=[{"provider": "one"}])
    wire.send("workspace/didChangeConfiguration", {"settings": None})
    answer_configuration(wire, result=[{"provider": "two"}])
    assert wire.engine.settings == [
        ("initializationOptions", {"enabled": True}),
        ("editor settings", {"provider": "one"}),
        ("editor settings", {"provider": "two"}),
    ]


SCOPES = {"llm-lsp": {"settingsByScope": True}}
BY_SCOPE = {"user": {"completion": {"callsPerMinute": 200}}, "workspace": {"provider": "one"}}


def test_a_client_that_keeps_its_users_settings_apart_is_understood() -> None:
    wire = Wire()
    wire.shake_hands({"workspace": {"configuration": True}, "experimental": SCOPES})
    answer_configuration(wire, result=[BY_SCOPE])

    assert wire.engine.settings[-1] == ("editor settings", BY_SCOPE["workspace"])
    assert wire.engine.users_settings == [BY_SCOPE["user"]]


@pytest.mark.parametrize(
    ("experimental", "options"),
    [
        pytest.param(None, {}, id="nothing announced"),
        pytest.param({"llm-lsp": {"settingsByScope": "yes"}}, {}, id="something else announced"),
        pytest.param(None, SCOPES, id="said in settings"),
        pytest.param(
            None, {"experimental": SCOPES, "settingsByScope": True}, id="said everywhere in settings"
        ),
    ],
)
def test_no_settings_of_another_client_count_as_its_users(
    experimental: object, options: dict[str, object]
) -> None:
    wire = Wire()
    capabilities = {"workspace": {"configuration": True}, "experimental": experimental}
    wire.shake_hands(capabilities, initializationOptions=options)
    answer_configuration(wire, result=[{**BY_SCOPE, **SCOPES}])
    wire.send("workspace/didChangeConfiguration", {"settings": {"llm-lsp": BY_SCOPE}})

    assert wire.engine.settings[-1] == ("editor settings", BY_SCOPE)
    assert wire.engine.users_settings == []


@pytest.mark.parametrize("answer", [None, 5, [], {}, {"user": []}, {"user": None, "workspace": 1}], ids=repr)
def test_scopes_that_are_none_are_empty(answer: object) -> None:
    wire = Wire()
    wire.shake_hands({"workspace": {"configuration": True}, "experimental": SCOPES})
    answer_configuration(wire, result=[answer])

    assert (wire.engine.settings[-1], wire.engine.users_settings) == (("editor settings", {}), [{}])


def test_settings_are_expected_from_the_moment_they_are_asked_for() -> None:
    wire = started("x", workspace={"configuration": True})
    wire.send("workspace/didChangeConfiguration", {"settings": None})
    # The number of settings that were there: initializationOptions.
    assert wire.engine.calls == [("expect_settings", 1)] * 2


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"error": {"code": -32601, "message": "no"}}, id="an error"),
        pytest.param({"result": None}, id="null"),
        pytest.param({"result": []}, id="no section"),
        pytest.param({"result": [None]}, id="a section that is null"),
        pytest.param({"result": [[]]}, id="a section that is an empty list"),
        pytest.param({"result": 5}, id="a number"),
    ],
)
def test_who_has_no_settings_lets_the_engine_go_on(answer: dict[str, object]) -> None:
    wire = started(workspace={"configuration": True})
    answer_configuration(wire, **answer)
    assert wire.engine.settings[1:] == [("editor settings", {})]


def test_pushed_settings_need_no_asking() -> None:
    wire = started()
    assert wire.engine.calls == []
    wire.send("workspace/didChangeConfiguration", {"settings": {"llm-lsp": {"provider": "one"}}})
    assert wire.engine.settings[-1] == ("editor settings", {"provider": "one"})
    assert wire.sent("workspace/configuration") == []


@pytest.mark.parametrize("pushed", [{"llm-lsp": {}}, {"llm-lsp": []}, {}, None])
def test_pushed_settings_are_taken_back_by_an_empty_push(pushed: object) -> None:
    wire = started()
    wire.send("workspace/didChangeConfiguration", {"settings": {"llm-lsp": {"provider": "one"}}})
    wire.send("workspace/didChangeConfiguration", {"settings": pushed})
    assert wire.engine.settings[-1] == ("editor settings", {})


async def test_a_client_that_never_answers_our_requests_is_served() -> None:
    wire = started("x", workspace={"configuration": True}, window={"workDoneProgress": True})
    wire.engine.client.progress(Progress("model", "Loading"))
    assert (await wire.ask(INLINE, at(0, 1)))["result"]["items"]


def test_changes_of_settings_are_asked_for_where_the_client_wants_that() -> None:
    dynamic = {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}}
    [registered] = started(workspace=dynamic).sent("client/registerCapability")
    [registration] = registered["registrations"]
    assert registration["method"] == "workspace/didChangeConfiguration"
    assert registration["registerOptions"] == {"section": "llm-lsp"}


def test_changes_of_settings_files_are_asked_for_and_passed_on() -> None:
    watched = {"didChangeWatchedFiles": {"dynamicRegistration": True, "relativePatternSupport": True}}
    wire = started(workspace=watched)
    [registered] = wire.sent("client/registerCapability")
    [registration] = registered["registrations"]
    assert registration["method"] == "workspace/didChangeWatchedFiles"
    assert registration["registerOptions"]["watchers"] == [
        {"globPattern": "**/.llm-lsp.toml"},
        {"globPattern": "**/.editorconfig"},
        {"globPattern": {"baseUri": "file:///settings", "pattern": "config.toml"}},
    ]
    change = {"uri": "file:///settings/config.toml", "type": 2}
    wire.send("workspace/didChangeWatchedFiles", {"changes": [change]})
    assert ("settings_changed", None) in wire.engine.calls


def test_a_save_is_passed_on() -> None:
    wire = started()
    wire.send("textDocument/didSave", {"textDocument": {"uri": URI}})
    assert ("saved", URI) in wire.engine.calls


def test_folders_come_and_go() -> None:
    wire = Wire()
    wire.shake_hands(workspaceFolders=[{"uri": "file:///a", "name": "a"}])
    event = {"added": [{"uri": "file:///b", "name": "b"}], "removed": [{"uri": "file:///a", "name": "a"}]}
    wire.send("workspace/didChangeWorkspaceFolders", {"event": event})
    assert wire.engine.folders == ("file:///b",)


@pytest.mark.parametrize(
    ("command", "arguments", "call"),
    [
        ("accepted", ["opaque"], ("accepted", "opaque")),
        ("toggle", None, ("toggle", None)),
        ("snooze", [5], ("snooze", 5)),
        ("snooze", [], ("snooze", 10.0)),
        ("selectProvider", ["strong"], ("select_provider", "strong")),
    ],
)
def test_a_command_reaches_the_engine(command: str, arguments: Any, call: tuple[str, object]) -> None:
    wire = started()
    params = {"command": f"llm-lsp.{command}", "arguments": arguments}
    [answer] = wire.send("workspace/executeCommand", params, id=1)
    assert "error" not in answer
    assert wire.engine.calls == [call]


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("accepted", []),
        ("accepted", [1]),
        ("accepted", ["a", "b"]),
        ("snooze", ["long"]),
        ("snooze", [-1]),
        ("selectProvider", [None]),
    ],
)
def test_a_command_with_hostile_arguments_does_nothing(command: str, arguments: list[object]) -> None:
    wire = started()
    params = {"command": f"llm-lsp.{command}", "arguments": arguments}
    [answer] = wire.send("workspace/executeCommand", params, id=1)
    assert answer["error"]["code"] == -32602
    assert wire.engine.calls == []


def test_a_refused_command_says_why() -> None:
    params = {"command": "llm-lsp.selectProvider", "arguments": ["unknown"]}
    [answer] = started().send("workspace/executeCommand", params, id=1)
    assert answer["error"]["message"] == "provider unknown is not enabled"


def test_explain_answers_with_its_words() -> None:
    [answer] = started().send("workspace/executeCommand", {"command": "llm-lsp.explain"}, id=1)
    assert answer["result"] == "because"


def test_messages_and_states_reach_the_editor() -> None:
    wire = started()
    wire.engine.client.show("warning", "careful")
    wire.engine.client.status(Status("Normal", "ready", True, "mine", "m", "0.12 USD"))
    assert wire.sent("window/showMessage") == [{"type": 2, "message": "careful"}]
    assert wire.sent("llm-lsp/status") == [
        {
            "kind": "Normal",
            "busy": True,
            "message": "ready",
            "provider": "mine",
            "model": "m",
            "spentToday": "0.12 USD",
        }
    ]


def agree(wire: Wire, *, error: bool = False) -> None:
    [asked] = [m for m in wire.received if m.get("method") == "window/workDoneProgress/create"]
    answer = {"error": {"code": -32601, "message": "no"}} if error else {"result": None}
    wire.raw(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer}).encode())


def test_a_progress_bar_opens_once_the_client_agreed() -> None:
    wire = started(window={"workDoneProgress": True})
    client = wire.engine.client
    client.progress(Progress("model", "Loading", "0 %", 0))
    client.progress(Progress("model", "Loading", "50 %", 50))
    assert wire.sent("$/progress") == []
    agree(wire)
    client.progress(Progress("model", "Loading", "90 %", 90))
    client.progress(Progress("model", "Loading", "done", done=True))
    assert [(p["value"]["kind"], p["value"]["message"]) for p in wire.sent("$/progress")] == [
        ("begin", "50 %"),
        ("report", "90 %"),
        ("end", "done"),
    ]


def test_a_progress_that_ended_before_the_client_agreed_is_not_shown() -> None:
    wire = started(window={"workDoneProgress": True})
    wire.engine.client.progress(Progress("model", "Loading"))
    wire.engine.client.progress(Progress("model", "Loading", done=True))
    agree(wire)
    assert wire.sent("$/progress") == []


def test_a_client_that_refuses_a_progress_bar_gets_none() -> None:
    wire = started(window={"workDoneProgress": True})
    wire.engine.client.progress(Progress("model", "Loading"))
    agree(wire, error=True)
    wire.engine.client.progress(Progress("model", "Loading", "50 %"))
    assert wire.sent("$/progress") == []


def test_a_client_without_progress_bars_is_not_asked() -> None:
    wire = started()
    wire.engine.client.progress(Progress("model", "Loading"))
    assert wire.sent("window/workDoneProgress/create") == []


async def test_a_thousand_requests_are_each_answered_once() -> None:
    wire = started("x")
    wire.engine.hold = asyncio.Event()
    pending = [wire.begin(INLINE, at(0, 1)) for _ in range(1000)]
    for msg_id in pending[:500]:
        wire.send("$/cancelRequest", {"id": msg_id})
    wire.engine.hold.set()
    await wire.answer(pending[-1])
    assert sorted(m["id"] for m in wire.received if isinstance(m.get("id"), int)) == pending
