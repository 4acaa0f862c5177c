"""Messages to the user: one per cause, however often it recurs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from llm_lsp.engine.client.interface import Client, Level

LOG = logging.getLogger(__name__)

# Seconds without a repeated message, for causes that come and go, such as a train's network. The status shows them.
SAY_AGAIN_S = 600.0
# Messages of one cause that are shown in so many seconds; more come from no person who edits settings, but from a program
# that changes them. The log has them all.
MOST_SHOWN = 5
SHOWN_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class _Said:
    text: str
    at: float
    is_over: bool = False


class Notifications:
    """Shows one message per cause; a message is repeated only after its cause was gone."""

    def __init__(self, client: Client, now: Callable[[], float]) -> None:
        self._client = client
        self._now = now
        self._said: dict[tuple[str, str], _Said] = {}
        self._shown: dict[str, list[float]] = {}
        """When messages of a cause were shown lately."""

    def say(self, cause: str, level: Level, text: str, kind: str = "") -> None:
        """Log a line and show it to the user, unless it was shown for this cause already.

        With a `kind`, lines of the same kind count as equal, since their text may contain a number of seconds;
        such a line is also not repeated within SAY_AGAIN_S.
        """
        old = self._said.get((cause, kind))
        if old and (self._is_fresh(old) if kind else not old.is_over and old.text == text):
            self._said[cause, kind] = replace(old, is_over=False)
            return
        self._said[cause, kind] = _Said(text, self._now())
        LOG.warning("%s", text)
        since = self._now() - SHOWN_WITHIN_S
        shown = self._shown[cause] = [at for at in self._shown.get(cause, ()) if at > since]
        if len(shown) < MOST_SHOWN:
            shown.append(self._now())
            self._client.show(level, text)

    def over(self, cause: str) -> None:
        """Record that a cause is gone, so that its next occurrence is shown again."""
        lasting = [key for key, said in self._said.items() if key[0] == cause and not said.is_over]
        for key in lasting:
            self._said[key] = replace(self._said[key], is_over=True)

    def _is_fresh(self, said: _Said) -> bool:
        return not said.is_over or self._now() < said.at + SAY_AGAIN_S
