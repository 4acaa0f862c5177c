"""The Neovim configuration where Neovim has ghost text of its own (0.12), with scripted answers.

No package index carries Neovim 0.12: the variable LLM_LSP_TEST_NVIM names one, or it is the `nvim` on the path.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.editors.neovim import neovim_0_12, wait_for
from tests.editors.scene import Scene, scripted
from tests.editors.script import INLINE, item

pytestmark = [pytest.mark.slow, pytest.mark.real_editor]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scripted(neovim_0_12(), tmp_path_factory.mktemp("native")) as scene:
        yield scene


@pytest.mark.parametrize(
    ("start", "typed", "answer", "seen", "key", "after"),
    [
        pytest.param("‸", "abc", item("de"), "abcde", "<Tab>", "abcde‸", id="a piece of a line"),
        pytest.param("‸", "abc", item("d\n  e"), "abcd\n  e", "<Tab>", "abcd\n  e‸", id="lines"),
        pytest.param("‸", "abc", item("d\n  e"), "abcd\n  e", "<M-l>", "abcd‸", id="a line"),
        pytest.param("‸", "x =", item(" one.two"), "x = one.two", "<M-w>", "x = one‸", id="a word"),
        pytest.param(
            "‸", "pri", item("print(x)", (0, 3)), "print(x)", "<Tab>", "print(x)‸", id="from the word's start"
        ),
        pytest.param("‸)", "f(", item("a, b)", (2, 3)), "f(a, b)", "<Tab>", "f(a, b)‸", id="over a bracket"),
        pytest.param("‸", "ab", item("c"), "abc", "<M-e>", "ab‸", id="dismissed"),
    ],
)
def test_an_answer_is_seen_and_accepted(
    scene: Scene, start: str, typed: str, answer: dict[str, Any], seen: str, key: str, after: str
) -> None:
    scene.answer(**{typed: {"items": [answer]}})
    scene.open(start)
    scene.editor.type(typed)
    scene.editor.expect_screen(seen)
    scene.editor.type(key)
    scene.editor.expect_text(after)


def test_next_shows_the_other_answers(scene: Scene) -> None:
    scene.answer(ab={"items": [item("1"), item("2")]})
    scene.open("‸")
    scene.editor.type("ab")
    scene.editor.expect_screen("ab1")
    scene.editor.type("<M-n>")
    scene.editor.expect_screen("ab2 (2/2)")


def test_what_was_typed_since_the_answer_is_not_typed_twice(scene: Scene) -> None:
    scene.answer(ab={"items": [item("cdef", (2, 2))]})
    scene.open("‸")
    scene.editor.type("ab")
    scene.editor.expect_screen("abcdef")
    scene.editor.type("cd<Tab>")
    scene.editor.expect_text("abcdef‸")


def test_the_server_hears_of_an_accepted_answer_once(scene: Scene) -> None:
    scene.answer(ab={"items": [item("cd", command="id-7")]})
    scene.open("‸")
    scene.editor.type("ab")
    scene.editor.expect_screen("abcd")
    scene.editor.type("<Tab>")
    scene.editor.expect_text("abcd‸")
    assert wait_for(lambda: scene.sent("workspace/executeCommand"))
    assert [report["arguments"] for report in scene.sent("workspace/executeCommand")] == [["id-7"]]


def test_tab_means_what_it_meant_where_nothing_is_shown(scene: Scene) -> None:
    scene.answer()
    scene.open("‸")
    scene.editor.type("<Tab>")
    scene.editor.expect_text("\t‸")
    assert scene.sent(INLINE) == []


def test_previous_goes_back(scene: Scene) -> None:
    scene.answer(ab={"items": [item("1"), item("2"), item("3")]})
    scene.open("‸")
    scene.editor.type("ab")
    scene.editor.expect_screen("ab1")
    scene.editor.type("<M-n>")
    scene.editor.expect_screen("ab2 (2/3)")
    scene.editor.type("<M-p>")
    scene.editor.expect_screen("ab1 (1/3)")


def test_a_request_is_the_users_own_wish(scene: Scene) -> None:
    scene.answer(**{"ab?": {"items": [item("asked")]}})
    scene.open("‸")
    scene.editor.type("ab")
    assert wait_for(lambda: scene.columns_asked() == [2])
    scene.editor.type("<M-r>")
    scene.editor.expect_screen("abasked")


def test_a_health_check_says_whose_ghost_text_is_used(scene: Scene) -> None:
    scene.open("‸")
    scene.editor.nvim.command("checkhealth llm-lsp")
    report = scene.editor.text()
    scene.editor.nvim.command("close")
    assert "with its own ghost text" in report
    assert "ERROR" not in report and "WARNING" not in report


def test_ours_is_used_instead_where_it_is_wanted(tmp_path: Path) -> None:
    with scripted(neovim_0_12(), tmp_path, "vim.g.llm_lsp = { native = false }") as scene:
        scene.answer(ab={"items": [item("one two")]})
        scene.open("‸")
        scene.editor.type("ab")
        assert wait_for(scene.editor.ghost) == "one two"
        scene.editor.type("<M-w>")
        scene.editor.expect_text("abone‸")
        assert scene.editor.ghost() == " two"
