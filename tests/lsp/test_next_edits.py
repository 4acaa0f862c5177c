"""Next edits over the protocol, as their clients demand them."""

from __future__ import annotations

from typing import Any

import pytest

from llm_lsp.core.edits.next_edit import EditKind, NextEdit, OfferedEdit
from llm_lsp.core.text.text import Point
from tests.lsp.fakes import URI, Wire, at, span, started

COPILOT = "textDocument/copilotInlineEdit"
SOURCE = "total = 1\n🙂 = total\nprint(total)\n"
REPLACED = NextEdit(EditKind.RENAME, Point(1, 4), Point(1, 9), "total", "amount", 0.9)
EXTENDED = NextEdit(EditKind.RENAME, Point(2, 6), Point(2, 11), "total", "total_sum", 0.9)


def params(version: object = 1, line: object = 0, character: object = 0, **more: object) -> dict[str, Any]:
    position = {"line": line, "character": character}
    return {"textDocument": {"uri": URI, "version": version}, "position": position, **more}


def offering(edit: NextEdit = REPLACED, *others: NextEdit, **capabilities: Any) -> Wire:
    wire = started(SOURCE, **capabilities)
    document = wire.engine.documents[URI]
    wire.engine.offer = OfferedEdit("edit-7", document, edit, (edit, *others))
    return wire


async def test_an_edit_has_its_text_range_document_and_command() -> None:
    answer = await offering().ask(COPILOT, params(context={"triggerKind": 2}))

    assert answer["result"] == {
        "edits": [
            {
                "text": "amount",
                "range": span((1, 5), (1, 10)),
                "textDocument": {"uri": URI, "version": 1},
                "command": {"title": "Accepted", "command": "llm-lsp.accepted", "arguments": ["edit-7"]},
            }
        ]
    }


@pytest.mark.parametrize(
    ("encoding", "columns"), [("utf-8", (7, 12)), ("utf-16", (5, 10)), ("utf-32", (4, 9))]
)
async def test_columns_are_in_the_negotiated_encoding(encoding: str, columns: tuple[int, int]) -> None:
    wire = offering(general={"positionEncodings": [encoding]})

    answer = await wire.ask(COPILOT, params(line=1, character=columns[0]))

    [edit] = answer["result"]["edits"]
    assert edit["range"] == span((1, columns[0]), (1, columns[1]))
    assert wire.engine.edit_requests[0].point == Point(1, 4)


async def test_nothing_is_an_empty_list() -> None:
    answer = await started(SOURCE).ask(COPILOT, params())

    assert answer["result"] == {"edits": []}


@pytest.mark.parametrize("version", [0, None])
async def test_a_client_that_counts_no_versions_gets_its_own_back(version: int | None) -> None:
    answer = await offering().ask(COPILOT, params(version))

    assert answer["result"]["edits"][0]["textDocument"]["version"] == version


async def test_another_version_gets_nothing() -> None:
    wire = offering()

    assert (await wire.ask(COPILOT, params(2)))["result"] == {"edits": []}
    assert wire.engine.edit_requests == []


async def test_a_document_that_is_not_open_gets_nothing() -> None:
    wire = offering()
    wire.send("textDocument/didClose", {"textDocument": {"uri": URI}})

    assert (await wire.ask(COPILOT, params()))["result"] == {"edits": []}


async def test_a_place_beyond_the_text_is_its_end() -> None:
    wire = offering()

    await wire.ask(COPILOT, params(line=2**31 - 1, character=2**31 - 1))

    assert wire.engine.edit_requests[0].point == Point(3, 0)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(None, id="null"),
        pytest.param([], id="a list"),
        pytest.param({}, id="empty"),
        pytest.param({"textDocument": {"uri": URI}}, id="no position"),
        pytest.param(params(version="1"), id="a version in words"),
        pytest.param(params(version=True), id="a version that is true"),
        pytest.param(params(version=2**40), id="a version beyond numbers"),
        pytest.param(params(line=-1), id="a line before the first"),
        pytest.param(params(line=1.5), id="half a line"),
        pytest.param(params(character=None), id="no column"),
        pytest.param({**params(), "textDocument": {"uri": "", "version": 1}}, id="an empty uri"),
        pytest.param({**params(), "textDocument": {"uri": "x" * 10_000, "version": 1}}, id="a long uri"),
        pytest.param({**params(), "textDocument": {"uri": [URI], "version": 1}}, id="a uri in a list"),
        pytest.param({**params(), "textDocument": [URI]}, id="a document in a list"),
    ],
)
async def test_other_params_are_refused(raw: object) -> None:
    answer = await offering().ask(COPILOT, raw)

    assert answer["error"]["code"] == -32602


