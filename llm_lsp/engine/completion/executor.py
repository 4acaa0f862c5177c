"""Carries out the scheduler's decisions with tasks and timers."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Protocol

from llm_lsp.core.generation import Finish, Generation, Token, TokenLogprobs, Usage
from llm_lsp.core.request import Face
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.cursor_context import CursorContext
from llm_lsp.engine.clock import Clock, Timer
from llm_lsp.engine.completion import events as e
from llm_lsp.engine.completion.scheduler import Scheduler
from llm_lsp.errors import BrokenStreamError, InternalError, LlmLspError
from llm_lsp.providers.base import Stream

LOG = logging.getLogger(__name__)


class StreamReader(Protocol):
    """Decides when a streamed answer is complete; implemented in `core.response.stops`."""

    def feed(self, piece: str, tokens: tuple[Token, ...] = ()) -> bool:
        """Add a piece, with its tokens if they are known; return whether the answer is complete."""
        ...

    def end(self, finish: Finish) -> Finish:
        """Record that the stream ended by itself, and why; return the reason, given the whole answer."""
        ...

    @property
    def finish(self) -> Finish:
        """Why `feed` ended the reading."""
        ...

    @property
    def text(self) -> str:
        """The text kept so far; it only grows."""
        ...

    @property
    def units(self) -> tuple[int, ...]:
        """Offsets at which complete units end, see Generation."""
        ...

    @property
    def phrases(self) -> tuple[int, ...]:
        """Offsets up to which a line may be shown in part."""
        ...

    @property
    def logprobs(self) -> TokenLogprobs:
        """The log-probabilities of the tokens in the text; empty if the API sends none."""
        ...


class NamedStream(Stream, Protocol):
    """A call whose text becomes a generation."""

    def name(self, generation_id: int) -> None:
        """Set the generation's id, before any text arrives."""
        ...


class Job(Protocol):
    """How to make a request's call, if the scheduler starts one."""

    def begin(self) -> NamedStream:
        """Build the prompt and return the call; raises LlmLspError."""
        ...

    def reader(self) -> StreamReader:
        """Return the reader that decides when the answer is complete."""
        ...

    def streamed(self, generation: Generation) -> None:
        """Show the text received so far; called after each piece."""
        ...

    def done(self, generation: Generation) -> None:
        """Store a generation, at each new unit and at its end, even if no request waits for it any more."""
        ...


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """The answer to a request: a generation, of which the user has typed `typed` characters since."""

    generation: Generation
    typed: int


@dataclass(slots=True)
class _Running:
    task: asyncio.Task[None]
    stream: Stream | None = None


