"""A model in virtual time: a recorded one, a real one that answers what was not recorded, or a simulated one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from benchmarks.recording import End, Recording, Token
from benchmarks.world import Model, VirtualClock
from benchmarks.written_trace import Asked, WrittenTrace, asked_in
from llm_lsp.core import generation
from llm_lsp.core.generation import Chunk, Finish
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Patience

Answer = tuple[tuple[Token, ...], End]
_NOTHING: Answer = ((Token("\n", 0.0),), "stop")


class RecordedAnswers:
    """Finds the recorded answer to a prompt."""

    has_logprobs = True

    def __init__(self, written: WrittenTrace, recording: Recording) -> None:
        self.missing = 0
        """Prompts for places of the session that were not recorded."""
        self._written = written
        self._recording = recording

    def answer(self, text: str) -> Answer:
        """Return the answer to a text that a model is asked to continue; nothing at a place that never comes."""
        asked = self._written.locate(text)
        found = self._find(asked) if asked else None
        if found is None:
            self.missing += asked is not None
            return _NOTHING
        return found

    def _find(self, asked: Asked) -> Answer | None:
        n_edits, since, trace = asked.n_edits, asked.since, self._written.trace
        for edit in trace.edits[n_edits:]:
            typed = edit.typed
            if typed is None or not since.startswith(typed.text):
                break
            since, n_edits = since[len(typed.text) :], n_edits + 1
        found = self._recording.find(trace, n_edits)
        if found is None:
            return None
        tokens, end = found
        # A prompt may end within an edit that types several characters.
        rest = cut_start(tokens, since)
        left_out = (Token(asked.left_out, 0.0),) if asked.left_out else ()
        return None if rest is None else ((*left_out, *rest), end)


class SimulatedAnswers:
    """What the user types next, but for some tokens."""

    has_logprobs = False

    def __init__(self, written: WrittenTrace, model: Model) -> None:
        self.missing = 0
        self._written = written
        self._model = model

    def answer(self, text: str) -> Answer:
        """Return the answer to a text that a model is asked to continue."""
        asked = self._written.locate(text)
        if asked is None:
            self.missing += 1
            return _NOTHING
        ahead = self._written.trace.ahead(asked.n_edits, asked.cursor)[len(asked.since) :]
        told = self._model.answer(ahead, asked.cursor + len(asked.since))
        return tuple(Token(text, 0.0) for text in (asked.left_out, *told) if text), "stop"


def cut_start(tokens: tuple[Token, ...], typed: str) -> tuple[Token, ...] | None:
    """Return the tokens after a text that they begin with; None if they do not."""
    if not "".join(token.text for token in tokens).startswith(typed):
        return None
    left: list[Token] = []
    for token in tokens:
        skipped = min(len(typed), len(token.text))
        typed = typed[skipped:]
        if skipped < len(token.text):
            left.append(Token(token.text[skipped:], token.logprob))
    return tuple(left)


@dataclass(slots=True)
class TimedStream:
    """One call."""

    clock: VirtualClock
    model: Model
    answer: Answer
    begins: str
    has_logprobs: bool
    n_written: int = 0
    _task: asyncio.Task[object] | None = None

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        self._task = asyncio.current_task()
        await self.clock.sleep(self.model.first_s)
        tokens, end = self.answer
        if self.begins:
            forced = (generation.Token(self.begins, 0.0),) if self.has_logprobs else ()
            yield Chunk(self.begins, tokens=forced)
        for token in tokens:
            self.n_written += 1
            told = generation.Token(token.text, token.logprob)
            yield Chunk(token.text, tokens=(told,) if self.has_logprobs else ())
            await self.clock.sleep(1 / self.model.tokens_per_s)
        yield Chunk("", Finish.STOP if end == "stop" else Finish.LENGTH)

    def close(self) -> None:
        if self._task:
            self._task.cancel()

    def release(self) -> None:
        """Nothing is kept that could be given back."""


@dataclass(slots=True)
class TimedProvider:
    """A model API whose answers come at a model's pace."""

    clock: VirtualClock
    model: Model
    profile: Profile
    answers: RecordedAnswers | SimulatedAnswers
    streams: list[TimedStream] = field(default_factory=list)

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> TimedStream:
        assert not isinstance(prompt, ChatPrompt)
        text = prompt.prefix + prompt.line_prefix if isinstance(prompt, FimPrompt) else asked_in(prompt.text)
        begins = prompt.begins if self.profile.forces_start else ""
        stream = TimedStream(
            self.clock, self.model, self.answers.answer(text + begins), begins, self.answers.has_logprobs
        )
        self.streams.append(stream)
        return stream

    async def warm(self) -> None:
        """There is no connection."""

    async def aclose(self) -> None:
        for stream in self.streams:
            stream.close()
