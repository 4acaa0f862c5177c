"""However an API says how long it wants to be left alone, it is understood."""

from datetime import UTC, datetime

import httpx
import pytest

from llm_lsp.providers.http.retry_after import wait_s

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)

HEADERS = [
    pytest.param({"retry-after": "7"}, 7, id="seconds"),
    pytest.param({"retry-after": "1.5"}, 1.5, id="parts of a second"),
    pytest.param({"retry-after-ms": "250", "retry-after": "7"}, 0.25, id="milliseconds are more exact"),
    pytest.param({"x-ms-retry-after-ms": "250"}, 0.25, id="Azure's milliseconds"),
    pytest.param({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, 30, id="a date"),
    pytest.param({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT"}, 0, id="a date gone by"),
    pytest.param({"retry-after": "-3"}, 0, id="below zero"),
    pytest.param({"retry-after": "1e99"}, 86_400, id="for ever is a day"),
    pytest.param({"retry-after": "1e309"}, None, id="more than for ever"),
    pytest.param({"retry-after": "soon"}, None, id="words"),
    pytest.param({"retry-after": "nan"}, None, id="no number"),
    pytest.param({"retry-after": "Sun, 22 Nov 2026 12:00:30"}, None, id="a date without zone"),
    pytest.param({}, None, id="nothing"),
]
USED_UP = {"x-ratelimit-remaining-requests": "0"}
RESETS = [
    pytest.param({**USED_UP, "x-ratelimit-reset-requests": "6m0.5s"}, 360.5, id="OpenAI's minutes"),
    pytest.param({**USED_UP, "x-ratelimit-reset-requests": "20ms"}, 0.02, id="OpenAI's milliseconds"),
    pytest.param({**USED_UP, "x-ratelimit-reset-requests": "1h1s"}, 3601, id="Groq's hours"),
    pytest.param(
        {"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "9s"}, None, id="not used up"
    ),
    pytest.param(
        {
            "anthropic-ratelimit-tokens-remaining": "0",
            "anthropic-ratelimit-tokens-reset": "2026-11-22T12:00:40Z",
        },
        40,
        id="Anthropic's time",
    ),
    pytest.param(
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795348815"}, 15, id="seconds since 1970"
    ),
    pytest.param({"ratelimit-remaining": "0", "ratelimit-reset": "12"}, 12, id="the draft's seconds"),
    pytest.param({**USED_UP, "x-ratelimit-reset-requests": "later"}, None, id="words"),
    pytest.param(
        {**USED_UP, "x-ratelimit-reset-requests": "9s", "retry-after": "2"}, 2, id="what is asked for wins"
    ),
]


@pytest.mark.parametrize(("headers", "seconds"), [*HEADERS, *RESETS])
def test_the_wait_that_an_api_asks_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_s(httpx.Headers(headers), None, NOW) == seconds


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        pytest.param({"error": {"details": [{"@type": "x"}, {"retryDelay": "34s"}]}}, 34, id="a delay"),
        pytest.param({"error": {"details": [{"retryDelay": 34}]}}, None, id="no text"),
        pytest.param({"error": "busy"}, None, id="no details"),
        pytest.param([], None, id="no object"),
    ],
)
def test_googles_delay_stands_in_the_body(body: object, seconds: float | None) -> None:
    assert wait_s(httpx.Headers(), body, NOW) == seconds
