"""The checks tell an API that keeps its promises from one that does not."""

import asyncio
import contextlib
import itertools
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Patience
from llm_lsp.errors import (
    AuthError,
    NotFoundError,
    OverloadedError,
    ProviderError,
    SlowError,
    UnreachableError,
)
from llm_lsp.providers.base import Stream
from llm_lsp.providers.catalogue.model_listing import list_models, with_model
from llm_lsp.providers.conformance import UNBOUNDED, Bounds, CheckResult, check_provider
from llm_lsp.providers.dialects.json_shapes import as_list
from llm_lsp.providers.provider_factory import make_provider
from tests.doubles import settle
from tests.providers.standin import DONE, Peer, Received, pages, serve, sse, text

USAGE = sse({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}})


async def good(received: Received, peer: Peer) -> None:
    """Fill in the name after the cursor, and stop where told to."""
    body = received.json
    if "turquoise_walrus" in str(body["prompt"]):
        pieces = ["turquoise", "_walrus", " = open()"]
    else:
        pieces = ["four'"] if "\n" in as_list(body.get("stop")) else ["four", "',\n", "    'five'"]
    await peer.stream(*map(text, pieces), text("", "stop"), USAGE, DONE)
    await peer.end()


async def poor(received: Received, peer: Peer) -> None:
    """Answer in one piece, whatever was asked, and count nothing."""
    await peer.json({"choices": [{"text": "one\ntwo\n", "finish_reason": "stop"}]})


async def mute(received: Received, peer: Peer) -> None:
    await peer.json(
        {"choices": [{"text": "", "finish_reason": "length"}], "usage": {"completion_tokens": 48}}
    )


async def closed(received: Received, peer: Peer) -> None:
    await peer.json({"error": {"message": "no"}}, 401)


async def check(
    script: Callable[[Received, Peer], Awaitable[None]],
    fim: str = "qwen",
    bounds: Bounds = UNBOUNDED,
    clock: Callable[[], float] = lambda: 0.0,
) -> list[CheckResult]:
    """Check an API that answers in no time, on whatever machine."""
    async with serve(script) as standin:
        config = ProviderConfig("it", "openai-completions", f"{standin.url}/v1", "m", fim=fim, local=True)
        provider = make_provider(config, None)
        try:
            return await check_provider(provider, clock, bounds)
        finally:
            await provider.aclose()


# Whether it cancels cannot be seen where answers take no time.
KEPT: dict[str, bool | None] = dict.fromkeys(
    ["answers", "streams", "counts", "stops", "fills the middle"], True
) | {"cancels": None}

CASES = [
    pytest.param(good, "qwen", KEPT, id="all promises kept"),
    pytest.param(good, "none", KEPT | {"fills the middle": None}, id="left to right"),
    pytest.param(
        poor, "qwen",
        {"answers": True, "streams": False, "counts": False, "stops": False, "cancels": None, "fills the middle": False},
        id="only answers",
    ),
    pytest.param(closed, "qwen", {"answers": False}, id="a refused key ends it"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "fim", "outcome"), CASES)
async def test_each_promise_is_checked(
    script: Callable[[Received, Peer], Awaitable[None]], fim: str, outcome: dict[str, bool | None]
) -> None:
    results = await check(script, fim)
    assert {result.name: result.ok for result in results} == outcome


class OneSlot:
    """A model API on whose clock a token takes a second; it answers `slots` calls at a time.

    Without a wire, whose speed would decide in which order a token comes and the clock goes on.
    """

    def __init__(self, *, local: bool = True, slots: int = 1, hears_hangups: bool = True) -> None:
        self.profile = Profile("it", "m", "none", local=local)
        self.now = 0.0
        self.hears_hangups = hears_hangups
        self.slots = asyncio.Semaphore(slots)
        self.streams: list[OneSlotStream] = []

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> Stream:
        self.streams.append(OneSlotStream(self))
        return self.streams[-1]

    async def warm(self) -> None:
        """Do nothing: there is no connection."""

    async def aclose(self) -> None:
        await asyncio.gather(*(stream.writing for stream in self.streams if stream.writing))


