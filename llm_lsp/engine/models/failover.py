"""Chooses the provider for a request, and the next one if a call fails."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import ModelRequest, Patience, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.clock import Clock
from llm_lsp.engine.models.health import Attempt
from llm_lsp.engine.models.provider_choice import ProviderChoice
from llm_lsp.engine.models.provider_slot import LOADING, ProviderSlot
from llm_lsp.engine.models.registry import ProviderRegistry
from llm_lsp.engine.usage.ledger import Ledger
from llm_lsp.errors import BlockedError, BudgetError, LlmLspError, ProviderError

# Seconds after a request's arrival until which a fallback is tried; later the user has typed on or asked again.
FALLBACK_S: Mapping[Patience, float] = {
    Patience.TYPING: 2.0,
    Patience.ASKED: 10.0,
    Patience.COMMAND: float("inf"),
}


class Failover:
    """Goes through a request's providers in the order of the settings, fallbacks after the first choice."""

    def __init__(
        self,
        registry: ProviderRegistry,
        ledger: Ledger,
        clock: Clock,
        stays_here: Callable[[str], Skip | None] = lambda uri: None,
    ) -> None:
        """`stays_here` returns why a document's text (given its URI) may not leave this machine, or None."""
        self._stays_here = stays_here
        self._registry = registry
        self._ledger = ledger
        self._clock = clock

    def slots(self, request: ModelRequest) -> Iterator[ProviderSlot]:
        """Yield a request's provider slots in order; a slot starts to load when it is yielded."""
        return self._registry.slots(request.document, request.trigger, self._ledger.used_up, request.feature)

    def choices(self, request: ModelRequest) -> Iterator[ProviderChoice | Skip]:
        """Yield each provider that may handle the request, in order, or why it may not.

        Stops at a provider that is still being found: waiting for it is better than a fallback.
        """
        for slot in self.slots(request):
            yield self.choice(request, slot)
            if slot.is_loading:
                return

    def choice(self, request: ModelRequest, slot: ProviderSlot) -> ProviderChoice | Skip:
        """Return the provider in a slot, or why the request may not use it."""
        if slot.provider is None:
            return slot.absent
        if not slot.provider.profile.local and (skip := self._stays_here(request.document.uri)):
            return skip
        if skip := _unfit(request, slot.provider.profile):
            return skip
        attempt = Attempt(request.patience, share=slot.health.share)
        refusal = self._refusal(request, slot, slot.provider.profile)
        return ProviderChoice(self._registry.runtime, slot, slot.provider, attempt, refusal)

    def held_back(self, request: ModelRequest, choice: ProviderChoice) -> Skip | None:
        """Return why a call that has waited for a slot may no longer be made, or None."""
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
        """Return the first provider that may be called now and is not in `tried`, or why there is none.

        With `waits`, wait for providers that are being found or started. Providers with an address in the
        settings take only milliseconds, and are always waited for.
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
        """Return what to do after a failed call: the next choice or why there is none, and the wait in seconds.

        The next choice is a fallback, or the same provider again. `tried` holds the providers that have failed
        for this request, and is added to. Only commands wait for a fallback that is still being found. If a
        provider's server is gone, it is restarted, and the result is LOADING.
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


def _unfit(request: ModelRequest, profile: Profile) -> Skip | None:
    """Return why a model is of no use for a feature, or None.

    The thoughts of a model that always thinks take seconds and are paid for, at every pause in typing.
    """
    is_allowed = request.trigger is Trigger.MANUAL and profile.thinks_by_hand
    if not profile.always_thinks or request.feature == "chat" or is_allowed:
        return None
    return Skip(Reason.ALWAYS_THINKS, f"{profile.provider}: {profile.model}")


def _failed(error: LlmLspError) -> Skip:
    reason = Reason.BLOCKED if isinstance(error, BlockedError) else Reason.PROVIDER_FAILED
    return Skip(reason, str(error))
