"""Lets completions go first: a call for a next edit waits until none is in flight, and ends when one begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llm_lsp.core.request import Feature


class CallTraffic:
    """The calls in flight at all providers, by feature; models on this machine share its processor."""

    def __init__(self) -> None:
        self._n_completions = 0
        self._are_none = asyncio.Event()
        self._are_none.set()
        self._yielding: dict[object, Callable[[], None]] = {}

    @property
    def has_completions(self) -> bool:
        """Whether a call for a completion is waiting or in flight."""
        return self._n_completions > 0

    async def quiet(self) -> None:
        """Wait until no completion is in flight."""
        await self._are_none.wait()

    def began(self, call: object, feature: Feature, give_way: Callable[[], None] | None) -> None:
        """Record the start of a call; `give_way` ends it when a completion begins, None if it need not."""
        if feature == "completion":
            self._n_completions += 1
            self._are_none.clear()
            for end in [*self._yielding.values()]:
                end()
        elif give_way is not None:
            self._yielding[call] = give_way

    def ended(self, call: object, feature: Feature) -> None:
        """Record the end of a call that began."""
        self._yielding.pop(call, None)
        if feature == "completion":
            self._n_completions -= 1
            if not self._n_completions:
                self._are_none.set()
