"""A provider's lifecycle: unloaded, loading, ready."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from llm_lsp.config.settings import AUTO, EDIT_MODEL, LOCAL, Config
from llm_lsp.core.generation import PromptProgress
from llm_lsp.core.prompt.reading_speed import ASKED_FACTOR, SHORT_AT_FIRST, ReadingSpeed
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Patience
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.token_estimate import TokenRate
from llm_lsp.engine.client.interface import Client, Progress
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import Clock
from llm_lsp.engine.models.call_slots import CallSlots
from llm_lsp.engine.models.health import Attempt, ProviderHealth
from llm_lsp.errors import (
    BlockedError,
    InternalError,
    LlmLspError,
    NoEditModelError,
    NoModelError,
    UnreachableError,
)
from llm_lsp.providers.base import Provider

LOG = logging.getLogger(__name__)

# Seconds between two searches for a provider while requests arrive: a newly started server is found soon, without
# searching all the time on a machine that has none.
SEARCH_AGAIN_S = 10.0
# Seconds after which an opened document prepares a new connection. Front ends close idle connections after 60 to 75.
WARM_AGAIN_S = 60.0
# Tokens. A prompt gets at least this much, even if a small context window is used up by the answer's limit.
MIN_PROMPT_TOKENS = 64
SEARCHED = (AUTO, LOCAL)
LOADING = Skip(Reason.LOADING)


class ProviderFinder(Protocol):
    """Turns settings into a usable provider."""

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        """Find or start `config.provider`; `report` receives progress messages. Raises LlmLspError."""
        ...


@dataclass(frozen=True, slots=True)
class SlotDependencies:
    """Dependencies of every slot."""

    finder: ProviderFinder
    client: Client
    notifications: Notifications
    status: ServerStatus
    clock: Clock
    retire: Callable[[Provider], None]
    """Closes a provider after its calls have had time to end."""


class ProviderSlot:
    """Finds its provider when it is first needed, and again if the provider's server is gone."""

    def __init__(self, name: str, config: Config, around: SlotDependencies) -> None:
        self.name = name
        self.provider: Provider | None = None
        self.absent = LOADING
        """Why there is no provider."""
        self.health = ProviderHealth()
        self.calls = CallSlots()
        self.tokens = TokenRate()
        """Ratio of the real tokens to our estimates."""
        self.speed = ReadingSpeed()
        """How fast the model reads prompts."""
        self._config = replace(config, provider=name)
        self._around = around
        self._search: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        """Set unless a search is running that a request might wait for."""
        self._searched_at = float("-inf")
        self._is_dropped = False
        """Whether another slot has replaced this one after a change of settings."""
        self._warmed_at = float("-inf")

    @property
    def is_searched(self) -> bool:
        """Whether finding it may start a model server or a download; a configured address costs nothing."""
        return self.name in SEARCHED

    @property
    def is_loading(self) -> bool:
        """Whether it is still unknown if there is a provider."""
        return self.provider is None and self.absent.reason is Reason.LOADING

    def fits(self, config: Config) -> bool:
        """Check whether other settings lead to the same provider."""
        return _choice(self._config) == _choice(replace(config, provider=self.name))

    def budget_tokens(self, profile: Profile, attempt: Attempt) -> float:
        """Return the limit of a prompt, in estimated tokens.

        The context window minus the answer's tokens is one limit; except for commands, which wait, what the model
        reads in time is another. Of the smaller one the attempt's share is used: less after a prompt that was too
        long.
        """
        tokens: float = profile.context_tokens - profile.max_tokens
        if attempt.patience is not Patience.COMMAND:
            factor = ASKED_FACTOR if attempt.patience is Patience.ASKED else 1.0
            tokens = min(tokens, self.speed.limit_tokens * factor)
        return max(MIN_PROMPT_TOKENS, self.tokens.budget(tokens * attempt.share))

    def waited(
        self, estimated: float, seconds: float, progress: PromptProgress | None, *, is_read: bool
    ) -> None:
        """Record how long a prompt's first text took, or how long there was none."""
        tokens = estimated * self.tokens.in_use
        self.speed = self.speed.observed(tokens, seconds, progress, is_read=is_read)

    def counted(self, estimated: float, reported: int | None) -> None:
        """Record the API's token count for a prompt, if it sent one."""
        self.tokens = self.tokens.learned(estimated, reported)

    def need(self) -> None:
        """Start to find the provider, unless there is one or the last search was a moment ago."""
        if self.provider or self._is_searching or self._is_dropped:
            return
        if self.absent.reason is not Reason.LOADING:
            if self._around.clock.now() < self._searched_at + SEARCH_AGAIN_S:
                return
            self.absent = LOADING
        self._settled.clear()
        self._search = asyncio.create_task(self._find())

    def warm(self) -> None:
        """Let the provider open a connection, unless it did so recently."""
        now = self._around.clock.now()
        if self.provider and not self._is_searching and now >= self._warmed_at + WARM_AGAIN_S:
            self._warmed_at = now
            self._search = asyncio.create_task(self.provider.warm())

    async def ready(self) -> None:
        """Wait until the search is over."""
        self.need()
        while self._search and not self._search.done():
            await asyncio.wait([self._search])

    async def settled(self) -> None:
        """Wait until the current or imminent search is over, or this slot is dropped."""
        await self._settled.wait()

    def lost(self, provider: Provider) -> bool:
        """Record that a provider's server is gone; return whether a new one is being found or started."""
        if self.provider is provider and (self.is_searched or self.name == EDIT_MODEL):
            self.provider, self.absent = None, LOADING
            self._around.retire(provider)
            if self._search:
                self._search.cancel()  # it may still be opening a connection to the lost server
                self._search = None
            self.need()
        return self.provider is None

    def began(self) -> None:
        """Record the start of a call; one of the three methods below records its end."""
        self.health.began(self.now())

    def now(self) -> float:
        """Return the engine's time in seconds."""
        return self._around.clock.now()

    def succeeded(self, provider: Provider, instead_of: str = "") -> None:
        """Record that a call returned text; `instead_of` says why it was not the first choice, if so."""
        if self.provider is not provider:
            self.health.left()  # a call to an earlier provider says nothing about this one
            return
        self.health.went_well(self._around.clock.now())
        self._around.notifications.over(self.cause)
        self._around.status.answers(self.cause, instead_of)

    def answering(self) -> None:
        """Record that a call has returned text and goes on: other calls need not wait for its end."""
        self.health.answering()

    def left(self) -> None:
        """Record that a call was closed without an outcome."""
        self.health.left()

    def failed(
        self, provider: Provider, error: LlmLspError, attempt: Attempt, *, is_reported: bool = True
    ) -> None:
        """Record a failed call, and tell the user once unless the feature does (`is_reported` is false)."""
        LOG.debug("a call to %s failed: %s", self.name, error)
        if self.provider is not provider:
            self.health.left()  # a call to an earlier provider says nothing about this one
            return
        if isinstance(error, BlockedError):
            self.health.left()  # It is this prompt's matter, and told by the request that sent it.
            return
        self.health.failed(error, attempt, self._around.clock.now())
        if isinstance(error, UnreachableError) and self.lost(provider):
            return  # a server that ended while idle is restarted, which is not an error
        if is_reported:
            self._around.notifications.say(self.cause, "error", str(error), kind=type(error).__name__)
        self._around.status.problem(self.cause, "Error", str(error))

    def leave(self) -> None:
        """Drop the provider; its calls may end by themselves."""
        self._is_dropped = True
        self.absent = Skip(Reason.NO_PROVIDER, f"the settings of {self.name} have changed")
        self._settled.set()
        self._around.status.solved(self.cause)
        if self._search:
            self._search.cancel()
        if self.provider:
            self._around.retire(self.provider)
            self.provider = None

    async def aclose(self) -> None:
        """Cancel the search and close the provider."""
        self._settled.set()
        if self._search:
            self._search.cancel()
            await asyncio.gather(self._search, return_exceptions=True)
        if self.provider:
            await self.provider.aclose()

    @property
    def _is_searching(self) -> bool:
        return self._search is not None and not self._search.done()

    async def _find(self) -> None:
        client, token, reported = self._around.client, f"llm-lsp/provider/{self.name}", False

        def report(message: str) -> None:
            nonlocal reported
            reported = True
            client.progress(Progress(token, "llm-lsp", message))
            self._around.status.loading(self.name, message)

        try:
            provider = await self._around.finder.find(self._config, report)
        except LlmLspError as exc:
            self._nothing_found(exc)
        except Exception as exc:
            # After a bug of ours, requests must not wait for a provider forever.
            self._nothing_found(InternalError.of(exc))
        else:
            self._found(provider)
        finally:
            # Before warming: if the provider is lost meanwhile, a new search must show its own progress.
            self._searched_at = self._warmed_at = self._around.clock.now()
            if reported:
                client.progress(Progress(token, "llm-lsp", done=True))
                self._around.status.loaded(self.name)
        if self.provider:
            await self.provider.warm()

    def _nothing_found(self, error: LlmLspError) -> None:
        self._settled.set()
        self.absent = Skip(Reason.NO_PROVIDER, str(error))
        if isinstance(error, NoEditModelError):
            return
        needs_model = isinstance(error, NoModelError)
        if not (needs_model and self._around.client.offers_models):
            self._around.notifications.say(self.cause, "warning", str(error))
        self._around.status.problem(self.cause, "Warning", str(error), needs_model=needs_model)

    def _found(self, provider: Provider) -> None:
        profile = provider.profile
        LOG.info("provider %s, model %s, fim %s", profile.provider, profile.model, profile.fim)
        self.provider = provider
        if profile.may_be_slow and self.speed == ReadingSpeed():
            self.speed = SHORT_AT_FIRST
        self._settled.set()
        self._around.notifications.over(self.cause)
        self._around.status.solved(self.cause)
        self._around.status.asked(profile)

    @property
    def cause(self) -> str:
        """The cause under which messages and status report this provider's problems."""
        return f"provider {self.name}"


def _choice(config: Config) -> tuple[object, ...]:
    """Return the settings that decide which provider is used, and how."""
    return config.provider, config.providers.get(config.provider), config.local
