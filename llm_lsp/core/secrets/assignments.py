"""Finds values that are given to names of secrets, in the syntaxes of programs, settings, shells and markup.

A name is looked for as a plain string; what follows it on its line is matched from there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple

from llm_lsp.core.secrets.names import SECRET_KEYS, SECRET_PARTS, SERVICES, WEAK_WORDS
from llm_lsp.core.secrets.values import (
    NameKind,
    is_secret_field,
    is_secret_line,
    is_secret_literal,
    is_secret_word,
)

# Characters of a line before a name that are looked at: an indentation and a word like `export`.
_BEFORE_CHARS = 80
# Characters of a value without a digit that only a blank divides from its name: shorter ones are words of a sentence.
MIN_LOOSE_CHARS = 12
# Characters after a weak name in which its value shows a digit.
_NEAR_CHARS = 120
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_PASSWORD = re.compile(r"pass|pwd")
_DIGIT = re.compile(r"\d")
_FOLLOWING = re.compile(
    # The rest of the name, and what closes it: `_1`, `"]`, `\"`, `?`.
    r"(?P<tail>[\w.-]{0,40}+)(?P<close>(?:\\{0,3}[\"'`]|&quot;|&#34;|\[\d{0,4}\]|[\])}?!*]){0,4}+)(?P<lead>[ \t]{0,8}+)"
    # A type, C#'s accessors, or the attribute that holds the value of the one that names it.
    r"(?::[ \t]{0,4}+[\w.&'<>\[\]|?*]{1,40}+(?:[ \t][\w.&'<>\[\]|?*]{1,40}+){0,3}+[ \t]{0,4}+(?==)"
    r"|[\w.*\[\]]{1,24}+[ \t]{1,4}+(?==)"
    r"|\{[ \t]?get;[^}\n]{0,24}+\}[ \t]{0,4}+(?==)"
    r"|[^<>\n]{0,80}+>[ \t]{0,4}+<(?:value|string)(?=>)"
    r"|,?[ \t]{0,4}+\\{0,3}[\"']?(?:[Vv]alue|VALUE|content|default)\\{0,3}[\"']?[ \t]{0,4}+)?+"
    r"(?P<sep>:=|=>|={1,3}|!={1,2}|::?|,|\(|->|\|\|=?|\?\?=?|\?=|\+=|>"
    r"|%3[DdAa]|\\{1,3}(?:u00|x)3[DdAa]|&gt;|&#6[12];)?+(?P<gap>[ \t]{0,8}+)"
    # What a value is wrapped in: a call, a list, the letters of a string literal.
    r"(?P<call>(?:new[ \t])?(?:[\w.:]{1,40}+\()?+)(?P<open>[\[({]{0,2}+)(?:[rbufLR@$]{1,2}(?=[\"']))?+"
    r"(?:(?P<mark>\"\"\"|'''|[\"'`])(?P<quoted>(?:\\.|(?!(?P=mark))[^\\\n]){8,4096}+)"
    r"|\\{1,3}[\"'](?P<escaped>[^\"'\\\n]{8,4096}+)"
    r"|(?:&quot;|&#34;)(?P<entity>[^&\n]{8,4096}+)"
    r"|(?P<bare>[^\s\"'`][^\n]{7}))"
)
_ASSIGNS = frozenset({"=", "==", ":", "::", ":=", "?=", "=>"})
_ESCAPED_ASSIGNS = ("%", "\\", "&")
# A name at a line's end whose value is on the next: `- name: DB_PASSWORD`, `password: |`, `"token":`.
_GOES_ON = re.compile(
    r"[\w.-]{0,40}+[\"']?[ \t]{0,4}+(?:(?P<assign>[:=])[ \t]{0,4}+[|>]?[-+]?|,)?[ \t\r]{0,4}+$", re.MULTILINE
)
_IS_NAMED = re.compile(r"[\"']?(?:name|key|Name|Key)[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?[\w.-]{0,40}\Z")
_NEXT_ITEM = re.compile(r"[\"'][ \t]{0,4}+,[ \t]{0,4}+[\"'](?P<item>[^\"'\n]{8,4096}+)")
_NEXT_LINE = re.compile(
    r"[ \t]*[\"']?(?:[Vv]alue[\"']?[ \t]{0,4}[:=][ \t]{0,4}(?P<label>))?(?P<mark>[\"']?)(?P<value>[^\"'\n]{8,4096}+)"
)
_BEGINS_LINE = re.compile(
    r"[ \t]*(?:(?:[-*+>;:]|#|//)[ \t]*){0,2}"
    r"(?:(?:export|set|setx|declare -x|ENV|ARG|env|local|readonly|SETENV|-e)[ \t]+|\$env:)?[\w./-]*"
)
_HAS_ARGUMENT = re.compile(
    r"(?:--?|\bENV[ \t]|\bARG[ \t]|\bset(?:x|env| -\w{1,3})[ \t])[\w.-]*", re.IGNORECASE
)
_WORD_VALUE = re.compile(r"[^\s\"'`<>{}()\[\],;&|\\]{8,4096}+(?![(\[{])")
_XML_VALUE = re.compile(r"[^<\n]{8,4096}+(?=<)")
_FIELD_VALUE = re.compile(r"[^;\"'`\n]{8,256}+(?=[;\"'`])")
_COMMENT = re.compile(r"[ \t]+(?:#|//)[^\n]*")


class _Name(NamedTuple):
    start: int
    end: int
    kind: NameKind


class NameIndex:
    """The names of secrets that a text may hold, told by its words alone."""

    def __init__(self, words: set[str]) -> None:
        joined = " ".join(words)
        self._parts = tuple(part for part in SECRET_PARTS if part in joined)
        self._weak = (*(word for word in WEAK_WORDS if word in joined), *(SERVICES & words))

    def __bool__(self) -> bool:
        return bool(self._parts or self._weak)

    def values(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the spans of the values that are secrets; an empty one ends a line whose value is on the next."""
        for name in self._names(text):
            if match := _FOLLOWING.match(text, name.end):
                if match["bare"]:
                    found = _bare(text, name, match)
                    yield from (found,) if found else ()
                else:
                    yield from _quoted(text, name, match)
            elif name.kind != "weak" and (end := _goes_on(text, name)):
                yield end, end

    def _names(self, text: str) -> Iterator[_Name]:
        lowered = text.translate(_LOWER)
        for part in self._parts:
            kind: NameKind = "password" if _PASSWORD.match(part) else "secret"
            for at in _places(lowered, part):
                yield _Name(at, at + len(part), kind)
        rest = lowered
        for part in self._parts:
            rest = rest.replace(part, " " * len(part))  # Of `password`, `pass` is no word.
        for word in self._weak:
            for at in _places(rest, word):
                end = at + len(word)
                # Most of these have nothing to do with secrets, and no value near.
                if _ends_word(text, end) and _DIGIT.search(text, end, end + _NEAR_CHARS):
                    is_sure = word.startswith("key") and _is_secret_key(lowered, at)
                    yield _Name(at, end, "secret" if is_sure else "weak")


