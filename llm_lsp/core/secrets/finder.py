"""Finds secrets on the lines of a text, except private keys.

The text's words are searched first, because they are few: long words for the beginnings of tokens, all of them
for the names of secrets. Regular expressions are then applied only where something was found.
"""

from __future__ import annotations

import binascii
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence, Set
from string import ascii_letters, digits
from types import MappingProxyType
from typing import NamedTuple

from llm_lsp.core.secrets.assignments import NameIndex
from llm_lsp.core.secrets.formats import (
    DOTTED_PATTERN,
    FORMATS,
    MIN_DOTTED_CHARS,
    TWILIO_PATTERN,
    WEB_TOKEN_HEAD_CHARS,
    WEB_TOKEN_PATTERN,
    SecretFormat,
)
from llm_lsp.core.secrets.randomness import is_machine_made

# Length of the shortest token including its beginning: `xoxb-` and ten characters.
MIN_TOKEN_CHARS = 14
# Characters for each match of a format that may be found to be none; further ones are masked, so that a crafted text
# costs no more.
CHARS_PER_REFUSAL = 80
# Total length of words above which only the ends of long runs of letters and digits are searched, since a token begins
# after a mark, an escape or a short word. Hashes and base64 images contain such runs.
MANY_CHARS = 1024
# Characters at the start of such a run in which a token may begin: the longest escape has six.
DEEP_CHARS = 12
_LONG_RUN = re.compile(rb"([A-Za-z0-9+/]{12})[A-Za-z0-9+/]{4,}+(?<=([A-Za-z0-9+/]{4}))")
_TELLING = re.compile(rb"[0-9A-Z]")
_WEB_TOKEN_CHARS = ascii_letters + digits + "_-"
_TOKEN_BYTES = (
    bytes(byte if chr(byte).isalnum() or chr(byte) in "_-./+=~:$@%" else 32 for byte in range(128))
    + b" " * 128
)
_LETTER_BYTES = bytes(byte if chr(byte).isalpha() else 32 for byte in range(128)) + b" " * 128
# An escape directly before a position; its last characters do not belong to a word.
_ESCAPE = re.compile(
    r"(?:\\[abefnrtv0]|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\[0-7]{3}|%(?:25)?[0-9A-Fa-f]{2})\Z"
)
_DIGIT = re.compile(r"\d")
_REST = re.compile(r"[A-Za-z0-9]*+")
# A password in a URL, except variables and placeholders.
_URL = r"://[^\s/:@'\"`<>{}$]{0,128}+:(?P<secret>[^\s/:@'\"`<>{}$]{3,128}+)@[\w.-]"
_URL_USER = r"://(?P<judged>[\w-]{20,128}+)(?=@[\w.-])"
_EXAMPLE_PASSWORDS = frozenset({"pass", "password", "passwd", "pwd", "secret", "token", "user"})
# Words, and what may follow them on a line.
_CONTEXTS = MappingProxyType(
    {
        "basic": r"[Bb]asic[ \t]+(?P<account>[\w+/]{8,512}+={0,2})",
        "auth": r"\b_?auth\\?[\"']?[ \t]{0,4}+[:=][ \t]{0,4}+\\?[\"']?(?P<account>[\w+/]{8,512}+={0,2})",
        "curl": r"(?:-u|--user|--proxy-user)[ \t=]{0,4}[\"']?[^\s:\"'$<>{}]{0,64}+:(?P<secret>[^\s\"'$<>{}]{4,256}+)",
        "sshpass": r"sshpass[ \t]+-p[ \t]*[\"']?(?P<secret>[^\s\"'$]{4,256}+)",
        "mysql": r"[ \t]-p(?P<secret>[^\s\"'$=-][^\s\"'$]{5,256}+)",
        "docker": r"login\b[^\n]{0,128}?[ \t]-p[ \t]+[\"']?(?P<secret>[^\s\"'$-][^\s\"'$]{5,256}+)",
        "redis": r"redis-cli\b[^\n]{0,128}?[ \t]-a[ \t]+[\"']?(?P<secret>[^\s\"'$-][^\s\"'$]{5,256}+)",
        "identified": r"(?i:identified)[ \t]+(?i:by)[ \t]+[\"'](?P<secret>[^\"'\n$<{]{6,256}+)",
        "kty": r"\"(?:d|p|q|dp|dq|qi|k)\"[ \t]*:[ \t]*\"(?P<secret>[\w-]{16,4096}+)\"",
    }
)
# A line of PostgreSQL's password file: host, port, database, user and password.
_PGPASS = r"^(?:[ \t]*+[#>+*/-]{0,2}[ \t]*+)[\w.*-]{1,128}+:(?:\d{4,5}|\*):[^:\s]{1,64}+:[^:\s]{1,64}+:(?P<secret>[^\s:][^\n]{3,128}+)$"