class OneSlotStream:
    """A call, which is written in a task of its own until the API hears that it was closed."""

    def __init__(self, api: OneSlot) -> None:
        self._api = api
        self._chunks = asyncio.Queue[Chunk]()
        self._is_closed = False
        self.writing: asyncio.Task[None] | None = None

    async def __aiter__(self) -> AsyncIterator[Chunk]:
        self.writing = asyncio.create_task(self._write())
        while not (chunk := await self._chunks.get()).finish:
            yield chunk
        yield chunk

    async def _write(self) -> None:
        async with self._api.slots:
            for _ in range(12):
                if self._is_closed and self._api.hears_hangups:
                    return
                self._chunks.put_nowait(Chunk("four', "))
                await settle()  # The reader looks at the clock before it goes on.
                self._api.now += 1.0
            self._chunks.put_nowait(Chunk("", Finish.STOP, Usage(9, 12)))

    def close(self) -> None:
        self._is_closed = True

    def release(self) -> None:
        """Do nothing: the whole answer was read."""


CANCELS = [
    pytest.param(OneSlot, True, id="it stops"),
    pytest.param(lambda: OneSlot(hears_hangups=False), False, id="it writes on"),
    pytest.param(lambda: OneSlot(slots=9, hears_hangups=False), None, id="it answers many at a time"),
    pytest.param(lambda: OneSlot(local=False), None, id="a remote one is not tried"),
]


@pytest.mark.parametrize(("make", "ok"), CANCELS)
async def test_whether_a_closed_call_stops_is_seen_in_the_next_ones_wait(
    make: Callable[[], OneSlot], ok: bool | None
) -> None:
    async with contextlib.aclosing(make()) as api:
        results = await check_provider(api, lambda: api.now)
    assert {result.name: result.ok for result in results}["cancels"] is ok
    assert len(api.streams) == (6 if api.profile.local else 4)


async def silent(received: Received, peer: Peer) -> None:
    await peer.hung_up()


@dataclass(frozen=True, slots=True)
class Ended(Bounds):
    """Waits for ever, but for what a test ends."""

    given: list[asyncio.Timeout] = field(default_factory=list)

    def of_calls(self, n_calls: int) -> asyncio.Timeout:
        self.given.append(asyncio.timeout(None))
        return self.given[-1]

    def end(self) -> None:
        """Let the time of the check that was begun last be over."""
        self.given[-1].reschedule(asyncio.get_running_loop().time())


async def test_without_bounds_a_check_waits() -> None:
    bound = UNBOUNDED.of_calls(4)
    assert bound.when() == UNBOUNDED.of_rest().when() == math.inf


async def test_a_check_that_takes_too_long_is_named_and_the_others_are_made() -> None:
    bounds = Ended()

    async def silent_at_stops(received: Received, peer: Peer) -> None:
        if received.method == "POST" and "\n" in as_list(received.json.get("stop")):
            bounds.end()
            await silent(received, peer)
        else:
            await good(received, peer)

    results = await check(silent_at_stops, bounds=bounds)

    assert {result.name: result.ok for result in results} == KEPT | {"stops": False}
    assert "did not finish in time" in {result.name: result.detail for result in results}["stops"]


@pytest.mark.parametrize("bounds", [Bounds(call_s=0.05), Bounds(until=0.0)], ids=["a call's", "the whole"])
async def test_without_an_answer_in_time_nothing_more_is_asked(bounds: Bounds) -> None:
    [result] = await check(silent, bounds=bounds)

    assert (result.name, result.ok, type(result.cause)) == ("answers", False, SlowError)
    assert "`llm-lsp provider test`" in result.detail


async def test_a_busy_server_that_generates_is_slow_and_not_broken() -> None:
    async def trickle(received: Received, peer: Peer) -> None:
        await peer.stream(text("four'"))
        await asyncio.Event().wait()

    results = await check(trickle, bounds=Bounds(call_s=0.05))

    assert [(result.name, result.ok) for result in results] == [("answers", True), ("speed", False)]
    assert results[1].detail.startswith("slow: first text after 0.")


