"""Tracks the newest request of each document, and the requests that wait for a model to load."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from llm_lsp.core.request import CompletionRequest, Face, Patience
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.clock import Clock
from llm_lsp.engine.models.provider_slot import LOADING, ProviderSlot

# Seconds that a manual request waits for a model to be found or loaded: the largest catalogue model, 4.7 GB, takes
# 47 s to load from a disk that reads 100 MB a second.
LOAD_S = 60.0


class RequestTracker:
    """Knows the newest request of each document and face; older ones do not wait for anything."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._newest: dict[tuple[str, Face], int] = {}
        self._held: dict[tuple[str, Face], asyncio.Future[Skip]] = {}
        """Requests waiting for a model to load; setting a result ends the wait."""

    def arrived(self, uri: str, face: Face, number: int) -> bool:
        """Record a request, which supersedes an earlier one of its document and face; return False if it is
        older.
        """
        key = uri, face
        if self._newest.get(key, number) > number:
            return False
        self._newest[key] = number
        self._release(key, Skip(Reason.SUPERSEDED))
        return True

    def is_newest(self, request: CompletionRequest) -> bool:
        """Check whether the document is open and has no newer request of the same face."""
        return self._newest.get((request.document.uri, request.face)) == request.id

    async def loaded(self, request: CompletionRequest, slot: Callable[[], ProviderSlot]) -> Skip | None:
        """Wait until a manual request's provider is found or started; return None, or why there is no provider.

        `slot` returns the slot to wait for; it is called again after each change of settings. The wait ends
        after LOAD_S, at an edit, and when a newer request of the document and face arrives. Automatic requests
        do not wait, and neither do menu requests, because the menu also contains the editor's own items.
        """
        if request.patience is Patience.TYPING or request.face == "menu":
            return LOADING
        key = request.document.uri, request.face
        over = self._held[key] = asyncio.get_running_loop().create_future()
        timer = self._clock.call_at(self._clock.now() + LOAD_S, lambda: self._release(key, LOADING))
        try:
            while not over.done() and (awaited := slot()).is_loading:
                await _first(awaited.settled(), over)
        finally:
            timer.cancel()
            if self._held.get(key) is over:
                del self._held[key]
        return over.result() if over.done() else None

    def edited(self, uri: str) -> None:
        """Answer a document's waiting requests, whose text has changed."""
        self._settle_document(uri, Reason.SUPERSEDED)

    def close_document(self, uri: str) -> None:
        """Forget a document's requests; failed calls for them are not retried."""
        self._newest = {key: number for key, number in self._newest.items() if key[0] != uri}
        self._settle_document(uri, Reason.UNKNOWN_DOCUMENT)

    def settle(self, why: Skip) -> None:
        """Answer all requests that wait for a model to load."""
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


async def _first(wait: Coroutine[object, object, None], over: asyncio.Future[Skip]) -> None:
    """Wait until one of the two is done, and cancel the first."""
    task = asyncio.create_task(wait)
    try:
        await asyncio.wait((task, over), return_when=asyncio.FIRST_COMPLETED)
    finally:
        task.cancel()
