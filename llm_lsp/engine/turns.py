"""Whose turn it is to answer a request, and whose when that one failed; makes no call and keeps no text."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from llm_lsp.core.types import CompletionRequest, Face, Patience, Reason, Skip
from llm_lsp.engine.clock import Clock
from llm_lsp.engine.place import Place
from llm_lsp.engine.registry import Registry
from llm_lsp.engine.seat import Seat
from llm_lsp.engine.usage import Ledger
from llm_lsp.engine.workspace import Workspace
from llm_lsp.errors import BudgetError, LlmLspError, ProviderError

# Seconds from a request's coming after which another provider is not begun with: who types has gone on, who asked
# by hand asks again.
STAND_IN_S: Mapping[Patience, float] = {
    Patience.TYPING: 2.0,
    Patience.ASKED: 10.0,
    Patience.COMMAND: float("inf"),
}


class Turns:
    """Chooses among the living providers."""

    def __init__(self, registry: Registry, workspace: Workspace, ledger: Ledger, clock: Clock) -> None:
        self._registry = registry
        self._workspace = workspace
        self._ledger = ledger
        self._clock = clock
        self._newest: dict[tuple[str, Face], int] = {}

    def arrived(self, request: CompletionRequest) -> None:
        """Take note of a request: failures of earlier ones of its document and face are of no interest now."""
        self._newest[request.document.uri, request.face] = request.id

    def is_newest(self, request: CompletionRequest) -> bool:
        """Say whether no newer request of its document and face has come, and the document is open."""
        return self._newest.get((request.document.uri, request.face)) == request.id

    def places(self, request: CompletionRequest, without: Collection[str] = ()) -> Iterator[Place | Skip]:
        """Give a place at each provider that a request may go to, in order, or why there is none.

        Whoever is only being found ends the line: it is worth the wait, and nobody stands in for it.
        """
        for seat in self._line(request):
            if seat.name in without:
                continue
            yield self._place(request, seat)
            if seat.absent.reason is Reason.LOADING and seat.provider is None:
                return

    def refusal(self, place: Place) -> Skip | None:
        """Say why a provider is not to be asked now, or None."""
        if not place.profile.free and (use := self._ledger.used_up()):
            return Skip(Reason.OVER_BUDGET, f"{use.words} are spent")
        return place.seat.reliability.refusal(self._clock.now(), place.request.patience)

    async def made(self, request: CompletionRequest) -> bool:
        """Wait for a provider that has only to be made, where somebody asks by hand; say whether it is there now."""
        seat = next(self._line(request))
        if request.patience is Patience.TYPING or seat.is_searched:
            return False
        await seat.ready()
        return seat.provider is not None and self.is_newest(request)

    async def after(self, place: Place, error: LlmLspError, tried: set[str]) -> Place | Skip:
        """Say what follows a failed call: another provider, the same once more, or nothing.

        `tried` has the providers that failed for this request, and is added to. A command waits for a provider that
        is being found; nobody else waits here.
        """
        request, seat = place.request, place.seat
        if not self.is_newest(request):
            return Skip(Reason.SUPERSEDED)
        if seat.provider is not place.provider:
            # Its server is gone, and is being started again: that is no error.
            return await self._restarted(place)
        if isinstance(error, ProviderError) and error.began:
            return Skip(Reason.PROVIDER_FAILED, str(error))
        tried.add(seat.name)
        elapsed_s = self._clock.now() - request.asked_at
        if elapsed_s <= STAND_IN_S[request.patience] and (other := await self._stand_in(request, tried)):
            return other
        if isinstance(error, BudgetError):
            return Skip(Reason.OVER_BUDGET, str(error))
        wait_s = seat.reliability.again_in(error, place.attempt, elapsed_s)
        if wait_s is None:
            return Skip(Reason.PROVIDER_FAILED, str(error))
        return place.again(self._clock.now() + wait_s)

    def close_document(self, uri: str) -> None:
        """Forget a document's requests; nothing follows their failures."""
        self._newest = {key: number for key, number in self._newest.items() if key[0] != uri}

    def _line(self, request: CompletionRequest) -> Iterator[Seat]:
        return self._registry.line(request.document, request.trigger, self._ledger.used_up)

    def _place(self, request: CompletionRequest, seat: Seat) -> Place | Skip:
        if seat.provider is None:
            return seat.absent
        return Place.of(request, self._registry.runtime, seat, self._workspace.pace(request.document.uri))

    async def _stand_in(self, request: CompletionRequest, tried: Collection[str]) -> Place | None:
        for seat in self._line(request):
            if seat.name in tried:
                continue
            if request.patience is Patience.COMMAND:
                await seat.ready()
            place = self._place(request, seat)
            if isinstance(place, Place) and self.refusal(place) is None:
                return place
        return None

    async def _restarted(self, place: Place) -> Place | Skip:
        if place.request.patience is not Patience.COMMAND or place.attempt.number:
            return place.seat.absent
        await place.seat.ready()
        again = self._place(place.request, place.seat)
        return again.again(self._clock.now()) if isinstance(again, Place) else again
