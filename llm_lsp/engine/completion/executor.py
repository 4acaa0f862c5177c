"""Carries out what the scheduler decides: tasks, timers and answers."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Protocol

from llm_lsp.core.generation import Finish, Generation, Usage
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
    """Decides when a stream is complete; `core.response.stops` has one."""

    def feed(self, piece: str) -> bool:
        """Add a piece; return whether no more is wanted."""
        ...

    def end(self, finish: Finish) -> Finish:
        """Record that the stream has ended by itself, and why; return the reason in view of the whole answer."""
        ...

    @property
    def finish(self) -> Finish:
        """Why reading ended where `feed` ended it."""
        ...

    @property
    def text(self) -> str:
        """What is kept so far; it only ever grows."""
        ...

    @property
    def units(self) -> tuple[int, ...]:
        """Where its complete units end, see Generation."""
        ...

    @property
    def phrases(self) -> tuple[int, ...]:
        """Where its lines may be shown in part."""
        ...


class NamedStream(Stream, Protocol):
    """A call whose text becomes a generation."""

    def name(self, generation_id: int) -> None:
        """Record the id of that generation, before any of it comes."""
        ...


class Job(Protocol):
    """How to make the call for a request, if the scheduler starts one."""

    def begin(self) -> NamedStream:
        """Build the prompt and return the call; raises LlmLspError."""
        ...

    def reader(self) -> StreamReader:
        """Return what decides when the answer is complete."""
        ...

    def streamed(self, generation: Generation) -> None:
        """Use what is kept so far, after each piece."""
        ...

    def done(self, generation: Generation) -> None:
        """Use a generation at each new unit and at its end, also if no request waits for it any more."""
        ...


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """The answer to a request: a generation, of which `typed` characters have been typed since."""

    generation: Generation
    typed: int


@dataclass(slots=True)
class _Running:
    task: asyncio.Task[None]
    stream: Stream | None = None


class CallExecutor:
    """The calls in flight and the requests that wait for them."""

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
        """Calls under way."""
        return self._scheduler.in_flight

    def arrived(self, uri: str, face: Face) -> None:
        """Answer the earlier requests of a document and face: a newer one has come."""
        self._step(e.Arrived(uri, face))

    def can_join(self, ask: e.Ask) -> bool:
        """Return whether a request can join a call in flight."""
        return self._scheduler.can_join(ask)

    @property
    def is_watching(self) -> bool:
        """Whether the scheduler needs to know where the cursor is."""
        return self._scheduler.is_watching

    def cursor_at(self, cursor: CursorContext) -> None:
        """Record where a document's cursor is."""
        self._step(e.CursorAt(cursor))

    def offer_prefetch(self, chance: e.PrefetchOffered, job: Job) -> None:
        """Start a prefetch, if it pays; no request waits for it."""
        self._jobs[chance.ask.request_id] = job
        self._step(chance)
        del self._jobs[chance.ask.request_id]

    async def ask(self, ask: e.Ask, job: Job) -> CallAnswer | Skip:
        """Wait for the answer to one request; raises the call's LlmLspError. Cancelling detaches it."""
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
        """Answer what waits, and close what is in flight: the user wants no completions now."""
        self._step(e.SwitchedOff())

    def close_document(self, uri: str) -> None:
        """Settle what waits for a document and close its calls."""
        self._step(e.Closed(uri))

    async def aclose(self) -> None:
        """Settle every request, close every call, and wait for their tasks."""
        self._step(e.Stopped())
        if self._timer:
            self._timer.cancel()
        tasks = [*self._closing, *(running.task for running in self._running.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _step(self, event: e.Event) -> bool:
        """Carry out the effects of an event; return whether a request was answered."""
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
            return  # It ended in this very turn.
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
            # Where it was not the scheduler that closed it, it must learn of the end.
            closed = BrokenStreamError("the connection was closed by a change of settings")
            closed.began = True
            self._step(e.Failed(call_id, closed))
            raise
        except LlmLspError as exc:
            self._step(e.Failed(call_id, exc))
        except Exception as exc:
            # A fault of our own must not leave a request unanswered.
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
            # Also after a fault of our own: nothing else would end the call.
            stream.release()

    async def _follow(self, call_id: int, job: Job, stream: NamedStream, reader: StreamReader) -> Generation:
        self._next_generation_id += 1
        generation = Generation(self._next_generation_id, "", Finish.CUT, ())
        # Not with the first text: the request that gets it is answered and counted before it is kept.
        stream.name(generation.id)
        finish, usage = Finish.TRUNCATED, Usage()
        async for chunk in stream:
            finish, usage = chunk.finish or finish, chunk.usage or usage
            if not chunk.text:
                continue
            if reader.feed(chunk.text):
                finish = reader.finish
                break
            known = len(generation.units)
            generation = Generation(
                generation.id, reader.text, Finish.CUT, reader.units, phrases=reader.phrases
            )
            # The waiting request comes first, then the cache and the usage records: its task ends in the loop's next turn, and what it
            # gives is written in the one after.
            is_shown = self._step(e.Streamed(call_id, generation))
            if is_shown:
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            # What was shown is known also when its user goes elsewhere before the line is complete.
            if is_shown or len(generation.units) > known:
                job.done(generation)
            job.streamed(generation)
        else:
            finish = reader.end(finish)
        return Generation(generation.id, reader.text, finish, reader.units, usage, reader.phrases)
