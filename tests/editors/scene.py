"""A Neovim together with a language server whose answers are scripted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.editors.neovim import Editor, running
from tests.editors.script import INLINE, Script


@dataclass(frozen=True, slots=True)
class Scene:
    """Neovim and the scripted server that it runs."""

    editor: Editor
    script: Script

    def answer(self, **script: object) -> None:
        """Set the server's answers, by the text before the cursor."""
        self.script.answer(**script)

    def open(self, marked: str) -> None:
        """Open a new file, and forget what the server was sent before."""
        folder = self.script.folder
        self.editor.open(folder / f"{len(list(folder.glob('*.txt')))}.txt", marked)
        self.editor.request("fake/sync", {})
        self.script.forget()

    def sent(self, method: str) -> list[Any]:
        """Return the parameters of each message with a method that the editor has sent."""
        self.editor.request("fake/sync", {})
        return self.script.sent(method)

    def columns_asked(self) -> list[int]:
        """Return the column of each request."""
        return [params["position"]["character"] for params in self.sent(INLINE)]


@contextmanager
def scripted(binary: Path, folder: Path, init: str = "") -> Iterator[Scene]:
    """Run a Neovim with our plugin, whose `llm-lsp` is the scripted server."""
    (script := Script(folder)).install()
    with running(binary, folder, script.commands, init) as editor:
        yield Scene(editor, script)
