"""How long a completion menu waits for a model."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from llm_lsp.core.request import Completion
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.clock import Clock

# Seconds. Such a client requests again only at the next keystroke, so after a pause it has no other answer.
HOLD_S = 2.0

Answer = Completion | Skip


class MenuDeadline:
    """Answers menu requests in time; a late model answer goes into the cache.

    A request is answered as soon as there is text; or when its time budget is over and its document has changed
    since; or after HOLD_S.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[Answer]] = set()

    def edited(self, uri: str) -> None:
        """Record that the user typed on: requests for the earlier text are no longer held."""
        if event := self._held.pop(uri, None):
            event.set()

    async def answer(
        self, uri: str, asking: Coroutine[None, None, Answer], budget_s: float, *, is_current: bool
    ) -> Answer:
        """Wait for an answer as long as a menu may; a request for outdated text is not held beyond its budget."""
        self.edited(uri)
        moved_on = self._held[uri] = asyncio.Event()
        if not is_current:
            moved_on.set()
        task = asyncio.create_task(asking)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._race(task, moved_on, budget_s)
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            if self._held.get(uri) is moved_on:
                del self._held[uri]
        return task.result() if task.done() else Skip(Reason.TIMED_OUT)

    async def aclose(self) -> None:
        """Cancel the requests that are still open."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _race(self, task: asyncio.Task[Answer], moved_on: asyncio.Event, budget_s: float) -> None:
        in_budget, in_time = asyncio.Event(), asyncio.Event()
        now = self._clock.now()
        timers = [
            self._clock.call_at(now + budget_s, in_budget.set),
            self._clock.call_at(now + max(budget_s, HOLD_S), in_time.set),
        ]
        waits = [
            asyncio.create_task(_both(in_budget, moved_on)),
            asyncio.create_task(_both(in_time, in_time)),
        ]
        try:
            await asyncio.wait({task, *waits}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for timer in timers:
                timer.cancel()
            for wait in waits:
                wait.cancel()


async def _both(one: asyncio.Event, other: asyncio.Event) -> None:
    await one.wait()
    await other.wait()
