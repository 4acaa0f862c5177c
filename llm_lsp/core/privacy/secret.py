"""A key that is never printed."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import NoReturn

from llm_lsp.errors import ConfigError

# Visible ASCII, which an HTTP header can carry unquoted (RFC 9110, section 5.6.2, VCHAR). A key with a trailing newline
# would appear in the text of httpx's exception, so it is refused. The length is the usual limit of servers for a header
# (nginx: 8 KiB): a token of single sign-on has thousands of characters.
_KEY = re.compile(r"[\x21-\x7e]{1,8192}")


@dataclass(frozen=True, slots=True)
class KeyLifetime:
    """When a key expires, and when to replace it; seconds since 1970."""

    refresh_at: float
    expires_at: float


class Secret:
    """A value that prints, formats and logs as `***`; only `reveal` returns it.

    Compares by value, but cannot be hashed or pickled, so that it cannot end up in a cache or file.
    """

    __slots__ = ("_value", "lifetime")
    __hash__ = None  # type: ignore[assignment] # a secret must not be a key in a mapping

    def __init__(self, value: str, lifetime: KeyLifetime | None = None) -> None:
        self._value = value
        self.lifetime = lifetime
        """None if it is not known to expire."""

    def reveal(self) -> str:
        """Return the value; only for sending or storing it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied into a file")


def clean_key(text: str) -> Secret:
    """Strip a pasted key; raises ConfigError, without the key, if it is invalid."""
    key = text.strip()
    if not key:
        raise ConfigError("the API key is empty")
    if not _KEY.fullmatch(key):
        raise ConfigError(
            "the API key contains blanks, line breaks or non-ASCII characters, or is over 8,192 characters long"
        )
    return Secret(key)


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key that another process keeps, for one provider at one address."""

    provider: str
    address: str
    key: Secret
