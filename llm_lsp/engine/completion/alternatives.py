"""Provides further answers when a manual request is repeated."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from llm_lsp.core.request import Completion, CompletionRequest, Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.text import Point

# Calls for further answers; users look through few.
MOST = 3


class Sampler(Protocol):
    """Makes the calls."""

    def slots(self, request: CompletionRequest) -> int:
        """Return how many calls may be made at a time; 0 if there is no provider."""
        ...

    async def sample(self, request: CompletionRequest) -> Completion | Skip:
        """Return an answer that was sampled at a higher temperature."""
        ...


@dataclass(frozen=True, slots=True)
class _State:
    """The state that a manual request is made in; it changes only if the user does something."""

    uri: str
    version: int
    point: Point


class Alternatives:
    """Remembers the last manual request, and the further answers offered for it."""

    def __init__(self, sampler: Sampler, next_id: Callable[[], int]) -> None:
        self._sampler = sampler
        self._next_id = next_id
        self._last: _State | None = None
        self._offered: dict[str, tuple[CompletionRequest, Completion]] = {}

    async def beside(self, request: CompletionRequest, first: Completion) -> tuple[Completion, ...]:
        """Return further answers if this repeats the last manual request and nothing has changed, else none."""
        state = _State(request.document.uri, request.document.version, request.point)
        is_repeated = request.trigger is Trigger.MANUAL and state == self._last
        self._last = state if request.trigger is Trigger.MANUAL else None
        self._offered = {}
        if not is_repeated:
            return ()
        # Only as many as can run at the same time.
        count = min(MOST, self._sampler.slots(request))
        asked = [replace(request, id=self._next_id(), sample=n) for n in range(1, count + 1)]
        answers = await asyncio.gather(*map(self._sampler.sample, asked))
        found = [one for one in answers if isinstance(one, Completion)]
        self._offered = {one.id: (request, one) for one in found}
        return distinct(first, found)

    def take(self, completion_id: str) -> tuple[CompletionRequest, Completion] | None:
        """Remove and return the further answer of this id and its request; None if there is none."""
        return self._offered.pop(completion_id, None)


def distinct(first: Completion, others: Sequence[Completion]) -> tuple[Completion, ...]:
    """Return the answers that differ from the first and from each other, most frequent first."""
    times = Counter(map(_gist, others))
    by_gist = {_gist(one): one for one in reversed(others)}
    by_gist.pop(_gist(first), None)
    order = [_gist(one) for one in others]
    return tuple(sorted(by_gist.values(), key=lambda one: (-times[_gist(one)], order.index(_gist(one)))))


def _gist(completion: Completion) -> str:
    """Return the text without white space, in which answers may differ."""
    return "".join(completion.text.split())
