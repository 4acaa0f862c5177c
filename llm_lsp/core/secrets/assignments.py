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
    r"|(?:(?<=[\"'])|(?<=[\"'][ \t]))[^<>\n]{0,80}+>[ \t]{0,4}+<(?:value|string)(?=>)"
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
# With these begins what a program puts in place of a variable.
_VARIABLES = ("${", "$(", "{{", "<%", "%(")
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
        self._parts = [part for part in SECRET_PARTS if part in joined]
        self._weak = [*[word for word in WEAK_WORDS if word in joined], *(SERVICES & words)]

    def __bool__(self) -> bool:
        return bool(self._parts or self._weak)

    def values(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the spans of the values that are secrets; an empty one ends a line whose value is on the next."""
        for start, end, kind in self._names(text):
            if match := _FOLLOWING.match(text, end):
                if match.lastgroup == "bare":
                    if span := _bare(text, _Name(start, end, kind), match):
                        yield span
                else:
                    yield from _quoted(text, kind, match)
            elif kind != "weak" and (line_end := _goes_on(text, start, end)):
                yield line_end, line_end

    def _names(self, text: str) -> Iterator[tuple[int, int, NameKind]]:
        lowered = text.translate(_LOWER)
        for part in self._parts:
            kind: NameKind = "password" if _PASSWORD.match(part) else "secret"
            for at in _places(lowered, part):
                yield at, at + len(part), kind
        rest = lowered
        for part in self._parts:
            rest = rest.replace(part, " " * len(part))  # Of `password`, `pass` is no word.
        for word in self._weak:
            digit_at = -1
            for at in _places(rest, word):
                end = at + len(word)
                if digit_at < end:
                    digit = _DIGIT.search(text, end)
                    if digit is None:
                        break
                    digit_at = digit.start()
                # Most of these have nothing to do with secrets, and no value near.
                if digit_at < end + _NEAR_CHARS and _ends_word(text, end):
                    is_sure = word.startswith("key") and _is_secret_key(lowered, at)
                    yield at, end, "secret" if is_sure else "weak"


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


def _goes_on(text: str, start: int, end: int) -> int | None:
    """Return the end of a name's line if its value is on the next."""
    match = _GOES_ON.match(text, end)
    if match is None:
        return None
    return match.end() if match["assign"] or _IS_NAMED.search(_before(text, start)) else None


def _quoted(text: str, kind: NameKind, match: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Yield the spans of a value in quotes, and of the others in its list."""
    group = match.lastgroup or ""
    if match["call"]:
        kind = "weak"  # The argument of a call may be the value's name.
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


def _before(text: str, start: int) -> str:
    """Return the line before a name, or its last characters."""
    first = max(0, start - _BEFORE_CHARS)
    return text[max(text.rfind("\n", first, start) + 1, first) : start]


def _bare(text: str, name: _Name, match: re.Match[str]) -> tuple[int, int] | None:
    """Return the span of a value without quotes: an element's, a line's, a field's, or one word."""
    separator, lead, gap, call, opening = match.group("sep", "lead", "gap", "call", "open")
    start = match.start("bare")
    if call or opening or text.startswith(_VARIABLES, start):
        return None
    if separator == ">":
        found = _XML_VALUE.match(text, start)
        return found.span() if found and is_secret_literal(found[0], name.kind) else None
    word = _WORD_VALUE.match(text, start)
    if separator is None:
        is_loose = word and lead and not match["close"] and text[start] not in "*&-$"
        return _loose_word(text, name, word, has_tail=match["tail"] != "") if word and is_loose else None
    if separator not in _ASSIGNS and not separator.startswith(_ESCAPED_ASSIGNS):
        return None
    if _begins_line(text, name) and (span := _line(text, name, start)):
        return span
    if separator == "=" and not gap and (span := _field(text, name, start)):
        return span
    return _word(text, name, word, 0) if word else None


def _begins_line(text: str, name: _Name) -> bool:
    """Return whether nothing stands before a name on its line but what marks a comment, an item or a variable."""
    first = name.start - _BEFORE_CHARS
    line_start = text.rfind("\n", max(0, first), name.start) + 1
    return (line_start > 0 or first < 0) and _BEGINS_LINE.fullmatch(text, line_start, name.start) is not None


def _line(text: str, name: _Name, start: int) -> tuple[int, int] | None:
    """Return the span of the rest of a line."""
    line_end = text.find("\n", start)
    line = text[start : line_end if line_end >= 0 else len(text)]
    comment = _COMMENT.search(line)
    value = (line[: comment.start()] if comment else line).rstrip(" \t\r,;")
    return (start, start + len(value)) if is_secret_line(value, name.kind) else None


def _field(text: str, name: _Name, start: int) -> tuple[int, int] | None:
    """Return the span of a value of a list of fields in quotes, `Password=…;`: it may have blanks."""
    found = _FIELD_VALUE.match(text, start)
    return found.span() if found and is_secret_field(found[0], name.kind) else None


def _loose_word(text: str, name: _Name, found: re.Match[str], *, has_tail: bool) -> tuple[int, int] | None:
    """Return the span of a word that only blanks divide from a name."""
    before = text[name.start - 1 : name.start]
    is_whole_word = not has_tail and not before.isalnum() and before not in ("_", "/")
    if is_whole_word or _begins_line(text, name):
        return _word(text, name, found, MIN_LOOSE_CHARS)
    return _word(text, name, found, None)


def _word(text: str, name: _Name, found: re.Match[str], min_letters: int | None) -> tuple[int, int] | None:
    """Return the span of one word, an option's or another's.

    `min_letters` is how long another is at least if it has no digit: 0 for never, None if none but an option's counts.
    """
    is_secret = is_secret_word(found[0], name.kind, min_letters or 0)
    if is_secret and min_letters is not None:
        return found.span()
    may_be_argument = is_secret or (name.kind != "weak" and is_secret_literal(found[0], "secret"))
    return found.span() if may_be_argument and _HAS_ARGUMENT.search(_before(text, name.start)) else None
