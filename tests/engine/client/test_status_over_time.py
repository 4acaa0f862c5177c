"""What the client is shown while an engine is switched off and on, snoozed, loading, or refused."""

from __future__ import annotations

from llm_lsp.core.request import Trigger
from llm_lsp.core.skip import Reason
from llm_lsp.engine.client.interface import Status
from llm_lsp.errors import AuthError
from tests.doubles import ScriptedProvider, settle
from tests.engine.rig import Rig, SlowFinder, reason_of


def now(rig: Rig) -> Status:
    return rig.client.status_now


async def test_a_snooze_ends_on_the_screen_too() -> None:
    rig = Rig()
    await rig.write("y = ")
    rig.engine.snooze(5)
    assert now(rig).kind == "Inactive"

    await rig.clock.advance(5 * 60 + 1)

    assert now(rig).kind == "Normal"
    await rig.engine.aclose()


async def test_a_model_that_loads_while_completions_are_off_does_not_switch_them_on() -> None:
    finder = SlowFinder()
    rig = Rig(finder=finder)
    await rig.write("y = ")
    await finder.is_asked.wait()
    rig.engine.toggle()

    finder.may_find.set()
    await settle()

    assert now(rig).kind == "Inactive"
    rig.engine.toggle()
    assert now(rig).kind == "Normal"
    await rig.engine.aclose()


async def test_off_and_on_again_does_not_hide_a_refused_key() -> None:
    rig = Rig()
    await rig.write("y = ")
    task = rig.ask(Trigger.MANUAL)
    await settle()
    rig.provider.streams[-1].fail(AuthError("h refused the key"))
    await task

    rig.engine.toggle()
    rig.engine.toggle()

    assert (now(rig).kind, now(rig).message) == ("Error", "h refused the key")
    await rig.engine.aclose()


async def test_new_settings_end_the_trouble_of_the_provider_that_they_replace() -> None:
    rig = Rig(settings={"provider": "local"})
    await rig.write("y = ")
    task = rig.ask(Trigger.MANUAL)
    await settle()
    rig.provider.streams[-1].fail(AuthError("h refused the key"))
    await task
    assert now(rig).kind == "Error"

    rig.engine.configure("editor settings", {"provider": "auto"})
    await settle()

    assert now(rig).kind != "Error"
    await rig.engine.aclose()


async def test_an_old_call_that_fails_late_says_nothing_of_the_new_provider() -> None:
    old, new = ScriptedProvider(), ScriptedProvider()
    rig = Rig(old, new, settings={"provider": "local"})
    await rig.write("y = ")
    task = rig.ask(Trigger.MANUAL)
    await settle()
    rig.engine.configure("editor settings", {"provider": "auto"})
    await settle()

    old.streams[-1].fail(AuthError("h refused the key"))
    await task

    assert now(rig).kind != "Error"
    assert rig.client.shown == []
    await rig.engine.aclose()


async def test_switching_off_answers_what_waits_and_closes_what_is_in_flight() -> None:
    rig = Rig()
    await rig.write("y = ")
    task = rig.ask(Trigger.MANUAL)
    await settle()

    rig.engine.toggle()
    await settle()

    assert reason_of(await task) is Reason.DISABLED
    assert rig.provider.streams[-1].closed
    await rig.engine.aclose()
