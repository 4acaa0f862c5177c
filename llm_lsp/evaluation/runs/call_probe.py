"""Measures the calls to providers, from a position between them and the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

from llm_lsp.config.settings import Config
from llm_lsp.core.generation import Chunk, Usage
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.provider_profile import Price, Profile
from llm_lsp.core.request import Patience
from llm_lsp.core.text.token_estimate import estimate_tokens
from llm_lsp.core.usage.prices import FREE
from llm_lsp.engine.models.provider_slot import ProviderFinder
from llm_lsp.engine.usage.meter import prompt_tokens
from llm_lsp.providers.base import Provider, Stream


@dataclass(slots=True)
class ProbedCall:
    """One call, during and after it."""

    profile: Profile
    prompt: Prompt
    begun_at: float
    """Seconds by the probe's clock."""
    first_at: float | None = None
    """Time of its first text."""
    text: str = ""
    usage: Usage = field(default_factory=Usage)

    @property
    def first_s(self) -> float | None:
        """Return the seconds until the first text; None if there was none."""
        return None if self.first_at is None else self.first_at - self.begun_at

    @property
    def used(self) -> Usage:
        """Return the usage; token counts are estimates if the API reported none, as for a closed call."""
        read, written = self.usage.input_tokens, self.usage.output_tokens
        return replace(
            self.usage,
            input_tokens=prompt_tokens(self.prompt) if read is None else read,
            output_tokens=round(estimate_tokens(self.text)) if written is None else written,
        )

    @property
    def price(self) -> Price | None:
        """Return the price of its tokens; None if unknown."""
        return FREE if self.profile.free else self.profile.price


class CallProbe:
    """Measures every provider that a finder returns."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._calls: list[ProbedCall] = []

    def in_front_of(self, finder: ProviderFinder) -> ProviderFinder:
        """Return a finder whose providers are measured."""
        return _MeasuringFinder(finder, self)

    def take(self) -> list[ProbedCall]:
        """Return and forget the calls recorded so far."""
        calls, self._calls = self._calls, []
        return calls

    def begun(self, profile: Profile, prompt: Prompt) -> ProbedCall:
        """Record the start of a call."""
        call = ProbedCall(profile, prompt, self._now())
        self._calls.append(call)
        return call

    def came(self, call: ProbedCall, chunk: Chunk) -> None:
        """Record a piece of an answer."""
        if chunk.text and call.first_at is None:
            call.first_at = self._now()
        call.text += chunk.text
        call.usage = chunk.usage or call.usage


class _MeasuringFinder:
    def __init__(self, finder: ProviderFinder, probe: CallProbe) -> None:
        self._finder = finder
        self._probe = probe

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        return _MeasuredProvider(await self._finder.find(config, report), self._probe)


class _MeasuredProvider:
    def __init__(self, provider: Provider, probe: CallProbe) -> None:
        self._provider = provider
        self._probe = probe

    @property
    def profile(self) -> Profile:
        return self._provider.profile

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> Stream:
        call = self._probe.begun(self.profile, prompt)
        return _MeasuredStream(self._provider.stream(prompt, patience), call, self._probe)

    async def warm(self) -> None:
        await self._provider.warm()

    async def aclose(self) -> None:
        await self._provider.aclose()


class _MeasuredStream:
    def __init__(self, stream: Stream, call: ProbedCall, probe: CallProbe) -> None:
        self._stream = stream
        self._call = call
        self._probe = probe

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        async for chunk in self._stream:
            self._probe.came(self._call, chunk)
            yield chunk

    def close(self) -> None:
        self._stream.close()

    def release(self) -> None:
        self._stream.release()
