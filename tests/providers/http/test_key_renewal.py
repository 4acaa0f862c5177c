"""A key that expires is replaced before that, and no call waits for it unless it must."""

from __future__ import annotations

import asyncio

import pytest

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.secret import KeyLifetime, Secret
from llm_lsp.errors import AuthError, NotFoundError
from llm_lsp.providers.http.provider import HttpProvider, Remedies
from llm_lsp.providers.provider_factory import make_provider
from tests.providers.http.keyed_api import keys_sent, read, takes
from tests.providers.standin import StandIn, serve


class Issuer:
    """Issues a key that lives for 100 s at each run, once `ready` is set."""

    def __init__(self) -> None:
        self.time = 0.0
        self.runs = 0
        self.fault = ""
        self.ready = asyncio.Event()
        self.ready.set()

    def issue(self) -> Secret:
        return Secret(f"sk-{self.runs}", KeyLifetime(self.time + 80, self.time + 100))

    async def find_key(self) -> Secret | None:
        self.runs += 1
        await self.ready.wait()
        if self.fault:
            raise AuthError(self.fault)
        return self.issue()

    async def name_models(self, error: NotFoundError, key: Secret | None) -> NotFoundError:
        return error

    def connect(self, standin: StandIn) -> HttpProvider:
        config = ProviderConfig("it", "openai-completions", f"{standin.url}/v1", "m")
        return make_provider(
            config, self.issue(), Remedies(self.find_key, self.name_models, lambda: self.time)
        )


async def test_a_key_that_is_due_is_replaced_while_calls_go_on_with_it() -> None:
    issuer = Issuer()
    async with serve(takes("sk-0", "sk-1")) as standin:
        provider = issuer.connect(standin)
        await read(provider)
        issuer.time = 80
        issuer.ready.clear()
        await read(provider)
        await read(provider)
        assert (issuer.runs, keys_sent(standin)) == (1, ["sk-0"] * 3)
        issuer.ready.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await read(provider)
        assert (issuer.runs, keys_sent(standin)[-1]) == (1, "sk-1")
        await provider.aclose()


async def test_calls_with_an_expired_key_wait_for_the_same_new_one() -> None:
    issuer = Issuer()
    async with serve(takes("sk-1")) as standin:
        provider = issuer.connect(standin)
        issuer.time = 100
        await asyncio.gather(read(provider), read(provider))
        assert (issuer.runs, keys_sent(standin)) == (1, ["sk-1"] * 2)
        await provider.aclose()


async def test_a_failed_replacement_hurts_only_once_the_key_has_expired() -> None:
    issuer = Issuer()
    issuer.fault = "it: the key command sso failed with status 3"
    async with serve(takes("sk-0")) as standin:
        provider = issuer.connect(standin)
        issuer.time = 99
        await read(provider)
        issuer.time = 100
        with pytest.raises(AuthError, match="status 3"):
            await read(provider)
        assert len(standin.received) == 1
        issuer.fault = ""
        await provider.aclose()


async def test_closing_while_a_key_is_replaced_leaves_no_task() -> None:
    issuer = Issuer()
    async with serve(takes("sk-0")) as standin:
        provider = issuer.connect(standin)
        issuer.time = 100
        issuer.ready.clear()
        reading = asyncio.create_task(read(provider))
        while not issuer.runs:  # noqa: ASYNC110 - the provider's own task does it
            await asyncio.sleep(0)
        await provider.aclose()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert standin.received == []
