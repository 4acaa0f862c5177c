"""A slow model is asked with what it reads in time, and each user of a shared one sees something."""

from __future__ import annotations

import pytest

from benchmarks.slow_server import User, run_seats
from llm_lsp.core.generation import PromptProgress
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Trigger
from llm_lsp.core.text.token_estimate import estimate_tokens
from tests.doubles import ScriptedProvider, settle
from tests.engine.rig import Rig, text_of

LONG = "".join(f"value_{number} = compute({number})\n" for number in range(600))
SLOW = Profile("llamacpp", "m", "none", 2048, local=True, free=True, max_in_flight=1, may_be_slow=True)


async def prompt_tokens(
    rig: Rig, first_s: float, progress: PromptProgress | None = None, trigger: Trigger = Trigger.MANUAL
) -> float:
    """Ask for a new line, let its first text take so long, and return the tokens of its prompt."""
    await rig.type("x = ")
    task = rig.ask(trigger)
    await settle()
    if trigger is Trigger.AUTOMATIC:
        await rig.clock.advance(1.0)  # the wait for a pause in typing
    stream = rig.provider.streams[-1]
    await rig.clock.advance(first_s)
    stream.finish("1\n", progress=progress)
    assert text_of(await task) == "1"
    await rig.type("1\n")
    prompt = stream.prompt
    assert isinstance(prompt, RawPrompt)
    return estimate_tokens(prompt.text)


class SlowRig(Rig):
    def __init__(self, profile: Profile = SLOW) -> None:
        provider = ScriptedProvider(profile)
        super().__init__(provider)
        self.provider = provider


async def test_the_first_prompt_of_a_server_that_may_be_slow_is_short_and_shows_its_speed() -> None:
    rig = SlowRig()
    await rig.write(LONG)

    first = await prompt_tokens(rig, 0.1, PromptProgress(240, 0, 240, 0.1), Trigger.AUTOMATIC)
    second = await prompt_tokens(rig, 0.1)

    assert 100 < first <= 256
    assert second > 900
    await rig.engine.aclose()


async def test_a_first_prompt_that_a_user_asks_for_is_longer() -> None:
    rig = SlowRig()
    await rig.write(LONG)

    assert 300 < await prompt_tokens(rig, 0.1) <= 512
    await rig.engine.aclose()


async def test_prompts_shrink_to_what_a_slow_server_reads_and_grow_when_it_is_fast_again() -> None:
    rig = SlowRig(Profile("hosted", "m", "none", 2048, max_in_flight=2))
    await rig.write(LONG)

    tokens = [await prompt_tokens(rig, first_s) for first_s in (0.2, 30.0, 5.0, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2)]

    assert tokens[1] > 900
    assert tokens[2] <= 512
    assert tokens[-1] > tokens[2]
    await rig.engine.aclose()


@pytest.mark.parametrize(
    ("pause_s", "foresight"),
    [
        (8.0, 0.85),
        (20.0, 0.0),
        pytest.param(8.0, 0.0, marks=pytest.mark.slow),
        pytest.param(20.0, 0.85, marks=pytest.mark.slow),
    ],
)
async def test_five_users_of_one_slot_each_see_a_suggestion_within_a_minute(
    pause_s: float, foresight: float
) -> None:
    figures = await run_seats(5, User(pause_s, foresight))

    assert all(first is not None and first <= 60 for first in figures.first_s)
    assert figures.n_seen >= 10


async def test_a_user_alone_on_a_slow_server_types_from_its_cache() -> None:
    figures = await run_seats(1, User(8.0, 0.85))

    assert figures.n_seen >= 10
