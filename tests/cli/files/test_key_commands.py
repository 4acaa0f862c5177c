"""A key command runs once for all that need its key, and not again before the key is due."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from llm_lsp.cli.files import key_commands
from llm_lsp.cli.files.key_commands import RETRY_S, KeyCommands
from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.errors import AuthError

TEAM = ProviderConfig("team", "openai-chat", "https://llm.team.example/v1", api_key_command=("sso", "token"))
OTHER = replace(TEAM, name="other", base_url="https://chat.team.example/v1")


class Sso:
    """Stands in for the processes: each run gives the next output, or fails."""

    def __init__(self, *outputs: str | AuthError) -> None:
        self.outputs = list(outputs)
        self.runs = 0
        self.time = 1_800_000_000.0
        self.commands = KeyCommands(lambda: self.time, lambda: self.time)

    async def run(self, words: tuple[str, ...]) -> str:
        self.runs += 1
        output = self.outputs[min(self.runs, len(self.outputs)) - 1]
        await asyncio.sleep(0)
        if isinstance(output, AuthError):
            raise output
        return output

    async def key(self, config: ProviderConfig = TEAM, known: Secret | None = None) -> str:
        return (await self.commands.key(config, known)).reveal()


def token(name: str, life_s: float = 3600) -> str:
    return json.dumps({"access_token": name, "expires_in": life_s})


def start(monkeypatch: pytest.MonkeyPatch, *outputs: str | AuthError) -> Sso:
    sso = Sso(*outputs)
    monkeypatch.setattr(key_commands, "_output", sso.run)
    return sso


async def test_all_that_ask_at_once_share_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    sso = start(monkeypatch, token("one"), token("two"))
    assert [*await asyncio.gather(sso.key(), sso.key(OTHER), sso.key())] == ["one"] * 3
    assert sso.runs == 1


async def test_all_that_ask_at_once_share_a_failure_under_their_own_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sso = start(monkeypatch, AuthError("failed with status 7"))
    told = await asyncio.gather(sso.key(), sso.key(OTHER), return_exceptions=True)
    assert [str(each) for each in told] == [
        "team: the key command sso failed with status 7",
        "other: the key command sso failed with status 7",
    ]
    assert sso.runs == 1


async def test_a_key_is_held_until_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    sso = start(monkeypatch, token("one"), token("two"))
    await sso.key()
    sso.time += 3299
    assert await sso.key(OTHER) == "one"
    sso.time += 1
    assert await sso.key(OTHER) == "two"
    assert sso.runs == 2


async def test_a_key_that_was_refused_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sso = start(monkeypatch, token("one"), token("two"))
    known = Secret(await sso.key())
    assert await sso.key(TEAM, known) == "two"
    assert await sso.key(OTHER, known) == "two"
    assert sso.runs == 2


async def test_a_key_that_does_not_say_when_it_expires_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sso = start(monkeypatch, "sk-one", "sk-two")
    assert [await sso.key(), await sso.key()] == ["sk-one", "sk-two"]


async def test_a_command_that_failed_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    sso = start(monkeypatch, AuthError("failed with status 7"), "sk-one")
    for _ in range(3):
        with pytest.raises(AuthError, match="status 7"):
            await sso.key()
    assert sso.runs == 1
    sso.time += RETRY_S
    assert await sso.key() == "sk-one"


async def test_the_end_of_one_that_waits_does_not_end_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    sso = start(monkeypatch, token("one"))
    first, second = asyncio.create_task(sso.key()), asyncio.create_task(sso.key())
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "one"
