"""Vim and Emacs, which draw ghost text on a terminal: how each is run and used, against a scripted server."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.editors import elpa
from tests.editors.recording import SERVER
from tests.editors.script import Script
from tests.editors.terminal import Terminal, environment, terminal

Keys = tuple[str, ...]
VIMRC = r"""
syntax on
set noswapfile viminfo= ttimeoutlen=20 shiftwidth=4 softtabstop=4 expandtab
set laststatus=2 statusline=%f\ [%{LlmLspStatus()}]
inoremap <expr> <C-L> "L" .. 1
inoremap <C-F> <Nop>
let g:llm_lsp_wait_ms = 60000
let g:llm_lsp_keys = {'previous': '<C-P>'}
"""
EMACS_INIT = f"""{elpa.INIT}
(load (locate-user-emacs-file "llm-lsp"))
(add-hook 'text-mode-hook #'llm-lsp-mode)
(add-hook 'python-mode-hook #'llm-lsp-mode)
(setq llm-lsp-wait-seconds 60)
(setq native-comp-async-report-warnings-errors nil)
(menu-bar-mode -1)
(setq frame-background-mode 'dark)
(defun fresh (name)
  (interactive "sFile: ")
  (delete-other-windows)
  (find-file (expand-file-name name "~")))
(setq corfu-auto t corfu-auto-prefix 2)
(global-set-key (kbd "C-c f") #'fresh)
(global-set-key (kbd "C-c c") #'completion-at-point)
(add-hook 'llm-lsp-mode-hook
          (lambda () (add-hook 'completion-at-point-functions #'llm-lsp-completion-at-point nil t)))
"""


EMACS_COMMANDS = {"provider": "llm-lsp-select-provider"}


@dataclass(frozen=True, slots=True)
class Ways:
    """How an editor is started, and what is typed into it for each thing that a user wants of it."""

    argv: Keys
    init: tuple[str, str]
    """A file of its user's, and what stands in it."""
    indent: str
    """What the editor does not indent by itself."""
    open: Callable[[str], Keys]
    """What opens a file, ready to be typed into."""
    command: Callable[[str, str], Keys]
    """A command of the server's by its name, with an argument or none."""
    keys: Mapping[str, Keys]
    """`leave` takes a ghost text away, so that the file's own is left."""


WAYS = {
    "vim": Ways(
        ("vim", "+startinsert"),
        (".vimrc", VIMRC),
        indent="    ",
        open=lambda name: ("Escape", f":silent only! | edit! {name}", "Enter", "i"),
        command=lambda name, argument: ("Escape", f":LlmLsp {name} {argument}", "Enter"),
        keys={
            **{"all": ("Tab",), "line": ("C-l",), "word": ("C-f",), "next": ("C-b",), "previous": ("C-p",)},
            **{"leave": ("Escape",), "undo": ("Escape", "u")},
        },
    ),
    "emacs": Ways(
        ("emacs", "-nw"),
        (".emacs.d/init.el", EMACS_INIT),
        indent="",
        open=lambda name: ("C-c", "f", name, "Enter"),
        command=lambda name, argument: (
            "M-x",
            EMACS_COMMANDS.get(name, f"llm-lsp-{name}"),
            "Enter",
            *([argument, "Enter"] if argument else []),
        ),
        keys={
            **{"all": ("Tab",), "line": ("C-e",), "word": ("M-f",), "next": ("M-n",), "previous": ("M-p",)},
            **{"leave": ("C-a",), "undo": ("C-_",)},
        },
    ),
}


@dataclass(frozen=True, slots=True)
class Ghosts:
    """A running editor, and its scripted server."""

    name: str
    style: Ways
    terminal: Terminal
    script: Script

    def press(self, wanted: str) -> None:
        """Type the keys for something."""
        self.terminal.type(*self.style.keys[wanted])

    def open(self, name: str) -> None:
        """Open a new file, and forget what the server was sent before."""
        (self.script.folder / name).touch()
        self.terminal.type(*self.style.open(name))
        self.terminal.wait(lambda rows: name in rows[-2] and not _text(rows))
        self.script.forget()

    def fresh(self) -> None:
        """Begin anew, with nothing in the file and no answer."""
        self.script.answer()
        self.open(f"{len(list(self.script.folder.glob('*.txt')))}.txt")

    def expect(self, text: str) -> None:
        """Wait until this is what a user sees of the file, ghost text included."""
        self.terminal.wait(lambda rows: _text(rows) == text)


def _text(rows: list[str]) -> str:
    """Return the rows of the file, without the status line and the message line."""
    return "\n".join("" if row == "~" else row for row in rows[:-2]).rstrip("\n")


@contextmanager
def running(name: str, home: Path) -> Iterator[Ghosts]:
    """Run an editor into which `llm-lsp editor` has installed what we give for it."""
    style = WAYS[name]
    if shutil.which(style.argv[0]) is None:
        pytest.skip(f"no {style.argv[0]} on the path")
    (script := Script(home)).install()
    installation = [str(SERVER), "editor", name, "--install"]
    subprocess.run(installation, env=environment(home, script.commands), capture_output=True, check=True)
    file, init = style.init
    (home / file).write_text(init)
    with terminal([*style.argv, "first.txt"], home, script.commands) as shown:
        shown.wait_for("first.txt")
        shown.type("x")  # Emacs starts the server when typing begins
        shown.wait(lambda _: script.sent("initialized"))
        yield Ghosts(name, style, shown, script)
