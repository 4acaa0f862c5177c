"""Faults 1 to 27, 49, 55, 59 and 60 of docs/faults.md: what a model API or the way to it can do wrong, and what its user sees."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import trustme

from llm_lsp.core.generation import Usage
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.request import Completion, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.models.circuit_breaker import IN_A_ROW, OPEN_S, SPREAD
from llm_lsp.engine.models.health import DEFAULT_QUIET_S, MAX_QUIET_S
from llm_lsp.providers.http import provider as http_module
from tests.doubles import settle
from tests.faults.canary import found_in
from tests.faults.upstream import (
    ANSWER,
    BUFFER,
    KEY,
    PATIENT,
    Upstream,
    calls,
    refuses,
    says,
    upstream,
    writes,
)
from tests.loop_time import put_forward
from tests.patience import PATIENCE_S
from tests.providers.http.pools import pool
from tests.providers.standin import DONE, Peer, Received, serve, server_context, sse, text

# Seconds that pass for certain before what they bound.
SHORT_S = 0.05
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
STREAM = HEAD + b"Connection: close\r\n\r\n"


def shown(result: Completion | Skip) -> str:
    """Return what the user sees."""
    return result.text if isinstance(result, Completion) else ""


def why(result: Completion | Skip) -> Reason | None:
    return result.reason if isinstance(result, Skip) else None


async def still_works(rig: Upstream) -> None:
    """No slot is taken and nothing is left behind: a good answer comes as ever."""
    rig.mended.set()
    assert shown(await rig.ask(Trigger.MANUAL)) == "1"


class Broken(httpx.AsyncBaseTransport):
    """A network on which no connection can be made."""

    def __init__(self, cause: OSError) -> None:
        self.attempts = 0
        self._cause = cause

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.attempts += 1
        raise httpx.ConnectError("") from self._cause


@pytest.mark.parametrize(
    "cause",
    [
        pytest.param(ConnectionRefusedError(), id="refused"),
        pytest.param(socket.gaierror(socket.EAI_NONAME, "not known"), id="unknown name"),
        pytest.param(OSError(101, "unreachable"), id="unreachable"),
    ],
)
async def test_fault_01_no_connection_is_known_after_two_calls_and_tried_by_one(cause: OSError) -> None:
    async with upstream("http://127.0.0.1:9") as (rig, _):
        rig.provider._transport = network = Broken(cause)
        assert [why(await rig.ask()) for _ in range(2)] == [Reason.PROVIDER_FAILED] * 2
        assert [why(await rig.ask()) for _ in range(5)] == [Reason.CIRCUIT_OPEN] * 5
        assert network.attempts == 2
        assert len(rig.client.shown) == 1

        rig.clock.skip(OPEN_S * (1 + SPREAD))
        assert [why(await rig.ask()) for _ in range(3)] == [
            Reason.PROVIDER_FAILED,
            *[Reason.CIRCUIT_OPEN] * 2,
        ]
        assert network.attempts == 3


class Certificate(NamedTuple):
    """What a server shows, and whether its authority is trusted."""

    host: str
    lasts: timedelta
    is_trusted: bool


CERTIFICATES = [
    pytest.param(Certificate("localhost", timedelta(days=-1), True), id="over"),
    pytest.param(Certificate("other.example", timedelta(days=1), True), id="of another host"),
    pytest.param(Certificate("localhost", timedelta(days=1), False), id="of an unknown authority"),
]


@pytest.mark.parametrize("certificate", CERTIFICATES)
async def test_fault_02_who_does_not_prove_his_name_gets_no_key_and_one_message(
    certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    shows = authority.issue_cert(certificate.host, not_after=datetime.now(UTC) + certificate.lasts)
    trusted = authority if certificate.is_trusted else trustme.CA()
    trusted.cert_pem.write_to_path(tmp_path / "trusted.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    context, greetings = server_context(shows), []
    context.sni_callback = lambda *_: greetings.append(1)
    async with serve(says("1"), tls=context) as standin, upstream(standin.url) as (rig, _):
        for _ in range(4):
            assert why(await rig.ask()) is Reason.PROVIDER_FAILED
        assert len(rig.client.shown) == 1
        assert rig.client.shown[0].startswith(f"localhost:{standin.port} has an untrusted certificate")
        assert standin.received == []
        # The first call, and what should have opened a connection ahead of it.
        assert len(greetings) == 2


async def test_fault_03_a_host_that_takes_no_connection_costs_the_time_to_connect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_module, "WARM_S", SHORT_S)
    with socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        address = hole.getsockname()
        fill = [socket.socket() for _ in range(4)]
        for each in fill:
            each.setblocking(False)
            each.connect_ex(address)
        async with upstream(f"http://127.0.0.1:{address[1]}", replace(PATIENT, connect_s=SHORT_S)) as (
            rig,
            _,
        ):
            result = await rig.ask()
            assert isinstance(result, Skip)
            assert "does not answer" in result.detail
            assert pool(rig.provider)._requests == []
            assert pool(rig.provider).connections == []
        for each in fill:
            each.close()


async def _silence(peer: Peer) -> None:
    await peer.hung_up()


def _goes_on(piece: bytes) -> Callable[[Peer], Awaitable[None]]:
    """Send a piece now and then, until more time than is allowed has passed."""

    async def going_on(peer: Peer) -> None:
        for _ in range(4):
            await peer.send(piece)
            await settle()
            put_forward(0.4 * PATIENCE_S)
        await peer.hung_up()

    return going_on


@pytest.mark.parametrize(
    ("begins", "goes_on"),
    [
        pytest.param(b"", _goes_on(b""), id="fault-04-silence"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", _goes_on(b"X-Drip: 1\r\n"), id="fault-05-a-head-in-drops"),
        pytest.param(STREAM, _goes_on(b": ping\n\n"), id="fault-06-pings"),
        pytest.param(
            b"", _goes_on(1000 * b"HTTP/1.1 103 Early Hints\r\n\r\n"), id="fault-24-hints-without-end"
        ),
    ],
)
async def test_fault_04_05_06_24_no_text_in_time_is_no_suggestion(
    begins: bytes, goes_on: Callable[[Peer], Awaitable[None]]
) -> None:
    script = writes(begins, then=goes_on)
    async with upstream(script, replace(PATIENT, idle_s=None, total_s=None)) as (rig, standin):
        result = await rig.ask()
        assert isinstance(result, Skip)
        assert "did not answer in time" in result.detail
        assert calls(standin) == 1
        await still_works(rig)


@pytest.mark.parametrize(
    ("said", "seen"),
    [(f"{ANSWER}\nhal", ANSWER), ("hal", "")],
    ids=["after a line and a half", "after half a line"],
)
async def test_fault_07_a_stall_shows_whole_lines_and_is_not_kept(said: str, seen: str) -> None:
    script = writes(STREAM + text(said), then=_silence)
    async with upstream(script, replace(PATIENT, idle_s=SHORT_S)) as (rig, standin):
        result = await rig.ask()
        assert shown(result) == seen
        await rig.engine.aclose()
        assert calls(standin) == 1


async def test_fault_08_an_endless_answer_is_cut_and_hung_up_on() -> None:
    hung_up = asyncio.Event()

    async def endless(peer: Peer) -> None:
        try:
            while True:
                await peer.send(text("one = 1\n"))
                await asyncio.sleep(0)
        finally:
            hung_up.set()

    async with upstream(writes(STREAM, then=endless)) as (rig, _):
        assert shown(await rig.ask()) == "one = 1"
        await hung_up.wait()


async def test_fault_09_a_line_of_100_mb_is_not_read() -> None:
    sent = 0

    async def flood(peer: Peer) -> None:
        nonlocal sent
        while sent < 100 << 20:
            await peer.send(b"x" * 65536)
            sent += 65536

    async with upstream(writes(STREAM + b"data: ", then=flood)) as (rig, _):
        assert why(await rig.ask()) is Reason.PROVIDER_FAILED
        # What stands in the buffers of both sockets was sent, too.
        assert sent < 16 << 20


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate"])
async def test_fault_10_a_compressed_answer_is_refused_before_it_is_unpacked(coding: str) -> None:
    head = HEAD + f"Content-Encoding: {coding}\r\nConnection: close\r\n\r\n".encode()
    async with upstream(writes(head, b"\x1f\x8b" * 100)) as (rig, _):
        result = await rig.ask()
        assert isinstance(result, Skip)
        assert "compresses its answer" in result.detail


@pytest.mark.parametrize("coding", ["identity", "Identity", "", "identity, identity"])
async def test_fault_10_an_answer_that_is_said_to_be_as_it_is_is_read(coding: str) -> None:
    head = HEAD + f"Content-Encoding: {coding}\r\nConnection: close\r\n\r\n".encode()
    async with upstream(writes(head, text("1"), text("", "stop"), DONE)) as (rig, _):
        assert shown(await rig.ask()) == "1"


@pytest.mark.parametrize(
    ("body", "settings", "seen"),
    [
        pytest.param(b"<html>sign in</html>", {}, "", id="a web page"),
        pytest.param(json.dumps({"choices": [{"text": "1"}]}).encode(), {}, "1", id="JSON instead of events"),
        pytest.param(
            text("1") + text("", "stop") + DONE, {"stream": False}, "1", id="events instead of JSON"
        ),
    ],
)
async def test_fault_11_another_kind_of_body_is_understood_or_named(
    body: bytes, settings: dict[str, Any], seen: str
) -> None:
    async with upstream(writes(STREAM, body), settings=settings) as (rig, _):
        assert shown(await rig.ask()) == seen
        assert len(rig.client.shown) == (0 if seen else 1)


PIECES = ["an", "é", "😀", "swer", "s"]
EVENTS = [text(piece) for piece in PIECES]
CLEAN = b"".join([*EVENTS, text("", "stop"), DONE])
SAME = [
    pytest.param(
        [*EVENTS[:2], b"data: {\n\n", *EVENTS[2:], text("", "stop"), DONE], id="one malformed event"
    ),
    pytest.param([CLEAN.replace(b"data: ", b"data:")], id="without a blank"),
    pytest.param([CLEAN.replace(b"\n", b"\r")], id="CR alone"),
    pytest.param([CLEAN.replace(b"\n", b"\r\n")], id="CRLF"),
    pytest.param([b"\xef\xbb\xbf" + CLEAN], id="a byte order mark"),
    pytest.param([CLEAN.replace(b', "', b',\ndata: "')], id="an event of several lines"),
    pytest.param([CLEAN[at : at + 1] for at in range(len(CLEAN))], id="each byte alone"),
    pytest.param(
        [CLEAN.replace(b"\\u00e9", "é".encode())[:70], CLEAN.replace(b"\\u00e9", "é".encode())[70:]],
        id="split",
    ),
]


@pytest.mark.parametrize("pieces", SAME)
async def test_fault_12_however_events_are_written_the_text_is_the_same(pieces: list[bytes]) -> None:
    async with upstream(writes(STREAM, *pieces)) as (rig, _):
        assert shown(await rig.ask()) == "".join(PIECES)


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\x0c"])
async def test_fault_13_line_ends_of_other_worlds_are_text_and_then_unsafe(character: str) -> None:
    event = b"data: " + json.dumps({"choices": [{"text": f"a{character}b"}]}, ensure_ascii=False).encode()
    async with upstream(writes(STREAM, event + b"\n\n", text("", "stop"), DONE)) as (rig, _):
        assert why(await rig.ask()) is Reason.UNSAFE
    async with upstream(writes(STREAM, event + b"\n\n", text("", "stop"), DONE)) as (rig, _):
        await rig.open(f"# {character}\n{BUFFER}")
        assert shown(await rig.ask()) == f"a{character}b"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'data: {"choices":[{"text":"\xff\xfe"}]}\n\n' + DONE, id="no UTF-8"),
        pytest.param(b'data: {"choices":[{"text":"\\ud83d"}]}\n\n' + DONE, id="half a pair"),
        pytest.param((text("1") + DONE).decode().encode("utf-16"), id="UTF-16"),
    ],
)
async def test_fault_14_what_is_no_text_is_dropped(body: bytes) -> None:
    head = STREAM.replace(b"event-stream", b"event-stream; charset=utf-16")
    async with upstream(writes(head, body)) as (rig, _):
        assert shown(await rig.ask()) == ""
        assert "Unicode" not in rig.everything_said()


def _reset(peer: Peer) -> None:
    peer.cut()


def _eof(peer: Peer) -> None:
    peer.cut_gently()


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "end"),
    [
        pytest.param(CHUNKED, _reset, id="reset"),
        pytest.param(CHUNKED, _eof, id="end inside the chunks"),
        pytest.param(STREAM, _eof, id="end without a reason"),
    ],
)
async def test_fault_15_an_answer_that_breaks_off_shows_whole_lines_and_is_not_kept(
    head: bytes, end: Callable[[Peer], None]
) -> None:
    heard: list[asyncio.Event] = []

    async def break_off(peer: Peer) -> None:
        # A reset that overtakes the text takes it away.
        await heard[-1].wait()
        end(peer)

    def body(*events: bytes) -> bytes:
        joined = b"".join(events)
        return b"%x\r\n%s\r\n" % (len(joined), joined) if head is CHUNKED else joined

    async with upstream(writes(head, body(text(f"{ANSWER}\nhal")), then=break_off)) as (rig, standin):
        heard.append(rig.when_heard())
        assert shown(await rig.ask()) == ANSWER
    async with upstream(writes(head, body(text("hal")), then=break_off)) as (rig, standin):
        heard.append(rig.when_heard())
        for number in range(2):
            assert shown(await rig.ask()) == ""
            assert calls(standin) == number + 1


async def test_fault_16_a_kept_connection_that_died_is_no_ones_business() -> None:
    async def script(received: Received, peer: Peer) -> None:
        if peer.requests > 2:
            peer.cut()
        else:
            await says("1")(received, peer)

    async with upstream(script) as (rig, standin):
        assert shown(await rig.ask()) == "1"
        rig.type("1\nx = ")
        assert shown(await rig.ask()) == "1"
        assert calls(standin) == 3
        assert rig.client.shown == []


@pytest.mark.parametrize(
    "unasked",
    [
        pytest.param(
            b"HTTP/1.1 408 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", id="a time that is over"
        ),
        pytest.param(HEAD + b"Content-Length: 0\r\n\r\n", id="an answer"),
        pytest.param(b"HTTP/1.1 200", id="the beginning of an answer"),
        pytest.param(b"\r\n\0garbage", id="garbage"),
    ],
)
@pytest.mark.parametrize("is_later", [False, True])
async def test_fault_58_what_comes_unasked_on_a_kept_connection_is_no_answer(
    unasked: bytes, is_later: bool
) -> None:
    async def script(received: Received, peer: Peer) -> None:
        if received.method == "GET":
            await peer.json({})
            return
        body = text(str(calls(standin))) + text("", "stop") + DONE
        answer = HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
        await peer.send(*((answer, unasked) if is_later else (answer + unasked,)))

    async with upstream(script) as (rig, standin):
        assert shown(await rig.ask()) == "1"
        for number in (2, 3):
            rig.type(f"{number - 1}\nx = ")
            assert shown(await rig.ask()) == str(number)
        assert calls(standin) == 3
        assert rig.client.shown == []


def in_30_s() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=30.9), usegmt=True)


@pytest.mark.parametrize(
    ("retry_after", "quiet_s"),
    [
        ("5.2", 5.2),
        ("30", 30.0),
        ("3600", MAX_QUIET_S),
        ("a date", 30.0),
        ("abc", DEFAULT_QUIET_S),
        ("1e309", DEFAULT_QUIET_S),
        ("9" * 5000, DEFAULT_QUIET_S),
        ("Thu, 01 Jan 2099 00:00:00 +9999", DEFAULT_QUIET_S),
        ("Thu, 01 Jan 2099 00:00:00 -99999999999999999999", DEFAULT_QUIET_S),
        ("Thu, 01 Jan 99999999999 00:00:00 GMT", DEFAULT_QUIET_S),
        ("Fri, 31 Dec 9999 23:59:59 -2359", MAX_QUIET_S),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
    ],
)
async def test_fault_17_too_many_requests_means_none_until_then(retry_after: str, quiet_s: float) -> None:
    async def script(received: Received, peer: Peer) -> None:
        after = in_30_s() if retry_after == "a date" else retry_after
        await peer.json({}, 429, Retry_After=after)

    async with upstream(script) as (rig, standin):
        await rig.ask()
        rig.clock.skip(quiet_s - 1)
        for _ in range(3):
            result = await rig.ask()
            assert isinstance(result, Skip)
            assert result.reason is Reason.RATE_LIMITED
            assert " retrying in " in result.detail
        assert calls(standin) == 1
        rig.clock.skip(2)
        await rig.ask()
        assert calls(standin) == 2
        assert len(rig.client.shown) == 1


async def test_fault_17_a_time_that_is_over_is_no_wait() -> None:
    async with upstream(refuses(429, {}, Retry_After="-1")) as (rig, standin):
        for _ in range(2):
            await rig.ask()
        assert calls(standin) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, {"code": "insufficient_quota"}),
        (429, {"details": {"error_code": "enforced_spend_limit_reached"}}),
        (402, {"message": "payment required"}),
    ],
)
async def test_fault_18_an_empty_account_stops_calls_and_is_said_once(
    status: int, error: dict[str, object]
) -> None:
    async with upstream(refuses(status, {"error": error})) as (rig, standin):
        for _ in range(4):
            assert why(await rig.ask()) is Reason.PROVIDER_FAILED
        assert calls(standin) == 1
        rig.clock.skip(1e6)
        for _ in range(4):
            await rig.ask()
        assert calls(standin) == 1
        assert len(rig.client.shown) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_fault_19_a_refused_key_stops_calls_and_is_not_echoed(status: int) -> None:
    async with upstream(refuses(status, {"error": {"message": f"Incorrect API key: {KEY}"}})) as (
        rig,
        standin,
    ):
        for _ in range(4):
            assert why(await rig.ask()) is Reason.PROVIDER_FAILED
        assert calls(standin) == 1
        assert len(rig.client.shown) == 1
        assert "refused the key" in rig.client.shown[0]
        await rig.ask(Trigger.MANUAL)
        assert calls(standin) == 2


@pytest.mark.parametrize(("status", "retries"), [(500, 0), (502, 1), (503, 1), (504, 1), (529, 0)])
async def test_fault_20_a_failing_server_is_asked_at_most_once_more_and_then_left_alone(
    status: int, retries: int
) -> None:
    async with upstream(refuses(status, {})) as (rig, standin):
        reasons = [why(await rig.ask()) for _ in range(IN_A_ROW + 2)]
        # Each call counts for the breaker, a retry too.
        assert calls(standin) in (IN_A_ROW, IN_A_ROW + retries)
        assert reasons[-1] is Reason.CIRCUIT_OPEN
        assert len(rig.client.shown) == 1


async def test_fault_21_an_error_after_some_text_shows_whole_lines_or_nothing() -> None:
    error = b"event: error\n" + sse({"error": {"type": "overloaded_error"}})
    async with upstream(writes(STREAM, text("hal"), error)) as (rig, standin):
        for number in range(2):
            assert shown(await rig.ask()) == ""
            assert calls(standin) == number + 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_fault_22_a_redirect_sends_nothing_to_another_host(status: int) -> None:
    async with (
        serve(says("1")) as elsewhere,
        upstream(refuses(status, None, Location=f"{elsewhere.url}/{KEY}")) as (rig, standin),
    ):
        for _ in range(3):
            assert why(await rig.ask()) is Reason.PROVIDER_FAILED
        assert (calls(standin), elsewhere.connections) == (1, 0)
        assert "redirects to another address" in rig.client.shown[0]


@pytest.mark.parametrize(
    "location", [f"https://{KEY}.evil.invalid/", f"https://{KEY}@evil.invalid", "http://[", KEY]
)
async def test_fault_22_where_a_redirect_leads_is_said_nowhere(
    location: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "llm_lsp")
    async with upstream(refuses(302, None, Location=location)) as (rig, _):
        assert why(await rig.ask()) is Reason.PROVIDER_FAILED
        # The program has the logs of libraries off below warnings.
        ours = (record.getMessage() for record in caplog.records if record.name.startswith("llm_lsp"))
        said = "\n".join((*rig.client.shown, *ours))
        assert found_in(said) == []
        assert "evil" not in said


@pytest.mark.parametrize("status", [400, 413])
async def test_fault_23_a_prompt_that_is_too_long_is_halved_once(status: int) -> None:
    async with upstream(refuses(status, {"error": {"code": "context_length_exceeded"}})) as (rig, standin):
        await rig.open("x = 1\n" * 2000 + BUFFER)
        for _ in range(3):
            await rig.ask()
        long, short = (len(received.body) for received in standin.received if received.method == "POST")
        assert 0.3 < short / long < 0.7


@pytest.mark.parametrize(("status", "asked"), [(422, 2), (404, 1)])
async def test_fault_23_a_request_that_cannot_be_right_is_not_repeated(status: int, asked: int) -> None:
    async with upstream(refuses(status, {})) as (rig, standin):
        for _ in range(5):
            assert why(await rig.ask()) is Reason.PROVIDER_FAILED
        assert calls(standin) == asked


HEADS = [
    pytest.param(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * (5 << 20) + b"\r\n\r\n", id="a header of 5 MB"),
    pytest.param(b"HTTP/1.1 103 Hints\r\n\r\n" * 50_000, id="50,000 hints"),
    pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X-A: a\r\n" * 20_000 + b"\r\n", id="20,000 headers"),
]


@pytest.mark.parametrize("head", HEADS)
async def test_fault_24_a_head_without_measure_is_no_answer(head: bytes) -> None:
    async with upstream(writes(head)) as (rig, _):
        assert why(await rig.ask()) is Reason.PROVIDER_FAILED
        await still_works(rig)


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param("   \n  ", "", id="white space"),
        pytest.param("1)\n", "1", id="what stands behind already"),
        pytest.param("line\n" * 10_000, "line", id="10,000 lines"),
    ],
)
async def test_fault_25_an_answer_of_no_use_is_cleaned_or_not_shown(said: str, seen: str) -> None:
    async with upstream(says(said)) as (rig, _):
        await rig.open("print(")
        rig.type("x, )" if seen == "1" else "")
        document = rig.engine.document("file:///p/a.py")
        assert document is not None
        end = document.text.end
        at = end._replace(column=end.column - 1) if seen == "1" else end
        assert shown(await rig.ask(Trigger.MANUAL, at)) == seen


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        pytest.param("a\u202eb", "", id="turns the reading direction"),
        pytest.param("a\U000e0041b", "", id="invisible tags"),
        pytest.param("a\x1b[2Jb", "", id="a terminal's command"),
        pytest.param("a\x00b", "", id="NUL"),
        pytest.param("'${CLIPBOARD}'", "'${CLIPBOARD}'", id="a snippet's variable"),
    ],
)
async def test_fault_26_what_an_answer_hides_is_not_shown_and_nothing_in_it_runs(
    said: str, seen: str
) -> None:
    async with upstream(says(said)) as (rig, _):
        assert shown(await rig.ask()) == seen


NO_NUMBERS = [
    pytest.param(b"null", id="missing"),
    pytest.param(b'{"prompt_tokens":-5,"completion_tokens":-1}', id="negative"),
    pytest.param(b'{"prompt_tokens":NaN,"completion_tokens":Infinity}', id="no number"),
    pytest.param(b'{"prompt_tokens":"7","completion_tokens":[]}', id="other types"),
    pytest.param(b'{"prompt_tokens":1e18,"completion_tokens":1.5}', id="beyond measure"),
    pytest.param(b'"many"', id="words"),
]


@pytest.mark.parametrize("usage", NO_NUMBERS)
async def test_fault_27_usage_that_cannot_be_is_not_known(usage: bytes) -> None:
    body = text("1") + text("", "stop") + b'data: {"choices":[],"usage":%s}\n\n' % usage + DONE
    async with upstream(writes(STREAM, body)) as (rig, _):
        chunks = [chunk async for chunk in rig.provider.stream(RawPrompt("x"))]
        assert [chunk.usage or Usage() for chunk in chunks] == [Usage()] * len(chunks)
        assert shown(await rig.ask()) == "1"


NO_LOGARITHMS = [
    pytest.param(b"null", id="none"),
    pytest.param(b'{"tokens":["2"],"token_logprobs":[-1]}', id="other tokens"),
    pytest.param(b'{"tokens":["<s>","1"],"token_logprobs":[-1,-1]}', id="a template's tokens in front"),
    pytest.param(b'{"tokens":["1"],"token_logprobs":[-Infinity]}', id="minus infinity"),
    pytest.param(b'{"tokens":["1"],"token_logprobs":[NaN]}', id="no number"),
    pytest.param(b'{"tokens":["1"],"token_logprobs":[1e9]}', id="positive"),
    pytest.param(b'{"tokens":[],"token_logprobs":[]}', id="too few"),
]


@pytest.mark.parametrize("told", NO_LOGARITHMS)
async def test_fault_70_log_probabilities_that_cannot_be_are_none(told: bytes) -> None:
    body = b'data: {"choices":[{"text":"1","logprobs":%s}]}\n\n' % told + text("", "stop") + DONE
    async with upstream(writes(STREAM, body), settings={"ask_logprobs": True}) as (rig, standin):
        assert shown(await rig.ask()) == "1"
        assert [chunk.tokens for chunk in [chunk async for chunk in rig.provider.stream(RawPrompt("x"))]] == [
            (),
            (),
        ]
        calls = [received for received in standin.received if received.method == "POST"]
        assert [b"logprobs" in received.body for received in calls] == [True, False]


WITHOUT_MEASURE = [
    pytest.param(text("a + "), "", id="one line"),
    pytest.param(text("{[("), "", id="brackets"),
    pytest.param(text('"\\'), "", id="escaped quotes"),
    pytest.param(text("\t"), "", id="blanks"),
    pytest.param(text("\n"), "", id="line ends"),
    pytest.param(text("<|fim_"), "", id="beginnings of marks"),
    pytest.param(text("[]," * 10_000), "", id="large pieces"),
    pytest.param(b"data: [" + b"[]," * 50_000 + b"\n\n", "", id="events of many parts"),
    pytest.param(text("x = 1\n" + "y" * 5000), "x = 1", id="one line behind a good one"),
]


@pytest.mark.parametrize(("piece", "seen"), WITHOUT_MEASURE)
async def test_fault_49_an_answer_without_measure_is_not_read_on(piece: bytes, seen: str) -> None:
    sent = 0

    async def flood(peer: Peer) -> None:
        nonlocal sent
        while sent < 64 << 20:
            await peer.send(piece)
            sent += len(piece)

    async with upstream(writes(STREAM, then=flood)) as (rig, _):
        # Only lines that are whole.
        seen_now = shown(await rig.ask())
        assert seen_now.startswith(seen) if seen else not seen_now
        assert len(seen_now) < 100
        # What stands in the buffers of both sockets was sent, too.
        assert sent < 32 << 20


@pytest.mark.parametrize(
    "body", [b"[" + b"[]," * (2 << 20), b"{" + b'"a":{},' * (1 << 20)], ids=["[],", "{},"]
)
async def test_fault_49_an_answer_in_one_piece_is_not_decoded_if_it_is_huge(body: bytes) -> None:
    async with upstream(writes(HEAD + b"Connection: close\r\n\r\n", body)) as (rig, _):
        assert why(await rig.ask()) is Reason.PROVIDER_FAILED


REASONED = [
    pytest.param(sse({"choices": [{"text": "", "finish_reason": "content_filter"}]}), Reason.BLOCKED, id="content filter"),
    pytest.param(sse({"choices": [{"delta": {"refusal": "I cannot"}, "finish_reason": None}]}) + text("", "stop"), Reason.BLOCKED, id="refusal"),
    pytest.param(sse({"choices": [{"delta": {"reasoning_content": "hm"}}]}) + text("", "length"), Reason.ONLY_THOUGHTS, id="thoughts to the limit"),
    pytest.param(sse({"choices": [{"delta": {"reasoning": "hm"}}]}) + text("", "stop"), Reason.ONLY_THOUGHTS, id="thoughts alone"),
    pytest.param(text("", "length") + sse({"choices": [], "usage": {"completion_tokens": 128, "completion_tokens_details": {"reasoning_tokens": 128}}}), Reason.ONLY_THOUGHTS, id="thoughts that only the usage tells"),
    pytest.param(text("", "load"), Reason.ONLY_LOADED, id="a model that was only loaded"),
]  # fmt: skip


@pytest.mark.parametrize(("events", "reason"), REASONED)
async def test_fault_59_no_answer_has_its_own_reason_and_is_asked_again(
    events: bytes, reason: Reason
) -> None:
    async with upstream(writes(STREAM, events + DONE)) as (rig, standin):
        assert [why(await rig.ask()) for _ in range(2)] == [reason, reason]
        assert reason.value in rig.engine.explain()
        # It says nothing of the next request, at the same place or elsewhere.
        assert calls(standin) == 2
        await still_works(rig)


async def test_fault_59_a_blocked_prompt_is_told_by_its_request_alone() -> None:
    body = {"error": {"code": "content_filter", "message": "The prompt was filtered"}}
    async with upstream(refuses(400, body)) as (rig, standin):
        assert [why(await rig.ask()) for _ in range(5)] == [Reason.BLOCKED] * 5
        assert calls(standin) == 5
        assert "content filter" in rig.engine.explain()
        await still_works(rig)


CHAT_FORMS = [
    pytest.param(f"Sure! Here is the line:\n\n```python\n{BUFFER}1\n```\nIt is one.", "1", id="sentences and a fence"),
    pytest.param(f"<think>What is it?</think>{BUFFER}1", "1", id="thoughts"),
    pytest.param(json.dumps({"code": f"{BUFFER}1"}), "1", id="JSON"),
    pytest.param("I'm sorry, but I cannot help with that.", Reason.NO_CODE, id="an apology"),
    pytest.param("<think>What is it?", Reason.ONLY_THOUGHTS, id="thoughts without an end"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "seen"), CHAT_FORMS)
async def test_fault_60_a_dialogues_answer_is_code_or_nothing(answer: str, seen: str | Reason) -> None:
    settings = {"api": "openai-chat", "fim": "chat"}
    script = writes(
        STREAM, sse({"choices": [{"delta": {"content": answer}, "finish_reason": "stop"}]}) + DONE
    )
    async with upstream(script, settings=settings) as (rig, _):
        result = await rig.ask()
        assert (shown(result) or why(result)) == seen
