"""A clock that jumps, and a model that knows what its user will type, but for some tokens."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from llm_lsp.config.settings import Config
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.generation import Chunk, Finish
from llm_lsp.core.prompt.prompts import Prompt, RawPrompt
from llm_lsp.core.provider_profile import Fim, Profile
from llm_lsp.core.request import Patience
from llm_lsp.engine.client.interface import Level, Progress, Status
from llm_lsp.providers.base import Provider

TOKEN = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")
TURNS = 12  # of the event loop until every task waits again


@dataclass(slots=True)
class Timer:
    action: Callable[[], None]
    is_off: bool = False

    def cancel(self) -> None:
        self.is_off = True


class VirtualClock:
    """Time passes only in `until`, and takes no time."""

    def __init__(self) -> None:
        self._now = 0.0
        self._due: list[tuple[float, int, Timer]] = []
        self._count = 0

    def now(self) -> float:
        return self._now

    def call_at(self, when: float, action: Callable[[], None]) -> Timer:
        self._count += 1
        timer = Timer(action)
        heapq.heappush(self._due, (when, self._count, timer))
        return timer

    async def until(self, when: float) -> None:
        """Let all that is due by then happen, in order."""
        await settle()
        while self._due and self._due[0][0] <= when:
            at, _, timer = heapq.heappop(self._due)
            if not timer.is_off:
                self._now = max(self._now, at)
                timer.action()
                await settle()
        self._now = max(self._now, when)

    async def sleep(self, seconds: float) -> None:
        done = asyncio.Event()
        self.call_at(self._now + seconds, done.set)
        await done.wait()


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Model:
    """How the simulated model is: seconds to its first token, tokens a second, share of tokens that it foresees."""

    first_s: float = 0.2
    tokens_per_s: float = 60.0
    length: float = 0.85
    cancel_stops_billing: bool = True

    def answer(self, ahead: str, offset: int) -> list[str]:
        """Return the tokens of what is typed next, wrong from the first one that the model does not predict."""
        tokens: list[str] = []
        for token in TOKEN.findall(ahead):
            if token.strip() and not self._foresees(token, offset, is_first=not tokens):
                return [*tokens, " astray", "(", ")", "\n"]
            tokens.append(token)
            offset += len(token)
        return tokens or ["\n"]

    def _foresees(self, token: str, offset: int, *, is_first: bool) -> bool:
        if is_first and len(token.strip()) < 3:
            return True
        seed = hashlib.blake2b(f"{token.strip()}@{offset // 4}".encode(), digest_size=4).digest()
        return int.from_bytes(seed, "big") / 2**32 < self.length


@dataclass(slots=True)
class SimulatedStream:
    """One call."""

    clock: VirtualClock
    model: Model
    tokens: list[str]
    prompt: Prompt
    n_written: int = 0
    _task: asyncio.Task[object] | None = None

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        self._task = asyncio.current_task()
        await self.clock.sleep(self.model.first_s)
        for token in self.tokens:
            self.n_written += 1
            yield Chunk(token)
            await self.clock.sleep(1 / self.model.tokens_per_s)
        yield Chunk("", Finish.STOP)

    def close(self) -> None:
        if self._task:
            self._task.cancel()

    def release(self) -> None:
        """Nothing is kept that could be given back."""


@dataclass(slots=True)
class SimulatedProvider:
    """A model API; `foretell` gives what is typed after a prompt and where, as the session knows it."""

    clock: VirtualClock
    model: Model
    foretell: Callable[[str], tuple[str, int]]
    fim: Fim = "none"
    streams: list[SimulatedStream] = field(default_factory=list)

    @property
    def profile(self) -> Profile:
        billing = self.model.cancel_stops_billing
        return Profile(
            "simulated", "m", self.fim, max_in_flight=2 if billing else 1, cancel_stops_billing=billing
        )

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> SimulatedStream:
        assert isinstance(prompt, RawPrompt)
        answer = self.model.answer(*self.foretell(prompt.text))
        stream = SimulatedStream(self.clock, self.model, answer, prompt)
        self.streams.append(stream)
        return stream

    async def warm(self) -> None:
        """There is no connection."""

    async def aclose(self) -> None:
        for stream in self.streams:
            stream.close()


class Silent:
    """A client that shows nothing, and a finder that knows one provider."""

    name = "benchmark"
    has_inline = True
    offers_models = False

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        return self._provider

    def show(self, level: Level, text: str) -> None:
        """Show nothing."""

    def progress(self, progress: Progress) -> None:
        """Show nothing."""

    def status(self, status: Status) -> None:
        """Show nothing."""

    def with_folders(self, stack: SettingsStack, folders: object) -> SettingsStack:
        """Read nothing."""
        return stack