async def test_the_first_text_may_come_after_all_else_is_over() -> None:
    later = asyncio.get_running_loop().time() + 3600
    results = await check(good, bounds=Bounds(until=0.0, first_until=later))

    assert [result.name for result in results if result.ok] == ["answers", "streams", "counts"]


@pytest.mark.parametrize("counted", [(0, 0), (0, 3), (9, 0)])
async def test_a_count_of_nothing_is_no_count(counted: tuple[int, int]) -> None:
    said = sse({"choices": [], "usage": {"prompt_tokens": counted[0], "completion_tokens": counted[1]}})

    async def miscounts(received: Received, peer: Peer) -> None:
        await peer.stream(text("four'"), text("',\n"), text("", "stop"), said, DONE)
        await peer.end()

    results = {result.name: result for result in await check(miscounts)}

    assert results["counts"].ok is False
    assert "which is impossible" in results["counts"].detail


async def test_an_empty_answer_is_no_answer() -> None:
    results = await check(mute)
    assert (results[0].name, results[0].ok) == ("answers", False)


async def test_the_time_to_the_first_text_is_measured() -> None:
    looks = itertools.count()
    answers = (await check(good, clock=lambda: next(looks)))[0]
    assert answers.seconds == 1


LISTS = [
    pytest.param("openai-completions", "/v1/models", {"data": [{"id": "a"}, {"id": "b"}]}, id="OpenAI"),
    pytest.param("llamacpp-infill", "/v1/models", {"models": [{"name": "x"}], "data": [{"id": "a"}, {"id": "b"}]}, id="llama.cpp"),
    pytest.param("ollama", "/api/tags", {"models": [{"name": "a"}, {"name": "b"}]}, id="Ollama"),
]  # fmt: skip


@pytest.mark.parametrize(("api", "path", "listing"), LISTS)
async def test_the_first_model_listed_is_taken_where_none_is_named(
    api: str, path: str, listing: dict[str, object]
) -> None:
    async with serve(pages({path: listing})) as standin:
        config = ProviderConfig("it", api, f"{standin.url}/v1")  # type: ignore[arg-type] # the names are above
        assert await list_models(config, Secret("key")) == ("a", "b")
        assert (await with_model(config, None)).model == "a"
        assert standin.received[0].headers["authorization"] == "Bearer key"


async def test_a_named_model_is_not_asked_for() -> None:
    async with serve(pages({})) as standin:
        config = ProviderConfig("it", "openai-completions", f"{standin.url}/v1", "mine")
        assert await with_model(config, None) == config
        assert standin.connections == 0


async def test_a_llamacpp_server_needs_no_name_for_its_model() -> None:
    for listing in ({"data": [{"id": ""}]}, {}):
        async with serve(pages({"/v1/models": listing})) as standin:
            config = ProviderConfig("it", "llamacpp-infill", standin.url)
            assert await with_model(config, None) == config
            assert make_provider(config, None).profile.fim == "native"


UNNAMED = [
    pytest.param(200, {"data": []}, NotFoundError, "has no model: load one there, or set model of it", id="none"),
    pytest.param(404, {}, NotFoundError, "set model of it", id="no list"),
    pytest.param(401, {}, AuthError, "llm-lsp provider add it", id="a refused key"),
    pytest.param(503, {}, OverloadedError, "try again", id="loading"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "listing", "error", "words"), UNNAMED)
async def test_a_model_that_is_not_known_is_no_provider(
    status: int, listing: object, error: type[ProviderError], words: str
) -> None:
    async with serve(pages({"/v1/models": listing}, status=[("/v1/models", status)])) as standin:
        config = ProviderConfig("it", "openai-completions", f"{standin.url}/v1")
        with pytest.raises(error, match=words):
            await with_model(config, None)


@pytest.mark.parametrize("api", ["openai-completions", "llamacpp-infill"])
async def test_a_server_that_is_not_there_is_no_provider(api: str) -> None:
    async with serve(pages({})) as standin:
        pass
    config = ProviderConfig("it", api, f"{standin.url}/v1")  # type: ignore[arg-type] # the names are above
    with pytest.raises(UnreachableError, match="start the server"):
        await with_model(config, None)