class Find(NamedTuple):
    """A secret's position in a text."""

    start: int
    end: int
    name: str
    kept: int = 0
    """Number of characters at its start that are not redacted."""


def _grams(text: bytes) -> set[int]:
    """Return the pairs of neighbouring bytes in a text, each as a number."""
    text += b" " * (len(text) % 2)
    return {*array("H", text), *array("H", text[1:-1])}


def _by_gram() -> Mapping[int, Sequence[tuple[bytes, SecretFormat]]]:
    table: dict[int, list[tuple[bytes, SecretFormat]]] = {}
    for secret in FORMATS:
        for literal in secret.literals:
            (gram,) = _grams(literal[:2].encode())
            table.setdefault(gram, []).append((literal.encode(), secret))
    return MappingProxyType(table)


_BY_GRAM = _by_gram()


def long_words(text: str) -> Set[bytes]:
    """Return the distinct words of a text that are long enough for a token."""
    words = text.encode("ascii", "replace").translate(_TOKEN_BYTES).split()
    return {word for word in words if len(word) >= MIN_TOKEN_CHARS}


class SecretFinder:
    """Finds secrets by their format, by their names, and as known values."""

    def __init__(self) -> None:
        self._patterns: dict[str, re.Pattern[str]] = {}

    def find(self, text: str, words: Set[bytes]) -> Iterator[Find]:
        """Yield the secrets in a text, given its long words; none extends beyond the end of a line."""
        yield from self._tokens(text, words)
        letters = {*text.encode("ascii", "replace").lower().translate(_LETTER_BYTES).decode().split()}
        yield from self._in_context(text, letters)
        if text.count(":") > 3 and (":*:" in text or any(word.count(b":") > 3 for word in words)):
            yield from (
                Find(*match.span("secret"), "pgpass") for match in self._pattern(_PGPASS).finditer(text)
            )
        if names := NameIndex(letters):
            yield from (Find(start, end, "named") for start, end in names.values(text))

    def _tokens(self, text: str, words: Set[bytes]) -> Iterator[Find]:
        # A lower-case identifier cannot be part of a token.
        joined = b" ".join(filter(_TELLING.search, words))
        if not joined:
            return
        if b".eyJ" in joined:
            yield from self._web_tokens(text)
        if b"SK" in joined or b"AC" in joined:
            yield from self._shaped(text, TWILIO_PATTERN, "twilio")
        if joined.count(b".") > 1 and len(max(words, key=len)) >= MIN_DOTTED_CHARS:
            yield from self._shaped(text, DOTTED_PATTERN, "discord-bot")
        if len(joined) > MANY_CHARS:
            joined = _LONG_RUN.sub(rb"\1 \2", joined)
        yield from self._begun(text, joined)

    def _begun(self, text: str, joined: bytes) -> Iterator[Find]:
        """Yield the tokens that begin with a literal."""
        for gram in _grams(joined) & _BY_GRAM.keys():
            for literal, secret in _BY_GRAM[gram]:
                if literal in joined:
                    yield from self._matches(text, literal.decode(), secret)

    def _web_tokens(self, text: str) -> Iterator[Find]:
        pattern, at = self._pattern(WEB_TOKEN_PATTERN), text.find(".eyJ")
        while at >= 0:
            next_at = at + 4
            if match := pattern.match(text, at):
                first = max(0, at - WEB_TOKEN_HEAD_CHARS)
                run = first + len(text[first:at].rstrip(_WEB_TOKEN_CHARS))
                start = text.find("eyJ", run, at)
                if start >= 0:
                    yield Find(start, match.end(), "jwt", 4)
                next_at = match.end()
            at = text.find(".eyJ", next_at)

    def _matches(self, text: str, literal: str, secret: SecretFormat) -> Iterator[Find]:
        pattern, refusals = self._pattern(secret.pattern(literal)), len(text) // CHARS_PER_REFUSAL + 1
        at = text.find(literal, secret.head_chars)
        while at >= 0:
            next_at = at + len(literal)
            begins = secret.is_distinct or not _is_deep(text, at)
            match = pattern.match(text, at - secret.head_chars) if begins else None
            if match and refusals and not _is_secret(text, literal, secret, match):
                refusals -= 1
            elif match:
                start, end = match.span(match.lastgroup or 0)
                next_at = end = _whole(text, end)
                yield Find(start, end, secret.name, secret.kept_chars)
            at = text.find(literal, next_at)

    def _shaped(self, text: str, pattern: str, name: str) -> Iterator[Find]:
        for match in self._pattern(pattern).finditer(text):
            if is_machine_made(match[0]):
                yield Find(*match.span(), name, 4)

    def _in_context(self, text: str, words: set[str]) -> Iterator[Find]:
        if "://" in text:
            for match in self._pattern(_URL).finditer(text):
                if match["secret"].lower() not in _EXAMPLE_PASSWORDS:
                    yield Find(*match.span("secret"), "url-password")
            for match in self._pattern(_URL_USER).finditer(text):
                if is_machine_made(match["judged"]):
                    yield Find(*match.span("judged"), "url-user")
        for word in words & _CONTEXTS.keys():
            for match in self._pattern(_CONTEXTS[word]).finditer(text):
                if _is_meant(match):
                    yield Find(*match.span(match.lastgroup or 0), word)

    def _pattern(self, pattern: str) -> re.Pattern[str]:
        # Compiled on first use: most are never needed, and compiling all takes some milliseconds.
        compiled = self._patterns.get(pattern)
        if compiled is None:
            compiled = self._patterns[pattern] = re.compile(pattern, re.MULTILINE | re.ASCII)
        return compiled


