"""One call in progress: a task reads the answer, and the caller iterates over the pieces.

The call has a task of its own, so that no other cancellation can interrupt httpx at a bad moment; see
connect_gate.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_lsp.core.generation import Chunk
from llm_lsp.errors import (
    AuthError,
    BadRequestError,
    BrokenStreamError,
    ConfigError,
    NotFoundError,
    ProviderError,
    SlowError,
)
from llm_lsp.providers.dialects.dialect import Dialect
from llm_lsp.providers.dialects.json_shapes import decode
from llm_lsp.providers.http.answer_decoder import AnswerDecoder, is_encoded
from llm_lsp.providers.http.connect_gate import CallStopped, ConnectGate
from llm_lsp.providers.http.deadline import Deadline
from llm_lsp.providers.http.failures import (
    ErrorObject,
    FailureSource,
    from_error_object,
    from_exception,
    from_status,
)
from llm_lsp.providers.http.logprob_check import LogprobCheck

if TYPE_CHECKING:
    import httpx

# Seconds. A stream that ends within this time is read to its end, so that its connection can be reused; a new one costs
# 1 to 2 round trips and, for a remote API, a TLS handshake.
DRAIN_S = 0.03
# Seconds between the last text and the usage or end marker that may follow; usually they come together.
TAIL_S = 0.25
# Seconds to read the body of an error, which is only used to find the cause.
ERROR_BODY_S = 1.0
# Seconds to look for another key or for existing models: a locked keyring asks its user on screen.
CURE_S = 12.0
MAX_ERROR_BODY_BYTES = 8 * 1024
# Refused fields that one call learns: OpenAI's reasoning models refuse three of ours, one at a time.
MAX_CURES = 4
# Event loop iterations from the last text to the answer: the caller takes the text, the request's task ends, the answer
# is written. Without this wait the connection is cleaned up first, which takes 0.25 ms on loopback.
ANSWER_TURNS = 3
# Bytes processed per event loop iteration. httpcore reads 64 KiB at once, which may be 7,000 small events and take 50
# ms; this is an eighth.
SLICE_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Time limits in seconds; None is unlimited, for a model on this machine while it is working."""

    connect_s: float
    first_s: float | None = None
    """From the start to the first text."""
    idle_s: float | None = None
    """Between texts. Comments and pings do not count, or a provider could keep a call open forever."""
    total_s: float | None = None

    def within(self, total_s: float) -> Deadlines:
        """Return these deadlines for another total; a longer call may also wait longer for its first text."""
        first_s, idle_s = max(self.first_s or 0.0, total_s * 0.8), max(self.idle_s or 0.0, total_s * 0.3)
        return Deadlines(self.connect_s, first_s, idle_s, total_s)


@dataclass(frozen=True, slots=True)
class UpstreamCall:
    """What a call needs from its provider."""

    send: Callable[[ConnectGate], Awaitable[httpx.Response]]
    """Send the request; returns when the answer's headers have arrived."""
    dialect: Dialect
    where: FailureSource
    deadlines: Deadlines
    own: Callable[[asyncio.Task[None], HttpStream], None]
    """Pass the task that reads the answer to the provider, which will await or cancel it."""
    cure: Callable[[ProviderError], Awaitable[bool]]
    """After a refusal, return whether to send again, or raise a more helpful error."""
    logprobs: LogprobCheck | None = None
    """Checks the log-probabilities that the request asks for; None if it asks for none."""


