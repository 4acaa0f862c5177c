"""Next edits in a real Vim and a real Emacs, from typed keys to the changed file, through the real server."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.editors import recording
from tests.editors.model_api import PROVIDER, fixed_model
from tests.editors.picture import save
from tests.editors.terminal import Terminal, environment, terminal

pytestmark = pytest.mark.real_editor

SOURCE = "def total(cart, rate):\n    price = sum(cart)\n    return price * rate * len(cart)\n"


@dataclass(frozen=True)
class Keys:
    """How an editor is started, and what is typed for each step."""

    argv: tuple[str, ...]
    init: tuple[str, str]
    start: tuple[str, ...]
    """Starts the server."""
    rename: tuple[str, ...]
    """Gives the parameter, whose name is `cart`, the name `basket`."""
    accept: str
    dismiss: str
    undo: tuple[str, ...]
    write: tuple[str, ...]


EDITORS = {
    "vim": Keys(
        ("vim", "-n"),
        (".vimrc", "syntax on\nset ttimeoutlen=20 laststatus=2 statusline=%f\\ %{LlmLspStatus()}\n"),
        ("i", "Escape"),
        ("/cart", "Enter", "cwbasket", "Escape"),
        "Tab",
        "Escape",
        ("u",),
        (":w", "Enter"),
    ),
    "emacs": Keys(
        ("emacs", "-nw"),
        (
            ".emacs.d/init.el",
            "(load (locate-user-emacs-file \"llm-lsp\"))\n(add-hook 'python-mode-hook #'llm-lsp-mode)\n"
            "(setq jrpc-default-request-timeout 60 frame-background-mode 'dark make-backup-files nil native-comp-async-report-warnings-errors nil)\n(menu-bar-mode -1)\n",
        ),
        ("M-x", "llm-lsp-restart", "Enter"),
        ("C-s", "cart", "Enter", "Escape", "Backspace", "basket"),
        "Tab",
        "C-g",
        ("C-_",),
        ("C-x", "C-s"),
    ),
}


@dataclass(frozen=True)
class Marked:
    """A running editor whose file is renamed in."""

    keys: Keys
    shown: Terminal
    file: Path

    def expect(self, *rows: str) -> None:
        """Wait until these are the file's rows, marks included."""
        self.shown.wait(lambda found: tuple(found[: len(rows)]) == rows)


@contextmanager
def renamed(name: str, home: Path, source: str = SOURCE) -> Iterator[Marked]:
    keys = EDITORS[name]
    if shutil.which(keys.argv[0]) is None:
        pytest.skip(f"no {keys.argv[0]} on the path")
    with fixed_model("unwanted") as model:
        settings = home / "config" / "llm-lsp" / "config.toml"
        settings.parent.mkdir(parents=True)
        text = PROVIDER.format(base_url=model.base_url) + '\n[completion]\ntrigger = "manual"\n'
        settings.write_text(text, encoding="utf-8")
        commands = recording.install(home)
        installation = [str(recording.SERVER), "editor", name, "--install"]
        subprocess.run(installation, env=environment(home, commands), capture_output=True, check=True)
        (home / keys.init[0]).write_text(keys.init[1], encoding="utf-8")
        (file := home / "cart.py").write_text(source, encoding="utf-8")
        with terminal([*keys.argv, "cart.py"], home, commands) as shown:
            shown.wait_for("def total")
            shown.type(*keys.start)
            shown.wait(
                lambda _: recording.is_ready(home) and "textDocument/didOpen" in recording.methods(home)
            )
            shown.type(*keys.rename)
            yield Marked(keys, shown, file)


@pytest.mark.parametrize("name", EDITORS)
def test_the_edit_is_marked_reached_and_applied(name: str, tmp_path: Path) -> None:
    with renamed(name, tmp_path) as editor:
        editor.expect(
            "def total(basket, rate):", "    price = sum(cartbasket)", "    return price * rate * len(cart)"
        )
        save(editor.shown.screen, f"{name}-edit")
        editor.shown.type(editor.keys.accept)
        editor.shown.type(editor.keys.accept)
        editor.expect(
            "def total(basket, rate):", "    price = sum(basket)", "    return price * rate * len(cartbasket)"
        )
        editor.shown.type(editor.keys.accept, editor.keys.accept)
        editor.expect(
            "def total(basket, rate):", "    price = sum(basket)", "    return price * rate * len(basket)"
        )
        editor.shown.type(*editor.keys.undo)
        editor.expect(
            "def total(basket, rate):", "    price = sum(basket)", "    return price * rate * len(cart)"
        )
        editor.shown.type(*editor.keys.write)
        editor.shown.wait(lambda _: "len(cart)" in editor.file.read_text("utf-8").splitlines()[2])
    assert editor.file.read_text("utf-8").splitlines()[:2] == [
        "def total(basket, rate):",
        "    price = sum(basket)",
    ]


@pytest.mark.parametrize("name", EDITORS)
def test_a_dismissed_edit_is_gone_and_the_text_is_as_it_was(name: str, tmp_path: Path) -> None:
    with renamed(name, tmp_path) as editor:
        editor.expect("def total(basket, rate):", "    price = sum(cartbasket)")
        editor.shown.type(editor.keys.dismiss)
        editor.expect(
            "def total(basket, rate):", "    price = sum(cart)", "    return price * rate * len(cart)"
        )


@pytest.mark.parametrize("name", EDITORS)
def test_an_edit_off_the_screen_is_hinted_at(name: str, tmp_path: Path) -> None:
    source = SOURCE.replace("\n    return", "\n" + "    rate += 1\n" * 30 + "    return").replace(
        "sum(cart)", "0"
    )
    with renamed(name, tmp_path, source) as editor:
        editor.shown.wait_for("next edit: line 33")
        editor.shown.type(editor.keys.accept)
        editor.shown.wait_for("len(cartbasket)")
