"""Calls over real connections to a stand-in on loopback: what is sent, kept, closed, refused."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from llm_lsp.config.settings import KeyHeader, ProviderConfig
from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.request import Patience
from llm_lsp.errors import (
    AuthError,
    BrokenStreamError,
    ConfigError,
    NotFoundError,
    SlowError,
    UnreachableError,
)
from llm_lsp.providers.dialects.json_shapes import encode
from llm_lsp.providers.http import stream as stream_module
from llm_lsp.providers.http.provider import Endpoint, HttpProvider, headers_of
from llm_lsp.providers.http.stream import Deadlines, HttpStream
from llm_lsp.providers.provider_factory import make_provider
from tests.doubles import settle
from tests.loop_time import put_forward
from tests.patience import PATIENCE_S
from tests.providers.standin import DONE, Peer, Received, StandIn, chunked, serve, sse, text

CANARY = "sk-canary-0123456789"
PROMPT = RawPrompt("x")
SHORT_S = 0.05


def connect(url: str, deadlines: Deadlines | None = None, **settings: Any) -> HttpProvider:
    config = ProviderConfig("it", "openai-completions", f"{url}/v1", "m", **{"local": True, **settings})
    provider = make_provider(config, Secret(CANARY))
    if deadlines is not None:
        provider._endpoint = replace(provider._endpoint, deadlines=dict.fromkeys(Patience, deadlines))
    return provider


async def read(stream: HttpStream) -> list[Chunk]:
    return [chunk async for chunk in stream]


async def answer(peer: Peer, *pieces: str) -> None:
    await peer.stream(*map(text, pieces), text("", "stop"), DONE)
    await peer.end()


async def hello(received: Received, peer: Peer) -> None:
    await answer(peer, "hello")


async def check(
    script: Callable[[Received, Peer], Awaitable[None]], deadlines: Deadlines | None = None
) -> tuple[list[Chunk], StandIn]:
    """Make one call; gives what came and the server that was asked."""
    async with serve(script) as standin:
        provider = connect(standin.url, deadlines)
        try:
            return await read(provider.stream(PROMPT)), standin
        finally:
            await provider.aclose()


async def test_a_call_says_who_asks_and_nothing_more() -> None:
    _, standin = await check(hello)
    headers = standin.received[0].headers
    assert headers.pop("user-agent").startswith("llm-lsp/")
    assert headers.pop("host") == standin.url.removeprefix("http://")
    assert headers.pop("content-length") == str(len(standin.received[0].body))
    assert headers == {
        "authorization": f"Bearer {CANARY}",
        "content-type": "application/json",
        "accept": "*/*",
        "accept-encoding": "identity",
    }


async def test_an_affinity_is_a_header_that_the_users_own_replaces() -> None:
    async with serve(hello) as standin:
        for headers in ({}, {"X-Session-Id": "mine"}):
            provider = connect(standin.url, affinity_header="x-session-id", headers=headers)
            await read(provider.stream(replace(PROMPT, affinity="0a")))
            await read(provider.stream(PROMPT))
            await provider.aclose()
    assert [received.headers.get("x-session-id") for received in standin.received] == [
        "0a",
        None,
        "mine",
        "mine",
    ]


async def test_who_waits_for_the_text_comes_before_the_connection() -> None:
    """All of the answer is here at once, and could be cleaned up before its text was read."""
    events = b"".join(map(chunked, (text("hello"), text("", "stop"), DONE)))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def script(received: Received, peer: Peer) -> None:
        await peer.send(head + events + b"0\r\n\r\n")

    async with serve(script) as standin:
        provider = connect(standin.url)
        stream = provider.stream(PROMPT)
        async for chunk in stream:
            assert chunk.text == "hello"
            break
        turns = 0
        while provider._tasks:
            await asyncio.sleep(0)
            turns += 1
        await provider.aclose()

    assert turns >= 3


async def test_nothing_is_sent_before_the_stream_is_iterated() -> None:
    async with serve(hello) as standin:
        provider = connect(standin.url)
        provider.stream(PROMPT)
        await read(provider.stream(PROMPT))
        assert (standin.connections, len(standin.received)) == (1, 1)
        await provider.aclose()


async def test_calls_one_after_the_other_share_a_connection() -> None:
    async with serve(hello) as standin:
        provider = connect(standin.url)
        for _ in range(5):
            await read(provider.stream(PROMPT))
        assert (standin.connections, len(standin.received)) == (1, 5)
        await provider.aclose()


async def test_a_call_on_a_connection_that_died_unnoticed_is_sent_again() -> None:
    async def script(received: Received, peer: Peer) -> None:
        if peer.requests > 1:
            peer.cut()
            return
        await answer(peer, "hello")

    async with serve(script) as standin:
        provider = connect(standin.url)
        for _ in range(2):
            assert (await read(provider.stream(PROMPT)))[0].text == "hello"
        assert (standin.connections, len(standin.received)) == (2, 3)
        await provider.aclose()


async def test_a_call_that_dies_on_a_new_connection_is_not_sent_again() -> None:
    async def script(received: Received, peer: Peer) -> None:
        peer.cut()

    async with serve(script) as standin:
        provider = connect(standin.url)
        with pytest.raises(BrokenStreamError):
            await read(provider.stream(PROMPT))
        assert len(standin.received) == 1
        await provider.aclose()


async def test_cookies_are_not_kept() -> None:
    async def script(received: Received, peer: Peer) -> None:
        await peer.json({"choices": [{"text": "a"}]}, Set_Cookie="track=1; Path=/")

    async with serve(script) as standin:
        provider = connect(standin.url)
        for _ in range(2):
            await read(provider.stream(PROMPT))
        assert all("cookie" not in received.headers for received in standin.received)
        await provider.aclose()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        pytest.param("{url}/v1/completions?key={key}", id="another server"),
        pytest.param("https://{key}.evil.invalid/", id="the key as a host"),
        pytest.param("https://{key}@evil.invalid/", id="the key as a user"),
        pytest.param("http://[", id="half an address"),
        pytest.param("{key}", id="no address"),
        pytest.param("//\x1b]0;{key}", id="a terminal's command"),
        pytest.param("", id="nothing"),
    ],
)
async def test_a_redirect_is_not_followed_and_not_quoted(
    status: int, location: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "llm_lsp")
    async with serve(hello) as elsewhere:

        async def script(received: Received, peer: Peer) -> None:
            await peer.whole(b"", status, Location=location.format(url=elsewhere.url, key=CANARY))

        with pytest.raises(NotFoundError, match="redirects to another address") as caught:
            await check(script)
        assert elsewhere.connections == 0
    for said in (str(caught.value), caplog.text):
        assert CANARY not in said
        assert "evil" not in said
        assert elsewhere.url not in said


WHOLE = [
    pytest.param(b'{"choices":[{"text":"hello","finish_reason":"stop"}]}', "application/json", id="as JSON"),
    pytest.param(
        b'\n\n{"choices":[{"text":"hello"}]}', "text/plain", id="after blank lines, without a reason"
    ),
    pytest.param(text("hello") + text("", "stop"), "text/plain", id="events under a wrong type"),
    pytest.param(text("hello") + DONE, "text/event-stream", id="without a reason, with a mark"),
    pytest.param(
        text("hello", "stop") + DONE + b"data: nonsense\n\n", "", id="after the end nothing matters"
    ),
]


@pytest.mark.parametrize(("body", "kind"), WHOLE)
async def test_an_answer_in_one_piece_is_understood(body: bytes, kind: str) -> None:
    async def script(received: Received, peer: Peer) -> None:
        await peer.whole(body, Content_Type=kind)

    chunks, _ = await check(script)
    assert chunks == [Chunk("hello"), Chunk("", Finish.STOP)]


async def test_the_usage_that_follows_the_end_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "TAIL_S", PATIENCE_S)
    is_read = asyncio.Event()

    async def script(received: Received, peer: Peer) -> None:
        await peer.stream(text("a"), text("", "length"))
        await is_read.wait()
        await peer.more(sse({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}))
        await peer.hung_up()

    async with serve(script) as standin:
        provider = connect(standin.url)
        chunks = []
        async for chunk in provider.stream(PROMPT):
            is_read.set()
            chunks.append(chunk)
        assert chunks == [Chunk("a"), Chunk("", Finish.LENGTH, Usage(3, 1))]
        await provider.aclose()


async def test_an_end_without_mark_and_usage_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "TAIL_S", SHORT_S)

    async def script(received: Received, peer: Peer) -> None:
        await peer.stream(text("a"), text("", "stop"))
        await peer.hung_up()

    chunks, _ = await check(script)
    assert chunks == [Chunk("a"), Chunk("", Finish.STOP)]


async def _end(peer: Peer) -> None:
    await peer.end()


async def _cut(peer: Peer) -> None:
    peer.cut()


@pytest.mark.parametrize("end", [pytest.param(_end, id="ends"), pytest.param(_cut, id="breaks")])
async def test_text_whose_stream_breaks_off_is_truncated(end: Callable[[Peer], Awaitable[None]]) -> None:
    # What is sent must be read before the connection is reset, or the reset overtakes it.
    seen = asyncio.Event()

    async def script(received: Received, peer: Peer) -> None:
        await peer.stream(text("a"))
        await seen.wait()
        await end(peer)

    async with serve(script) as standin:
        provider = connect(standin.url)
        finishes = []
        async for chunk in provider.stream(PROMPT):
            seen.set()
            finishes.append(chunk.finish)
        assert finishes == [None, Finish.TRUNCATED]
        await provider.aclose()


@pytest.mark.parametrize("end", [pytest.param(_end, id="ends"), pytest.param(_cut, id="breaks")])
async def test_a_stream_without_text_is_an_error(end: Callable[[Peer], Awaitable[None]]) -> None:
    async def script(received: Received, peer: Peer) -> None:
        await peer.stream(b": ping\n\n")
        await end(peer)

    with pytest.raises(BrokenStreamError, match=r"127\.0\.0\.1"):
        await check(script)


BROKEN = [
    pytest.param(b"<html>Please sign in</html>", {}, "sign in to the network", id="a captive portal"),
    pytest.param(b"data: {\n\n", {}, "not a JSON object", id="half an event"),
    pytest.param(b"data: [1]\n\n", {}, "not a JSON object", id="a list"),
    pytest.param(b"data: " + b"[" * 100_000 + b"\n\n", {}, "not a JSON object", id="JSON without bottom"),
    pytest.param(b"data: " + b"x" * 300_000, {}, "line of over 256 KiB", id="an endless line"),
    pytest.param(text("a") + DONE, {"Content_Encoding": "br"}, "compresses", id="compression"),
    pytest.param(b"", {}, "before any text", id="nothing"),
]


@pytest.mark.parametrize(("body", "headers", "message"), BROKEN)
async def test_what_is_no_answer_is_refused(body: bytes, headers: dict[str, str], message: str) -> None:
    async def script(received: Received, peer: Peer) -> None:
        await peer.whole(body, 200, **headers)

    with pytest.raises(BrokenStreamError, match=message):
        await check(script)


async def test_an_error_object_in_a_stream_is_what_it_says() -> None:
    async def script(received: Received, peer: Peer) -> None:
        await peer.stream(text("a"), sse({"error": {"code": 401, "message": f"bad key {CANARY}"}}))
        await peer.hung_up()

    with pytest.raises(AuthError) as caught:
        await check(script)
    assert CANARY not in str(caught.value)


async def test_the_body_of_an_error_is_not_shown() -> None:
    async def script(received: Received, peer: Peer) -> None:
        await peer.json({"error": {"message": f"invalid key {CANARY} for {received.body!r}"}}, 401)

    with pytest.raises(AuthError) as caught:
        await check(script)
    assert CANARY not in str(caught.value)
    assert "llm-lsp provider add it" in str(caught.value)


async def test_nothing_listening_is_said_so() -> None:
    async with serve(hello) as standin:
        pass
    provider = connect(standin.url)
    with pytest.raises(UnreachableError, match=f"nothing listens at 127.0.0.1:{standin.port}"):
        await read(provider.stream(PROMPT))
    await provider.aclose()


@pytest.mark.parametrize(
    "deadlines",
    [
        pytest.param(Deadlines(PATIENCE_S, idle_s=PATIENCE_S), id="a pause"),
        pytest.param(Deadlines(PATIENCE_S, total_s=PATIENCE_S), id="the whole"),
    ],
)
async def test_pings_after_the_text_hold_up_no_deadline(deadlines: Deadlines) -> None:
    is_read = asyncio.Event()

    async def script(received: Received, peer: Peer) -> None:
        await peer.stream(text("a"))
        await is_read.wait()
        await ping_beyond(PATIENCE_S, peer)

    async with serve(script) as standin:
        provider = connect(standin.url, deadlines)
        chunks = []
        async for chunk in provider.stream(PROMPT):
            is_read.set()
            chunks.append(chunk)
        assert [chunk.finish for chunk in chunks] == [None, Finish.TRUNCATED]
        await provider.aclose()


async def test_pings_before_any_text_hold_up_no_deadline() -> None:
    async def script(received: Received, peer: Peer) -> None:
        await peer.stream()
        await ping_beyond(PATIENCE_S, peer)

    with pytest.raises(SlowError):
        await check(script, Deadlines(PATIENCE_S, first_s=PATIENCE_S))


async def ping_beyond(seconds: float, peer: Peer) -> None:
    """Send pings until so many seconds have passed, never as many between two of them."""
    for _ in range(4):
        await peer.more(b": ping\n\n")
        await settle()
        put_forward(0.4 * seconds)
    await peer.hung_up()


async def test_a_head_that_never_ends_is_bounded() -> None:
    async def script(received: Received, peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 200 OK\r\n")
        for _ in range(4):
            await peer.send(b"X-Drip: 1\r\n")
            await settle()
            put_forward(0.4 * PATIENCE_S)
        await peer.hung_up()

    with pytest.raises(SlowError):
        await check(script, Deadlines(PATIENCE_S, total_s=PATIENCE_S))


async def test_closing_a_call_ends_its_reader_at_once_and_hangs_up() -> None:
    asked, hung_up = asyncio.Event(), asyncio.Event()

    async def script(received: Received, peer: Peer) -> None:
        asked.set()
        await peer.hung_up()
        hung_up.set()

    async with serve(script) as standin:
        provider = connect(standin.url)
        stream = provider.stream(PROMPT)
        reading = asyncio.ensure_future(read(stream))
        await asked.wait()
        stream.close()
        stream.close()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await hung_up.wait()
        await provider.aclose()


async def test_a_call_closed_before_it_is_read_sends_nothing() -> None:
    async with serve(hello) as standin:
        provider = connect(standin.url)
        stream = provider.stream(PROMPT)
        stream.close()
        with pytest.raises(asyncio.CancelledError):
            await read(stream)
        assert standin.connections == 0
        await provider.aclose()


@pytest.mark.parametrize(
    ("drain_s", "connections"), [(PATIENCE_S, 1), (SHORT_S, 2)], ids=["ends in time", "goes on"]
)
async def test_a_released_call_keeps_its_connection_if_it_ends_in_time(
    monkeypatch: pytest.MonkeyPatch, drain_s: float, connections: int
) -> None:
    monkeypatch.setattr(stream_module, "DRAIN_S", drain_s)

    async def script(received: Received, peer: Peer) -> None:
        await peer.stream(text("a"))
        if len(standin.received) == 1 and connections == 2:
            await peer.hung_up()
        await peer.more(text("", "stop"), DONE)
        await peer.end()

    async with serve(script) as standin:
        provider = connect(standin.url)
        stream = provider.stream(PROMPT)
        async for _ in stream:
            break
        stream.release()
        await asyncio.wait(set(provider._tasks))
        await read(provider.stream(PROMPT))
        assert standin.connections == connections
        await provider.aclose()


async def test_after_a_closed_call_a_remote_provider_gets_a_spare_connection() -> None:
    async def script(received: Received, peer: Peer) -> None:
        if received.method == "POST":
            await peer.stream(text("a"))
            await peer.hung_up()
        else:
            await peer.json({})

    async with serve(script) as standin:
        provider = connect(standin.url, local=False)
        stream = provider.stream(PROMPT)
        async for _ in stream:
            break
        stream.close()
        while tasks := set(provider._tasks):
            await asyncio.wait(tasks)
        assert [received.method for received in standin.received] == ["POST", "GET"]
        assert standin.open_now == 1
        await provider.aclose()


async def test_warming_elsewhere_shows_no_key() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(401)

    made = make_provider(ProviderConfig("it", "mistral-fim", "https://api.example/v1", "m"), Secret(CANARY))
    provider = HttpProvider(made.profile, made._endpoint, httpx.MockTransport(handler))
    await provider.warm()
    assert [(request.method, request.url.path) for request in seen] == [("HEAD", "/v1/models")]
    assert CANARY not in str(seen[0].headers.raw)
    await provider.aclose()


async def test_warming_fails_in_silence() -> None:
    async with serve(hello) as standin:
        pass
    provider = connect(standin.url)
    await provider.warm()
    await provider.aclose()


async def test_closing_the_provider_ends_every_call() -> None:
    called = asyncio.Semaphore(0)

    async def script(received: Received, peer: Peer) -> None:
        called.release()
        await peer.stream(text("a"))
        await peer.hung_up()

    async with serve(script) as standin:
        provider = connect(standin.url)
        reading = [asyncio.ensure_future(read(provider.stream(PROMPT))) for _ in range(3)]
        for _ in reading:
            await called.acquire()
        await provider.aclose()
        outcomes = await asyncio.gather(*reading, return_exceptions=True)
        assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
        await standin.idle.wait()
        with pytest.raises(asyncio.CancelledError):
            await read(provider.stream(PROMPT))


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("\ud83d", "\ufffd"),
        ("a\udfffb", "a\ufffdb"),
        ("😀\u2028é", "😀\u2028é"),
        ("\x00\x1f", "\\u0000\\u001f"),
    ],
)
def test_a_body_is_utf_8_whatever_the_buffer_holds(value: str, sent: str) -> None:
    assert encode({"prompt": value}) == b'{"prompt":"' + sent.encode() + b'"}'


async def test_halves_of_surrogate_pairs_in_an_answer_do_not_come_through() -> None:
    async def script(received: Received, peer: Peer) -> None:
        await peer.whole(b'data: {"choices":[{"text":"a\\ud83d \\ud83d\\ude00"}]}\n\n' + DONE)

    chunks, _ = await check(script)
    assert chunks[0].text == "a\ufffd 😀"


@pytest.mark.parametrize("headers", [{"X-A": "a\nb"}, {"X A": "b"}, {"X-A": "é"}, {"": "a"}, {"X-A": " a"}])
def test_headers_that_cannot_be_sent_are_refused_without_showing_them(headers: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        headers_of(None, headers)
    assert not any(value and value in str(caught.value) for value in headers.values() if len(value) > 1)


def test_headers_of_the_user_win() -> None:
    headers = headers_of(Secret(CANARY), {"authorization": "Basic x", "X-Team": "a"})
    assert headers["authorization"] == "Basic x"
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("key_header", "value"),
    [("authorization", f"Bearer {CANARY}"), ("x-api-key", CANARY), ("api-key", CANARY), ("x-goog-api-key", CANARY)],
)  # fmt: skip
def test_the_key_goes_into_its_apis_header_alone(key_header: KeyHeader, value: str) -> None:
    headers = headers_of(Secret(CANARY), {}, key_header)
    assert {name: sent for name, sent in headers.items() if CANARY in sent} == {key_header: value}


def test_an_endpoint_prints_without_its_key() -> None:
    provider = connect("http://127.0.0.1:1")
    assert isinstance(provider._endpoint, Endpoint)
    assert CANARY not in repr(provider._endpoint)
