"""What the engine may tell the editor; knows no protocol."""

from __future__ import annotations

from typing import Literal, Protocol

Level = Literal["error", "warning", "info"]
Kind = Literal["Normal", "Error", "Warning", "Inactive"]
"""As Copilot's server names its status."""


class Client(Protocol):
    """The editor, as far as the engine talks to it. Nothing here waits or fails."""

    def show(self, level: Level, text: str) -> None:
        """Show one line to the user; the engine says each thing once."""
        ...

    def progress(self, title: str, message: str, *, done: bool = False) -> None:
        """Show work under way; calls with the same title are one progress, ended by `done`."""
        ...

    def status(self, kind: Kind, *, busy: bool, message: str) -> None:
        """Say how the server is."""
        ...
