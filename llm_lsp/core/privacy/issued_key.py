"""Reads a key from the output of a key command: the key itself, or a token response of single sign-on.

A key expires when its command says so (`expires_in`, RFC 6749, section 5.1), or when it is a JSON Web Token with an
`exp` (RFC 7519, section 4.1.4). The token's signature is not checked: a wrong time only makes the command run at
another time.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping

from llm_lsp.core.privacy.secret import KeyLifetime, Secret, clean_key
from llm_lsp.errors import ConfigError

# A key is replaced this many seconds before it expires, or after four fifths of its life if that is later.
REFRESH_AHEAD_S = 300.0
REFRESH_SHARE = 0.2


class KeyOutputError(ConfigError):
    """The output of a key command is no key; the message follows "the key command NAME printed"."""


def issued_key(output: str, now: float) -> Secret:
    """Return the key in a command's output; `now` is the time, in seconds since 1970.

    The output is a JSON object with an `access_token`, or its first line is the key. Raises KeyOutputError, without
    any of the output, if there is no key or the key has expired.
    """
    text = output.strip("\ufeff \t\r\n")
    if not text:
        raise KeyOutputError("nothing")
    key, expires_in = _token(text) if text.startswith("{") else (text.partition("\n")[0], None)
    secret = _clean(key, text)
    expires_at = _expiry(secret.reveal()) if expires_in is None else now + expires_in
    if expires_at is None:
        return secret
    if expires_at <= now:
        raise KeyOutputError("a key that has expired, by this machine's clock; sign in again")
    left_s = expires_at - now
    refresh_at = expires_at - min(REFRESH_AHEAD_S, left_s * REFRESH_SHARE)
    return Secret(secret.reveal(), KeyLifetime(refresh_at, expires_at))


def _token(text: str) -> tuple[str, float | None]:
    try:
        response = json.loads(text)
    except (ValueError, RecursionError):
        raise KeyOutputError("a JSON object that cannot be read") from None
    token = response.get("access_token") if isinstance(response, Mapping) else None
    if not isinstance(token, str) or not token.strip():
        raise KeyOutputError("a JSON object without an access_token")
    return token, _seconds(response.get("expires_in"))


def _clean(key: str, text: str) -> Secret:
    try:
        return clean_key(key)
    except ConfigError:
        n_lines = len(text.splitlines())
        if n_lines > 1 and not text.startswith("{"):
            raise KeyOutputError(f"{n_lines:,} lines, and the first is no key") from None
        raise KeyOutputError(
            "no key: it contains blanks, line breaks or non-ASCII characters, or is too long"
        ) from None


def _expiry(key: str) -> float | None:
    """Return the `exp` of a JSON Web Token; None for any other key."""
    parts = key.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    return _seconds(claims.get("exp")) if isinstance(claims, Mapping) else None


def _seconds(value: object) -> float | None:
    """Return a number of seconds, which some servers send as text; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None
