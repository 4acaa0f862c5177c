"""Messages to the user: one per cause, however often it comes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from llm_lsp.engine.client.interface import Client, Level

LOG = logging.getLogger(__name__)

# Seconds. What comes and goes, as a connection on a train, is not said each time; the status shows it.
SAY_AGAIN_S = 600.0


@dataclass(frozen=True, slots=True)
class _Said:
    text: str
    at: float
    is_over: bool = False


class Notifications:
    """Shows one message per cause: what was shown is not shown again until its cause was gone."""

    def __init__(self, client: Client, now: Callable[[], float]) -> None:
        self._client = client
        self._now = now
        self._said: dict[tuple[str, str], _Said] = {}

    def say(self, cause: str, level: Level, text: str, kind: str = "") -> None:
        """Show and log a line; the same line for the same cause comes once.

        If a `kind` is given, it decides whether two lines say the same, since a text may hold a number of seconds;
        and a line that comes again within SAY_AGAIN_S is not shown.
        """
        old = self._said.get((cause, kind))
        if old and (self._is_fresh(old) if kind else not old.is_over and old.text == text):
            self._said[cause, kind] = replace(old, is_over=False)
            return
        self._said[cause, kind] = _Said(text, self._now())
        LOG.warning("%s", text)
        self._client.show(level, text)

    def over(self, cause: str) -> None:
        """Record that a cause is gone: when it comes again it is worth a message again."""
        lasting = [key for key, said in self._said.items() if key[0] == cause and not said.is_over]
        for key in lasting:
            self._said[key] = replace(self._said[key], is_over=True)

    def _is_fresh(self, said: _Said) -> bool:
        return not said.is_over or self._now() < said.at + SAY_AGAIN_S
