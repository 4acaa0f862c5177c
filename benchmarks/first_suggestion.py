"""Measures how long a newcomer takes from an empty environment to the first suggestion, in Neovim or VS Code.

Run as `python -m benchmarks.first_suggestion neovim|vscode`: it runs what the editor's page says, in a home and a
virtual environment with nothing in them, with this repository's own wheel. The editor is there already; VS Code needs
what `.ci/code-server` installs. Nothing is taken from a cache of pip's.

One line is set that no newcomer needs, `provider = "local"`: else a model server that happens to run here would answer.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.editors import neovim, vscode
from tests.editors.neovim import wait_for

REPOSITORY = Path(__file__).parents[1]
PATIENCE_S = 120.0
SETTINGS = 'provider = "local"\n'
TEXT = 'def add(price, width):\n    """Return price plus width."""\n    return'


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A user without anything installed."""

    home: Path
    programs: Path
    """Of the virtual environment."""
    wheel: Path

    @property
    def variables(self) -> Mapping[str, str]:
        """What this user's programs see."""
        own = neovim.environment(self.home, self.programs)
        return {
            **own,
            "PATH": os.pathsep.join([str(self.programs), str(self.home / "bin"), "/usr/bin", "/bin"]),
        }

    def run(self, line: str) -> None:
        """Run a line of the page, where a wheel stands for the clone.

        For pipx stands pip, and the link that pipx makes in ~/.local/bin.
        """
        line = line.replace("'.[local]'", f"'{self.wheel}[local]'")
        if line.startswith("pipx "):
            (links := self.home / ".local" / "bin").mkdir(parents=True)
            line = f"pip {line.removeprefix('pipx ')} -q && ln -s {self.programs}/llm-lsp {links}"
        subprocess.run(line, shell=True, env=self.variables, cwd=self.home, check=True)


def commands(editor: str) -> list[str]:
    """Return the installation commands on the editor's page."""
    page = (REPOSITORY / "docs" / "editors" / f"{editor}.md").read_text("utf-8")
    block = re.search(r"## Install\n.*?```sh\n(.*?)```", page, re.DOTALL)
    assert block, "the page has no commands"
    return block[1].splitlines()


def in_neovim(newcomer: Newcomer) -> str:
    """Open a file in Neovim, type, and give the first suggestion."""
    with neovim.started(neovim.BUNDLED, newcomer.variables) as editor:
        editor.open(newcomer.home / "first.py", f"{TEXT}‸")
        assert wait_for(editor.is_attached, PATIENCE_S), "the server does not run"
        editor.type(" <M-r>")
        return wait_for(editor.ghost, PATIENCE_S)


def in_vscode(newcomer: Newcomer) -> str:
    """Open a file in VS Code, type, and give the first suggestion."""
    with vscode.opened(newcomer.home, newcomer.variables) as shown:
        shown.open("first.py", TEXT)
        shown.press("Space", "Alt+\\")
        return wait_for(shown.ghost, PATIENCE_S)


def put_code_server(home: Path) -> None:
    """Put code-server on the newcomer's path, and settings that only keep dialogs and animations away."""
    (home / "bin").mkdir()
    program = home / "bin" / "code-server"
    words = " ".join(f"'{word}'" for word in vscode.code_server_command(home))
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    vscode.write_settings(home, "User", vscode.QUIET)


EDITORS: Mapping[str, Callable[[Newcomer], str]] = {"neovim": in_neovim, "vscode": in_vscode}


@contextmanager
def from_nothing() -> Iterator[Newcomer]:
    """Make an empty home and an empty environment, and build the wheel; none of that is measured."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        home = folder / "home"
        (settings := home / "config" / "llm-lsp").mkdir(parents=True)
        (settings / "config.toml").write_text(SETTINGS, encoding="utf-8")
        venv.create(folder / "venv", with_pip=True)
        build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(REPOSITORY)]
        subprocess.run(build, check=True)
        [wheel] = folder.glob("*.whl")
        somebody = Newcomer(home, folder / "venv" / "bin", wheel)
        try:
            yield somebody
        finally:
            # Where the install failed, there is no program, and the cause is to be seen.
            if (somebody.programs / "llm-lsp").exists():
                somebody.run("llm-lsp model stop")


def main() -> None:
    """Print the commands with the seconds of each, and of all until the suggestion is painted."""
    editor = sys.argv[1]
    with from_nothing() as somebody:
        if editor == "vscode":
            put_code_server(somebody.home)
        began = last = time.perf_counter()
        for line in commands(editor):
            somebody.run(line)
            last, before = time.perf_counter(), last
            print(f"{last - before:6.1f} s  {line}", flush=True)
        ghost = EDITORS[editor](somebody)
        assert ghost, "nothing was suggested"
        now = time.perf_counter()
        print(f"{now - last:6.1f} s  the editor's start, a file, and its first suggestion: {ghost!r}")
        print(f"{now - began:6.1f} s  in all, {len(commands(editor))} commands")


if __name__ == "__main__":
    main()
