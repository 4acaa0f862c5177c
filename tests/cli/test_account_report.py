"""What is told of a key, its account and its model."""

from __future__ import annotations

import pytest

from llm_lsp.cli.account_report import account_checks, limit_checks, model_checks
from llm_lsp.cli.terminal.checklist import Check
from llm_lsp.config.settings import Config, ProviderConfig
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.providers.catalogue import key_account as account
from llm_lsp.providers.catalogue.key_account import KeyAccount
from llm_lsp.providers.provider_factory import make_provider

KEY = "sk-admin-CANARY"


def using(model: str = "m") -> Config:
    config = ProviderConfig("mine", "openai-chat", "https://llm.example/v1", model, api_key_env="MINE_KEY")
    return Config(provider="mine", providers={"mine": config})


async def test_a_key_with_more_rights_than_needed_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_KEY", KEY)
    (check,) = await account_checks(using())
    assert (check.name, check.verdict) == ("key", "warn")
    assert "admin key" in check.text
    assert "CANARY" not in check.text


@pytest.mark.parametrize(("is_spent", "verdict"), [(False, "note"), (True, "warn")])
async def test_what_is_left_is_told(is_spent: bool, verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(config: ProviderConfig, key: Secret) -> KeyAccount:
        return KeyAccount(left="1.00 USD", is_spent=is_spent)

    monkeypatch.setenv("MINE_KEY", "sk-x")
    monkeypatch.setattr(account, "look_at_account", look)
    assert await account_checks(using()) == [Check("left to spend", verdict, "1.00 USD")]  # type: ignore[arg-type] # above


async def test_without_a_key_there_is_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_KEY", "two words")
    assert await account_checks(using()) == []
    assert await account_checks(Config()) == []


def test_the_limits_of_the_last_answer_are_told() -> None:
    provider = make_provider(using().providers["mine"], None)
    assert limit_checks(provider) == []
    provider.last_headers = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59"}
    assert limit_checks(provider) == [Check("rate limit", "note", "59 of 60 requests left")]


def test_a_model_that_is_taken_away_is_warned_of() -> None:
    (check,) = model_checks(using("gpt-5-nano"))
    assert check.verdict == "warn"
    assert check.text.startswith("gpt-5-nano is retired on 2026-12-11; use gpt-6-luna instead (https://")
    assert model_checks(using("gpt-6-luna")) == []
    assert model_checks(Config()) == []
