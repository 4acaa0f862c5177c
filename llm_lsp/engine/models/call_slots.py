"""Limits the calls in flight at one provider, across all features."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping

from llm_lsp.core.request import Feature

# A next edit never takes the slot that a completion or a question waits for; those two are served in order of arrival.
PRIORITY: Mapping[Feature, int] = {"completion": 0, "chat": 0, "edits": 1}


class CallSlots:
    """A provider's slots, given out by priority and then in order of arrival."""

    def __init__(self) -> None:
        self._n_taken = 0
        self._n_arrived = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    def enter(self, feature: Feature, most: int) -> asyncio.Future[None]:
        """Return a ticket that is done when fewer than `most` calls are in flight; immediately if a slot is free.

        To give up, cancel a ticket that is not done, and call `release` for one that is.
        """
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._n_taken < most and not self._waiting:
            self._n_taken += 1
            ticket.set_result(None)
        else:
            self._n_arrived += 1
            heapq.heappush(self._waiting, (PRIORITY[feature], self._n_arrived, ticket))
        return ticket

    def release(self) -> None:
        """Free a slot; the first waiting ticket gets it."""
        while self._waiting:
            ticket = heapq.heappop(self._waiting)[2]
            if not ticket.done():
                ticket.set_result(None)
                return
        self._n_taken -= 1
