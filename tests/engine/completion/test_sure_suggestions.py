"""What is shown of an answer whose tokens have log-probabilities."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Completion, Trigger
from llm_lsp.core.skip import Reason, Skip
from tests.doubles import settle
from tests.engine.rig import Rig, reason_of, text_of

PROFILE = Profile("scripted", "m", "none", max_in_flight=2, sends_logprobs=True)
SURE, UNSURE = -0.01, -4.0


async def answered(
    rig: Rig, *tokens: tuple[str, float], trigger: Trigger = Trigger.AUTOMATIC
) -> Completion | Skip:
    """Ask, and let the newest call answer with these tokens."""
    asked = rig.ask(trigger)
    await rig.clock.advance(5)
    stream = rig.provider.streams[-1]
    stream.say_tokens(*tokens)
    stream.finish("")
    return await asked


async def test_an_unsure_answer_is_not_shown_and_explain_tells_why() -> None:
    rig = Rig(profile=PROFILE)
    await rig.write("y = ")
    assert reason_of(await answered(rig, ("first", UNSURE), (" + second", UNSURE))) is Reason.UNSURE
    assert "right with 0%, shown from 35%" in rig.engine.explain()
    await rig.engine.aclose()


async def test_it_is_shown_up_to_the_last_sure_word() -> None:
    rig = Rig(profile=PROFILE)
    await rig.write("y = ")
    assert text_of(await answered(rig, ("first", SURE), (" + second", UNSURE))) == "first"
    await rig.engine.aclose()


async def test_what_was_unsure_is_shown_once_its_beginning_was_typed() -> None:
    rig = Rig(profile=PROFILE)
    await rig.write("y = ")
    await answered(rig, ("first", UNSURE), (" +", SURE), (" second", SURE))
    await rig.type("first")
    assert text_of(await rig.ask()) == " + second"
    assert len(rig.provider.streams) == 1
    await rig.engine.aclose()


async def test_a_manual_request_shows_it_all_the_same() -> None:
    rig = Rig(profile=PROFILE)
    await rig.write("y = ")
    shown = await answered(rig, ("first", UNSURE), (" + second", UNSURE), trigger=Trigger.MANUAL)
    assert text_of(shown) == "first + second"
    await rig.engine.aclose()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"eagerness": "high"}, "first + second", id="eager"),
        pytest.param({"eagerness": "low"}, "first", id="hesitant"),
        pytest.param({"eagerness": "low", "length": "line"}, None, id="hesitant, and whole lines only"),
    ],
)
async def test_the_settings_decide_how_sure_it_must_be(
    settings: Mapping[str, object], expected: str | None
) -> None:
    rig = Rig(profile=PROFILE, settings={"completion": settings})
    await rig.write("y = ")
    result = await answered(rig, ("first", -0.2), (" + second", -0.8))
    assert (text_of(result) if isinstance(result, Completion) else None) == expected
    await rig.engine.aclose()


async def test_a_model_that_is_right_more_often_than_estimated_shows_more() -> None:
    rig = Rig(profile=PROFILE)
    await rig.write("")
    tokens = ("alpha", -0.3), (" + beta", -0.6)
    shown = []
    for number in range(30):
        await rig.type(f"y{number} = ")
        result = await answered(rig, *tokens)
        shown.append(text_of(result) if isinstance(result, Completion) else "")
        await rig.type("alpha + beta")
        await rig.clock.advance(1)
        rig.ask()
        await settle()
        await rig.type("\n")
    assert shown[0] != "alpha + beta" == shown[-1]
    await rig.engine.aclose()


async def test_without_log_probabilities_nothing_is_judged() -> None:
    rig = Rig(profile=PROFILE)
    await rig.write("y = ")
    rig.provider.replies = ["first + second\n"]
    assert text_of(await rig.ask()) == "first + second"
    await rig.engine.aclose()
