"""Ghost text in a real Vim and a real Emacs, each with what we give for it, against a server with scripted answers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.editors.ghosts import Ghosts
from tests.editors.neovim import wait_for
from tests.editors.picture import save
from tests.editors.script import INLINE, item

pytestmark = pytest.mark.real_editor

BODY = "de(\n    1, 2\n)"
MORE = "\n\ndef mean(cart):\n    return total(cart) / len(cart)"


@pytest.mark.parametrize(
    ("typed", "answer", "seen", "accept", "after"),
    [
        pytest.param(["abc"], item(BODY), "abcde(\n    1, 2\n)", ["all"], "abcde(\n    1, 2\n)‸", id="lines"),
        pytest.param(
            ["abc"], item(BODY), "abcde(\n    1, 2\n)", ["line"], "abcde(‸\n    1, 2\n)", id="a line"
        ),
        pytest.param(["x ="], item(" one.two"), "x = one.two", ["word", "word"], "x = one.‸two", id="words"),
        pytest.param(
            ["pri"], item("print(x)", (0, 3)), "print(x)", ["all"], "print(x)‸", id="from its start"
        ),
        pytest.param([")", "Left", "f("], item("a, b)", (2, 3)), "f(a, b)", ["all"], "f(a, b)‸", id="over )"),
        pytest.param(["ab"], item("xyz", (0, 2)), "ab", [], "ab‸", id="another word"),
    ],
)
def test_an_answer_is_seen_and_accepted(
    editor: Ghosts, typed: list[str], answer: dict[str, Any], seen: str, accept: list[str], after: str
) -> None:
    editor.script.answer(**{typed[-1]: {"items": [answer]}})
    editor.terminal.type(*typed)
    editor.expect(seen)
    for wanted in accept:
        editor.press(wanted)
    editor.expect(after.replace("‸", ""))
    editor.press("leave")
    editor.expect(after.split("‸")[0])


@pytest.mark.parametrize(
    "keys",
    [pytest.param(("line",), id="a line"), pytest.param(("all", "all"), id="twice")],
)
def test_the_rest_of_an_accepted_line_is_inserted_as_it_comes(editor: Ghosts, keys: tuple[str, ...]) -> None:
    more = {"x = one": {"items": [item(" two")]}, "x = one two": {"items": [item("\nthree")]}}
    editor.script.answer(**{"x =": {"items": [item(" one")]}, **more})
    editor.terminal.type("x =")
    editor.expect("x = one")
    editor.terminal.type(*(key for wanted in keys for key in editor.style.keys[wanted]))
    editor.expect("x = one two\nthree")
    editor.press("leave")
    editor.expect("x = one two")


def test_what_follows_an_accepted_line_is_only_shown(editor: Ghosts) -> None:
    editor.script.answer(**{"x =": {"items": [item(" 1")]}, "x = 1": {"items": [item("\ny = 2")]}})
    editor.terminal.type("x =")
    editor.expect("x = 1")
    editor.press("line")
    editor.expect("x = 1\ny = 2")
    editor.press("leave")
    editor.expect("x = 1")


def test_typing_along_keeps_the_text_and_asks_nothing(editor: Ghosts) -> None:
    editor.script.answer(ab={"items": [item("cdef")]})
    editor.terminal.type("ab")
    editor.expect("abcdef")
    n_asked = len(editor.script.sent(INLINE))
    for key in ("c", "d", "Backspace", "Backspace", "c"):
        editor.terminal.type(key)
        editor.expect("abcdef")
    assert len(editor.script.sent(INLINE)) == n_asked


def test_next_and_previous_go_through_the_answers_and_then_ask(editor: Ghosts) -> None:
    editor.script.answer(**{"n": {"items": [item("1"), item("2")]}, "n?": {"items": [item("3")]}})
    editor.terminal.type("n")
    editor.expect("n1")
    for wanted, seen in (("next", "n2"), ("previous", "n1"), ("next", "n2"), ("next", "n3")):
        editor.press(wanted)
        editor.expect(seen)
    assert [params["context"]["triggerKind"] for params in editor.script.sent(INLINE)][-2:] == [2, 1]


def test_accepting_is_one_undo_step_and_is_reported_once(editor: Ghosts) -> None:
    editor.script.answer(ab={"items": [item("c\nd", command="id-7")]})
    editor.terminal.type("ab")
    editor.expect("abc\nd")
    editor.press("all")
    assert wait_for(lambda: editor.script.sent("workspace/executeCommand"))
    editor.script.answer()
    editor.press("undo")
    editor.expect("ab")
    assert [call["arguments"] for call in editor.script.sent("workspace/executeCommand")] == [["id-7"]]


@pytest.mark.parametrize(
    ("command", "argument", "sent"),
    [
        pytest.param("toggle", "", ("llm-lsp.toggle", []), id="toggle"),
        pytest.param("snooze", "5", ("llm-lsp.snooze", [5]), id="snooze"),
        pytest.param("provider", "big", ("llm-lsp.selectProvider", ["big"]), id="provider"),
    ],
)
def test_a_command_reaches_the_server(
    editor: Ghosts, command: str, argument: str, sent: tuple[str, list[object]]
) -> None:
    editor.script.answer(commands={"llm-lsp.providers": ["big", "small"]})
    editor.terminal.type(*editor.style.command(command, argument))

    def changing() -> list[tuple[str, list[object]]]:
        calls = editor.script.sent("workspace/executeCommand")
        return [
            (call["command"], call["arguments"]) for call in calls if call["command"] != "llm-lsp.providers"
        ]

    assert wait_for(changing)
    assert changing() == [sent]


def test_an_explanation_opens_beside_the_text(editor: Ghosts) -> None:
    editor.script.answer(commands={"llm-lsp.explain": "shown: no\nbecause"})
    editor.terminal.type(*editor.style.command("explain", ""))
    editor.terminal.wait_for("shown: no\nbecause")


def test_a_picture_is_made(editor: Ghosts) -> None:
    editor.script.answer(**{"    return ": {"items": [item("sum(item.price for item in cart)\n" + MORE)]}})
    editor.open("cart.py")
    editor.terminal.type("def total(cart):", "Enter", f"{editor.style.indent}return ")
    editor.expect("def total(cart):\n    return sum(item.price for item in cart)\n" + MORE)
    save(editor.terminal.screen, editor.name)
