"""Stand-ins for the world: a clock whose hands tests turn, and model APIs that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from llm_lsp.core.generation import Chunk, Finish, PromptProgress, Token, Usage
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Patience
from llm_lsp.errors import LlmLspError

T = TypeVar("T")


async def at_once(work: Callable[[], T]) -> T:
    """Ask the disk without a thread: a clock that stands still does not wait for one."""
    return work()


@dataclass(slots=True)
class FakeTimer:
    when: float
    action: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass(slots=True)
class FakeClock:
    """Stands still until `advance`."""

    time: float = 1000.0
    timers: list[FakeTimer] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def call_at(self, when: float, action: Callable[[], None]) -> FakeTimer:
        timer = FakeTimer(when, action)
        self.timers.append(timer)
        return timer

    async def advance(self, seconds: float) -> None:
        """Turn the hands; due timers fire in order, and the loop runs after each."""
        until = self.time + seconds
        await settle()
        while due := [t for t in self.timers if not t.cancelled and t.when <= until]:
            timer = min(due, key=lambda t: t.when)
            self.timers.remove(timer)
            self.time = max(self.time, timer.when)
            timer.action()
            await settle()
        self.time = until


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


@dataclass(slots=True)
class ScriptedStream:
    """A call that a test drives: `say` pieces, then `finish` or `fail`."""

    prompt: Prompt
    closed: bool = False
    released: bool = False
    _queue: asyncio.Queue[Chunk | BaseException] = field(default_factory=asyncio.Queue)
    _task: asyncio.Task[object] | None = None

    def say(self, text: str) -> None:
        self._queue.put_nowait(Chunk(text))

    def finish(
        self,
        text: str = "",
        finish: Finish = Finish.STOP,
        usage: Usage | None = None,
        progress: PromptProgress | None = None,
    ) -> None:
        self._queue.put_nowait(Chunk(text, finish, usage, progress=progress))

    def say_tokens(self, *tokens: tuple[str, float]) -> None:
        """Say a text of tokens with these log-probabilities."""
        known = tuple(Token(text, logprob) for text, logprob in tokens)
        self._queue.put_nowait(Chunk("".join(token.text for token in known), tokens=known))

    def fail(self, error: LlmLspError) -> None:
        self._queue.put_nowait(error)

    def hang_up(self) -> None:
        """End as a stream whose provider was closed: the iterating task gets a cancellation that nothing asked for."""
        self._queue.put_nowait(asyncio.CancelledError())

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        self._task = asyncio.current_task()
        while True:
            item = await self._queue.get()
            if isinstance(item, BaseException):
                raise item
            yield item
            if item.finish:
                return

    @property
    def is_begun(self) -> bool:
        """Whether it is being read."""
        return self._task is not None

    def name(self, generation_id: int) -> None:
        """Record nothing."""

    def close(self) -> None:
        self.closed = True
        if self._task:
            self._task.cancel()

    def release(self) -> None:
        self.released = True


class ScriptedProvider:
    """A model API whose streams the test holds in its hands; `replies` answer by themselves, in order."""

    def __init__(self, profile: Profile | None = None, replies: tuple[str, ...] = ()) -> None:
        self.profile = profile or Profile("scripted", "qwen2.5-coder", "none", max_in_flight=2)
        self.streams: list[ScriptedStream] = []
        self.replies = list(replies)
        self.warmed = 0

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> ScriptedStream:
        stream = ScriptedStream(prompt)
        self.streams.append(stream)
        if self.replies:
            stream.finish(self.replies.pop(0))
        return stream

    async def warm(self) -> None:
        self.warmed += 1

    async def aclose(self) -> None:
        for stream in self.streams:
            stream.close()
