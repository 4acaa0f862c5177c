"""The scripted server's answers and received messages, as files shared with a test."""

from __future__ import annotations

import json
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FAKE = Path(__file__).with_name("fake_server.py")
INLINE = "textDocument/inlineCompletion"


@dataclass(frozen=True, slots=True)
class Script:
    """The files of one scripted server, in a folder."""

    folder: Path

    @property
    def commands(self) -> Path:
        """The folder with its `llm-lsp`, for an editor's path."""
        return self.folder / "bin"

    def install(self) -> None:
        """Write the command, and a script that answers nothing."""
        self.commands.mkdir()
        command = self.commands / "llm-lsp"
        command.write_text(
            f"#!/bin/sh\nexec {sys.executable} {FAKE} {self.folder}/script.json {self._record}\n"
        )
        command.chmod(stat.S_IRWXU)
        self.answer()

    def answer(self, **script: object) -> None:
        """Set the server's answers, by the text before the cursor."""
        # Whole at once: the server may be reading it.
        (new := self.folder / "script.new").write_text(json.dumps(script), encoding="utf-8")
        new.replace(self.folder / "script.json")

    def forget(self) -> None:
        """Forget what the server was sent."""
        self._record.write_text("")

    def sent(self, method: str) -> list[Any]:
        """Return the parameters of each message with a method that the server has read."""
        lines = self._record.read_text("utf-8").splitlines() if self._record.exists() else []
        return [message["params"] for line in lines if (message := json.loads(line)).get("method") == method]

    @property
    def _record(self) -> Path:
        return self.folder / "record.jsonl"


def item(text: str, columns: tuple[int, int] | None = None, command: str = "") -> dict[str, Any]:
    """Write an answer of the server; `columns` are the range that it replaces."""
    answer: dict[str, Any] = {"insertText": text}
    if columns is not None:
        answer["range"] = columns
    if command:
        answer["command"] = {"title": "", "command": "llm-lsp.accepted", "arguments": [command]}
    return answer
