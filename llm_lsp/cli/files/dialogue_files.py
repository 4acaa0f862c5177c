"""Stores the conversation about each folder in a file that only its user can read."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import astuple
from hashlib import sha256
from pathlib import Path

from llm_lsp.cli.files import settings_files as settings
from llm_lsp.core.chat.dialogue import Exchange, page
from llm_lsp.errors import DialogueError
from llm_lsp.system import private_folder, write_private

# Seconds. After a month without use a conversation is deleted: it contains code.
KEPT_S = 30 * 24 * 3600.0


class DialogueFiles:
    """Stores each folder's conversation as JSON, and as a Markdown page for the user."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @classmethod
    def default(cls) -> DialogueFiles:
        """Return the store in the platform's folder."""
        return cls(settings.user_state_folder() / "ask")

    def read(self, folder: str) -> tuple[Exchange, ...]:
        """Return the conversation about a folder, named by its URI; raises DialogueError."""
        file = self._file(folder)
        try:
            return tuple(_exchange(item) for item in json.loads(file.read_bytes())["exchanges"])
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise DialogueError(
                f"{file} cannot be read: start a new conversation with `llm-lsp ask --new`, or delete the file"
            ) from exc

    def write(self, folder: str, exchanges: tuple[Exchange, ...]) -> str:
        """Store a conversation and return the URI of its page; raises DialogueError."""
        file = self._file(folder)
        kept = {"folder": folder, "exchanges": [astuple(exchange) for exchange in exchanges]}
        try:
            private_folder(self._root)
            self._forget_old()
            # As ASCII: a document may contain lone surrogates, which UTF-8 cannot encode.
            write_private(file, json.dumps(kept, indent=1).encode())
            write_private(file.with_suffix(".md"), page(exchanges).encode("utf-8", "replace"))
        except OSError as exc:
            raise DialogueError(
                f"the conversation was not saved: {self._root} cannot be written: {exc.strerror or exc}"
            ) from exc
        return file.with_suffix(".md").as_uri()

    def _file(self, folder: str) -> Path:
        return self._root / f"{sha256(folder.encode('utf-8', 'replace')).hexdigest()[:16]}.json"

    def _forget_old(self) -> None:
        before = time.time() - KEPT_S
        for path in self._root.iterdir():
            with contextlib.suppress(OSError):  # another process may have removed it
                if path.stat().st_mtime < before:
                    path.unlink()


def _exchange(item: list[str]) -> Exchange:
    code, question, answer = map(str, item)
    return Exchange(code, question, answer)
