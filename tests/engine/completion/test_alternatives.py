"""A manual request that is repeated without a change gets further answers to choose from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Completion, CompletionRequest, Face, Trigger
from llm_lsp.core.text.text import Point
from llm_lsp.engine.completion.alternatives import distinct
from llm_lsp.engine.completion.job import SAMPLE_TEMPERATURE
from tests.doubles import ScriptedProvider, settle
from tests.engine.rig import URI, Rig

# Its calls are paid to their ends: nothing is asked ahead here.
PROFILE = Profile("scripted", "m", "none", max_in_flight=2, cancel_stops_billing=False)


class Chooser(Rig):
    """A rig whose user asks for all there is to choose among."""

    def __init__(self, *replies: str, profile: Profile = PROFILE) -> None:
        provider = ScriptedProvider(profile, replies)
        super().__init__(provider)
        self.provider = provider

    async def choices(self, trigger: Trigger = Trigger.MANUAL, face: Face = "inline") -> list[str]:
        return [one.text for one in await self.completions(trigger, face)]

    async def completions(
        self, trigger: Trigger = Trigger.MANUAL, face: Face = "inline"
    ) -> tuple[Completion, ...]:
        document = self.engine.document(URI)
        assert document is not None
        number, now = self.engine.next_id(), self.clock.now()
        request = CompletionRequest(number, document, document.text.end, trigger, face, now)
        return await self.engine.suggestions(request)


@pytest.fixture
async def rig() -> AsyncIterator[Chooser]:
    rig = Chooser("first", "second", "third")
    await rig.write("y = ")
    yield rig
    await rig.engine.aclose()


async def test_the_second_time_there_are_others_and_what_was_shown_comes_first(rig: Chooser) -> None:
    assert await rig.choices() == ["first"]

    assert await rig.choices() == ["first", "second", "third"]
    assert [stream.prompt.temperature for stream in rig.provider.streams] == [
        None,
        SAMPLE_TEMPERATURE,
        SAMPLE_TEMPERATURE,
    ]


async def test_asked_once_more_they_are_all_there_without_a_call(rig: Chooser) -> None:
    await rig.choices()
    await rig.choices()

    assert await rig.choices() == ["first", "second", "third"]
    assert len(rig.provider.streams) == 3


@pytest.mark.parametrize(
    ("before", "now"),
    [
        pytest.param(Trigger.AUTOMATIC, Trigger.MANUAL, id="it was shown while typing"),
        pytest.param(Trigger.MANUAL, Trigger.AUTOMATIC, id="the editor asks by itself"),
    ],
)
async def test_only_who_asks_by_hand_again_gets_others(before: Trigger, now: Trigger, rig: Chooser) -> None:
    await rig.choices(before)

    assert await rig.choices(now) == ["first"]
    assert len(rig.provider.streams) == 1


async def test_after_an_edit_it_is_another_question(rig: Chooser) -> None:
    await rig.choices()
    await rig.type("f")

    assert await rig.choices() == ["irst"]
    assert len(rig.provider.streams) == 1


async def test_what_says_the_same_is_not_offered_twice() -> None:
    rig = Chooser("first", "second", "second ")
    await rig.write("y = ")
    await rig.choices()

    assert await rig.choices() == ["first", "second"]
    await rig.engine.aclose()


async def test_there_are_no_more_calls_at_a_time_than_the_provider_takes() -> None:
    rig = Chooser(
        "first", profile=Profile("scripted", "m", "none", max_in_flight=1, cancel_stops_billing=False)
    )
    await rig.write("y = ")
    await rig.choices()
    task = asyncio.create_task(rig.choices())
    await settle()

    assert len(rig.provider.streams) == 2
    rig.provider.streams[1].finish("second")
    assert await task == ["first", "second"]
    await rig.engine.aclose()


async def test_who_types_on_is_not_kept_waiting(rig: Chooser) -> None:
    await rig.choices()
    rig.provider.replies = []
    task = asyncio.create_task(rig.choices())
    await settle()
    await rig.type("f")

    assert await rig.choices(Trigger.AUTOMATIC) == ["irst"]
    assert await task == ["first"]


async def test_what_was_shown_stays_what_is_shown(rig: Chooser) -> None:
    await rig.choices()
    await rig.choices()

    assert await rig.choices(Trigger.AUTOMATIC) == ["first"]


def test_what_came_more_often_comes_first() -> None:
    texts = ["first", "rare", "often", "often"]
    first, *others = (Completion(f"{n}", n, Point(0, 0), Point(0, 0), text) for n, text in enumerate(texts))

    assert [one.text for one in distinct(first, others)] == ["often", "rare"]
