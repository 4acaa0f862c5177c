"""Chooses the provider of a request, and the next one when a call failed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import ModelRequest, Patience
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.clock import Clock
from llm_lsp.engine.models.health import Attempt
from llm_lsp.engine.models.provider_choice import ProviderChoice
from llm_lsp.engine.models.provider_slot import LOADING, ProviderSlot
from llm_lsp.engine.models.registry import ProviderRegistry
from llm_lsp.engine.usage.ledger import Ledger
from llm_lsp.errors import BlockedError, BudgetError, LlmLspError, ProviderError

# Seconds from a request's arrival after which no fallback is tried: the user has typed on, or asks again.
FALLBACK_S: Mapping[Patience, float] = {
    Patience.TYPING: 2.0,
    Patience.ASKED: 10.0,
    Patience.COMMAND: float("inf"),
}


class Failover:
    """Goes through the providers of a request in the order that the settings name, the fallbacks after the first."""

    def __init__(
        self,
        registry: ProviderRegistry,
        ledger: Ledger,
        clock: Clock,
        stays_here: Callable[[str], Skip | None] = lambda uri: None,
    ) -> None:
        """`stays_here` returns why a document, given as a URI, may go to no model on another machine."""
        self._stays_here = stays_here
        self._registry = registry
        self._ledger = ledger
        self._clock = clock

    def slots(self, request: ModelRequest) -> Iterator[ProviderSlot]:
        """Yield the slots of a request's providers, in order; each begins to be filled when it is reached."""
        return self._registry.slots(request.document, request.trigger, self._ledger.used_up)

    def choices(self, request: ModelRequest) -> Iterator[ProviderChoice | Skip]:
        """Yield each provider that a request may go to, in order, or why there is none.

        A provider that is still being found ends the iteration: it is worth the wait, and has no fallback.
        """
        for slot in self.slots(request):
            yield self.choice(request, slot)
            if slot.is_loading:
                return

    def choice(self, request: ModelRequest, slot: ProviderSlot) -> ProviderChoice | Skip:
        """Return the provider in a slot for a request, or why there is none."""
        if slot.provider is None:
            return slot.absent
        if not slot.provider.profile.local and (skip := self._stays_here(request.document.uri)):
            return skip
        attempt = Attempt(request.patience, share=slot.health.share)
        refusal = self._refusal(request, slot, slot.provider.profile)
        return ProviderChoice(self._registry.runtime, slot, slot.provider, attempt, refusal)

    def held_back(self, request: ModelRequest, choice: ProviderChoice) -> Skip | None:
        """Return why a call that has waited for a place may not be made now, or None."""
        slot, profile = choice.slot, choice.profile
        if skip := self._refusal(request, slot, profile):
            return skip
        is_automatic = request.patience is Patience.TYPING
        if is_automatic and not profile.local and not slot.health.rate.allows(self._clock.now()):
            return Skip(Reason.RATE_LIMITED)
        return None

    async def usable(
        self, request: ModelRequest, tried: Collection[str] = (), *, waits: bool = False
    ) -> ProviderChoice | Skip:
        """Return the first provider that may be asked now and is not among `tried`, or why there is none.

        With `waits` a provider that is being found or started is waited for. One that is only named in the settings
        is made within milliseconds, and always waited for.
        """
        refused: Skip | None = None
        for slot in self.slots(request):
            if slot.name in tried:
                continue
            if waits:
                await slot.ready()
            elif not slot.is_searched:
                await slot.settled()
            choice = self.choice(request, slot)
            if isinstance(choice, Skip):
                refused = refused or choice
            elif choice.refusal:
                refused = refused or choice.refusal
            else:
                return choice
        return refused or Skip(Reason.NO_PROVIDER)

    async def after(
        self, request: ModelRequest, choice: ProviderChoice, error: LlmLspError, tried: set[str]
    ) -> tuple[ProviderChoice | Skip, float]:
        """Return what follows a failed call: a fallback, the same provider once more, or why neither; and the wait, in s.

        `tried` holds the providers that failed for this request, and is added to. Only a command waits for a fallback
        that is still being found. A provider whose server is gone is being started again: LOADING.
        """
        slot = choice.slot
        if choice.is_gone:
            return (slot.absent if choice.attempt.number else LOADING), 0.0
        if isinstance(error, ProviderError) and error.began:
            return _failed(error), 0.0
        tried.add(slot.name)
        elapsed_s = self._clock.now() - request.asked_at
        if elapsed_s <= FALLBACK_S[request.patience]:
            fallback = await self.usable(request, tried, waits=request.patience is Patience.COMMAND)
            if isinstance(fallback, ProviderChoice):
                return fallback, 0.0
        if isinstance(error, BudgetError):
            return Skip(Reason.OVER_BUDGET, str(error)), 0.0
        wait_s = slot.health.again_in(error, choice.attempt, elapsed_s)
        if wait_s is None:
            return _failed(error), 0.0
        return choice.again(), wait_s

    def _refusal(self, request: ModelRequest, slot: ProviderSlot, profile: Profile) -> Skip | None:
        if not profile.free and (use := self._ledger.used_up()):
            return Skip(Reason.OVER_BUDGET, f"{use.words} are spent")
        return slot.health.refusal(self._clock.now(), request.patience)


def _failed(error: LlmLspError) -> Skip:
    reason = Reason.BLOCKED if isinstance(error, BlockedError) else Reason.PROVIDER_FAILED
    return Skip(reason, str(error))
