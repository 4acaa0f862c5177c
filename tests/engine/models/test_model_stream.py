"""Each call to a model records one outcome with its provider, and returns its place once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Feature, ModelRequest, Patience, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text
from llm_lsp.engine.models.circuit_breaker import OPEN_S, SPREAD
from llm_lsp.engine.models.health import Attempt
from llm_lsp.engine.models.model_stream import ModelStream
from llm_lsp.engine.models.provider_choice import ProviderChoice
from llm_lsp.engine.models.provider_slot import ProviderSlot
from llm_lsp.errors import (
    AuthError,
    BadRequestError,
    BrokenStreamError,
    HeldBackError,
    LlmLspError,
    UnreachableError,
)
from llm_lsp.providers.base import Provider
from tests.doubles import ScriptedProvider, settle
from tests.engine.rig import Rig
from tests.engine.usage.list_store import ListStore

DOCUMENT = Document("file:///p/a.py", "python", 1, Text.of("x = "))


class Calls(Rig):
    """An engine whose model is called directly."""

    def __init__(self, profile: Profile | None = None, store: ListStore | None = None) -> None:
        profile = profile or Profile("local", "m", "none", local=True, free=True, max_in_flight=1)
        super().__init__(ScriptedProvider(profile), store=store)
        self.outcomes: list[str] = []

    async def open(self) -> None:
        await self.write("x = ")
        slot = self.slot
        slot.succeeded = self._succeeded  # type: ignore[method-assign] # recorded
        slot.left = lambda: self.outcomes.append("left")  # type: ignore[method-assign] # recorded
        slot.failed = self._failed  # type: ignore[method-assign] # recorded

    def _succeeded(self, provider: Provider, instead_of: str = "") -> None:
        self.outcomes.append("succeeded")

    def _failed(self, provider: Provider, error: LlmLspError, attempt: object, **_: object) -> None:
        self.outcomes.append(f"failed: {error}")

    @property
    def slot(self) -> ProviderSlot:
        return self.engine.registry.slot("auto")

    def call(self, feature: Feature = "completion", patience: Patience = Patience.ASKED) -> ModelStream:
        trigger = Trigger.AUTOMATIC if patience is Patience.TYPING else Trigger.MANUAL
        request = ModelRequest(1, feature, DOCUMENT, trigger, patience, self.clock.now())
        choice = self.engine._models.failover.choice(request, self.slot)
        assert isinstance(choice, ProviderChoice)
        return self.engine._models.stream(request, choice, lambda: RawPrompt("x = "))

    @property
    def scripted(self) -> ScriptedProvider:
        found = self.slot.provider
        assert isinstance(found, ScriptedProvider)
        return found


async def read(stream: ModelStream) -> str:
    text = ""
    try:
        async for chunk in stream:
            text += chunk.text
    finally:
        stream.release()
    return text


@pytest.fixture
async def calls() -> AsyncIterator[Calls]:
    calls = Calls()
    await calls.open()
    yield calls
    await calls.engine.aclose()


async def test_an_answer_is_a_success(calls: Calls) -> None:
    task = asyncio.create_task(read(calls.call()))
    await settle()
    calls.scripted.streams[-1].finish("1\n")

    assert await task == "1\n"
    assert calls.outcomes == ["succeeded"]


async def test_a_failure_is_recorded_once(calls: Calls) -> None:
    task = asyncio.create_task(read(calls.call()))
    await settle()
    calls.scripted.streams[-1].fail(AuthError("h refused the key"))

    with pytest.raises(AuthError):
        await task
    assert calls.outcomes == ["failed: h refused the key"]


async def test_a_call_that_is_closed_before_any_text_is_neither(calls: Calls) -> None:
    stream = calls.call()
    task = asyncio.create_task(read(stream))
    await settle()
    stream.close()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert calls.outcomes == ["left"]


async def test_a_call_that_is_never_read_changes_nothing(calls: Calls) -> None:
    stream = calls.call()
    stream.release()

    assert calls.outcomes == []
    assert calls.slot.calls.enter("completion", 1).done()


async def test_a_dialogue_that_a_model_refuses_says_nothing_of_its_completions(calls: Calls) -> None:
    task = asyncio.create_task(read(calls.call("chat")))
    await settle()
    calls.scripted.streams[-1].fail(BadRequestError("h takes no messages"))

    with pytest.raises(BadRequestError):
        await task
    assert calls.outcomes == ["left"]


async def test_a_completion_is_sent_before_an_edit_that_waits_longer(calls: Calls) -> None:
    tasks = [asyncio.create_task(read(calls.call("chat")))]
    await settle()
    tasks += [asyncio.create_task(read(calls.call("edits"))), asyncio.create_task(read(calls.call()))]
    await settle()
    question, edit, completion = calls.scripted.streams
    assert (edit.is_begun, completion.is_begun) == (False, False)

    question.finish("1\n")
    await settle()
    assert (edit.is_begun, completion.is_begun) == (False, True)

    completion.finish("1\n")
    edit.finish("1\n")
    await asyncio.gather(*tasks)
    assert calls.outcomes == ["succeeded"] * 3


async def test_a_call_that_waits_for_a_place_can_be_closed(calls: Calls) -> None:
    running = asyncio.create_task(read(calls.call()))
    await settle()
    waiting = calls.call()
    task = asyncio.create_task(read(waiting))
    await settle()
    waiting.close()

    with pytest.raises(asyncio.CancelledError):
        await task
    calls.scripted.streams[0].finish("1\n")
    await running
    assert calls.slot.calls.enter("completion", 1).done()


async def test_a_call_whose_provider_failed_while_it_waited_for_a_place_is_not_made(calls: Calls) -> None:
    running = asyncio.create_task(read(calls.call()))
    await settle()
    waiting = asyncio.create_task(read(calls.call()))
    await settle()
    for _ in range(2):
        calls.slot.health.failed(
            UnreachableError("h: nothing listens"), Attempt(Patience.ASKED), calls.clock.now()
        )
    calls.slot.health.began(calls.clock.now())  # By hand, a moment ago.
    calls.scripted.streams[0].fail(BrokenStreamError("h broke off"))

    with pytest.raises(BrokenStreamError):
        await running
    with pytest.raises(HeldBackError, match="retrying in"):
        await waiting
    assert not calls.scripted.streams[1].is_begun
    assert calls.outcomes == ["failed: h broke off"]
    assert calls.slot.calls.enter("completion", 1).done()


async def test_an_automatic_call_that_waited_for_a_place_is_held_to_the_rate_limit() -> None:
    calls = Calls(Profile("hosted", "m", "none", max_in_flight=1))
    await calls.open()
    running = asyncio.create_task(read(calls.call()))
    await settle()
    waiting = asyncio.create_task(read(calls.call(patience=Patience.TYPING)))
    await settle()
    for _ in range(20):
        calls.slot.health.rate.count(calls.clock.now())
    calls.scripted.streams[0].finish("1\n")
    await running

    with pytest.raises(HeldBackError, match="rate limit"):
        await waiting
    await calls.engine.aclose()


async def test_a_question_that_probes_a_provider_holds_completions_up_only_until_its_first_text(
    calls: Calls,
) -> None:
    health, now = calls.slot.health, calls.clock.now()
    for _ in range(2):
        health.failed(UnreachableError("h: nothing listens"), Attempt(Patience.ASKED), now)
    await calls.clock.advance(OPEN_S * (1 + SPREAD))
    question = asyncio.create_task(read(calls.call("chat")))
    await settle()
    assert health.refusal(calls.clock.now(), Patience.TYPING)

    calls.scripted.streams[0].say("It ")
    await settle()

    assert health.refusal(calls.clock.now(), Patience.TYPING) is None
    calls.scripted.streams[0].finish("halves.")
    await question
    assert calls.outcomes == ["succeeded"]


async def test_the_times_of_a_call_begin_when_it_is_sent() -> None:
    store = ListStore()
    calls = Calls(store=store)
    await calls.open()
    running = asyncio.create_task(read(calls.call()))
    await settle()
    waiting = asyncio.create_task(read(calls.call()))
    await calls.clock.advance(30)
    calls.scripted.streams[0].finish("1\n")
    await running
    await calls.clock.advance(2)
    calls.scripted.streams[1].finish("1\n")
    await waiting
    await calls.engine.aclose()

    rows = [row for batch in store.batches for row in batch.calls]
    assert [(row.first_s, row.whole_s) for row in rows] == [(30, 30), (2, 2)]
