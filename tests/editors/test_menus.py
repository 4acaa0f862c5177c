"""Type, pause a second, and the menu shows the model's text: in editors without ghost text, with the real server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_lsp.cli.editors.editor_files import configurations
from tests.editors import recording
from tests.editors.cart import ABOVE, BODY, PAUSE_S, SETTINGS
from tests.editors.model_api import FixedModel, configure, fixed_model
from tests.editors.picture import save
from tests.editors.terminal import Terminal, terminal

pytestmark = pytest.mark.real_editor

HX = os.environ.get("LLM_LSP_TEST_HX") or shutil.which("hx") or ""
EGLOT = list(Path("/usr/share/emacs/site-lisp/elpa").glob("eglot-*"))
INIT = """
(package-initialize)
(require 'eglot)
(setq inhibit-startup-screen t native-comp-async-report-warnings-errors nil frame-background-mode 'dark)
(setq make-backup-files nil auto-save-default nil create-lockfiles nil eglot-send-changes-idle-time 0.1 eglot-autoshutdown t)
(menu-bar-mode -1)
(load "{home}/eglot.el")
(global-set-key (kbd "C-c c") #'completion-at-point)
(add-hook 'text-mode-hook #'eglot-ensure)
; Not text itself: there an answer is prose, and one line long.
(define-derived-mode code-mode text-mode "Code")
(add-to-list 'auto-mode-alist '("\\\\.code\\\\'" . code-mode))
"""


@pytest.fixture
def model() -> Iterator[FixedModel]:
    with fixed_model(f"rn{BODY.removeprefix('return')}\n") as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, model: FixedModel) -> Path:
    """A home whose `llm-lsp` is the real server, with a model that always answers the same."""
    configure(tmp_path, SETTINGS, model.base_url)
    return tmp_path


def text_of(shown: Terminal, first: str) -> str:
    """Return the rows from the first that contains this text, without the editor's gutter."""
    rows = shown.rows()
    start = next(index for index, row in enumerate(rows) if first in row)
    margin = rows[start].index(first)
    return "\n".join(row[margin:].rstrip() for row in rows[start:])


@pytest.mark.skipif(not HX, reason="no hx on the path, and LLM_LSP_TEST_HX is not set")
def test_helix_shows_it_and_inserts_every_line(home: Path) -> None:
    (config := home / "config" / "helix").mkdir()
    shutil.copy(configurations() / "helix" / "languages.toml", config)
    with terminal([HX, "cart.py"], home, recording.install(home)) as shown:
        shown.wait(lambda _: recording.is_ready(home), 30)
        shown.type("i", ABOVE, "Enter", "    retu")
        shown.pump(PAUSE_S)
        shown.wait_for("return sum(")
        shown.type("C-n")
        save(shown.screen, "helix")
        shown.type("Enter")
        shown.wait_for("    )")
        shown.type("Escape")
        assert f"{ABOVE}\n    {BODY}\n" in text_of(shown, ABOVE)
        # Its end is not waited for: at times Helix goes without asking the server to.
        shown.type(":w!", "Enter")
        shown.wait(lambda _: (home / "cart.py").exists() and (home / "cart.py").read_text())
    recording.keep(home, "helix")
    assert (home / "cart.py").read_text() == f"{ABOVE}\n    {BODY}\n"


@pytest.mark.skipif(not EGLOT, reason="no eglot in Emacs' packages: apt install elpa-eglot")
def test_eglot_shows_it_and_inserts_every_line(home: Path) -> None:
    (home / ".emacs.d").mkdir()
    shutil.copy(configurations() / "emacs" / "eglot.el", home)
    (home / ".emacs.d" / "init.el").write_text(INIT.format(home=home))
    with terminal(["emacs", "-nw", "cart.code"], home, recording.install(home)) as shown:
        shown.wait(lambda _: recording.is_ready(home), 30)
        shown.type(ABOVE, "C-j", "    retu")
        shown.pump(PAUSE_S)
        shown.type("C-c", "c")
        # The first line is shown as a candidate, too; the last one is there when all is inserted.
        shown.wait_for("item.price for item in cart")
        shown.wait_for("    )")
        save(shown.screen, "eglot")
        shown.type("C-x", "C-s", "C-x", "k", "Enter")
        shown.wait(lambda _: "shutdown" in recording.methods(home))
    recording.keep(home, "eglot")
    assert (home / "cart.code").read_text() == f"{ABOVE}\n    {BODY}\n"
