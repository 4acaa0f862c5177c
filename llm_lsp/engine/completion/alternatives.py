"""Further answers where somebody asks by hand for what they were given already; knows no cache and no provider."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from llm_lsp.core.request import Completion, CompletionRequest, Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.text import Point

# Calls for further answers: with the first they are as many as somebody looks through.
MOST = 3


class Sampler(Protocol):
    """Who makes the calls."""

    def slots(self, request: CompletionRequest) -> int:
        """Say how many calls may be made at a time; 0 where nobody is to be asked."""
        ...

    async def sample(self, request: CompletionRequest) -> Completion | Skip:
        """Ask with a loose hand."""
        ...


@dataclass(frozen=True, slots=True)
class _State:
    """What somebody sees; asking by hand changes nothing of it."""

    uri: str
    version: int
    point: Point


class Alternatives:
    """Knows what was asked for by hand last, and what was offered beside the first answer."""

    def __init__(self, sampler: Sampler, next_id: Callable[[], int]) -> None:
        self._sampler = sampler
        self._next_id = next_id
        self._last: _State | None = None
        self._offered: dict[str, tuple[CompletionRequest, Completion]] = {}

    async def beside(self, request: CompletionRequest, first: Completion) -> tuple[Completion, ...]:
        """Give further answers where this one was asked for by hand before and nothing has changed, else none."""
        state = _State(request.document.uri, request.document.version, request.point)
        is_repeated = request.trigger is Trigger.MANUAL and state == self._last
        self._last = state if request.trigger is Trigger.MANUAL else None
        self._offered = {}
        if not is_repeated:
            return ()
        # All at once: more would wait for each other.
        count = min(MOST, self._sampler.slots(request))
        asked = [replace(request, id=self._next_id(), sample=n) for n in range(1, count + 1)]
        answers = await asyncio.gather(*map(self._sampler.sample, asked))
        found = [one for one in answers if isinstance(one, Completion)]
        self._offered = {one.id: (request, one) for one in found}
        return distinct(first, found)

    def take(self, completion_id: str) -> tuple[CompletionRequest, Completion] | None:
        """Give what was offered beside a first answer under this id, and its request."""
        return self._offered.pop(completion_id, None)


def distinct(first: Completion, others: Sequence[Completion]) -> tuple[Completion, ...]:
    """Give those that say something else than the first and each other: what came more often first, then as they came."""
    times = Counter(map(_gist, others))
    by_gist = {_gist(one): one for one in reversed(others)}
    by_gist.pop(_gist(first), None)
    order = [_gist(one) for one in others]
    return tuple(sorted(by_gist.values(), key=lambda one: (-times[_gist(one)], order.index(_gist(one)))))


def _gist(completion: Completion) -> str:
    """Give the text as it reads: white space tells no two answers apart."""
    return "".join(completion.text.split())
