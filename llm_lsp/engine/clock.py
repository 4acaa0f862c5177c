"""Interfaces of clock and threads, so that tests can control time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

Found = TypeVar("Found")


class Timer(Protocol):
    """A scheduled call."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """A monotonic clock in seconds."""

    def now(self) -> float: ...

    def call_at(self, when: float, action: Callable[[], None]) -> Timer:
        """Call `action` once at `when`, or as soon as possible if that has passed."""
        ...


class InThread(Protocol):
    """Runs blocking work in a thread, as asyncio.to_thread does."""

    def __call__(self, work: Callable[[], Found], /) -> Awaitable[Found]: ...


class LoopClock:
    """The running event loop's clock."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def call_at(self, when: float, action: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_at(when, action)
