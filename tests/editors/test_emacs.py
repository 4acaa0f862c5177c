"""What only the Emacs package has, in a real Emacs, against a language server with scripted answers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from llm_lsp.cli.editors.editor_files import configurations
from tests.editors import elpa
from tests.editors.ghosts import Ghosts
from tests.editors.script import item

pytestmark = pytest.mark.real_editor

PACKAGE = configurations() / "emacs" / "llm-lsp.el"
COMPANY = list(Path("/usr/share/emacs/site-lisp/elpa").glob("company-*"))


@pytest.mark.parametrize(
    ("keys", "after"),
    [
        pytest.param(["C-g"], "ab", id="dismissed"),
        pytest.param(["C-c", "c"], "abcd\nef", id="completion at point"),
    ],
)
def test_a_key_has_its_effect_on_a_ghost_text(emacs: Ghosts, keys: list[str], after: str) -> None:
    emacs.script.answer(ab={"items": [item("cd\nef")]})
    emacs.terminal.type("ab")
    emacs.expect("abcd\nef")
    emacs.terminal.type(*keys)
    emacs.expect(after)
    emacs.terminal.type("C-a")  # takes the ghost away, so that the text alone is left
    emacs.expect(after.split("\n")[0])


@pytest.mark.skipif(not elpa.has("corfu-terminal"), reason=elpa.MISSING)
def test_corfu_offers_the_line_in_its_menu(emacs: Ghosts) -> None:
    emacs.script.answer(a={"items": [item("bcd\nef")]})
    emacs.terminal.type("M-x", "corfu-terminal-mode", "Enter", "M-x", "corfu-mode", "Enter", "a")
    emacs.expect("abcd\nef")
    emacs.terminal.type("b")  # corfu opens by itself, where it has something at the second letter
    emacs.terminal.wait_for("abcd\nef\n abcd    llm-lsp")
    emacs.terminal.type("Enter", "C-a")
    emacs.expect("abcd")


@pytest.mark.skipif(not COMPANY, reason="no company in Emacs' packages: apt install elpa-company")
def test_company_offers_the_line_in_its_menu(emacs: Ghosts) -> None:
    emacs.script.answer(ab={"items": [item("cd\nef")]})
    emacs.terminal.type("M-x", "company-mode", "Enter", "ab")
    emacs.expect("abcd\nef")
    emacs.terminal.type("M-x", "company-complete", "Enter")
    emacs.expect("abcd\nef")
    emacs.script.answer()
    emacs.terminal.type("C-a")
    emacs.expect("abcd")


@pytest.mark.skipif(shutil.which("emacs") is None, reason="no emacs on the path")
def test_the_package_compiles_without_a_warning(tmp_path: Path) -> None:
    copy = shutil.copy(PACKAGE, tmp_path)
    compile_it = "(setq byte-compile-error-on-warn t)"
    argv = ["emacs", "-Q", "--batch", "--eval", compile_it, "-f", "batch-byte-compile", str(copy)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
