"""Parses how long an API asks to wait, in all the formats in use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from llm_lsp.providers.dialects.json_shapes import as_list, as_map, as_text

if TYPE_CHECKING:
    from httpx import Headers

# Seconds. A longer wait is a daily quota rather than a rate limit; callers may apply a lower limit.
MAX_WAIT_S = 86_400.0

# Azure's name for the first; OpenAI's and Anthropic's clients read the other.
_MILLISECONDS = ("retry-after-ms", "x-ms-retry-after-ms")
# Headers with the time at which a quota is available again, each with the header of what is left: OpenAI and Groq send
# "6m0s", Anthropic a time, others seconds.
_RESETS = (
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
)
# Go's notation for durations, such as "1m30.5s" and "20ms".
_SPAN = re.compile(
    r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?"
)
# A number of seconds above this is a Unix time: no API asks to wait for 30 years.
_EPOCH_S = 1e9


def wait_s(headers: Headers, body: object, now: datetime) -> float | None:
    """Return how long to wait in seconds; None if no valid time is given.

    Checks, in this order: milliseconds, `retry-after` as seconds or date, the vendors' reset headers, and Google's
    `retryDelay` in the body. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    for found in _said(headers, body, now):
        if found is not None:
            return min(max(found, 0.0), MAX_WAIT_S)
    return None


def _said(headers: Headers, body: object, now: datetime) -> Iterator[float | None]:
    for name in _MILLISECONDS:
        milliseconds = _number(headers.get(name))
        yield None if milliseconds is None else milliseconds / 1000
    after = headers.get("retry-after")
    if after is not None:
        # If it is invalid, do not use a reset header instead, which may belong to another limit.
        yield _first(_number(after), _date(after, now))
        return
    yield max(_resets(headers, now), default=None)
    for detail in as_list(as_map(as_map(body).get("error")).get("details")):
        yield _span(as_text(as_map(detail).get("retryDelay")))


def _resets(headers: Headers, now: datetime) -> Iterator[float]:
    """Yield the waits for all quotas that are used up."""
    for left, reset in _RESETS:
        text = headers.get(reset)
        if text is None or _number(headers.get(left)) != 0:
            continue
        seconds = _first(_number(text), _span(text), _time(text, now))
        if seconds is not None:
            yield seconds - now.timestamp() if seconds > _EPOCH_S else seconds


def _first(*found: float | None) -> float | None:
    return next((value for value in found if value is not None), None)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if number == number and abs(number) != float("inf") else None


def _span(text: str) -> float | None:
    match = _SPAN.fullmatch(text)
    if not text or match is None:
        return None
    units = zip(match.groups(), (3600, 60, 1, 0.001), strict=True)
    return sum(float(count) * seconds for count, seconds in units if count)


def _date(text: str, now: datetime) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None


def _time(text: str, now: datetime) -> float | None:
    try:
        return (datetime.fromisoformat(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