async def test_notifications_of_copilot_s_clients_are_taken_silently() -> None:
    wire = offering()
    seen = len(wire.received)

    for method in ("didShowInlineEdit", "didFocus", "didShowCompletion", "didPartiallyAcceptCompletion"):
        wire.send(f"textDocument/{method}", {"item": {"command": {"arguments": ["edit-7"]}}})
        wire.send(f"textDocument/{method}", {})

    assert wire.received[seen:] == []


async def test_an_accepted_edit_may_be_reported_as_a_notification_and_twice() -> None:
    wire = offering()
    command = {"command": "llm-lsp.accepted", "arguments": ["edit-7"]}

    wire.send("workspace/executeCommand", command)
    answer = await wire.ask("workspace/executeCommand", command)

    assert "error" not in answer
    assert wire.engine.calls.count(("accepted", "edit-7")) == 2


async def test_a_dismissed_edit_is_reported() -> None:
    wire = offering()

    await wire.ask("workspace/executeCommand", {"command": "llm-lsp.dismissed", "arguments": ["edit-7"]})

    assert ("dismissed", "edit-7") in wire.engine.calls


# --- as ghost text


async def test_an_edit_that_goes_on_at_the_cursor_is_ghost_text_where_nothing_is_completed() -> None:
    wire = offering(EXTENDED)
    wire.engine.text = ""

    answer = await wire.ask("textDocument/inlineCompletion", at(2, 11))

    [item] = answer["result"]["items"]
    assert (item["insertText"], item["range"]) == ("total_sum", span((2, 6), (2, 11)))
    assert item["command"]["arguments"] == ["edit-7"]


@pytest.mark.parametrize(
    ("edit", "cursor"),
    [
        pytest.param(EXTENDED, (0, 0), id="elsewhere"),
        pytest.param(REPLACED, (1, 10), id="another word"),
    ],
)
async def test_other_edits_are_not(edit: NextEdit, cursor: tuple[int, int]) -> None:
    wire = offering(edit)
    wire.engine.text = ""

    assert (await wire.ask("textDocument/inlineCompletion", at(*cursor)))["result"]["items"] == []


async def test_a_completion_comes_first() -> None:
    wire = offering(EXTENDED)

    answer = await wire.ask("textDocument/inlineCompletion", at(2, 11))

    assert [item["insertText"] for item in answer["result"]["items"]] == ["answer()"]
    assert wire.engine.edit_requests == []


# --- as code actions


async def actions(wire: Wire, **context: object) -> list[dict[str, Any]]:
    cursor = span((0, 0), (0, 0))
    asked = {"textDocument": {"uri": URI}, "range": cursor, "context": {"diagnostics": [], **context}}
    result = (await wire.ask("textDocument/codeAction", asked))["result"]
    assert isinstance(result, list)
    return result


async def test_a_code_action_applies_the_edit_in_any_editor() -> None:
    [action] = await actions(offering())

    assert (action["title"], action["kind"]) == ("Apply next edit (line 2)", "refactor.rewrite")
    assert action["edit"] == {"changes": {URI: [{"range": span((1, 5), (1, 10)), "newText": "amount"}]}}
    assert action["command"]["arguments"] == ["edit-7"]


async def test_another_applies_all_of_several_places() -> None:
    _, everywhere = await actions(offering(REPLACED, EXTENDED))

    assert everywhere["title"] == "Apply next edit at all 2 places"
    assert [change["newText"] for change in everywhere["edit"]["changes"][URI]] == ["amount", "total_sum"]


@pytest.mark.parametrize(("only", "count"), [(["quickfix"], 0), (["refactor"], 1), (["refactor.rewrite"], 1)])
async def test_the_kind_that_a_client_wants_is_heeded(only: list[str], count: int) -> None:
    assert len(await actions(offering(), only=only)) == count


async def test_a_client_that_shows_edits_itself_gets_none_as_ghost_text() -> None:
    wire = offering(EXTENDED)
    wire.engine.text = ""
    before = await wire.ask("textDocument/inlineCompletion", at(2, 11))
    await wire.ask(COPILOT, params(line=2, character=11))

    after = await wire.ask("textDocument/inlineCompletion", at(2, 11))

    assert len(before["result"]["items"]) == 1
    assert after["result"]["items"] == []
