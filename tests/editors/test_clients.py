"""Editors that do not run here, by what they announce: through a whole session with the real server.

pytest-lsp speaks for them, and fails where the server uses what the editor has not announced. What each editor does
with an item is written down here as its documentation has it.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from lsprotocol import types
from lsprotocol.converters import get_converter
from pytest_lsp import LanguageClient, make_test_lsp_client

from tests.editors import recording
from tests.editors.model_api import PROVIDER, FixedModel, fixed_model

CLIENTS = Path(__file__).with_name("clients")
NAMES = sorted(path.stem for path in CLIENTS.glob("*.json"))
WITH_GHOSTS = ["coc.nvim", "jetbrains"]
SETTINGS = PROVIDER + "\n[completion]\nmenu_timeout_ms = 10000\ndebounce_ms = 0\n"
ABOVE = 'def total(cart):\n    print("🛒"); '
TYPED = "retu"
REST = "rn sum(\n        item.price for item in cart\n    )"
URI = "file:///cart.py"
SNIPPET = types.InsertTextFormat.Snippet
MODES = types.InsertTextMode


def load(name: str) -> types.InitializeParams:
    """Read what an editor says first."""
    said = json.loads((CLIENTS / f"{name}.json").read_text("utf-8"))
    return get_converter().structure({"processId": None, "rootUri": None, **said}, types.InitializeParams)


@pytest.fixture
def model() -> Iterator[FixedModel]:
    with fixed_model(f"{REST}\n") as server:
        yield server


@asynccontextmanager
async def session(name: str, home: Path, model: FixedModel) -> AsyncIterator[LanguageClient]:
    """Begin as the editor does, with a file open; at the end each request must have had one answer."""
    (home / "llm-lsp").mkdir()
    (home / "llm-lsp" / "config.toml").write_text(SETTINGS.format(base_url=model.base_url))
    folders = {f"XDG_{kind}_HOME": str(home) for kind in ("CONFIG", "STATE", "DATA", "CACHE")}
    command = recording.install(home) / "llm-lsp"
    client = make_test_lsp_client()
    client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda _: None)
    await client.start_io(str(command), "server", env={**os.environ, "HOME": str(home), **folders})
    try:
        await client.initialize_session(load(name))
        item = types.TextDocumentItem(URI, "python", 1, ABOVE)
        client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        yield client
        await client.shutdown_session()
    finally:
        await client.stop()  # type: ignore[no-untyped-call] # pytest-lsp types only some
    said = [line["message"] for line in recording.said(home) if line["from"] == "server"]
    answers = Counter(message["id"] for message in said if "method" not in message)
    asked = [line["message"] for line in recording.said(home) if line["from"] == "editor"]
    assert answers == Counter(message["id"] for message in asked if {"method", "id"} <= message.keys())


def type_word(client: LanguageClient) -> types.Position:
    """Type a word, letter by letter; give where the cursor is, in UTF-16 units as all these editors count."""
    line, column = 1, len(ABOVE.splitlines()[1].encode("utf-16-le")) // 2
    for version, letter in enumerate(TYPED, start=2):
        place = types.Position(line, column)
        change = types.TextDocumentContentChangePartial(types.Range(place, place), letter)
        document = types.VersionedTextDocumentIdentifier(version, URI)
        client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
        column += 1
    return types.Position(line, column)


def announced_of(client: LanguageClient) -> types.CompletionClientCapabilities:
    """Return the client's message about its menu."""
    assert client.capabilities and client.capabilities.text_document
    assert client.capabilities.text_document.completion
    return client.capabilities.text_document.completion


def applied(item: types.CompletionItem, cursor: types.Position) -> str:
    """Return the text after accepting an item, which must replace the typed word up to the cursor."""
    edit = item.text_edit
    assert isinstance(edit, types.TextEdit)
    assert edit.range == types.Range(types.Position(cursor.line, cursor.character - len(TYPED)), cursor)
    text = edit.new_text
    if item.insert_text_format is SNIPPET:
        text = re.sub(r"\\([\\$}])", r"\1", text)
    if item.insert_text_mode is MODES.AdjustIndentation:
        text = text.replace("\n", "\n    ")  # that of the line with the cursor
    return ABOVE + text


@pytest.mark.parametrize("name", NAMES)
async def test_every_line_arrives_in_the_form_that_the_editor_inserts(
    name: str, tmp_path: Path, model: FixedModel
) -> None:
    document = types.TextDocumentIdentifier(URI)
    async with session(name, tmp_path, model) as client:
        announced = announced_of(client)
        cursor = type_word(client)
        invoked = types.CompletionContext(types.CompletionTriggerKind.Invoked)
        context = invoked if announced.context_support else None
        menu = await client.text_document_completion_async(types.CompletionParams(document, cursor, context))
        if name in WITH_GHOSTS:
            automatic = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
            params = types.InlineCompletionParams(automatic, document, cursor)
            ghosts = await client.text_document_inline_completion_async(params)
            assert isinstance(ghosts, types.InlineCompletionList)
            [ghost] = ghosts.items
            assert (ghost.insert_text, ghost.range) == (REST, types.Range(cursor, cursor))
    assert isinstance(menu, types.CompletionList) and menu.is_incomplete
    assert client.capabilities and client.capabilities.text_document
    if client.capabilities.text_document.inline_completion:
        assert not menu.items, "the same text would be there twice"
        return
    [item] = menu.items
    assert announced.completion_item and announced.completion_item.insert_text_mode_support
    assert item.insert_text_mode in announced.completion_item.insert_text_mode_support.value_set
    assert (item.label, item.filter_text) == ("return sum(", TYPED)
    assert applied(item, cursor) == ABOVE + TYPED + REST