def _places(lowered: str, part: str) -> Iterator[int]:
    at = lowered.find(part)
    while at >= 0:
        yield at
        at = lowered.find(part, at + len(part))


def _ends_word(text: str, end: int) -> bool:
    following = text[end : end + 1]
    return not following.isalpha() or (following.isupper() and text[end - 1].islower())


def _is_secret_key(lowered: str, at: int) -> bool:
    return lowered[max(0, at - 16) : at].rstrip("_-. ").endswith(SECRET_KEYS)


def value_on_next_line(line: str) -> tuple[int, int] | None:
    """Return the span of the secret on a line that follows a secret's name."""
    found = _NEXT_LINE.match(line)
    if found is None:
        return None
    value = found["value"].rstrip(" \t\r,")
    if found["mark"]:
        is_secret = is_secret_literal(value, "secret")
    else:
        is_secret = is_secret_line(value, "secret") and (
            found["label"] is not None or is_secret_word(value, "secret")
        )
    return (found.start("value"), found.start("value") + len(value)) if is_secret else None


def _goes_on(text: str, name: _Name) -> int | None:
    """Return the end of a name's line if its value is on the next."""
    match = _GOES_ON.match(text, name.end)
    if match is None:
        return None
    return match.end() if match["assign"] or _IS_NAMED.search(_before(text, name)) else None


