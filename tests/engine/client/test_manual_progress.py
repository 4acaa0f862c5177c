"""Progress is shown for requests that wait, and for no others."""

from __future__ import annotations

from llm_lsp.core.request import Trigger
from llm_lsp.engine.client.interface import Progress
from llm_lsp.engine.client.manual_progress import PATIENT_S
from tests.doubles import settle
from tests.engine.rig import Rig


async def asked(trigger: Trigger) -> Rig:
    rig = Rig()
    await rig.write("x = ")
    task = rig.ask(trigger)
    await rig.clock.advance(PATIENT_S)
    rig.provider.streams[0].finish("1")
    await task
    await rig.engine.aclose()
    return rig


async def test_a_request_by_hand_that_takes_long_has_a_bar() -> None:
    rig = await asked(Trigger.MANUAL)

    assert rig.client.progressed == [
        Progress("llm-lsp/request/1", "llm-lsp", "waiting for the model"),
        Progress("llm-lsp/request/1", "llm-lsp", done=True),
    ]
    assert not rig.client.status_now.busy


async def test_the_status_is_busy_while_it_waits() -> None:
    rig = Rig()
    await rig.write("x = ")
    task = rig.ask(Trigger.MANUAL)
    await rig.clock.advance(PATIENT_S)
    waiting = rig.client.status_now
    task.cancel()
    await settle()
    await rig.engine.aclose()

    assert (waiting.busy, rig.client.status_now.busy) == (True, False)


async def test_a_request_while_typing_has_none() -> None:
    assert (await asked(Trigger.AUTOMATIC)).client.progressed == []
