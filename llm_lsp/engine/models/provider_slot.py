"""A provider's lifecycle: unloaded, loading, ready."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from llm_lsp.config.settings import AUTO, LOCAL, Config
from llm_lsp.core.generation import PromptProgress
from llm_lsp.core.prompt.reading_speed import SHORT_AT_FIRST, ReadingSpeed
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
from llm_lsp.errors import BlockedError, InternalError, LlmLspError, UnreachableError
from llm_lsp.providers.base import Provider

LOG = logging.getLogger(__name__)

# Seconds between two searches for a provider, while requests come: a server that was just started is
# found soon, and a machine without one is not kept busy.
SEARCH_AGAIN_S = 10.0
# Seconds after which a document that is opened finds its provider's connection closed, and opens it anew.
# Front ends close an idle one after 60 to 75.
WARM_AGAIN_S = 60.0
# Tokens. A model with a smaller window than its answers' limit still sees this much.
MIN_PROMPT_TOKENS = 64
SEARCHED = (AUTO, LOCAL)
LOADING = Skip(Reason.LOADING)


class ProviderFinder(Protocol):
    """Turns settings into a provider that can be asked."""

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        """Find or start `config.provider`; `report` gets lines on what is going on. Raises LlmLspError."""
        ...


@dataclass(frozen=True, slots=True)
class SlotDependencies:
    """What every slot works with."""

    finder: ProviderFinder
    client: Client
    notifications: Notifications
    status: ServerStatus
    clock: Clock
    retire: Callable[[Provider], None]
    """Close a provider once its calls have had time to end."""


class ProviderSlot:
    """Finds its provider at the first need, and again if its server is gone."""

    def __init__(self, name: str, config: Config, around: SlotDependencies) -> None:
        self.name = name
        self.provider: Provider | None = None
        self.absent = LOADING
        """Why there is no provider."""
        self.health = ProviderHealth()
        self.calls = CallSlots()
        self.tokens = TokenRate()
        """What its model's tokenizer makes of our estimates."""
        self.speed = ReadingSpeed()
        """How fast it reads."""
        self._config = replace(config, provider=name)
        self._around = around
        self._search: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        """Set while no search is under way that a request might wait for."""
        self._searched_at = float("-inf")
        self._is_dropped = False
        """Whether new settings have put another slot in its place."""
        self._warmed_at = float("-inf")

    @property
    def is_searched(self) -> bool:
        """Whether finding it may start a model server or a download; a named provider costs nothing to make."""
        return self.name in SEARCHED

    @property
    def is_loading(self) -> bool:
        """Whether it is not known yet if there is a provider."""
        return self.provider is None and self.absent.reason is Reason.LOADING

    def fits(self, config: Config) -> bool:
        """Return whether other settings would lead to the same provider."""
        return _choice(self._config) == _choice(replace(config, provider=self.name))

    def budget_tokens(self, profile: Profile, attempt: Attempt) -> float:
        """Return the estimated tokens that a prompt may have.

        That is the attempt's share of the model's window, less the answer's tokens, and no more than the model reads in
        time, but for a command, which waits.
        """
        tokens = profile.context_tokens * attempt.share - profile.max_tokens
        if attempt.patience is not Patience.COMMAND:
            tokens = min(tokens, self.speed.limit_tokens)
        return max(MIN_PROMPT_TOKENS, self.tokens.budget(tokens))

    def waited(
        self, estimated: float, seconds: float, progress: PromptProgress | None, *, is_read: bool
    ) -> None:
        """Record how long the first text of a prompt took, or that there was none by then."""
        tokens = estimated * self.tokens.in_use
        self.speed = self.speed.observed(tokens, seconds, progress, is_read=is_read)

    def counted(self, estimated: float, reported: int | None) -> None:
        """Record what the API counted for a prompt, if it said so."""
        self.tokens = self.tokens.learned(estimated, reported)

    def need(self) -> None:
        """Begin to find the provider, unless there is one or the last search was a moment ago."""
        if self.provider or self._is_searching or self._is_dropped:
            return
        if self.absent.reason is not Reason.LOADING:
            if self._around.clock.now() < self._searched_at + SEARCH_AGAIN_S:
                return
            self.absent = LOADING
        self._settled.clear()
        self._search = asyncio.create_task(self._find())

    def warm(self) -> None:
        """Let a living provider open a connection, unless it did a moment ago."""
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
        """Wait until the search that is under way, or will begin, is over, or this slot is given up."""
        await self._settled.wait()

    def lost(self, provider: Provider) -> bool:
        """Record that a provider's server is gone; return whether another is being found or started."""
        if self.provider is provider and self.is_searched:
            self.provider, self.absent = None, LOADING
            self._around.retire(provider)
            if self._search:
                self._search.cancel()  # It may still be warming what is lost.
                self._search = None
            self.need()
        return self.provider is None

    def began(self) -> None:
        """Record that a call is made, whose end is recorded by one of the three methods below."""
        self.health.began(self.now())

    def now(self) -> float:
        """Return the engine's time in seconds."""
        return self._around.clock.now()

    def succeeded(self, provider: Provider, instead_of: str = "") -> None:
        """Record that a call gave text; `instead_of` says why the first choice was not asked, if so."""
        if self.provider is not provider:
            self.health.left()  # An old call: it says nothing of the provider in use.
            return
        self.health.went_well(self._around.clock.now())
        self._around.notifications.over(self.cause)
        self._around.status.answers(self.cause, instead_of)

    def answering(self) -> None:
        """Record that a call has given text and goes on: no other call has to wait for its end."""
        self.health.answering()

    def left(self) -> None:
        """Record that a call was closed before it showed how the provider is."""
        self.health.left()

    def failed(
        self, provider: Provider, error: LlmLspError, attempt: Attempt, *, is_reported: bool = True
    ) -> None:
        """Record a failed call and tell the user once; `is_reported` is false if the feature tells it itself."""
        LOG.debug("a call to %s failed: %s", self.name, error)
        if self.provider is not provider:
            self.health.left()  # An old call: it says nothing of the provider in use.
            return
        if isinstance(error, BlockedError):
            self.health.left()  # It is this prompt's matter, and told by the request that sent it.
            return
        self.health.failed(error, attempt, self._around.clock.now())
        if isinstance(error, UnreachableError) and self.lost(provider):
            return  # A server that went idle is started again; that is no error.
        if is_reported:
            self._around.notifications.say(self.cause, "error", str(error), kind=type(error).__name__)
        self._around.status.problem(self.cause, "Error", str(error))

    def leave(self) -> None:
        """Drop the provider; its calls may end."""
        self._is_dropped = True
        self.absent = Skip(Reason.NO_PROVIDER, f"the settings of {self.name} were changed")
        self._settled.set()
        self._around.status.solved(self.cause)
        if self._search:
            self._search.cancel()
        if self.provider:
            self._around.retire(self.provider)
            self.provider = None

    async def aclose(self) -> None:
        """End the search and close the provider."""
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
            # A fault of our own must not leave every request waiting for a provider.
            self._nothing_found(InternalError.of(exc))
        else:
            self._found(provider)
        finally:
            # Before it is warmed: a provider that is lost meanwhile is searched for anew, with a progress of its own.
            self._searched_at = self._warmed_at = self._around.clock.now()
            if reported:
                client.progress(Progress(token, "llm-lsp", done=True))
                self._around.status.loaded(self.name)
        if self.provider:
            await self.provider.warm()

    def _nothing_found(self, error: LlmLspError) -> None:
        self._settled.set()
        self.absent = Skip(Reason.NO_PROVIDER, str(error))
        self._around.notifications.say(self.cause, "warning", str(error))
        self._around.status.problem(self.cause, "Warning", str(error))

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
        """What messages and the status name as the cause, if something is wrong with this provider."""
        return f"provider {self.name}"


def _choice(config: Config) -> tuple[object, ...]:
    """Return the part of the settings that decides which provider is used, and how."""
    return config.provider, config.providers.get(config.provider), config.local
