"""Says each thing to the user once; knows not how it is shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from llm_lsp.core.profile import Profile
from llm_lsp.core.usage.budget import SpentTotals
from llm_lsp.engine.workspace.client import Client, Kind, Level, Status

LOG = logging.getLogger(__name__)

# Seconds. What comes and goes, as a connection on a train, is not said each time; the status shows it.
SAY_AGAIN_S = 600.0


@dataclass(frozen=True, slots=True)
class _Said:
    text: str
    at: float
    is_over: bool = False


class Notifications:
    """One message per cause: what was shown is not shown again until its cause was gone; and one status."""

    def __init__(self, client: Client, now: Callable[[], float]) -> None:
        self._client = client
        self._now = now
        self._said: dict[tuple[str, str], _Said] = {}
        self._status: Status | None = None

    def say(self, cause: str, level: Level, text: str, kind: str = "") -> None:
        """Show and log a line, an error as the status too; the same line for the same cause comes once.

        Where a `kind` is given it tells whether two lines say the same, and not their text, which may hold a
        number of seconds; and one that comes again soon is shown as the status alone.
        """
        if level == "error":
            self.status("Error", text)
        old = self._said.get((cause, kind))
        if old and (self._is_fresh(old) if kind else not old.is_over and old.text == text):
            self._said[cause, kind] = replace(old, is_over=False)
            return
        self._said[cause, kind] = _Said(text, self._now())
        LOG.warning("%s", text)
        self._client.show(level, text)

    def over(self, cause: str) -> None:
        """The cause is gone: when it comes again it is worth a message again."""
        lasting = [key for key, said in self._said.items() if key[0] == cause and not said.is_over]
        for key in lasting:
            self._said[key] = replace(self._said[key], is_over=True)
        if lasting:
            self.status("Normal")

    def status(self, kind: Kind, message: str = "", *, busy: bool = False) -> None:
        """Say how the server is, if that is new."""
        self._show(kind=kind, message=message, busy=busy)

    def busy(self, busy: bool) -> None:
        """Say whether somebody waits; all else stays as it was."""
        self._show(busy=busy)

    def answering(self, profile: Profile) -> None:
        """Say who answers."""
        self._show(provider=profile.provider, model=profile.model)

    def spent(self, spent: SpentTotals) -> None:
        """Say what was spent today."""
        amounts = (f"{money:.2f} {currency}" for currency, money in spent.money_today.items() if money > 0)
        self._show(spent_today=" + ".join(amounts))

    def _show(self, **changes: Any) -> None:
        status = replace(self._status or Status(), **changes)
        if status != self._status:
            self._status = status
            self._client.status(status)

    def _is_fresh(self, said: _Said) -> bool:
        return not said.is_over or self._now() < said.at + SAY_AGAIN_S
