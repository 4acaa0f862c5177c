"""The code action: offered for a selection, and answered on a page or in a message."""

from __future__ import annotations

from typing import Any

import pytest

from llm_lsp.core.chat.dialogue import EXPLAIN, ChatQuestion
from llm_lsp.errors import AskError
from tests.lsp.fakes import URI, Wire, span, started

SOURCE = "a = 1\nb = 2\nc = 3\n"
SELECTED = span((0, 0), (1, 3))
SHOWS = {"window": {"showDocument": {"support": True}}}


async def offered(wire: Wire, selected: dict[str, Any], **context: object) -> list[dict[str, Any]]:
    params = {"textDocument": {"uri": URI}, "range": selected, "context": {"diagnostics": [], **context}}
    answer = await wire.ask("textDocument/codeAction", params)
    result = answer["result"]
    assert isinstance(result, list)
    return result


async def run(wire: Wire, *arguments: object) -> dict[str, Any]:
    return await wire.ask("workspace/executeCommand", {"command": "llm-lsp.ask", "arguments": [*arguments]})


@pytest.mark.parametrize(
    ("selected", "lines"),
    [
        pytest.param(span((0, 2), (0, 3)), (0, 1), id="part of a line"),
        pytest.param(span((0, 0), (1, 3)), (0, 2), id="two lines"),
        pytest.param(span((0, 0), (2, 0)), (0, 2), id="up to the beginning of the third"),
    ],
)
async def test_what_is_selected_is_asked_about_in_whole_lines(
    selected: dict[str, Any], lines: tuple[int, int]
) -> None:
    wire = started(SOURCE)
    [action] = await offered(wire, selected)

    answer = await run(wire, *action["command"]["arguments"])

    assert answer["result"] == "answer()"
    document = wire.engine.documents[URI]
    assert ("ask", ChatQuestion(EXPLAIN, document, lines, "inline")) in wire.engine.calls


@pytest.mark.parametrize(
    ("selected", "context"),
    [
        pytest.param(span((1, 2), (1, 2)), {}, id="nothing selected"),
        pytest.param(SELECTED, {"only": ["quickfix"]}, id="another kind"),
        pytest.param(SELECTED, {"only": ["llm"]}, id="part of our kind's name"),
    ],
)
async def test_it_keeps_out_of_the_way(selected: dict[str, Any], context: dict[str, Any]) -> None:
    assert await offered(started(SOURCE), selected, **context) == []


async def test_who_wants_our_kind_gets_it() -> None:
    assert len(await offered(started(SOURCE), SELECTED, only=["llm-lsp"])) == 1


async def test_the_answer_is_a_page_beside_the_code_where_the_editor_opens_files() -> None:
    wire = started(SOURCE, **SHOWS)
    wire.engine.page = "file:///state/ask/1.md"

    await run(wire, {"uri": URI, "first": 0, "stop": 1})

    [shown] = wire.sent("window/showDocument")
    assert shown == {"uri": "file:///state/ask/1.md", "takeFocus": False}


async def test_other_editors_show_it_as_a_message() -> None:
    wire = started(SOURCE)
    wire.engine.page = "file:///state/ask/1.md"

    await run(wire, {"uri": URI, "first": 0, "stop": 1, "question": "why?"})

    assert [message["message"] for message in wire.sent("window/showMessage")] == ["answer()"]
    assert [call.question for name, call in wire.engine.calls if isinstance(call, ChatQuestion)] == ["why?"]


async def test_why_there_is_no_answer_is_told() -> None:
    wire = started(SOURCE)
    wire.engine.failure = AskError("not asked: this file is excluded")

    answer = await run(wire, {"uri": URI, "first": 0, "stop": 1})

    assert answer["error"]["message"] == "not asked: this file is excluded"


@pytest.mark.parametrize(
    "argument",
    [
        pytest.param({"uri": "file:///other", "first": 0, "stop": 1}, id="not open"),
        pytest.param({"uri": URI, "first": 0}, id="no end"),
        pytest.param({"uri": URI, "first": 2, "stop": 1}, id="backwards"),
        pytest.param({"uri": URI, "first": 9, "stop": 12}, id="below the end"),
        pytest.param(None, id="nothing"),
    ],
)
async def test_anything_else_is_refused(argument: object) -> None:
    answer = await run(started(SOURCE), argument)

    assert "ask needs the uri of an open document" in answer["error"]["message"]
