"""A manual request waits for a model that is being found or started, and for nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from llm_lsp.core.request import Completion, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.completion.request_tracker import LOAD_S
from llm_lsp.engine.engine import CompletionEngine
from llm_lsp.errors import AuthError, UnreachableError
from tests.doubles import ScriptedProvider, settle
from tests.engine.models.several import Several, api
from tests.engine.rig import URI, Rig, SlowFinder, reason_of, text_of


class Loading(Rig):
    """An engine whose model is still loading."""

    def __init__(self) -> None:
        self.slow = SlowFinder(ScriptedProvider(replies=("1\n",)))
        super().__init__(finder=self.slow)

    async def ask_by_hand(self) -> asyncio.Task[Completion | Skip]:
        task = self.ask(Trigger.MANUAL)
        await settle()
        assert not task.done()
        return task


@pytest.fixture
async def rig() -> AsyncIterator[Loading]:
    rig = Loading()
    await rig.write("y = ")
    yield rig
    await rig.engine.aclose()


async def test_who_asks_by_hand_gets_the_text_when_the_model_is_there(rig: Loading) -> None:
    task = await rig.ask_by_hand()
    rig.slow.may_find.set()

    assert text_of(await task) == "1"
    bound = rig.clock.time + LOAD_S  # The clock stands still.
    assert [timer.cancelled for timer in rig.clock.timers if timer.when == bound] == [True]


async def test_while_typing_nobody_waits(rig: Loading) -> None:
    assert reason_of(await rig.ask()) is Reason.LOADING


async def test_a_menu_is_not_held(rig: Loading) -> None:
    rig.engine.configure("editor settings", {"completion": {"menu": "always"}})

    assert reason_of(await rig.ask(Trigger.MANUAL, "menu")) is Reason.LOADING


async def test_a_newer_request_ends_the_wait(rig: Loading) -> None:
    task = await rig.ask_by_hand()
    rig.ask()

    assert reason_of(await task) is Reason.SUPERSEDED


async def test_the_wait_is_bounded(rig: Loading) -> None:
    task = await rig.ask_by_hand()
    await rig.clock.advance(LOAD_S)

    assert reason_of(await task) is Reason.LOADING


async def test_an_edit_of_its_document_ends_the_wait(rig: Loading) -> None:
    task = await rig.ask_by_hand()
    await rig.type("x")
    rig.slow.may_find.set()

    assert reason_of(await task) is Reason.SUPERSEDED
    assert rig.slow.provider.streams == []


async def test_an_edit_of_another_document_does_not(rig: Loading) -> None:
    await rig.write("z = ", "file:///p/b.py")
    task = await rig.ask_by_hand()
    await rig.type("x", "file:///p/b.py")
    rig.slow.may_find.set()

    assert text_of(await task) == "1"


async def test_a_closed_document_ends_the_wait(rig: Loading) -> None:
    task = await rig.ask_by_hand()
    rig.engine.close(URI)

    assert reason_of(await task) is Reason.UNKNOWN_DOCUMENT


async def test_shutting_down_ends_the_wait(rig: Loading) -> None:
    task = await rig.ask_by_hand()
    await rig.engine.aclose()

    assert reason_of(await task) is Reason.SHUTTING_DOWN


@pytest.mark.parametrize(
    "switch_off", [lambda engine: engine.toggle(), lambda engine: engine.snooze(1)], ids=["toggle", "snooze"]
)
async def test_switching_completion_off_ends_the_wait(
    rig: Loading, switch_off: Callable[[CompletionEngine], object]
) -> None:
    task = await rig.ask_by_hand()
    switch_off(rig.engine)
    rig.slow.may_find.set()

    assert reason_of(await task) is Reason.DISABLED
    assert rig.slow.provider.streams == []


async def test_a_cancelled_request_waits_no_longer(rig: Loading) -> None:
    task = await rig.ask_by_hand()
    task.cancel()
    await asyncio.wait([task])
    rig.slow.may_find.set()
    await settle()

    assert rig.slow.provider.streams == []


async def test_new_settings_change_what_is_waited_for(rig: Loading) -> None:
    task = await rig.ask_by_hand()
    rig.engine.configure("editor settings", {"provider": "local"})
    rig.slow.may_find.set()

    assert text_of(await task) == "1"


async def test_settings_that_are_on_their_way_are_waited_for_too() -> None:
    rig = Loading()
    rig.engine.expect_settings()
    await rig.write("y = ")
    task = await rig.ask_by_hand()
    assert not rig.slow.is_asked.is_set()
    rig.slow.may_find.set()
    rig.engine.configure("editor settings", {})

    assert text_of(await task) == "1"
    await rig.engine.aclose()


async def test_a_model_server_that_went_idle_is_waited_for() -> None:
    first, second = ScriptedProvider(), ScriptedProvider(replies=("1\n",))
    rig = Rig(first, second)
    await rig.write("y = ")
    task = rig.ask(Trigger.MANUAL)
    await settle()
    first.streams[0].fail(UnreachableError("127.0.0.1: connection refused"))

    assert text_of(await task) == "1"
    await rig.engine.aclose()


@pytest.fixture
async def standing_in() -> AsyncIterator[Several]:
    """An engine whose first provider refuses the key, and where our own model stands in."""
    settings = {"provider": "main", "providers": {"main": api("local")}}
    rig = Several(settings, local=ScriptedProvider())
    await rig.write("y = ")
    await rig.fails(AuthError("h: wrong key"))
    await settle()
    yield rig
    await rig.engine.aclose()


async def restarting(rig: Several, finder: SlowFinder) -> asyncio.Task[Completion | Skip]:
    """Ask by hand, and let the server that stands in be gone; the finder starts it again."""
    idle = rig.by_name.found["local"]
    assert isinstance(idle, ScriptedProvider)
    rig.by_name.find = finder.find  # type: ignore[method-assign] # in its own time
    task = rig.ask(Trigger.MANUAL)
    await settle()
    rig.main.streams[-1].fail(AuthError("h: wrong key"))
    await settle()
    idle.streams[0].fail(UnreachableError("127.0.0.1: connection refused"))
    await settle()
    assert not task.done()
    return task


async def test_a_stand_in_whose_server_went_idle_is_waited_for(standing_in: Several) -> None:
    finder = SlowFinder(ScriptedProvider(replies=("1\n",)))
    task = await restarting(standing_in, finder)
    finder.may_find.set()

    assert text_of(await task) == "1"


async def test_a_stand_in_that_is_set_up_anew_is_waited_for_no_longer(standing_in: Several) -> None:
    task = await restarting(standing_in, SlowFinder())
    standing_in.engine.configure("editor settings", {"local": {"model": "other"}})

    assert reason_of(await task) is Reason.NO_PROVIDER


async def test_a_server_that_is_gone_before_it_was_warm_is_started_again() -> None:
    class Warming(ScriptedProvider):
        is_warming = True

        async def warm(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                self.is_warming = False

    first, second = Warming(), ScriptedProvider(replies=("1\n",))
    rig = Rig(first, second)
    await rig.write("y = ")
    rig.ask()
    await settle()
    first.streams[0].fail(UnreachableError("127.0.0.1: connection refused"))
    await settle()

    assert text_of(await rig.ask()) == "1"
    assert not first.is_warming
    await rig.engine.aclose()
