"""What only the Vim plugin has, in a real Vim, against a language server with scripted answers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from llm_lsp.cli.editors.editor_files import configurations
from tests.editors.ghosts import Ghosts
from tests.editors.neovim import wait_for
from tests.editors.script import INLINE, item

pytestmark = pytest.mark.real_editor

PLUGIN = configurations() / "vim"


@pytest.mark.parametrize(
    ("typed", "answer", "seen"),
    [
        pytest.param("ß", item("ßüü", (0, 2)), "ßüü", id="columns are bytes"),
        pytest.param("a:", item("\n\tb"), "a:\n        b", id="tabs"),
    ],
)
def test_an_answer_is_seen_and_accepted(vim: Ghosts, typed: str, answer: dict[str, Any], seen: str) -> None:
    vim.script.answer(**{typed: {"items": [answer]}})
    vim.terminal.type(typed)
    vim.expect(seen)
    vim.terminal.type("Tab", "Escape")
    vim.expect(seen)


def test_a_dismissed_text_is_gone_and_its_key_means_what_it_meant(vim: Ghosts) -> None:
    vim.script.answer(ab={"items": [item("cd")]})
    vim.terminal.type("ab")
    vim.expect("abcd")
    vim.terminal.type("C-]")
    vim.expect("ab")
    vim.terminal.type("C-l", "C-f", "Tab", "x")
    vim.expect("abL1" + " " * 4 + "x")


def test_a_late_answer_is_ignored(vim: Ghosts) -> None:
    vim.script.answer(ab={"items": [item("LATE")], "late": True})
    vim.terminal.type("ab")
    assert wait_for(
        lambda: [params["position"]["character"] for params in vim.script.sent(INLINE)][-1:] == [2]
    )
    vim.terminal.type("x")
    assert wait_for(lambda: vim.script.sent("$/cancelRequest"))
    vim.expect("abx")


def test_the_status_line_says_what_is_wrong(vim: Ghosts) -> None:
    vim.script.answer(status={"kind": "Error", "busy": False, "message": "no model"})
    vim.terminal.type("a")
    vim.terminal.wait_for("[llm! no model]")


def test_the_help_has_its_tags(vim: Ghosts, tmp_path: Path) -> None:
    shutil.copy(PLUGIN / "doc" / "llm-lsp.txt", tmp_path)
    vim.terminal.type("Escape", f":helptags {tmp_path}", "Enter", ":help llm-lsp-keys", "Enter")
    vim.terminal.wait_for("accept a word")
    assert (tmp_path / "tags").read_bytes() == (PLUGIN / "doc" / "tags").read_bytes()


def test_provider_names_are_completed_and_chosen(vim: Ghosts) -> None:
    vim.script.answer(commands={"llm-lsp.providers": ["mine", "local"]})
    start(vim)
    vim.terminal.type(":LlmLsp provider mi", "Tab", "Enter")
    assert wait_for(lambda: ("llm-lsp.selectProvider", ["mine"]) in executed(vim))


@pytest.mark.parametrize("minutes", ["soon", "-5", "1e999", "."])
def test_snooze_refuses_what_is_no_number_of_minutes(vim: Ghosts, minutes: str) -> None:
    start(vim)
    vim.terminal.type(f":LlmLsp snooze {minutes}", "Enter")
    vim.terminal.wait_for("needs a number of minutes")
    assert not executed(vim)


def test_the_command_alone_shows_a_menu(vim: Ghosts) -> None:
    start(vim)
    vim.terminal.type(":LlmLsp", "Enter")
    vim.terminal.wait_for("restart")
    vim.terminal.type("j", "j", "j", "j", "Enter")
    assert wait_for(lambda: ("llm-lsp.toggle", []) in executed(vim))


def test_a_restarted_server_answers(vim: Ghosts) -> None:
    start(vim)
    vim.terminal.type(":LlmLsp restart", "Enter")
    assert wait_for(lambda: vim.script.sent("initialized"))  # what was sent before is not in the record
    vim.script.answer(ab={"items": [item("cd")]})
    vim.terminal.type("oab")
    vim.expect("a\nabcd")


def start(vim: Ghosts) -> None:
    """Let the server start, as it does with the first insertion."""
    vim.terminal.type("a")
    assert wait_for(lambda: vim.script.sent(INLINE))
    vim.terminal.type("Escape")


def executed(vim: Ghosts) -> list[tuple[str, list[object]]]:
    return [
        (sent["command"], list(sent.get("arguments", [])))
        for sent in vim.script.sent("workspace/executeCommand")
        if sent["command"] != "llm-lsp.providers"
    ]


def names(vim: Ghosts, method: str) -> list[str]:
    """Return the last parts of the names that were sent with a message."""
    return [sent["textDocument"]["uri"].rpartition("/")[2] for sent in vim.script.sent(method)]


@pytest.mark.parametrize("rename", [":file! other.py", ":saveas! other.py"])
def test_a_renamed_buffer_is_another_document(vim: Ghosts, rename: str) -> None:
    vim.script.answer(ab={"items": [item("cd")]})
    vim.terminal.type("a")
    assert wait_for(lambda: vim.script.sent(INLINE))
    old = names(vim, INLINE)[-1]
    vim.terminal.type("Escape", rename, "Enter", "ab")
    vim.expect("abcd")
    assert old in names(vim, "textDocument/didClose")
    assert names(vim, "textDocument/didOpen")[-1:] == ["other.py"]


def test_a_buffer_without_a_name_is_completed(vim: Ghosts) -> None:
    vim.script.answer(ab={"items": [item("cd")]})
    vim.terminal.type("Escape", ":enew!", "Enter", "iab")
    vim.expect("abcd")
    assert names(vim, INLINE)[-1].startswith("untitled:")
    vim.terminal.type("Escape", ":file! named.py", "Enter", "a")
    vim.terminal.type("x")
    assert wait_for(lambda: names(vim, "textDocument/didOpen")[-1:] == ["named.py"])


def test_a_wiped_buffer_is_closed(vim: Ghosts) -> None:
    start(vim)
    name = names(vim, INLINE)[-1]
    vim.terminal.type(":bwipeout!", "Enter")
    assert wait_for(lambda: names(vim, "textDocument/didClose")[-1:] == [name])
