"""The providers in use, and the settings they were built from."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from llm_lsp.config.settings import Config, PrivacyConfig
from llm_lsp.core.privacy.admission import AdmissionRules
from llm_lsp.core.privacy.exclusion import SECRET_FILES, Exclusion
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Feature, Patience, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.engine.client.interface import Client
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import Clock, Timer
from llm_lsp.engine.models.health import Attempt
from llm_lsp.engine.models.provider_slot import ProviderFinder, ProviderSlot, SlotDependencies
from llm_lsp.engine.models.routing import Routing
from llm_lsp.providers.base import Provider

# Seconds until a replaced provider is closed, so that its calls can end.
RETIRE_S = 15.0
# Seconds for a client to answer what its settings are; editors take milliseconds.
HOLD_S = 1.0


@dataclass(frozen=True, slots=True)
class Runtime:
    """The settings that a request uses from beginning to end; replaced as a whole."""

    epoch: int
    config: Config
    folders: tuple[str, ...]
    rules: AdmissionRules
    exclusion: Exclusion
    routing: Routing


class ProviderRegistry:
    """Owns the provider slots: loads each when it is first needed, and replaces it when its settings change."""

    def __init__(
        self,
        finder: ProviderFinder,
        client: Client,
        notifications: Notifications,
        status: ServerStatus,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._around = SlotDependencies(finder, client, notifications, status, clock, self._retire)
        self._slots: dict[str, ProviderSlot] = {}
        self._needed: set[str] = set()
        """Providers that were needed before the editor's settings arrived."""
        self._held_until = float("-inf")
        self._hold: Timer | None = None
        self._retired: set[asyncio.Task[None]] = set()
        self.runtime = _runtime(0, Config())

    def apply(self, config: Config, folders: tuple[str, ...] = ()) -> None:
        """Use new settings and workspace folders (URIs); keep providers whose own settings are unchanged."""
        old = self.runtime
        if config == old.config and folders == old.folders and old.epoch:
            return
        self.runtime = _runtime(old.epoch + 1, config, folders)
        kept = self.runtime.routing.names()
        for name, slot in [*self._slots.items()]:
            if name not in kept or not slot.fits(config):
                del self._slots[name]
                slot.leave()
        if self._needed and old.config.provider != config.provider:
            self._needed.add(config.provider)
        self._find_needed()

    def slots(
        self,
        document: Document,
        trigger: Trigger,
        used_up: Callable[[], object] = lambda: None,
        feature: Feature = "completion",
    ) -> Iterator[ProviderSlot]:
        """Yield a request's slots in order, each once; a slot starts to load when it is yielded.

        If the budget is `used_up` by then, continue with the providers that cost nothing, except for next edits:
        their model was chosen for them.
        """
        routing = self.runtime.routing
        names = routing.order(document, trigger, feature)
        for name in names:
            yield self.slot(name)
        for name in routing.unpaid() if feature != "edits" and used_up() else ():
            if name not in names:
                yield self.slot(name)

    def profile(self, document: Document) -> tuple[Profile, float] | None:
        """Return the model that would answer for a document, and its prompt limit in tokens; None if unknown.

        Starts no search.
        """
        for name in self.runtime.routing.order(document, Trigger.AUTOMATIC):
            slot = self._slots.get(name)
            if slot and slot.provider:
                profile = slot.provider.profile
                return profile, slot.budget_tokens(profile, Attempt(Patience.TYPING, share=slot.health.share))
        return None

    def slot(self, name: str) -> ProviderSlot:
        """Return a provider's slot, which starts to load."""
        slot = self._slots.get(name)
        if slot is None:
            slot = self._slots[name] = ProviderSlot(name, self.runtime.config, self._around)
        self._needed.add(name)
        if not (slot.is_searched and self._clock.now() < self._held_until):
            slot.need()
        return slot

    def open(self, document: Document) -> None:
        """Prepare a provider and a connection for an opened document."""
        self._first(document).warm()

    async def ready(self, document: Document) -> None:
        """Wait until a document's provider is found, or none was."""
        await self._first(document).ready()

    def hold(self) -> None:
        """Start no search until `release` is called, or HOLD_S have passed."""
        self._end_hold()
        self._held_until = self._clock.now() + HOLD_S
        self._hold = self._clock.call_at(self._held_until, self.release)

    def release(self) -> None:
        """Start the delayed searches: the settings have arrived."""
        self._end_hold()
        self._find_needed()

    async def aclose(self) -> None:
        """Cancel every search and close every provider."""
        self._end_hold()
        retired = [*self._retired]
        for task in retired:
            task.cancel()
        await asyncio.gather(
            *retired, *(slot.aclose() for slot in self._slots.values()), return_exceptions=True
        )

    def _first(self, document: Document) -> ProviderSlot:
        config = self.runtime.config
        trigger = Trigger.AUTOMATIC if config.completion.trigger == "auto" else Trigger.MANUAL
        return next(self.slots(document, trigger))

    def _find_needed(self) -> None:
        for name in [*self._needed & self.runtime.routing.names()]:
            self.slot(name)

    def _end_hold(self) -> None:
        self._held_until = float("-inf")
        if self._hold:
            self._hold.cancel()
            self._hold = None

    def _retire(self, provider: Provider) -> None:
        task = asyncio.create_task(self._close_later(provider))
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    async def _close_later(self, provider: Provider) -> None:
        passed = asyncio.Event()
        timer = self._clock.call_at(self._clock.now() + RETIRE_S, passed.set)
        try:
            await passed.wait()
        finally:
            timer.cancel()
            await provider.aclose()


def exclusion_of(privacy: PrivacyConfig, folders: tuple[str, ...]) -> Exclusion:
    """Return what the settings exclude in some folders (URIs)."""
    secret = SECRET_FILES if privacy.exclude_defaults else ()
    return Exclusion((*secret, *privacy.exclude), folders, heeds_ignore_files=privacy.ignore_files)


def _runtime(epoch: int, config: Config, folders: tuple[str, ...] = ()) -> Runtime:
    completion, privacy = config.completion, config.privacy
    schemes = tuple(scheme.removesuffix(":").lower() for scheme in privacy.schemes)
    rules = AdmissionRules(config.enabled, completion.languages, completion.trigger == "auto", schemes)
    return Runtime(epoch, config, folders, rules, exclusion_of(privacy, folders), Routing.of(config, folders))