class CallExecutor:
    """The calls in flight, and the requests waiting for them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._scheduler = Scheduler()
        self._jobs: dict[int, Job] = {}
        self._answers: dict[int, asyncio.Future[CallAnswer | Skip]] = {}
        self._running: dict[int, _Running] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._timer: Timer | None = None
        self._next_generation_id = 1

    @property
    def in_flight(self) -> int:
        """Return the number of calls in flight."""
        return self._scheduler.in_flight

    def arrived(self, uri: str, face: Face) -> None:
        """Answer earlier requests of a document and face, which a newer request supersedes."""
        self._step(e.Arrived(uri, face))

    def can_join(self, ask: e.Ask) -> bool:
        """Check whether a request can join a call in flight."""
        return self._scheduler.can_join(ask)

    @property
    def is_watching(self) -> bool:
        """Whether the scheduler needs to know where the cursor is."""
        return self._scheduler.is_watching

    def cursor_at(self, cursor: CursorContext) -> None:
        """Pass a document's cursor to the scheduler."""
        self._step(e.CursorAt(cursor))

    def offer_prefetch(self, chance: e.PrefetchOffered, job: Job) -> None:
        """Start a prefetch if it is worthwhile; no request waits for it."""
        self._jobs[chance.ask.request_id] = job
        self._step(chance)
        del self._jobs[chance.ask.request_id]

    async def ask(self, ask: e.Ask, job: Job) -> CallAnswer | Skip:
        """Wait for the answer to a request; raises its call's LlmLspError. If cancelled, the call may go on."""
        future: asyncio.Future[CallAnswer | Skip] = asyncio.get_running_loop().create_future()
        self._answers[ask.request_id] = future
        self._jobs[ask.request_id] = job
        self._step(e.Asked(ask))
        try:
            return await future
        finally:
            self._answers.pop(ask.request_id, None)
            self._jobs.pop(ask.request_id, None)
            if future.cancelled():
                self._step(e.Cancelled(ask.request_id))

    def switched_off(self) -> None:
        """Answer waiting requests and close all calls: the user has switched completions off."""
        self._step(e.SwitchedOff())

    def close_document(self, uri: str) -> None:
        """Answer a document's waiting requests, and close its calls."""
        self._step(e.Closed(uri))

    async def aclose(self) -> None:
        """Answer all requests, close all calls, and wait for their tasks."""
        self._step(e.Stopped())
        if self._timer:
            self._timer.cancel()
        tasks = [*self._closing, *(running.task for running in self._running.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _step(self, event: e.Event) -> bool:
        """Carry out an event's effects; return whether a request was answered."""
        effects = self._scheduler.step(event, self._clock.now())
        for effect in effects:
            self._carry_out(effect)
        return any(isinstance(effect, e.Give) for effect in effects)

    def _woke(self) -> None:
        self._step(e.Woke())

    def _carry_out(self, effect: e.Effect) -> None:
        match effect:
            case e.Start(call_id, request_id):
                task = asyncio.create_task(self._run(call_id, self._jobs[request_id]))
                self._running[call_id] = _Running(task)
            case e.Close(call_id):
                self._close(self._running.pop(call_id, None))
            case e.Give(request_id, generation, typed):
                self._settle(request_id, CallAnswer(generation, len(typed)))
            case e.Refuse(request_id, reason):
                self._settle(request_id, Skip(reason))
            case e.Fail(request_id, error):
                self._settle(request_id, error)
            case e.Wake(at):
                self._wake_at(at)

    def _settle(self, request_id: int, result: CallAnswer | Skip | LlmLspError) -> None:
        future = self._answers.get(request_id)
        if future is None or future.done():
            return
        if isinstance(result, LlmLspError):
            future.set_exception(result)
        else:
            future.set_result(result)

    def _wake_at(self, at: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._clock.call_at(at, self._woke)

    def _close(self, running: _Running | None) -> None:
        if running is None:
            return  # it ended in this iteration of the event loop
        if running.stream is None:
            running.task.cancel()
        else:
            running.stream.close()
        self._closing.add(running.task)
        running.task.add_done_callback(self._closing.discard)

    async def _run(self, call_id: int, job: Job) -> None:
        try:
            generation = await self._read(call_id, job)
            job.done(generation)
        except asyncio.CancelledError:
            # The scheduler did not close the call, so it must be told of the end.
            closed = BrokenStreamError("the connection was closed by a change of settings")
            closed.began = True
            self._step(e.Failed(call_id, closed))
            raise
        except LlmLspError as exc:
            self._step(e.Failed(call_id, exc))
        except Exception as exc:
            # A bug must not leave a request without an answer.
            error = InternalError.of(exc)
            LOG.error("a call failed: %s", error)
            self._step(e.Failed(call_id, error))
        else:
            self._step(e.Ended(call_id, generation))
        finally:
            self._running.pop(call_id, None)

    async def _read(self, call_id: int, job: Job) -> Generation:
        stream, reader = job.begin(), job.reader()
        self._running[call_id].stream = stream
        try:
            return await self._follow(call_id, job, stream, reader)
        finally:
            # Also after a bug of ours: nothing else would end the call.
            stream.release()

    async def _follow(self, call_id: int, job: Job, stream: NamedStream, reader: StreamReader) -> Generation:
        self._next_generation_id += 1
        generation = Generation(self._next_generation_id, "", Finish.CUT, ())
        # Not at the first text: the request that receives it is answered and recorded first.
        stream.name(generation.id)
        finish, usage = Finish.TRUNCATED, Usage()
        async for chunk in stream:
            finish, usage = chunk.finish or finish, chunk.usage or usage
            if not chunk.text:
                continue
            if reader.feed(chunk.text, chunk.tokens):
                finish = reader.finish
                break
            known = len(generation.units)
            generation = Generation(
                generation.id,
                reader.text,
                Finish.CUT,
                reader.units,
                phrases=reader.phrases,
                logprobs=reader.logprobs,
            )
            # Answer the waiting request first, then update cache and usage records: the request's task runs in the
            # loop's next iteration, and its result is written in the one after.
            is_shown = self._step(e.Streamed(call_id, generation))
            if is_shown:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            # Cache what was shown even if the line is incomplete: the user may move away before it is.
            if is_shown or len(generation.units) > known:
                job.done(generation)
            job.streamed(generation)
        else:
            finish = reader.end(finish)
        return Generation(
            generation.id, reader.text, finish, reader.units, usage, reader.phrases, reader.logprobs
        )
