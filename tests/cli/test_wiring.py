"""What the editor named is looked at before it is used, and what the user named is not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial

import pytest

from llm_lsp.cli.wiring import KeySource, configured
from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.redact import Redactor
from llm_lsp.errors import ConfigError
from llm_lsp.port_owners import Owner
from llm_lsp.providers.base import Provider
from llm_lsp.providers.discovery import owner_check as vet
from llm_lsp.providers.http.peer_check import KnownPeers
from tests.cli.model_api import ModelApi, model_api


@pytest.fixture
def api() -> Iterator[ModelApi]:
    with model_api() as api:
        yield api


def of_owner(monkeypatch: pytest.MonkeyPatch, owner: Owner) -> None:
    monkeypatch.setattr(vet, "check_owner", partial(vet.check_owner, owner_of=lambda port: owner))


def config(api: ModelApi, *, unvouched: bool, model: str = "m") -> ProviderConfig:
    return ProviderConfig("here", "openai-completions", api.url, model, unvouched=unvouched)


async def built(config: ProviderConfig) -> Provider:
    return await configured(config, KeySource(config, Redactor()), KnownPeers())


async def test_a_server_of_the_editors_is_used_without_a_question(
    api: ModelApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_owner(monkeypatch, "me")
    async with contextlib.aclosing(await built(config(api, unvouched=True))) as provider:
        assert provider.profile.provider == "here"
    assert api.asked == 0


@pytest.mark.parametrize("owner", ["other", "unknown"])
async def test_another_users_server_is_used_only_where_the_user_named_it(
    api: ModelApi, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_owner(monkeypatch, owner)
    with pytest.raises(ConfigError):
        await built(config(api, unvouched=True))
    async with contextlib.aclosing(await built(config(api, unvouched=False))):
        pass


async def test_a_model_that_nobody_named_is_none_of_a_cloud(api: ModelApi) -> None:
    api.models = ("gpt-oss:120b-cloud",)
    with pytest.raises(ConfigError, match="runs in a cloud"):
        await built(config(api, unvouched=False, model=""))
    async with contextlib.aclosing(await built(config(api, unvouched=False, model="gpt-oss:120b-cloud"))):
        pass
