"""Next edits by a model: when one is asked, with whom, what is sent, and what ends the call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from llm_lsp.core.edits.next_edit import OfferedEdit
from llm_lsp.core.generation import Finish
from llm_lsp.core.prompt.prompts import ChatPrompt, RawPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.text import Edit, Point
from llm_lsp.engine.edits.model_edits import FRESH_S, LINE_END_S, PAID_S, QUIET_S
from llm_lsp.errors import NoEditModelError, UnreachableError
from tests.doubles import ScriptedStream, settle
from tests.engine.edits.model_rig import ANSWER, SOURCE, SWEEP, ModelRig
from tests.engine.rig import URI


@pytest.fixture
async def rig() -> AsyncIterator[ModelRig]:
    rig = ModelRig()
    await rig.start()
    yield rig
    await rig.engine.aclose()


def prompt_of(stream: ScriptedStream) -> str:
    assert isinstance(stream.prompt, RawPrompt)
    return stream.prompt.text


async def test_a_model_is_asked_where_the_rules_find_nothing(rig: ModelRig) -> None:
    await rig.change()
    task = await rig.asked()
    (call,) = rig.calls
    call.finish(ANSWER)

    offer = await task

    assert isinstance(offer, OfferedEdit)
    assert (offer.edit.old, offer.edit.new) == ("2", "200")
    assert "original:\nfirst = 1\n" in prompt_of(call)
    assert "<|file_sep|>current/a.py:1:7\nfirst = <|cursor|>100\n" in prompt_of(call)


async def test_reading_ends_when_the_answer_agrees_with_the_old_text_again(rig: ModelRig) -> None:
    await rig.change()
    task = await rig.asked()
    call = rig.calls[0]
    for line in ANSWER.splitlines(keepends=True)[:4]:
        call.say(line)

    offer = await task

    assert isinstance(offer, OfferedEdit)
    assert offer.edit.new == "200"
    assert call.released


async def test_rules_are_asked_first_and_their_edit_needs_no_model() -> None:
    rig = ModelRig()
    await rig.start("def total(cart):\n    return sum(cart)\n")
    await rig.become("def total(basket):\n    return sum(cart)\n")

    offer = await rig.offered()

    assert offer.edit.new == "basket"
    assert rig.calls == []
    await rig.engine.aclose()


@pytest.mark.parametrize(
    ("profile", "column", "wait_s"),
    [
        pytest.param(SWEEP, 8, QUIET_S, id="inside a line"),
        pytest.param(SWEEP, 11, LINE_END_S, id="behind a line's end"),
        pytest.param(replace(SWEEP, free=False, local=False), 8, PAID_S, id="a call that costs money"),
    ],
)
async def test_a_call_waits_for_a_pause(profile: Profile, column: int, wait_s: float) -> None:
    rig = ModelRig(profile)
    await rig.start()
    await rig.change()
    rig.point = Point(0, column)
    task = rig.ask()
    await rig.clock.advance(wait_s - 0.01)
    early = len(rig.calls)
    await rig.clock.advance(0.7)

    assert (early, len(rig.calls)) == (0, 1)
    task.cancel()
    await rig.engine.aclose()


async def test_a_call_is_closed_when_the_document_changes(rig: ModelRig) -> None:
    await rig.change()
    task = await rig.asked()
    await rig.edit(Edit(Point(3, 0), Point(3, 0), "x"), pause_s=0)

    found = await task

    assert isinstance(found, Skip)
    assert found.reason is Reason.SUPERSEDED
    assert rig.calls[0].closed


async def test_requests_for_one_text_share_a_call_and_its_answer_is_kept(rig: ModelRig) -> None:
    await rig.change()
    first = await rig.asked()
    second = rig.ask()
    await settle()
    first.cancel()
    rig.calls[0].finish(ANSWER)
    offer, again = await second, await rig.ask()

    assert isinstance(offer, OfferedEdit)
    assert again == offer
    assert len(rig.calls) == 1


async def test_a_request_that_does_not_wait_asks_no_model(rig: ModelRig) -> None:
    await rig.change(pause_s=5)
    found = await rig.ask(may_wait=False)

    assert isinstance(found, Skip)
    assert found.reason in (Reason.NOTHING_FOLLOWS, Reason.UNCERTAIN)
    assert rig.calls == []


async def test_no_model_is_asked_long_after_the_last_change(rig: ModelRig) -> None:
    await rig.change(pause_s=FRESH_S + 1)

    found = await rig.ask()

    assert isinstance(found, Skip)
    assert rig.calls == []


async def test_a_completion_closes_the_call_and_goes_first(rig: ModelRig) -> None:
    await rig.change()
    task = await rig.asked()
    completing = rig.rig.ask(Trigger.MANUAL, at=Point(2, 9))
    await rig.clock.advance(1.0)

    found = await task

    assert rig.calls[0].closed
    assert isinstance(found, Skip)
    assert found.reason is Reason.SUPERSEDED
    assert rig.completions.streams
    completing.cancel()


async def test_a_call_waits_while_a_completion_is_in_flight(rig: ModelRig) -> None:
    await rig.change()
    completing = rig.rig.ask(Trigger.MANUAL, at=Point(2, 9))
    await rig.clock.advance(1.0)
    task = rig.ask()
    await rig.clock.advance(3.0)
    before = len(rig.calls)
    rig.completions.streams[0].finish("0")
    await completing
    await rig.clock.advance(1.0)
    for stream in rig.completions.streams[1:]:
        stream.finish("")
    await rig.clock.advance(1.0)

    assert (before, len(rig.calls)) == (0, 1)
    task.cancel()


async def test_a_secret_is_not_sent_and_a_place_beside_one_is_not_changed(rig: ModelRig) -> None:
    key = "AKIA" + "Q7RZ4NWJ5KLMXYTB"
    await rig.become(SOURCE.replace("fourth = 4", f'aws_key = "{key}"'))
    await rig.change()
    task = await rig.asked()
    rig.calls[-1].finish("first = 100\nsecond = 2\nthird = 33\nfourth = 4\n")
    found = await task

    assert key not in prompt_of(rig.calls[-1])
    assert isinstance(found, Skip)
    assert found.reason is Reason.SECRET


async def test_an_excluded_file_is_not_sent() -> None:
    rig = ModelRig(settings={"privacy": {"exclude": ["a.py"]}})
    await rig.start()
    await rig.change()

    found = await rig.ask()

    assert isinstance(found, Skip)
    assert found.reason is Reason.EXCLUDED
    assert rig.calls == []
    await rig.engine.aclose()


async def test_a_text_with_the_formats_marks_is_not_sent(rig: ModelRig) -> None:
    await rig.become(SOURCE.replace("sixth = 6", "sixth = '<|file_sep|>'"))
    await rig.change()
    task = rig.ask()
    await rig.clock.advance(3.0)
    found = await task

    assert isinstance(found, Skip)
    assert found.reason is Reason.MARKS
    assert rig.calls == []


async def test_a_model_that_undoes_the_last_change_shows_nothing(rig: ModelRig) -> None:
    await rig.change()
    task = await rig.asked()
    rig.calls[0].finish(SOURCE)
    found = await task

    assert isinstance(found, Skip)
    assert found.reason is Reason.UNDOES
    assert await rig.reason() is Reason.UNDOES
    assert len(rig.calls) == 1


async def test_a_dismissed_edit_is_not_shown_again(rig: ModelRig) -> None:
    await rig.change()
    task = await rig.asked()
    rig.calls[0].finish(ANSWER)
    offer = await task
    assert isinstance(offer, OfferedEdit)
    rig.engine.dismissed(offer.id)
    await rig.edit(Edit(Point(2, 0), Point(2, 0), "x"), pause_s=5.1)
    task = rig.ask()
    await rig.clock.advance(3.0)
    # The first line is above the last change, and in the prompt.
    rig.calls[1].finish(ANSWER.replace("third", "xthird").partition("\n")[2])
    found = await task

    assert isinstance(found, Skip)
    assert found.reason is Reason.DISMISSED


async def test_a_failed_call_is_a_reason_and_not_kept(rig: ModelRig) -> None:
    await rig.change()
    task = await rig.asked()
    rig.calls[0].fail(UnreachableError("no server"))
    found = await task

    assert isinstance(found, Skip)
    assert found.reason is Reason.PROVIDER_FAILED


async def test_a_cut_off_answer_shows_nothing(rig: ModelRig) -> None:
    await rig.change()
    task = await rig.asked()
    rig.calls[0].finish("first = 100\nsecond = 2", Finish.LENGTH)
    found = await task

    assert isinstance(found, Skip)
    assert found.reason is Reason.CUT_OFF


async def test_a_chat_model_is_asked_for_its_window() -> None:
    rig = ModelRig(Profile("edits", "gpt", "chat", local=True, free=True))
    await rig.start()
    await rig.change()
    task = await rig.asked()
    prompt = rig.calls[0].prompt
    rig.calls[0].finish(f"<|window|>\n{ANSWER}<|/window|>")
    offer = await task

    assert isinstance(prompt, ChatPrompt)
    assert isinstance(offer, OfferedEdit)
    assert offer.edit.new == "200"
    await rig.engine.aclose()


async def test_a_model_that_only_completes_is_not_asked() -> None:
    rig = ModelRig(Profile("edits", "qwen2.5-coder", "qwen", local=True, free=True))
    await rig.start()
    await rig.change()
    task = rig.ask()
    await rig.clock.advance(3.0)
    found = await task

    assert isinstance(found, Skip)
    assert found.reason is Reason.NO_EDIT_MODEL
    await rig.engine.aclose()


@pytest.mark.parametrize("enabled", ["auto", True])
async def test_without_a_named_provider_only_a_served_model_is_asked(enabled: object) -> None:
    rig = ModelRig(settings={"edits": {"enabled": enabled}})
    rig.rig.finder.found[:] = [rig.completions, NoEditModelError("none is served")]
    await rig.start()
    await rig.change()
    task = rig.ask()
    await rig.clock.advance(3.0)
    found = await task

    assert isinstance(found, Skip)
    assert found.reason is (Reason.NO_EDIT_MODEL if enabled is True else Reason.NOTHING_FOLLOWS)
    assert rig.rig.client.shown == []
    await rig.engine.aclose()


async def test_what_happened_is_explained_and_counted(rig: ModelRig) -> None:
    await rig.change()
    task = await rig.asked()
    rig.calls[0].finish(ANSWER)
    await task

    told = rig.engine.explain()

    assert "sweep for edits sweep-next-edit-0.5b, at line 1" in told
    assert URI not in told
