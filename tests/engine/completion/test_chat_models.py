"""A model that is asked by a dialogue is told what its user says, and thinks only where it is asked by hand."""

from __future__ import annotations

from llm_lsp.core.prompt.chat_prompt import RULES
from llm_lsp.core.prompt.prompts import ChatPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Trigger
from tests.doubles import ScriptedProvider
from tests.engine.rig import Rig, text_of

THINKER = Profile("scripted", "m", "chat", thinks_by_hand=True)


async def asked(rig: Rig, provider: ScriptedProvider, trigger: Trigger = Trigger.MANUAL) -> ChatPrompt:
    await rig.write("y = ")
    provider.replies = ["<fill>y = 1</fill>"]
    await rig.ask(trigger)
    prompt = provider.streams[-1].prompt
    assert isinstance(prompt, ChatPrompt)
    return prompt


async def test_role_and_examples_come_from_the_settings() -> None:
    provider = ScriptedProvider(Profile("scripted", "m", "chat"))
    example = {"before": "a = ", "answer": "b"}
    rig = Rig(provider, settings={"chat": {"system_prompt": "Be brief.", "examples": [example]}})

    prompt = await asked(rig, provider)

    assert [text for role, text in prompt.messages if role in ("system", "assistant")] == [
        "Be brief.",
        "<fill>a = b</fill>",
    ]
    await rig.engine.aclose()


async def test_without_settings_the_model_is_told_our_rules() -> None:
    provider = ScriptedProvider(Profile("scripted", "m", "chat", takes_prefill=True))
    rig = Rig(provider)

    prompt = await asked(rig, provider)

    assert prompt.messages[0] == ("system", RULES)
    assert prompt.messages[-1] == ("assistant", "<fill>y =")
    assert not prompt.thinks
    await rig.engine.aclose()


async def test_a_model_thinks_only_where_it_is_asked_by_hand() -> None:
    provider = ScriptedProvider(THINKER)
    rig = Rig(provider)

    assert not (await asked(rig, provider, Trigger.AUTOMATIC)).thinks
    # An answer without thinking does not serve a request that wants thinking.
    assert (await asked(rig, provider, Trigger.MANUAL)).thinks
    assert len(provider.streams) == 2
    await rig.engine.aclose()


async def test_thoughts_are_not_shown() -> None:
    provider = ScriptedProvider(THINKER)
    rig = Rig(provider)
    await rig.write("y = ")
    provider.replies = ["<think>Perhaps </fill> or <fill>y = 2</fill>?</think>\n<fill>y = 1</fill>"]

    assert text_of(await rig.ask(Trigger.MANUAL)) == "1"
    await rig.engine.aclose()
