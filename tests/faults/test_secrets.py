"""Faults 51 to 53 of docs/faults.md: secrets in what the user works on, and what of them reaches a model: nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.request import Trigger
from tests.core.secrets.private_keys import LINES, MARKS, key, leaks, written
from tests.core.secrets.surroundings import AFTER, BEFORE
from tests.doubles import settle
from tests.engine.rig import Rig
from tests.faults.machine import Machine, ask_in, machine

TOKENS = ["ghp_16C7e42F292c6912E7710c838347Ae178B4a", "AKIAIOSFODNN7EXAMPLE", "sk-" + "aB3dE5fG7h" * 7]
VARIABLES = [
    "AWS_SECRET_ACCESS_KEY",
    "DJANGO_SECRET_KEY",
    "STRIPE_SECRET_KEY",
    "GITHUB_PAT",
    "DB_PASS",
    "SSH_PASSPHRASE",
    "NPM_AUTH",
    "TOKEN_SIGNING_KEY",
]


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    yield rig
    await rig.engine.aclose()


@pytest.fixture
async def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Machine]:
    async with machine(tmp_path, monkeypatch) as made:
        yield made


async def sent(rig: Rig, text: str, uri: str) -> str:
    """Return what is sent for a cursor at a text's end."""
    await rig.write(text, uri)
    await settle()
    n_calls = len(rig.provider.streams)
    task = rig.ask(Trigger.MANUAL, uri=uri)
    await settle()
    assert len(rig.provider.streams) == n_calls + 1
    stream = rig.provider.streams[-1]
    assert isinstance(stream.prompt, RawPrompt)
    stream.finish("1")
    await task
    return stream.prompt.text


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token[:4])
async def test_fault_51_no_part_of_a_token_leaves_however_it_is_written_and_cut(rig: Rig, token: str) -> None:
    lines = "".join(f"x = '{before}{token}{after}\n" for before in BEFORE for after in AFTER[:4])
    # One is divided by the edge of the prompt, wherever that is.
    long_line = f"{token}; " * 2000
    for number, text in enumerate((f"{lines}y = ", f"{long_line}y = ", f"{lines}{long_line}\ny = ")):
        prompt = await sent(rig, text, f"file:///p/{number}.py")

        assert "y = " in prompt
        assert [token[at : at + 6] for at in range(5, len(token) - 5) if token[at : at + 6] in prompt] == []


@pytest.mark.parametrize("form", LINES)
async def test_fault_52_no_line_of_a_private_key_leaves_whatever_is_cut_off(rig: Rig, form: str) -> None:
    for number, kind in enumerate(MARKS):
        lines = key(kind, 60)
        for first, stop in ((0, None), (3, None), (0, -3), (5, -5)):
            text = "\n".join([*written(lines[first:stop], form), *["x = 1"] * 9, "y = "])
            prompt = await sent(rig, text, f"file:///p/{number}{first}{stop}.py")

            assert leaks(lines[1:-1], prompt) == []


async def test_fault_53_the_value_of_a_variable_named_as_a_secret_never_leaves(
    computer: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {name: f"value number {at} of mine" for at, name in enumerate(VARIABLES)}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    async with computer.server() as client:
        for at, value in enumerate(values.values()):
            await ask_in(client, f"file:///p/{at}.py", f"check('{value}') == ")

    bodies = [received.body.decode() for received in computer.api.received if received.method == "POST"]
    assert len(bodies) == len(values)
    assert not any("of mine" in body for body in bodies)
