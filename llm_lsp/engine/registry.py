"""The living provider and the settings it came from; knows neither where settings nor where models come from."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from llm_lsp.config.values import AUTO, LOCAL, Config, PrivacyConfig
from llm_lsp.core.exclude import SECRET_FILES, Exclusion
from llm_lsp.core.trigger import AdmissionRules
from llm_lsp.core.types import Reason, Skip
from llm_lsp.engine.client import Client, Progress
from llm_lsp.engine.clock import Clock, Timer
from llm_lsp.engine.notices import Notices
from llm_lsp.errors import InternalError, LlmLspError
from llm_lsp.providers.base import Provider

LOG = logging.getLogger(__name__)

# Seconds between two searches for a provider, while requests come: a server that was just started is
# found soon, and a machine without one is not kept busy.
SEARCH_AGAIN_S = 10.0
# Seconds that a replaced provider's connections live on, so that its calls end on their own epoch.
RETIRE_S = 15.0
# Seconds that a client has to answer what its settings are; editors answer within milliseconds.
HOLD_S = 1.0
PROVIDER_CAUSE = "provider"
SEARCH_TOKEN = "llm-lsp/provider"
SEARCHED = (AUTO, LOCAL)
LOADING = Skip(Reason.LOADING)


class Finder(Protocol):
    """Turns settings into a provider that can be asked."""

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        """Find or start it; `report` gets lines on what is going on. Raises LlmLspError."""
        ...


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a request works with from its beginning to its end; swapped as a whole."""

    epoch: int
    config: Config
    folders: tuple[str, ...]
    rules: AdmissionRules
    exclusion: Exclusion
    provider: Provider | None = None
    absent: Skip = LOADING
    """Why there is no provider."""


class Registry:
    """Owns the provider: finds it when a document opens, swaps it when the settings change."""

    def __init__(self, finder: Finder, client: Client, notices: Notices, clock: Clock) -> None:
        self._finder = finder
        self._client = client
        self._notices = notices
        self._clock = clock
        self._search: asyncio.Task[None] | None = None
        self._searched_at = float("-inf")
        self._held_until = float("-inf")
        self._hold: Timer | None = None
        self._is_needed = False
        self._retired: set[asyncio.Task[None]] = set()
        self.runtime = _runtime(0, Config())

    def apply(self, config: Config, folders: tuple[str, ...] = ()) -> None:
        """Take new settings, and the workspace's folders as URIs; the provider stays where its own did not change."""
        old = self.runtime
        if config == old.config and folders == old.folders and old.epoch:
            return
        keeps = _choice(config) == _choice(old.config)
        self.runtime = _runtime(old.epoch + 1, config, folders)
        if keeps:
            self.runtime = replace(self.runtime, provider=old.provider, absent=old.absent)
        if keeps:
            return
        self._retire(old.provider)
        if self._search:
            self._search.cancel()
            self._search = None
        if self._is_needed:
            self.need()

    def need(self) -> None:
        """Begin to find a provider, unless there is one or the last search was a moment ago."""
        self._is_needed = True
        # A named provider costs nothing to make; only a search starts what is big.
        if self._clock.now() < self._held_until and self.runtime.config.provider in SEARCHED:
            return
        if self.runtime.provider or (self._search and not self._search.done()):
            return
        if self.runtime.absent.reason is not Reason.LOADING:
            if self._clock.now() < self._searched_at + SEARCH_AGAIN_S:
                return
            self._put(None, LOADING)
        self._search = asyncio.create_task(self._find(self.runtime.config))

    async def ready(self) -> Runtime:
        """Wait until the search is over, and give what it found."""
        self.need()
        while self._search and not self._search.done():
            await asyncio.wait([self._search])
        return self.runtime

    def lost(self, provider: Provider) -> bool:
        """Take note that a provider's server is gone; give whether another is being found or started."""
        if self.runtime.provider is provider and self.runtime.config.provider in SEARCHED:
            self._put(None, LOADING)
            self._retire(provider)
            self.need()
        return self.runtime.provider is None

    def hold(self) -> None:
        """Settings are on their way: begin no search before they are here, or HOLD_S have passed."""
        self._end_hold()
        self._held_until = self._clock.now() + HOLD_S
        self._hold = self._clock.call_at(self._held_until, self.release)

    def release(self) -> None:
        """The settings are here."""
        self._end_hold()
        if self._is_needed:
            self.need()

    def _end_hold(self) -> None:
        self._held_until = float("-inf")
        if self._hold:
            self._hold.cancel()
            self._hold = None

    async def aclose(self) -> None:
        """End the search and close every provider."""
        self._end_hold()
        tasks = [*self._retired, *([self._search] if self._search else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.runtime.provider:
            await self.runtime.provider.aclose()

    async def _find(self, config: Config) -> None:
        reported = False

        def report(message: str) -> None:
            nonlocal reported
            reported = True
            self._client.progress(Progress(SEARCH_TOKEN, "llm-lsp", message))
            self._client.status("Normal", busy=True, message=message)

        try:
            provider = await self._finder.find(config, report)
        except LlmLspError as exc:
            self._nothing_found(exc)
        except Exception as exc:
            # A fault of our own must not leave every request waiting for a provider.
            self._nothing_found(InternalError.of(exc))
        else:
            self._found(provider)
            await provider.warm()
        finally:
            self._searched_at = self._clock.now()
            if reported:
                self._client.progress(Progress(SEARCH_TOKEN, "llm-lsp", done=True))

    def _nothing_found(self, error: LlmLspError) -> None:
        self._put(None, Skip(Reason.NO_PROVIDER, str(error)))
        self._notices.say(PROVIDER_CAUSE, "warning", str(error))
        self._client.status("Warning", busy=False, message=str(error))

    def _found(self, provider: Provider) -> None:
        profile = provider.profile
        LOG.info("provider %s, model %s, fim %s", profile.provider, profile.model, profile.fim)
        self._put(provider, Skip(Reason.NO_PROVIDER))
        self._notices.over(PROVIDER_CAUSE)
        self._client.status("Normal", busy=False, message=f"{profile.provider}: {profile.model}")

    def _put(self, provider: Provider | None, absent: Skip) -> None:
        self.runtime = replace(self.runtime, epoch=self.runtime.epoch + 1, provider=provider, absent=absent)

    def _retire(self, provider: Provider | None) -> None:
        if provider is None:
            return
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


def _choice(config: Config) -> tuple[object, ...]:
    """Give the part of the settings that decides which provider is used, and how."""
    return config.provider, config.providers.get(config.provider), config.local


def exclusion_of(privacy: PrivacyConfig, folders: tuple[str, ...]) -> Exclusion:
    """Give what the settings exclude in some folders, given as URIs."""
    secret = SECRET_FILES if privacy.exclude_defaults else ()
    return Exclusion((*secret, *privacy.exclude), folders)


def _runtime(epoch: int, config: Config, folders: tuple[str, ...] = ()) -> Runtime:
    completion, privacy = config.completion, config.privacy
    rules = AdmissionRules(config.enabled, completion.languages, completion.trigger == "auto")
    return Runtime(epoch, config, folders, rules, exclusion_of(privacy, folders))
