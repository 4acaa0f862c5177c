"""A simulated model server with continuous batching and a prefix cache, in virtual time.

Like vLLM and SGLang, it works in steps: each step reads a chunk of waiting prompts and writes one token for every
running call. A step takes a fixed time (the weights are read once), plus a time for each prompt token and each call.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from benchmarks.world import VirtualClock
from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.text.text import common_start
from llm_lsp.core.text.token_estimate import estimate_tokens

# Tokens of a block of vLLM's prefix cache: only whole blocks are found again.
BLOCK_TOKENS = 16
# Prompts of one document that are kept: its calls alternate between the cursor and the text after a suggestion.
PROMPTS_KEPT = 2


@dataclass(frozen=True, slots=True)
class Hardware:
    """The stated rates of a replica; the defaults are of the order of a 7B model in 8 bits on a GPU with 24 GB."""

    prefill_tokens_per_s: float = 6_000.0
    """Prompt tokens read a second."""
    step_s: float = 0.012
    """Seconds of a step that writes one token for one call: 1 / 0.012 = 83 tokens a second for a single call."""
    call_s: float = 0.0003
    """Further seconds of a step for each call."""
    chunk_tokens: int = 1024
    """Most prompt tokens that a step reads."""
    max_calls: int = 64
    """Most running calls; further ones wait."""
    cache_tokens: int = 120_000
    """Tokens in the prefix cache."""


@dataclass(slots=True)
class Work:
    """What replicas have done."""

    calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    written_tokens: int = 0
    busy_s: float = 0.0


@dataclass(slots=True)
class ReplicaCall:
    """One call, used like `providers.base.Stream`; `document` names whose prefix it shares."""

    replica: Replica
    document: int
    prompt: str
    tokens: list[str]
    closing_stops: bool
    """Whether the replica stops when the client is gone."""
    total: int = 0
    done: int = 0
    """Prompt tokens that are read or cached."""
    written: int = 0
    is_over: bool = False
    chunks: asyncio.Queue[Chunk] = field(default_factory=asyncio.Queue)
    _reader: asyncio.Task[object] | None = None
    _is_sent: bool = False

    @property
    def has_left(self) -> bool:
        """Whether no more work needs to be done for it."""
        return self.is_over and self.closing_stops

    def __aiter__(self) -> ReplicaCall:
        if not self._is_sent:
            self._is_sent = True
            self.replica.take(self)
        return self

    async def __anext__(self) -> Chunk:
        self._reader = asyncio.current_task()
        if self.is_over:
            raise StopAsyncIteration
        chunk = await self.chunks.get()
        self.is_over = chunk.finish is not None
        return chunk

    def close(self) -> None:
        self.is_over = True
        if self._reader:
            self._reader.cancel()

    def release(self) -> None:
        self.is_over = True


class Replica:
    """One model server."""

    def __init__(self, clock: VirtualClock, hardware: Hardware, work: Work) -> None:
        self._clock = clock
        self._hardware = hardware
        self._work = work
        self._waiting: deque[ReplicaCall] = deque()
        self._running: list[ReplicaCall] = []
        self._cache: OrderedDict[int, list[tuple[str, int]]] = OrderedDict()
        """The prompts of each document, with their tokens; the document used last is at the end."""
        self._is_busy = False

    @property
    def load(self) -> int:
        """The calls that wait or run."""
        return len(self._waiting) + len(self._running)

    def take(self, call: ReplicaCall) -> None:
        """Queue a call."""
        self._work.calls += 1
        self._waiting.append(call)
        if not self._is_busy:
            self._step()

    def _step(self) -> None:
        """Begin a step; its results come at its end."""
        self._running = [call for call in self._running if not call.has_left]
        while self._waiting and len(self._running) < self._hardware.max_calls:
            call = self._waiting.popleft()
            if not call.has_left:
                self._begin(call)
                self._running.append(call)
        self._is_busy = bool(self._running)
        if not self._is_busy:
            return
        writing = [call for call in self._running if call.done >= call.total]
        room, read = self._hardware.chunk_tokens, []
        for call in self._running:
            if call.done < call.total and room:
                n_tokens = min(room, call.total - call.done)
                room -= n_tokens
                read.append((call, n_tokens))
        n_read = self._hardware.chunk_tokens - room
        took_s = self._hardware.step_s + n_read / self._hardware.prefill_tokens_per_s
        took_s += len(writing) * self._hardware.call_s
        self._work.busy_s += took_s
        self._clock.call_at(self._clock.now() + took_s, lambda: self._end(writing, read))

    def _end(self, writing: list[ReplicaCall], read: list[tuple[ReplicaCall, int]]) -> None:
        for call, n_tokens in read:
            call.done += n_tokens
            if call.done >= call.total:
                self._remember(call)
                self._write(call)  # the step that reads the last of a prompt writes the first token
        for call in writing:
            self._write(call)
        self._running = [call for call in self._running if call.written <= len(call.tokens)]
        self._step()

    def _write(self, call: ReplicaCall) -> None:
        if call.written < len(call.tokens):
            call.chunks.put_nowait(Chunk(call.tokens[call.written]))
            self._work.written_tokens += 1
        else:
            usage = Usage(call.total, len(call.tokens))
            call.chunks.put_nowait(Chunk("", Finish.STOP, usage))
        call.written += 1

    def _begin(self, call: ReplicaCall) -> None:
        """Find what is cached of a prompt; at least one token is always read."""
        call.total = max(1, round(estimate_tokens(call.prompt)))
        known = self._cache.get(call.document, [])
        shared = max((common_start(call.prompt, prompt) for prompt, _ in known), default=0)
        tokens = round(call.total * shared / max(1, len(call.prompt)))
        call.done = min(call.total - 1, tokens // BLOCK_TOKENS * BLOCK_TOKENS)
        self._work.prompt_tokens += call.total
        self._work.cached_tokens += call.done

    def _remember(self, call: ReplicaCall) -> None:
        kept = self._cache.pop(call.document, [])
        self._cache[call.document] = [*kept[1 - PROMPTS_KEPT :], (call.prompt, call.total)]
        while sum(map(_tokens, self._cache.values())) > self._hardware.cache_tokens:
            self._cache.popitem(last=False)


def _tokens(prompts: list[tuple[str, int]]) -> int:
    """Return the tokens that a document's prompts occupy: the later ones share most with the first."""
    return max(tokens for _, tokens in prompts)
