"""What a refusal is met with: a key is read again, a missing model looked up, and nothing more is sent."""

from __future__ import annotations

import asyncio

import pytest

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.errors import AuthError, BadRequestError, NotFoundError
from llm_lsp.providers.http.provider import HttpProvider, Remedies
from llm_lsp.providers.provider_factory import make_provider
from tests.providers.http.keyed_api import keys_sent, read, takes
from tests.providers.standin import DONE, Peer, Received, Script, StandIn, serve, text

OLD, NEW = "sk-old", "sk-new"


class Store:
    """Where a user keeps a key: gives each of `keys` in turn, the last one for ever."""

    def __init__(self, *keys: str) -> None:
        self.keys = [Secret(key) for key in keys]
        self.asked = 0
        self.named = 0

    async def find_key(self) -> Secret | None:
        self.asked += 1
        return self.keys[min(self.asked, len(self.keys)) - 1]

    async def name_models(self, error: NotFoundError, key: Secret | None) -> NotFoundError:
        self.named += 1
        return NotFoundError("set model of it to m2")


def connect(standin: StandIn, store: Store) -> HttpProvider:
    config = ProviderConfig("it", "openai-completions", f"{standin.url}/v1", "m")
    return make_provider(config, Secret(OLD), Remedies(store.find_key, store.name_models))


async def test_a_key_that_was_changed_is_taken_without_a_restart() -> None:
    store = Store(NEW)
    async with serve(takes(NEW)) as standin:
        provider = connect(standin, store)
        assert await read(provider) + await read(provider) == "aa"
        assert keys_sent(standin) == [OLD, NEW, NEW]
        await provider.aclose()
    assert store.asked == 1


async def test_calls_that_are_refused_together_read_the_key_once() -> None:
    store = Store(NEW, "sk-other")
    async with serve(takes(NEW)) as standin:
        provider = connect(standin, store)
        assert "".join(await asyncio.gather(read(provider), read(provider))) == "aa"
        await provider.aclose()
    assert store.asked == 1


async def test_the_same_key_is_not_sent_again() -> None:
    async with serve(takes(NEW)) as standin:
        provider = connect(standin, Store(OLD))
        with pytest.raises(AuthError):
            await read(provider)
        assert keys_sent(standin) == [OLD]
        await provider.aclose()


async def test_a_new_key_that_is_refused_is_not_followed_by_another() -> None:
    store = Store("sk-wrong", NEW)
    async with serve(takes(NEW)) as standin:
        provider = connect(standin, store)
        with pytest.raises(AuthError):
            await read(provider)
        assert keys_sent(standin) == [OLD, "sk-wrong"]
        await provider.aclose()


async def test_a_call_that_is_closed_while_the_key_is_read_sends_nothing_more() -> None:
    reading, may_end = asyncio.Event(), asyncio.Event()

    class Slow(Store):
        async def find_key(self) -> Secret | None:
            reading.set()
            await may_end.wait()
            return await super().find_key()

    async with serve(takes(NEW)) as standin:
        provider = connect(standin, Slow(NEW))
        stream = provider.stream(RawPrompt("x", ("END",)))
        call = asyncio.ensure_future(anext(aiter(stream)))
        await reading.wait()
        stream.close()
        with pytest.raises(asyncio.CancelledError):
            await call
        may_end.set()
        await asyncio.wait(set(provider._tasks))
        assert keys_sent(standin) == [OLD]
        await provider.aclose()


async def test_the_models_are_asked_for_once_however_often_one_is_missing() -> None:
    store = Store(OLD)

    async def script(received: Received, peer: Peer) -> None:
        await peer.json({"error": "no such model"}, 404)

    async with serve(script) as standin:
        provider = connect(standin, store)
        for _ in range(2):
            with pytest.raises(NotFoundError, match="set model of it to m2"):
                await read(provider)
        await provider.aclose()
    assert store.named == 1


def refuses(*names: str) -> Script:
    """Answer to requests without these fields alone; the first that is there is named."""

    async def script(received: Received, peer: Peer) -> None:
        there = [name for name in names if name in received.json]
        if there:
            error = {"message": "Unsupported parameter", "param": there[0], "type": "invalid_request_error"}
            await peer.json({"error": error}, 400)
        else:
            await peer.stream(text("a", "stop"), DONE)
            await peer.end()

    return script


async def test_a_field_that_only_tunes_is_left_out_once_it_was_refused() -> None:
    async with serve(refuses("temperature")) as standin:
        provider = connect(standin, Store(OLD))
        assert await read(provider) + await read(provider) == "aa"
        assert ["temperature" in received.json for received in standin.received] == [True, False, False]
        await provider.aclose()


async def test_fields_that_are_refused_one_after_another_are_learned_by_one_call() -> None:
    async with serve(refuses("temperature", "stop", "max_tokens")) as standin:
        provider = connect(standin, Store(OLD))
        assert await read(provider) + await read(provider) == "aa"
        assert len(standin.received) == 5
        assert standin.received[-1].json["max_completion_tokens"] == standin.received[0].json["max_tokens"]
        await provider.aclose()


async def test_an_api_that_does_not_stream_is_asked_for_whole_answers() -> None:
    async def script(received: Received, peer: Peer) -> None:
        if received.json["stream"]:
            await peer.json(
                {"detail": [{"loc": ["body", "stream"], "type": "extra_forbidden", "msg": "Extra inputs"}]},
                422,
            )
        else:
            await peer.json({"choices": [{"text": "a", "finish_reason": "stop"}]})

    async with serve(script) as standin:
        provider = connect(standin, Store(OLD))
        assert await read(provider) + await read(provider) == "aa"
        assert [received.json["stream"] for received in standin.received] == [True, False, False]
        await provider.aclose()


async def test_a_refusal_that_comes_as_a_success_is_learned_from_too() -> None:
    async def script(received: Received, peer: Peer) -> None:
        if "stop" in received.json:
            await peer.stream(b'data: {"error":{"message":"stop is not supported","code":400}}\n\n', DONE)
        else:
            await peer.stream(text("a", "stop"), DONE)
        await peer.end()

    async with serve(script) as standin:
        provider = connect(standin, Store(OLD))
        assert await read(provider) == "a"
        await provider.aclose()


async def test_a_field_that_is_needed_is_not_left_out() -> None:
    async with serve(refuses("prompt")) as standin:
        provider = connect(standin, Store(OLD))
        with pytest.raises(BadRequestError):
            await read(provider)
        assert len(standin.received) == 1
        await provider.aclose()
