"""Says each thing to the user once; knows not how it is shown."""

from __future__ import annotations

import logging

from llm_lsp.engine.client import Client, Level

LOG = logging.getLogger(__name__)


class Notices:
    """One message per cause: a text that was shown is not shown again until its cause was gone."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._said: dict[str, str] = {}

    def say(self, cause: str, level: Level, text: str) -> None:
        """Show and log a line, an error as the status too; the same line for the same cause comes once."""
        if self._said.get(cause) == text:
            return
        self._said[cause] = text
        LOG.warning("%s", text)
        self._client.show(level, text)
        if level == "error":
            self._client.status("Error", message=text)

    def over(self, cause: str) -> None:
        """The cause is gone: when it comes again it is worth a message again."""
        if self._said.pop(cause, None) is not None:
            self._client.status("Normal")
