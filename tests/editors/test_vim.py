"""The Vim plugin, in a real Vim, against a language server with scripted answers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llm_lsp.cli.placement import configurations
from tests.editors.neovim import wait_for
from tests.editors.picture import save
from tests.editors.script import INLINE, Script, item
from tests.editors.terminal import Terminal, terminal

pytestmark = [
    pytest.mark.real_editor,
    pytest.mark.skipif(shutil.which("vim") is None, reason="no vim on the path"),
]

PLUGIN = configurations() / "vim"
PLACE = ".vim/pack/llm-lsp/start/llm-lsp"
VIMRC = r"""
syntax on
set noswapfile viminfo= ttimeoutlen=20 shiftwidth=4 softtabstop=4 expandtab
set laststatus=2 statusline=[%{LlmLspStatus()}]
inoremap <expr> <C-L> "L" .. 1
inoremap <C-F> <Nop>
let g:llm_lsp_keys = {'previous': '<C-P>'}
"""
MORE = "\n\ndef mean(cart):\n    return total(cart) / len(cart)"
BODY = "de(\n    1, 2\n)"


@dataclass(frozen=True, slots=True)
class Vim:
    """A running Vim, in insert mode in an empty file, and its scripted server."""

    terminal: Terminal
    script: Script

    def expect(self, text: str) -> None:
        """Wait until this is what a user sees of the file, ghost text included."""
        self.terminal.wait(lambda rows: _text(rows) == text)


def _text(rows: list[str]) -> str:
    """Give the rows of the file, without the status line and the one for messages."""
    return "\n".join(row for row in rows[:-2] if row != "~")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vim]:
    """One Vim for all tests of this module."""
    home = tmp_path_factory.mktemp("vim")
    (script := Script(home)).install()
    shutil.copytree(PLUGIN, home / PLACE)
    (home / ".vimrc").write_text(VIMRC)
    with terminal(["vim"], home, script.commands) as shown:
        shown.wait_for("~\n~")
        shown.type("i")
        shown.wait(lambda _: script.sent("initialized"))
        yield Vim(shown, script)


@pytest.fixture
def vim(running: Vim) -> Vim:
    n_files = len(list(running.script.folder.glob("*.txt")))
    (running.script.folder / f"{n_files}.txt").touch()
    running.script.answer()
    running.terminal.type("Escape", f":silent only! | edit! {n_files}.txt", "Enter", ":", "Escape")
    running.expect("")
    running.script.forget()
    running.terminal.type("i")
    return running


@pytest.mark.parametrize(
    ("typed", "answer", "seen", "keys", "after"),
    [
        pytest.param(["abc"], item(BODY), "abcde(\n    1, 2\n)", ["Tab"], "abcde(\n    1, 2\n)‸", id="lines"),
        pytest.param(
            ["abc"], item(BODY), "abcde(\n    1, 2\n)", ["C-l"], "abcde(‸\n    1, 2\n)", id="a line"
        ),
        pytest.param(["x ="], item(" one.two"), "x = one.two", ["C-f", "C-f"], "x = one.‸two", id="words"),
        pytest.param(
            ["pri"], item("print(x)", (0, 3)), "print(x)", ["Tab"], "print(x)‸", id="from its start"
        ),
        pytest.param([")", "Left", "f("], item("a, b)", (2, 3)), "f(a, b)", ["Tab"], "f(a, b)‸", id="over )"),
        pytest.param(["ß"], item("größe", (0, 2)), "ß", [], "ß‸", id="another word"),
        pytest.param(["ß"], item("ßüü", (0, 2)), "ßüü", ["Tab"], "ßüü‸", id="columns are bytes"),
        pytest.param(["a:"], item("\n\tb"), "a:\n        b", ["Tab"], "a:\n        b‸", id="tabs"),
    ],
)
def test_an_answer_is_seen_and_accepted(
    vim: Vim, typed: list[str], answer: dict[str, Any], seen: str, keys: list[str], after: str
) -> None:
    vim.script.answer(**{typed[-1]: {"items": [answer]}})
    vim.terminal.type(*typed)
    vim.expect(seen)
    vim.terminal.type(*keys)
    vim.terminal.type()
    vim.expect(after.replace("‸", ""))
    vim.terminal.type("Escape")  # takes the ghost away, so that the text alone is left
    vim.expect(after.split("‸")[0])


def test_typing_along_keeps_the_text_and_asks_nothing(vim: Vim) -> None:
    vim.script.answer(ab={"items": [item("cdef")]})
    vim.terminal.type("ab")
    vim.expect("abcdef")
    n_asked = len(vim.script.sent(INLINE))
    for key in ("c", "d", "Backspace", "Backspace", "c"):
        vim.terminal.type(key)
        vim.expect("abcdef")
    assert len(vim.script.sent(INLINE)) == n_asked


def test_next_and_previous_go_through_the_answers_and_then_ask(vim: Vim) -> None:
    vim.script.answer(**{"n": {"items": [item("1"), item("2")]}, "n?": {"items": [item("3")]}})
    vim.terminal.type("n")
    vim.expect("n1")
    for key, seen in (("C-b", "n2"), ("C-p", "n1"), ("C-b", "n2"), ("C-b", "n3")):
        vim.terminal.type(key)
        vim.expect(seen)
    assert [params["context"]["triggerKind"] for params in vim.script.sent(INLINE)][-2:] == [2, 1]


def test_a_dismissed_text_is_gone_and_its_key_means_what_it_meant(vim: Vim) -> None:
    vim.script.answer(ab={"items": [item("cd")]})
    vim.terminal.type("ab")
    vim.expect("abcd")
    vim.terminal.type("C-]")
    vim.expect("ab")
    vim.terminal.type("C-l", "C-f", "Tab", "x")
    vim.expect("abL1" + " " * 4 + "x")


def test_a_late_answer_is_ignored(vim: Vim) -> None:
    vim.script.answer(ab={"items": [item("LATE")], "late": True})
    vim.terminal.type("ab")
    assert wait_for(
        lambda: [params["position"]["character"] for params in vim.script.sent(INLINE)][-1:] == [2]
    )
    vim.terminal.type("x")
    assert wait_for(lambda: vim.script.sent("$/cancelRequest"))
    vim.expect("abx")


def test_accepting_is_one_undo_step_and_is_reported_once(vim: Vim) -> None:
    vim.script.answer(ab={"items": [item("c\nd", command="id-7")]})
    vim.terminal.type("ab")
    vim.expect("abc\nd")
    vim.terminal.type("Tab")
    assert wait_for(lambda: vim.script.sent("workspace/executeCommand"))
    vim.terminal.type("Escape", "u")
    vim.expect("ab")
    vim.terminal.type("u")
    vim.expect("")
    assert [call["arguments"] for call in vim.script.sent("workspace/executeCommand")] == [["id-7"]]


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        pytest.param("toggle", ("llm-lsp.toggle", []), id="toggle"),
        pytest.param("snooze 5", ("llm-lsp.snooze", [5]), id="snooze"),
        pytest.param("provider big", ("llm-lsp.selectProvider", ["big"]), id="provider"),
    ],
)
def test_a_command_reaches_the_server(vim: Vim, command: str, sent: tuple[str, list[object]]) -> None:
    vim.terminal.type("Escape", f":LlmLsp {command}", "Enter")
    assert wait_for(lambda: vim.script.sent("workspace/executeCommand"))
    [call] = vim.script.sent("workspace/executeCommand")
    assert (call["command"], call["arguments"]) == sent


def test_an_explanation_opens_beside_the_text(vim: Vim) -> None:
    vim.script.answer(commands={"llm-lsp.explain": "shown: no\nbecause"})
    vim.terminal.type("Escape", ":LlmLsp explain", "Enter")
    vim.terminal.wait_for("shown: no\nbecause")


def test_the_status_line_says_what_is_wrong(vim: Vim) -> None:
    vim.script.answer(status={"kind": "Error", "busy": False, "message": "no model"})
    vim.terminal.type("a")
    vim.terminal.wait_for("[llm! no model]")


def test_the_help_has_its_tags(vim: Vim, tmp_path: Path) -> None:
    shutil.copy(PLUGIN / "doc" / "llm-lsp.txt", tmp_path)
    vim.terminal.type("Escape", f":helptags {tmp_path}", "Enter", ":help llm-lsp-keys", "Enter")
    vim.terminal.wait_for("accepts a word")
    assert (tmp_path / "tags").read_bytes() == (PLUGIN / "doc" / "tags").read_bytes()


def test_a_picture_is_made(vim: Vim) -> None:
    vim.script.answer(**{"    return ": {"items": [item("sum(item.price for item in cart)\n" + MORE)]}})
    vim.terminal.type(
        "Escape", ":set filetype=python", "Enter", "i", "def total(cart):", "Enter", "    return "
    )
    vim.expect("def total(cart):\n    return sum(item.price for item in cart)\n" + MORE)
    save(vim.terminal.screen, "vim")