class HttpStream:
    """The `Stream` of an HTTP provider."""

    def __init__(self, call: UpstreamCall) -> None:
        self._call = call
        self._gate = ConnectGate()
        self._answer = AnswerDecoder(call.dialect, call.logprobs)
        self._limit: Deadline | None = None
        self._chunks: deque[Chunk] = deque()
        self._outcome: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_read = False
        self._has_head = False
        self._is_reading = False
        """Whether the server reports its progress in reading the prompt."""
        self._n_read = 0
        """Number of prompt tokens that the server has read, if it reports that."""

    @property
    def was_cut(self) -> bool:
        """Whether we ended the call, and with it the connection."""
        return self._gate.stopping and not self._is_read

    def __aiter__(self) -> HttpStream:
        if self._limit is None and self._outcome is None:
            deadlines = self._call.deadlines
            self._limit = Deadline(self._overdue, deadlines.total_s)
            self._limit.allow(deadlines.first_s)
            task = asyncio.get_running_loop().create_task(self._run())
            self._gate.guard(task)
            self._call.own(task, self)
        return self

    async def __anext__(self) -> Chunk:
        while not self._chunks:
            if self._outcome is not None:
                raise self._outcome
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            except asyncio.CancelledError:
                self.close()
                raise
            finally:
                self._waiter = None
        return self._next()

    def _next(self) -> Chunk:
        """Return all text that has arrived as one chunk, because each chunk is examined as a whole."""
        first = self._chunks.popleft()
        if first.finish or not self._chunks or self._chunks[0].finish:
            return first
        chunks = [first]
        while self._chunks and not self._chunks[0].finish:
            chunks.append(self._chunks.popleft())
        n_pieces = sum(chunk.pieces for chunk in chunks)
        progress = next((chunk.progress for chunk in reversed(chunks) if chunk.progress), None)
        text, usage = "".join(chunk.text for chunk in chunks), chunks[-1].usage
        tokens = tuple(token for chunk in chunks for token in chunk.tokens)
        return Chunk(text, None, usage, n_pieces, progress, tokens=tokens)

    def close(self) -> None:
        """Close the connection as soon as that is safe; the iterating task gets CancelledError at once."""
        self._chunks.clear()
        self._outcome = asyncio.CancelledError()
        self._wake()
        self._gate.stop()

    def release(self) -> None:
        """End the call; keep the connection if the answer ends within DRAIN_S."""
        self._chunks.clear()
        self._settle(StopAsyncIteration())

    async def _run(self) -> None:
        assert self._limit is not None
        where = self._call.where
        try:
            await self._ask()
        except (asyncio.CancelledError, CallStopped):
            self._settle(asyncio.CancelledError())
            if not self._gate.stopping:
                raise
        except BrokenStreamError as exc:
            self._settle(BrokenStreamError(f"{where.host} {exc}"))
        except (ProviderError, ConfigError) as exc:
            self._settle(exc)
        except Exception as exc:
            self._break_off(from_exception(where, exc))
        finally:
            self._limit.cancel()

    async def _ask(self) -> None:
        """Send and read; send again after a refusal that could be resolved, by a changed key or omitting a
        field.
        """
        assert self._limit is not None
        for _ in range(MAX_CURES):
            try:
                await self._answer_once()
                return
            except (AuthError, BadRequestError, NotFoundError) as exc:
                self._limit.allow(CURE_S)
                if self._answer.has_text or not await self._call.cure(exc) or self._gate.stopping:
                    raise
                self._limit.allow(self._call.deadlines.first_s)
                if not isinstance(exc, BadRequestError):
                    break
        await self._answer_once()

    async def _answer_once(self) -> None:
        try:
            await self._read(await self._send())
        except ErrorObject as exc:
            # Some gateways answer 200 to what they refuse.
            raise from_error_object(self._call.where, exc) from exc

    async def _send(self) -> httpx.Response:
        """Send; send once more if a reused connection turns out to be dead before it returned a byte."""
        import httpx

        try:
            return await self._call.send(self._gate)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            if not self._gate.reused:
                raise
        return await self._call.send(self._gate)

    async def _read(self, response: httpx.Response) -> None:
        try:
            self._gate.open()
            if not response.is_success:
                raise await self._refusal(response)
            if is_encoded(response.headers):
                # Half a kilobyte of brotli can expand to 400 MB, and we did not ask for compression.
                raise BrokenStreamError(
                    "compresses its answer although not asked to: check for a proxy in between"
                )
            self._has_head = True
            async for piece in response.aiter_raw():
                # After the outcome, the rest is only drained.
                for start in range(0, len(piece), SLICE_BYTES):
                    if start:
                        await asyncio.sleep(0)
                    if self._outcome is None:
                        self._take(piece[start : start + SLICE_BYTES])
                if self._answer.is_complete and self._outcome is None:
                    # First let the waiting request be answered, then clean up the connection for the next call.
                    for _ in range(ANSWER_TURNS):
                        await asyncio.sleep(0)
                    self._settle(StopAsyncIteration())
            self._is_read = True
            if self._outcome is None:
                self._pass(self._answer.end())
                self._settle(StopAsyncIteration())
        finally:
            await response.aclose()

    async def _refusal(self, response: httpx.Response) -> ProviderError:
        assert self._limit is not None
        self._limit.allow(ERROR_BODY_S)
        body = b""
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > MAX_ERROR_BODY_BYTES:
                break
        try:
            value = decode(body[:MAX_ERROR_BODY_BYTES])
        except ValueError:
            # Plain text may name the cause; a web page is a proxy's.
            text = body[:MAX_ERROR_BODY_BYTES].decode("utf-8", "replace").strip()
            value = None if text.startswith("<") else text
        return from_status(self._call.where, response.status_code, response.headers, value, datetime.now(UTC))

    def _take(self, piece: bytes) -> None:
        """Process a piece of the body, and extend the deadline."""
        assert self._limit is not None
        was_waiting = self._answer.awaits_usage
        chunks = self._answer.feed(piece)
        if self._answer.awaits_usage and not was_waiting:
            self._limit.allow(TAIL_S)
        elif any(chunk.text for chunk in chunks):
            self._limit.allow(self._call.deadlines.idle_s)
        elif chunks and not self._answer.is_complete:
            self._allow_reading(chunks)
        self._pass(chunks)

    def _allow_reading(self, chunks: list[Chunk]) -> None:
        """Restart the time for the first text whenever a part of the prompt was read; the total limit remains."""
        assert self._limit is not None
        n_read = max((chunk.progress.processed for chunk in chunks if chunk.progress), default=0)
        self._is_reading = True
        if n_read > self._n_read and not self._answer.has_text:
            self._n_read = n_read
            self._limit.allow(self._call.deadlines.first_s)

    def _pass(self, chunks: list[Chunk]) -> None:
        self._chunks.extend(chunks)
        self._wake()

    def _settle(self, outcome: BaseException) -> None:
        """Set what the caller gets after the last chunk; the first outcome counts, after it the stream is
        drained.
        """
        if self._outcome is None:
            if isinstance(outcome, ProviderError):
                outcome.began = self._has_head and (self._answer.has_text or not self._is_reading)
            self._outcome = outcome
            self._wake()
            if self._limit is not None:
                self._limit.allow(DRAIN_S)

    def _break_off(self, error: ProviderError) -> None:
        """End an interrupted call: return its text as truncated, or raise the error if there is none."""
        if self._outcome is None and self._answer.awaits_usage:
            self._pass(self._answer.finish())
            self._settle(StopAsyncIteration())
        elif self._outcome is None and self._answer.has_text:
            self._pass(self._answer.cut_off())
            self._settle(StopAsyncIteration())
        self._settle(error)

    def _overdue(self) -> None:
        host, provider = self._call.where.host, self._call.where.provider
        self._break_off(
            SlowError(f"{host} did not answer in time: try again, or raise timeout_s of {provider}")
        )
        self._gate.stop()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
