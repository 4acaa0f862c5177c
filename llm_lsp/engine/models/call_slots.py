"""The calls that one provider may have in flight, shared by all features."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping

from llm_lsp.core.request import Feature

# A next edit never takes a place that a completion or a question waits for; these two are served as they came.
PRIORITY: Mapping[Feature, int] = {"completion": 0, "chat": 0, "edits": 1}


class CallSlots:
    """Hands out a provider's places, by priority and then in order of arrival."""

    def __init__(self) -> None:
        self._n_taken = 0
        self._n_arrived = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    def enter(self, feature: Feature, most: int) -> asyncio.Future[None]:
        """Return a ticket that is done when fewer than `most` calls are in flight; a free place is taken at once.

        Cancel a ticket that is not done to give up; call `release` for one that is.
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
        """Return a place: it goes to the first ticket that waits."""
        while self._waiting:
            ticket = heapq.heappop(self._waiting)[2]
            if not ticket.done():
                ticket.set_result(None)
                return
        self._n_taken -= 1
