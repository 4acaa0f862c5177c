"""Recordings of real editors' sessions: the messages between an editor and its server, as files."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

Message = dict[str, Any]

RECORDINGS = Path(__file__).with_name("recordings")
ROOT = Path(__file__).parents[2]
SERVER = Path(sys.executable).with_name("llm-lsp")
HOME = "$HOME"
"""Stands in a recording for the folder that was the editor's home."""


def install(folder: Path) -> Path:
    """Write an `llm-lsp` that is the real server, with everything said written down; give its folder."""
    (commands := folder / "bin").mkdir()
    command = commands / "llm-lsp"
    command.write_text(
        f"#!/bin/sh\nexport PYTHONPATH={ROOT}\n"
        f'exec {sys.executable} -m tests.editors.tee {folder}/said.jsonl {SERVER} "$@"\n'
    )
    command.chmod(0o700)
    return commands


def said(folder: Path) -> list[Message]:
    """Yield each message in order, with its sender."""
    record = folder / "said.jsonl"
    return [json.loads(line) for line in record.read_text("utf-8").splitlines()] if record.exists() else []


def methods(folder: Path) -> list[str]:
    """Return the method of each message that the editor or the server has sent."""
    return [line["message"].get("method", "") for line in said(folder)]


def is_ready(folder: Path) -> bool:
    """Whether the server has said which model it asks: what is typed before that is not what is tested."""
    return "llm-lsp/status" in methods(folder)


def keep(folder: Path, name: str) -> None:
    """Store what was said as a recording, where LLM_LSP_TEST_RECORD asks for it."""
    if not os.environ.get("LLM_LSP_TEST_RECORD"):
        return
    lines = [json.dumps(line).replace(str(folder), HOME) for line in said(folder)]
    kept = [line for line in lines if '"$/progress"' not in line]
    RECORDINGS.mkdir(exist_ok=True)
    (RECORDINGS / f"{name}.json").write_text("[\n" + ",\n".join(kept) + "\n]\n", encoding="utf-8")


def load(name: str, home: Path) -> list[Message]:
    """Return the messages of a recording, with paths in this home folder."""
    text = (RECORDINGS / f"{name}.json").read_text("utf-8")
    messages: list[Message] = json.loads(text.replace(HOME, str(home)))
    return messages
