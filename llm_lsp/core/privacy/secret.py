"""A key that is never printed."""

from __future__ import annotations

import hmac
import re
from typing import NoReturn

from llm_lsp.errors import ConfigError

# What an HTTP header can carry without quoting, without blanks: RFC 9110, section 5.6.2, VCHAR.
# A key with a newline at its end comes back in httpx's own exception text, so it is refused here.
_KEY = re.compile(r"[\x21-\x7e]{1,512}")


class Secret:
    """A value that prints, formats and logs as `***`; only `reveal` gives it.

    Equal by value, without a hash, and not picklable, so that it ends in no cache and no file.
    """

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment] # object has a hash; a secret must not be a key of anything

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value; only for sending it or for the key store."""
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
    """Strip a key as it was pasted or read; raises ConfigError, which does not show it, where it is no key."""
    key = text.strip()
    if not key:
        raise ConfigError("the API key is empty")
    if not _KEY.fullmatch(key):
        raise ConfigError(
            "the API key has blanks, line breaks or characters beyond ASCII, or over 512 of them"
        )
    return Secret(key)
