"""Whose turn it is to answer a request, and whose when that one failed; makes no call and keeps no text."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Iterator, Mapping

from llm_lsp.core.request import CompletionRequest, Face, Patience
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.completion.job import CompletionAttempt
from llm_lsp.engine.models.provider_slot import LOADING, ProviderSlot
from llm_lsp.engine.models.registry import ProviderRegistry
from llm_lsp.engine.usage.ledger import Ledger
from llm_lsp.engine.workspace.clock import Clock
from llm_lsp.engine.workspace.workspace import Workspace
from llm_lsp.errors import BudgetError, LlmLspError, ProviderError

# Seconds from a request's coming after which another provider is not begun with: who types has gone on, who asked
# by hand asks again.
FALLBACK_S: Mapping[Patience, float] = {
    Patience.TYPING: 2.0,
    Patience.ASKED: 10.0,
    Patience.COMMAND: float("inf"),
}

# Seconds that a request by hand waits for a model to be found or loaded: 4.7 GB, the largest of the catalogue, come
# in 47 from a disk that reads 100 MB a second.
LOAD_S = 60.0


class Failover:
    """Chooses among the living providers."""

    def __init__(
        self, registry: ProviderRegistry, workspace: Workspace, ledger: Ledger, clock: Clock
    ) -> None:
        self._registry = registry
        self._workspace = workspace
        self._ledger = ledger
        self._clock = clock
        self._newest: dict[tuple[str, Face], int] = {}
        self._held: dict[tuple[str, Face], asyncio.Future[Skip]] = {}
        """Requests that wait for a model to load; what is put in ends the wait."""

    def arrived(self, request: CompletionRequest) -> None:
        """Take note of a request: failures of earlier ones of its document and face are of no interest now."""
        key = request.document.uri, request.face
        self._newest[key] = request.id
        self._release(key, Skip(Reason.SUPERSEDED))

    def is_newest(self, request: CompletionRequest) -> bool:
        """Say whether no newer request of its document and face has come, and the document is open."""
        return self._newest.get((request.document.uri, request.face)) == request.id

    def places(
        self, request: CompletionRequest, without: Collection[str] = ()
    ) -> Iterator[CompletionAttempt | Skip]:
        """Give a place at each provider that a request may go to, in order, or why there is none.

        Whoever is only being found ends the line: it is worth the wait, and nobody stands in for it.
        """
        for slot in self._line(request):
            if slot.name in without:
                continue
            yield self._place(request, slot)
            if slot.is_loading:
                return

    def refusal(self, place: CompletionAttempt) -> Skip | None:
        """Say why a provider is not to be asked now, or None."""
        if not place.profile.free and (use := self._ledger.used_up()):
            return Skip(Reason.OVER_BUDGET, f"{use.words} are spent")
        return place.slot.health.refusal(self._clock.now(), place.request.patience)

    async def loaded(self, request: CompletionRequest, slot: ProviderSlot | None = None) -> Skip | None:
        """Wait for a provider to be found or started, where somebody asks by hand; say why it was in vain.

        That is the one of `seat`, or the first of the line. The wait ends after LOAD_S, with an edit, and when a newer
        request of its document and face comes. Nobody waits for a menu: the editor's own items stand in it, too.
        """
        if request.patience is Patience.TYPING or request.face == "menu":
            return LOADING
        key = request.document.uri, request.face
        over = self._held[key] = asyncio.get_running_loop().create_future()
        timer = self._clock.call_at(self._clock.now() + LOAD_S, lambda: self._release(key, LOADING))
        try:
            # New settings put another seat in the place of the one that is waited for.
            while not over.done() and (awaited := slot or next(self._line(request))).is_loading:
                await _first(awaited.settled(), over)
        finally:
            timer.cancel()
            if self._held.get(key) is over:
                del self._held[key]
        return over.result() if over.done() else None

    async def after(
        self, place: CompletionAttempt, error: LlmLspError, tried: set[str]
    ) -> CompletionAttempt | Skip:
        """Say what follows a failed call: another provider, the same once more, or nothing.

        `tried` has the providers that failed for this request, and is added to. Only a command waits for another
        provider to be found; who asks by hand waits for its own to be started again.
        """
        request, slot = place.request, place.slot
        if not self.is_newest(request):
            return Skip(Reason.SUPERSEDED)
        if slot.provider is not place.provider:
            # Its server is gone, and is being started again: that is no error.
            return await self._restarted(place)
        if isinstance(error, ProviderError) and error.began:
            return Skip(Reason.PROVIDER_FAILED, str(error))
        tried.add(slot.name)
        elapsed_s = self._clock.now() - request.asked_at
        if elapsed_s <= FALLBACK_S[request.patience] and (other := await self._fallback(request, tried)):
            return other
        if isinstance(error, BudgetError):
            return Skip(Reason.OVER_BUDGET, str(error))
        wait_s = slot.health.again_in(error, place.attempt, elapsed_s)
        if wait_s is None:
            return Skip(Reason.PROVIDER_FAILED, str(error))
        return place.again(self._clock.now() + wait_s)

    def edited(self, uri: str) -> None:
        """Answer what waits for a model: the text that it would be asked about is no longer there."""
        self._settle_document(uri, Reason.SUPERSEDED)

    def close_document(self, uri: str) -> None:
        """Forget a document's requests; nothing follows their failures."""
        self._newest = {key: number for key, number in self._newest.items() if key[0] != uri}
        self._settle_document(uri, Reason.UNKNOWN_DOCUMENT)

    def settle(self, why: Skip) -> None:
        """Answer all that waits for a model."""
        for key in self._held:
            self._release(key, why)

    def _settle_document(self, uri: str, why: Reason) -> None:
        for key in self._held:
            if key[0] == uri:
                self._release(key, Skip(why))

    def _release(self, key: tuple[str, Face], why: Skip) -> None:
        over = self._held.get(key)
        if over is not None and not over.done():
            over.set_result(why)

    def _line(self, request: CompletionRequest) -> Iterator[ProviderSlot]:
        return self._registry.line(request.document, request.trigger, self._ledger.used_up)

    def _place(self, request: CompletionRequest, slot: ProviderSlot) -> CompletionAttempt | Skip:
        if slot.provider is None:
            return slot.absent
        return CompletionAttempt.of(
            request, self._registry.runtime, slot, self._workspace.pace(request.document.uri)
        )

    async def _fallback(self, request: CompletionRequest, tried: Collection[str]) -> CompletionAttempt | None:
        for slot in self._line(request):
            if slot.name in tried:
                continue
            if request.patience is Patience.COMMAND:
                await slot.ready()
            place = self._place(request, slot)
            if isinstance(place, CompletionAttempt) and self.refusal(place) is None:
                return place
        return None

    async def _restarted(self, place: CompletionAttempt) -> CompletionAttempt | Skip:
        if place.attempt.number:
            return place.slot.absent
        if place.request.patience is Patience.COMMAND:
            await place.slot.ready()
        elif skip := await self.loaded(place.request, place.slot):
            return skip
        again = self._place(place.request, place.slot)
        return again.again(self._clock.now()) if isinstance(again, CompletionAttempt) else again


async def _first(wait: Coroutine[object, object, None], over: asyncio.Future[Skip]) -> None:
    """Wait for one of them; nobody waits for the first any more then."""
    task = asyncio.create_task(wait)
    try:
        await asyncio.wait((task, over), return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
