"""What leaves the engine for a model; a model's text is scripted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.request import Trigger
from llm_lsp.core.skip import Reason
from llm_lsp.core.text.text import Point
from tests.doubles import settle
from tests.engine.rig import Rig, reason_of

KEY = "sk-proj-" + "aB3" * 20


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    await rig.engine.aclose()


async def sent(rig: Rig, text: str, at: Point | None = None) -> str:
    await rig.write(text)
    rig.ask(at=at)
    await settle()
    prompt = rig.provider.streams[0].prompt
    assert isinstance(prompt, RawPrompt)
    return prompt.text


async def test_a_secret_around_the_cursor_is_masked(rig: Rig) -> None:
    text = await sent(rig, f"client = Client('{KEY}')\ny = ")

    assert KEY not in text
    assert "client = Client('sk-pxxx-xX0" in text


async def test_masking_can_be_switched_off_by_the_user() -> None:
    rig = Rig(settings={"privacy": {"redact_secrets": False}})
    assert KEY in await sent(rig, f"client = Client('{KEY}')\ny = ")
    await rig.engine.aclose()


@pytest.mark.parametrize("trigger", Trigger)
async def test_nothing_is_asked_inside_a_secret(rig: Rig, trigger: Trigger) -> None:
    await rig.write(f"client = Client('{KEY}')\n")

    result = await rig.ask(trigger, at=Point(0, 40))

    assert reason_of(result) is Reason.SECRET
    assert not rig.provider.streams


async def test_nothing_is_sent_where_the_search_for_secrets_fails(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(text: str) -> None:
        raise RuntimeError("y = secret")

    await rig.write("y = ")
    monkeypatch.setattr("llm_lsp.core.privacy.redact.Redactor.redact", lambda self, text: fail(text))

    result = await rig.ask()

    assert reason_of(result) is Reason.PROVIDER_FAILED
    assert not rig.provider.streams
    assert "secret" not in repr((result, rig.client.__dict__))
