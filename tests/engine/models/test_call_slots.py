"""A provider's places are handed out by priority, and each once."""

from __future__ import annotations

from llm_lsp.engine.models.call_slots import CallSlots


async def test_a_free_place_is_taken_at_once() -> None:
    slots = CallSlots()

    assert slots.enter("completion", 2).done()
    assert slots.enter("chat", 2).done()
    assert not slots.enter("completion", 2).done()


async def test_a_completion_comes_before_an_edit_that_waits_longer() -> None:
    slots = CallSlots()
    slots.enter("chat", 1)
    edit, completion = slots.enter("edits", 1), slots.enter("completion", 1)

    slots.release()
    assert (completion.done(), edit.done()) == (True, False)
    slots.release()

    assert edit.done()


async def test_a_question_and_a_completion_are_served_as_they_came() -> None:
    slots = CallSlots()
    slots.enter("completion", 1)
    question, completion = slots.enter("chat", 1), slots.enter("completion", 1)

    slots.release()

    assert (question.done(), completion.done()) == (True, False)


async def test_a_place_does_not_go_to_a_call_that_gave_up() -> None:
    slots = CallSlots()
    slots.enter("completion", 1)
    given_up, next_one = slots.enter("completion", 1), slots.enter("completion", 1)
    given_up.cancel()

    slots.release()

    assert next_one.done()


async def test_a_place_that_nothing_waits_for_is_free_again() -> None:
    slots = CallSlots()
    slots.enter("completion", 1)
    slots.release()

    assert slots.enter("edits", 1).done()
