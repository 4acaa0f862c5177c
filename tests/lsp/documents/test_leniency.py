"""Clients that leave out what the protocol requires are served, with one line in the log."""

from __future__ import annotations

from typing import Any

import pytest

from llm_lsp.core.request import Trigger
from tests.lsp.fakes import URI, Wire, edit, started

INLINE = "textDocument/inlineCompletion"
CELL = "vscode-notebook-cell:/p/n.ipynb#W0"


def without(fields: dict[str, Any], name: str, *, is_null: bool) -> dict[str, Any]:
    return {key: None if key == name else value for key, value in fields.items() if is_null or key != name}


@pytest.mark.parametrize(
    "context",
    [
        pytest.param({}, id="missing"),
        pytest.param({"context": None}, id="null"),
        pytest.param({"context": {}}, id="empty"),
        pytest.param({"context": {"triggerKind": None}}, id="a kind of null"),
    ],
)
async def test_a_request_without_context_is_an_automatic_one(
    context: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    wire = started("ab")
    params = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 2}, **context}
    for _ in range(3):
        [item] = (await wire.ask(INLINE, params))["result"]["items"]
        assert item["insertText"]
    assert wire.engine.last.trigger is Trigger.AUTOMATIC
    assert len([line for line in caplog.messages if "against the protocol" in line]) == 1


@pytest.mark.parametrize("context", [{}, {"context": None}])
async def test_a_menu_without_context_is_answered(context: dict[str, Any]) -> None:
    wire = started("ab")
    params = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 2}, **context}
    assert (await wire.ask("textDocument/completion", params))["result"]["items"]


@pytest.mark.parametrize("is_null", [True, False])
@pytest.mark.parametrize("name", ["languageId", "version"])
def test_a_document_without_language_or_version_is_opened(name: str, is_null: bool) -> None:
    wire = Wire()
    wire.shake_hands()
    document = without({"uri": URI, "languageId": "python", "version": 1, "text": "x"}, name, is_null=is_null)
    wire.send("textDocument/didOpen", {"textDocument": document})
    assert wire.engine.text_of() == "x"
    # The name tells the language.
    assert wire.engine.documents[URI].language == "python"


@pytest.mark.parametrize("identifier", [{"uri": URI}, {"uri": URI, "version": None}])
def test_changes_without_versions_are_applied_in_order(
    identifier: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    wire = started("a")
    for column, letter in enumerate("bcd", start=1):
        change = edit((0, column), (0, column), letter)
        wire.send("textDocument/didChange", {"textDocument": identifier, "contentChanges": [change]})
    assert wire.engine.text_of() == "abcd"
    assert len([line for line in caplog.messages if "against the protocol" in line]) == 1


def test_a_notebook_without_versions_and_languages_is_served() -> None:
    wire = Wire()
    wire.shake_hands()
    notebook = {
        "uri": "file:///p/n.ipynb",
        "notebookType": "jupyter-notebook",
        "cells": [{"kind": 2, "document": CELL}],
    }
    item = {"uri": CELL, "languageId": None, "text": "x"}
    wire.send("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": [item]})
    content = [{"document": {"uri": CELL}, "changes": [edit((0, 1), (0, 1), "y")]}]
    change = {"cells": {"textContent": content}}
    wire.send(
        "notebookDocument/didChange", {"notebookDocument": {"uri": "file:///p/n.ipynb"}, "change": change}
    )
    assert wire.engine.text_of(CELL) == "xy"
