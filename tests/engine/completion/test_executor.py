"""Tasks, timers and answers, with a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from llm_lsp.core.generation import NO_LOGPROBS, Finish, Generation, Token, TokenLogprobs
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.completion.events import Ask
from llm_lsp.engine.completion.executor import CallAnswer, CallExecutor, NamedStream
from llm_lsp.engine.completion.scheduler import GRACE_S
from llm_lsp.errors import InternalError, OverloadedError
from tests.doubles import FakeClock, ScriptedProvider, ScriptedStream, settle
from tests.engine.completion.asks import ask


class FirstLine:
    """Reads up to the first newline."""

    def __init__(self) -> None:
        self.all = ""

    def feed(self, piece: str, tokens: tuple[Token, ...] = ()) -> bool:
        self.all += piece
        return "\n" in self.all

    def end(self, finish: Finish) -> Finish:
        self.all += "\n"
        return finish

    @property
    def finish(self) -> Finish:
        return Finish.CUT

    @property
    def units(self) -> tuple[int, ...]:
        return (len(self.text),) if "\n" in self.all else ()

    @property
    def phrases(self) -> tuple[int, ...]:
        return ()

    @property
    def logprobs(self) -> TokenLogprobs:
        return NO_LOGPROBS

    @property
    def text(self) -> str:
        return self.all.partition("\n")[0]


class ScriptedJob:
    """Makes its call on a scripted provider."""

    def __init__(self, begin: Callable[[], NamedStream], kept: list[Generation]) -> None:
        self.begin = begin
        self.done = kept.append

    def reader(self) -> FirstLine:
        return FirstLine()

    def streamed(self, generation: Generation) -> None:
        pass


class Rig:
    """Calls on a scripted provider."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.calls = CallExecutor(self.clock)
        self.provider = ScriptedProvider()
        self.kept: list[Generation] = []

    def ask(self, asked: Ask) -> asyncio.Task[CallAnswer | Skip]:
        self.calls.arrived(asked.uri, asked.face)
        return asyncio.create_task(self.calls.ask(asked, ScriptedJob(self.begin, self.kept)))

    def begin(self) -> NamedStream:
        return self.provider.stream(RawPrompt(""))

    def closed_calls(self) -> int:
        return sum(stream.closed for stream in self.provider.streams)

    @property
    def stream(self) -> ScriptedStream:
        return self.provider.streams[-1]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    await rig.calls.aclose()


async def test_the_answer_leaves_at_the_stop(rig: Rig) -> None:
    task = rig.ask(ask(1))
    await settle()

    rig.stream.say("foo(")
    rig.stream.say("a)\nmore")

    answer = await task
    assert isinstance(answer, CallAnswer)
    assert (answer.generation.text, answer.generation.finish, answer.typed) == ("foo(a)", Finish.CUT, 0)
    assert rig.stream.released


async def test_a_call_is_made_when_the_wait_is_over(rig: Rig) -> None:
    rig.ask(ask(1, ready_at=rig.clock.time + 0.2))

    await rig.clock.advance(0.1)
    assert rig.provider.streams == []
    await rig.clock.advance(0.1)
    assert len(rig.provider.streams) == 1


async def test_the_same_request_joins_the_call_in_flight(rig: Rig) -> None:
    first = rig.ask(ask(1))
    await settle()
    second = rig.ask(ask(2, "fo"))
    await settle()
    rig.stream.finish("foo")

    assert await first == Skip(Reason.SUPERSEDED)
    answer = await second
    assert isinstance(answer, CallAnswer)
    assert answer.typed == 2
    assert len(rig.provider.streams) == 1


async def test_a_cancelled_call_is_closed_when_it_has_lingered(rig: Rig) -> None:
    task = rig.ask(ask(1))
    await settle()
    task.cancel()

    await rig.clock.advance(GRACE_S / 2)
    assert rig.closed_calls() == 0
    await rig.clock.advance(GRACE_S)
    assert rig.closed_calls() == 1
    assert rig.calls.in_flight == 0


async def test_a_generation_is_kept_when_nobody_waits_any_more(rig: Rig) -> None:
    task = rig.ask(ask(1))
    await settle()
    task.cancel()
    await settle()
    rig.stream.finish("foo")
    await settle()

    assert [generation.text for generation in rig.kept] == ["foo"]


async def test_an_error_of_the_api_reaches_the_request(rig: Rig) -> None:
    task = rig.ask(ask(1))
    await settle()
    rig.stream.fail(OverloadedError("busy"))

    with pytest.raises(OverloadedError, match="busy"):
        await task


async def test_a_fault_of_our_own_is_an_answer_without_its_text(rig: Rig) -> None:
    def broken() -> NamedStream:
        raise ValueError("secret text of the buffer")

    with pytest.raises(InternalError) as caught:
        await rig.calls.ask(ask(1), ScriptedJob(broken, []))
    assert "secret" not in str(caught.value)


async def test_a_fault_of_our_own_while_reading_ends_the_call(rig: Rig) -> None:
    def broken(generation: Generation) -> None:
        raise ValueError("secret text of the buffer")

    job = ScriptedJob(rig.begin, [])
    job.streamed = broken  # type: ignore[method-assign] # the one fault that this test is about
    task = asyncio.create_task(rig.calls.ask(ask(1), job))
    await settle()
    rig.stream.say("fo")

    with pytest.raises(InternalError):
        await task
    assert rig.stream.released


async def test_shutting_down_settles_and_closes_all(rig: Rig) -> None:
    waiting, running = rig.ask(ask(1, ready_at=rig.clock.time + 9)), rig.ask(ask(2, uri="b"))
    await settle()

    await rig.calls.aclose()

    assert await waiting == await running == Skip(Reason.SHUTTING_DOWN)
    assert rig.stream.closed
