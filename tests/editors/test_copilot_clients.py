"""Clients of GitHub's language server, unmodified, with ours: from typed keys in a real Neovim to the changed buffer.

sidekick.nvim from 2026-03-20 on needs Neovim 0.12 (`ctx.request_id`), which LLM_LSP_TEST_NVIM names.
They are not part of this project: an environment variable names the folder of each, and without it the test is skipped.
What they said is recorded in `recordings/edits/` (with LLM_LSP_TEST_RECORD set) and said again here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.editors import recording
from tests.editors.model_api import PROVIDER, fixed_model
from tests.editors.neovim import BUNDLED, Editor, environment, started, wait_for
from tests.editors.replaying import answers_of, replay
from tests.lspclient import running

COPILOT = "textDocument/copilotInlineEdit"
# Columns differ between UTF-8 and UTF-16 behind the face.
SOURCE = 'def total(cart, rate):\n    icon = "🙂"; price = sum(cart)\n    return price * rate * len(cart)'
SERVER = """
vim.opt.rtp:prepend(vim.env.CLIENT_UNDER_TEST)
vim.lsp.config('copilot_llm_lsp', {
  cmd = { 'llm-lsp', 'server' },
  filetypes = { 'python' },
%s})
vim.lsp.enable('copilot_llm_lsp')
"""


@dataclass(frozen=True, slots=True)
class CopilotClient:
    """A plugin: the variable that names its folder, its user's configuration, and what tells that it shows an edit."""

    variable: str
    init: str
    shows: str


CLIENTS = {
    "sidekick": CopilotClient(
        "LLM_LSP_TEST_SIDEKICK",
        SERVER % ""
        + """
require('sidekick').setup({})
vim.keymap.set('n', '<Tab>', function() require('sidekick').nes_jump_or_apply() end)
""",
        "require('sidekick.nes').have()",
    ),
    "copilot-lsp": CopilotClient(
        "LLM_LSP_TEST_COPILOT_LSP",
        SERVER
        % """
  capabilities = { general = { positionEncodings = { 'utf-16' } } },
  on_init = function(client)
    require('copilot-lsp.nes').lsp_on_init(client, vim.api.nvim_create_augroup('edits', {}))
  end,
"""
        + """
vim.keymap.set('n', '<Tab>', function()
  local nes = require('copilot-lsp.nes')
  return nes.walk_cursor_start_edit() or (nes.apply_pending_nes() and nes.walk_cursor_end_edit())
end)
""",
        "vim.b.nes_state ~= nil",
    ),
}
RECORDED = recording.RECORDINGS / "edits"


def configure(home: Path, base_url: str) -> None:
    for folder in (home / "config" / "llm-lsp", home / "llm-lsp"):
        folder.mkdir(parents=True)
        text = PROVIDER.format(base_url=base_url) + '\n[completion]\ntrigger = "manual"\n'
        (folder / "config.toml").write_text(text, encoding="utf-8")


@contextmanager
def neovim(client: CopilotClient, home: Path) -> Iterator[Editor]:
    """Run Neovim with a client, and the real server under a recorder."""
    folder = os.environ.get(client.variable)
    if not folder or not BUNDLED.exists():
        pytest.skip(f"{client.variable} does not name the client's folder, or there is no Neovim")
    commands = recording.install(home)
    (home / "config" / "nvim").mkdir(parents=True)
    (home / "config" / "nvim" / "init.lua").write_text(client.init, encoding="utf-8")
    with (
        fixed_model("unwanted") as model,
        started(
            Path(os.environ.get("LLM_LSP_TEST_NVIM", BUNDLED)),
            {**environment(home, commands), "CLIENT_UNDER_TEST": folder},
        ) as editor,
    ):
        configure(home, model.base_url)
        yield editor


@pytest.mark.real_editor
@pytest.mark.parametrize("name", CLIENTS)
def test_a_rename_is_followed_by_tab(name: str, tmp_path: Path) -> None:
    client = CLIENTS[name]

    def is_shown() -> bool:
        return bool(editor.nvim.lua(f"return {client.shows}"))

    def text() -> str:
        return editor.text().replace("‸", "")

    def is_in(line: int) -> bool:
        return bool(editor.nvim.call("nvim_win_get_cursor", 0)[0] == line)

    with neovim(client, tmp_path) as editor:
        editor.open(tmp_path / "cart.py", SOURCE.replace("(cart,", "(‸cart,", 1))
        editor.type("<Esc>lcwbasket<Esc>")
        assert wait_for(is_shown)
        editor.type("<Tab>")
        assert wait_for(lambda: is_in(2))
        editor.type("<Tab>")
        assert wait_for(lambda: "sum(basket" in text() and is_shown())
        editor.type("<Tab>")
        assert wait_for(lambda: is_in(3))
        editor.type("<Tab>")
        assert wait_for(lambda: "len(basket" in text())
        after = text()
        recording.keep(tmp_path, f"edits/{name}")

    assert after == SOURCE.replace("cart", "basket")


def edits_of(answer: Any) -> list[tuple[Any, str]]:
    """Return the range and text of each edit of an answer."""
    result = answer.get("result")
    found = result.get("edits", []) if isinstance(result, dict) else []
    return [(edit["range"], edit["text"]) for edit in found]


@pytest.mark.parametrize("name", CLIENTS)
async def test_a_recorded_client_is_answered_as_it_was(name: str, tmp_path: Path) -> None:
    lines = recording.load(f"edits/{name}", tmp_path)
    asked = {line["message"]["id"] for line in lines if line["message"].get("method") == COPILOT}
    recorded = {
        line["message"]["id"]: edits_of(line["message"])
        for line in lines
        if line["from"] == "server" and line["message"].get("id") in asked
    }
    with fixed_model("unwanted") as model:
        configure(tmp_path, model.base_url)
        async with running(tmp_path, results=answers_of(lines)) as client:
            answers = await asyncio.wait_for(replay(client, lines), 60)

    assert [edits for edits in recorded.values() if edits], "nothing was shown when this was recorded"
    assert {id_: edits_of(answers[id_]) for id_, edits in recorded.items() if edits} == {
        id_: edits for id_, edits in recorded.items() if edits
    }