def _is_secret(text: str, literal: str, secret: SecretFormat, match: re.Match[str]) -> bool:
    if secret.is_sure and secret.is_distinct:
        return True
    rest = match[0][secret.head_chars + len(literal) :]
    has_digit = _DIGIT.search(rest) is not None
    if not secret.is_sure and not (has_digit and is_machine_made(rest)):
        return False
    if secret.is_distinct or has_digit or _is_at_edge(text, match.start()):
        return True
    return is_machine_made(rest)


def _is_deep(text: str, at: int) -> bool:
    """Check whether a position is far inside a run of letters and digits, where no token begins."""
    return at >= DEEP_CHARS and (before := text[at - DEEP_CHARS : at]).isalnum() and before.isascii()


def _is_at_edge(text: str, at: int) -> bool:
    """Check whether no letter or digit directly precedes a position, apart from those of an escape."""
    before = text[at - 1 : at]
    is_inside = before.isascii() and before.isalnum()
    return not is_inside or _ESCAPE.search(text, max(0, at - 6), at) is not None


def _whole(text: str, end: int) -> int:
    """Return the end of the word that contains a token's end, so that a longer token is redacted completely."""
    if end < len(text) and text[end - 1].isalnum():
        match = _REST.match(text, end)
        return match.end() if match else end
    return end


def _is_meant(match: re.Match[str]) -> bool:
    account = match.groupdict().get("account")
    return account is None or _is_account(account)


def _is_account(text: str) -> bool:
    """Check whether a base64 text decodes to `name:password`."""
    try:
        plain = binascii.a2b_base64(text.rstrip("=") + "==")
    except binascii.Error:
        return False
    return b":" in plain[1:] and plain.isascii() and plain.decode().isprintable()