def _quoted(text: str, name: _Name, match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the spans of a value in quotes, and of the others in its list."""
    group = match.lastgroup or ""
    # The argument of a call may be the value's name.
    kind: NameKind = "weak" if match["call"] else name.kind
    if not (match["sep"] or match["lead"] or match["open"]):
        return
    # The next of a list of names is none of the first's value.
    if match["sep"] == "," and (kind == "weak" or not _DIGIT.search(match[group])):
        return
    if is_secret_literal(match[group], kind):
        yield match.span(group)
    item = _NEXT_ITEM.match(text, match.end()) if match["open"] else None
    while item:
        if is_secret_literal(item["item"], "weak"):
            yield item.span("item")
        item = _NEXT_ITEM.match(text, item.end())


def _before(text: str, name: _Name) -> str:
    """Return the line before a name, or its last characters."""
    first = max(0, name.start - _BEFORE_CHARS)
    return text[max(text.rfind("\n", first, name.start) + 1, first) : name.start]


def _bare(text: str, name: _Name, match: re.Match[str]) -> tuple[int, int] | None:
    """Return the span of a value without quotes: an element's, a line's, a field's, or one word."""
    separator, start = match["sep"], match.start("bare")
    if match["call"] or match["open"]:
        return None
    if separator == ">":
        found = _XML_VALUE.match(text, start)
        return found.span() if found and is_secret_literal(found[0], name.kind) else None
    before = _before(text, name)
    if separator in _ASSIGNS or (separator and separator.startswith(_ESCAPED_ASSIGNS)):
        if (
            len(before) < _BEFORE_CHARS
            and _BEGINS_LINE.fullmatch(before)
            and (span := _line(text, name, start))
        ):
            return span
        if separator == "=" and not match["gap"] and (span := _field(text, name, start)):
            return span
        return _word(text, name, start, before)
    if separator is None and match["lead"] and not match["close"] and text[start] not in "*&-$":
        is_whole_word = not match["tail"] and not before[-1:].isalnum() and before[-1:] not in ("_", "/")
        is_whole_word = is_whole_word or _BEGINS_LINE.fullmatch(before) is not None
        return _word(text, name, start, before, MIN_LOOSE_CHARS if is_whole_word else None)
    return None


def _line(text: str, name: _Name, start: int) -> tuple[int, int] | None:
    """Return the span of the rest of a line that begins with the name."""
    line_end = text.find("\n", start)
    line = text[start : line_end if line_end >= 0 else len(text)]
    comment = _COMMENT.search(line)
    value = (line[: comment.start()] if comment else line).rstrip(" \t\r,;")
    return (start, start + len(value)) if is_secret_line(value, name.kind) else None


def _field(text: str, name: _Name, start: int) -> tuple[int, int] | None:
    """Return the span of a value of a list of fields in quotes, `Password=…;`: it may have blanks."""
    found = _FIELD_VALUE.match(text, start)
    return found.span() if found and is_secret_field(found[0], name.kind) else None


def _word(
    text: str, name: _Name, start: int, before: str, min_letters: int | None = 0
) -> tuple[int, int] | None:
    """Return the span of one word, an option's or another's.

    `min_letters` is how long another is at least if it has no digit: 0 for never, None if none but an option's counts.
    """
    found = _WORD_VALUE.match(text, start)
    if found is None:
        return None
    is_secret = is_secret_word(found[0], name.kind, min_letters or 0)
    if is_secret and min_letters is not None:
        return found.span()
    may_be_argument = is_secret or (name.kind != "weak" and is_secret_literal(found[0], "secret"))
    return found.span() if may_be_argument and _HAS_ARGUMENT.search(before) else None
