"""An editor together with a language server whose answers are scripted; knows no model."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.editors.neovim import Editor, running

FAKE = Path(__file__).with_name("fake_server.py")
INLINE = "textDocument/inlineCompletion"


@dataclass(frozen=True, slots=True)
class Scene:
    """Neovim and the scripted server that it runs."""

    editor: Editor
    folder: Path

    def answer(self, **script: object) -> None:
        """Say what the server answers, by what stands before the cursor."""
        # Whole at once: the server may be reading it.
        (new := self.folder / "script.new").write_text(json.dumps(script), encoding="utf-8")
        new.replace(self.folder / "script.json")

    def open(self, marked: str) -> None:
        """Open a new file, and forget what the server was sent before."""
        n_files = len(list(self.folder.glob("*.txt")))
        self.editor.open(self.folder / f"{n_files}.txt", marked)
        self.editor.request("fake/sync", {})
        (self.folder / "record.jsonl").write_text("")

    def sent(self, method: str) -> list[Any]:
        """Give the parameters of each message of a method that the editor has sent."""
        self.editor.request("fake/sync", {})
        record = (self.folder / "record.jsonl").read_text("utf-8").splitlines()
        return [message["params"] for line in record if (message := json.loads(line)).get("method") == method]

    def columns_asked(self) -> list[int]:
        """Give the column of each question."""
        return [params["position"]["character"] for params in self.sent(INLINE)]


@contextmanager
def scripted(binary: Path, folder: Path, init: str = "") -> Iterator[Scene]:
    """Run a Neovim with our plugin, whose `llm-lsp` is the scripted server."""
    command = folder / "bin" / "llm-lsp"
    command.parent.mkdir()
    command.write_text(
        f"#!/bin/sh\nexec {sys.executable} {FAKE} {folder}/script.json {folder}/record.jsonl\n"
    )
    command.chmod(stat.S_IRWXU)
    with running(binary, folder, command.parent, init) as editor:
        scene = Scene(editor, folder)
        scene.answer()
        yield scene


def item(text: str, columns: tuple[int, int] | None = None, command: str = "") -> dict[str, Any]:
    """Write an answer of the server; `columns` are the range that it replaces."""
    answer: dict[str, Any] = {"insertText": text}
    if columns is not None:
        answer["range"] = columns
    if command:
        answer["command"] = {"title": "", "command": "llm-lsp.accepted", "arguments": [command]}
    return answer
