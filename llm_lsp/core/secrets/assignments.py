"""Finds values assigned to names of secrets, in the syntaxes of programs, settings, shells and markup.

A name is searched as a plain string; what follows it on its line is then matched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from string import ascii_lowercase, ascii_uppercase

from llm_lsp.core.secrets.names import SECRET_KEYS, SECRET_PARTS, SERVICES, WEAK_WORDS
from llm_lsp.core.secrets.places import places
from llm_lsp.core.secrets.values import (
    MIN_VALUE_CHARS,
    NameKind,
    is_secret_field,
    is_secret_line,
    is_secret_literal,
    is_secret_word,
)

# What judging a value costs besides its length, what a secret costs besides, and what a text may spend besides its
# length, in characters. In a text that costs more, which is a list of secrets or a crafted one, all that follows a name
# on its line is masked without being judged. Of 2,476 files of code and settings the one with most spends a third of that.
CHARS_PER_VALUE = 32
CHARS_PER_SECRET = 64
_SPARE_CHARS = 640
# Characters of a value that are judged.
_JUDGED_CHARS = 64
# Characters of a line before a name that are examined: an indentation and a word like `export`.
_BEFORE_CHARS = 80
# Least length of a value without a digit that only a blank separates from its name: shorter ones are words in a
# sentence.
MIN_LOOSE_CHARS = 12
# Greatest length of a value in an XML element.
_ELEMENT_CHARS = 4096
# Characters after a weak name within which its value must have a digit.
_NEAR_CHARS = 120
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
# Characters of a word after a name from which on nothing can be assigned to it: more than `_FOLLOWING` allows for a
# name's rest and a call together.
_MAX_REST_CHARS = 96
_REST = re.compile(r"[\w.-]*+")
_LETTERS = re.compile(r"[a-z]+")
_PASSWORD = re.compile(r"pass|pwd")
_DIGIT = re.compile(r"\d")
_FOLLOWING = re.compile(
    # The rest of the name, and what closes it: `_1`, `"]`, `\"`, `?`.
    r"(?P<tail>[\w.-]{0,40}+)(?P<close>(?:\\{0,3}[\"'`]|&quot;|&#34;|\[\d{0,4}\]|[\])}?!*]){1,4}+)?+(?P<lead>[ \t]{0,8}+)"
    # A type, C#'s accessors, or the attribute that holds the value of the one that names it.
    r"(?::[ \t]{0,4}+[\w.&'<>\[\]|?*]{1,40}+(?:[ \t][\w.&'<>\[\]|?*]{1,40}+){0,3}+[ \t]{0,4}+(?==)"
    r"|[\w.*\[\]]{1,24}+[ \t]{1,4}+(?==)"
    r"|\{[ \t]?get;[^}\n]{0,24}+\}[ \t]{0,4}+(?==)"
    r"|(?:(?<=[\"'])|(?<=[\"'][ \t]))[^<>\n]{0,80}+>[ \t]{0,4}+<(?:value|string)(?=>)"
    r"|,?[ \t]{0,4}+\\{0,3}[\"']?(?:[Vv]alue|VALUE|content|default)\\{0,3}[\"']?[ \t]{0,4}+)?+"
    # What assigns, and what only stands between a name and a value in quotes.
    r"(?:(?P<joint>===|!={1,2}|->|\|\|=?|\?\?=?|\+=|,|\()"
    r"|(?P<sep>:=|=>|==?|::?|\?=|>|%3[DdAa]|\\{1,3}(?:u00|x)3[DdAa]|&gt;|&#6[12];))?+(?P<gap>[ \t]{0,8}+)"
    # What a value is wrapped in: a call, a list, the letters of a string literal.
    r"(?P<call>(?:new[ \t])?[\w.:]{1,40}+\()?+(?P<open>[\[({]{1,2}+)?+(?:[rbufLR@$]{1,2}(?=[\"']))?+"
    r"(?:(?P<mark>\"\"\"|'''|[\"'`])(?P<quoted>(?:\\.|(?!(?P=mark))[^\\\n]){8,4096}+)"
    r"|\\{1,3}[\"'](?P<escaped>[^\"'\\\n]{8,4096}+)"
    r"|(?:&quot;|&#34;)(?P<entity>[^&\n]{8,4096}+)"
    # Without quotes: what is assigned, but for a variable's value; or a word that only blanks divide from the name.
    r"|(?P<bare>(?(joint)(?!)|(?(call)(?!)|(?(open)(?!)|(?(sep)(?!\$[{(]|\{\{|<%|%\()[^\s\"'`][^\n]{7}"
    r"|(?(close)(?!)|(?<=[ \t])(?![*&$-])[^\s\"'`<>{}()\[\],;&|\\]{8}))))))"
    r")"
)
# A name at the end of a line whose value is on the next: `- name: DB_PASSWORD`, `password: |`, `"token":`.
_GOES_ON = re.compile(
    r"[\w.-]{0,40}+[\"']?[ \t]{0,4}+(?:(?P<assign>[:=])[ \t]{0,4}+[|>]?[-+]?|,)?[ \t\r]{0,4}+$", re.MULTILINE
)
_IS_NAMED = re.compile(r"[\"']?(?:name|key|Name|Key)[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?[\w.-]{0,40}\Z")
_NEXT_ITEM = re.compile(r"[\"'][ \t]{0,4}+,[ \t]{0,4}+[\"'](?P<item>[^\"'\n]{8,4096}+)")
_NEXT_LINE = re.compile(
    r"[ \t]*+(?:(?:[-+>#*|]|//)[ \t]*+){0,2}[\"']?(?:[Vv]alue[\"']?[ \t]{0,4}[:=][ \t]{0,4}(?P<label>))?(?P<mark>[\"']?)(?P<value>[^\"'\n]{8,4096}+)"
)
_BEGINS_LINE = re.compile(
    r"[ \t]*(?:(?:[-*+>;:]|#|//)[ \t]*){0,2}"
    r"(?:(?:export|set|setx|declare -x|ENV|ARG|env|local|readonly|SETENV|-e)[ \t]+|\$env:)?[\w./-]*"
)
# Characters of an option before its significant part.
_OPTION_CHARS = 48
_IS_OPTION = re.compile(
    r"(?:^|[ \t\"'=+-])"
    r"(?:--?|(?:-e|--env|ENV|ARG|env|arg|setx?|SETX?|setenv|SETENV|set -\w{1,3})[ \t]{1,8})[\w.-]*\Z",
    re.MULTILINE,
)
_WORD_VALUE = re.compile(r"[^\s\"'`<>{}()\[\],;&|\\]{8,4096}+(?![(\[{])")
_FIELD_VALUE = re.compile(r"[^;\"'`\n]{8,256}+(?=[;\"'`])")
_COMMENT = re.compile(r"(?<![ \t])[ \t]++(?:#|//)")


_Name = tuple[int, int, NameKind]
"""Where a name begins, where its significant part ends, and its kind."""


class NameIndex:
    """The names of secrets that a text may contain, judging by its words alone."""

    def __init__(self, words: set[str]) -> None:
        joined = " ".join(words)
        self._parts = [part for part in SECRET_PARTS if part in joined]
        self._weak = [*[word for word in WEAK_WORDS if word in joined], *(SERVICES & words)]

    def __bool__(self) -> bool:
        return bool(self._parts or self._weak)

    def values(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the spans of values that are secrets; an empty span ends a line whose value is on the next."""
        words, chars = _Words(text), len(text) + _SPARE_CHARS
        seen, seen_kind, in_long_word = 0, "", 0
        for start, end, kind in self._names(text):
            if end < in_long_word or (end <= seen and kind in ("weak", seen_kind)):
                continue  # already examined as part of an earlier name
            if chars <= 0:
                seen, seen_kind = _line_end(text, end), kind
                yield end, seen
                continue
            # A value and its separator have at least nine characters.
            is_last = text.find("\n", end, end + MIN_VALUE_CHARS + 1) >= 0
            match = None if is_last else _FOLLOWING.match(text, end)
            if match is None:
                if kind != "weak" and (line_end := _goes_on(text, start, end)):
                    yield line_end, line_end
                elif text[end + _MAX_REST_CHARS : end + _MAX_REST_CHARS + 1].isalnum() and (
                    rest := _REST.match(text, end)
                ):
                    in_long_word = rest.end() - _MAX_REST_CHARS
                continue
            seen, seen_kind = match.end("tail"), kind
            chars -= CHARS_PER_VALUE + min(_line_end(text, match.end()) - match.end(), _JUDGED_CHARS)
            if match.lastgroup != "bare":
                found = _quoted(text, kind, match)
            else:
                span = _bare(words, start, kind, match)
                found = (span,) if span else ()
            chars -= CHARS_PER_SECRET * len(found)
            yield from found

    def _names(self, text: str) -> Sequence[_Name]:
        lowered, names = text.translate(_LOWER), list[_Name]()
        for part in self._parts:
            kind: NameKind = "password" if _PASSWORD.match(part) else "secret"
            names += [(at, at + len(part), kind) for at in places(lowered, part)]
        if self._weak:
            names += self._weak_names(text, lowered)
        names.sort()
        return names

    def _weak_names(self, text: str, lowered: str) -> Iterator[_Name]:
        rest = lowered
        for part in self._parts:
            rest = rest.replace(part, " " * len(part))  # `pass` in `password` is not a word
        for word in self._weak:
            digit_at = -1
            for at in places(rest, word):
                end = at + len(word)
                if digit_at < end:
                    digit = _DIGIT.search(text, end)
                    if digit is None:
                        break
                    digit_at = digit.start()
                # Most of these have nothing to do with secrets, and no value nearby.
                if digit_at < end + _NEAR_CHARS and _ends_word(text, end):
                    is_sure = word.startswith("key") and _is_secret_key(lowered, at)
                    yield at, end, "secret" if is_sure else "weak"


class _Words:
    """The words of a text, as values; caches the last one, for texts with names inside of values."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._found: re.Match[str] | None = None

    def at(self, start: int) -> tuple[int, int] | None:
        """Return the span of the word that begins at an offset, unless it is short."""
        if self._found and self._found.start() <= start <= self._found.end() - MIN_VALUE_CHARS:
            return start, self._found.end()
        self._found = _WORD_VALUE.match(self.text, start)
        return self._found.span() if self._found else None


def _ends_word(text: str, end: int) -> bool:
    following = text[end : end + 1]
    return not following.isalpha() or (following.isupper() and text[end - 1].islower())


def _is_secret_key(lowered: str, at: int) -> bool:
    return lowered[max(0, at - 16) : at].rstrip("_-. ").endswith(SECRET_KEYS)


def names_next(line: str) -> bool:
    """Return whether a line ends with the name of a secret whose value the next line holds."""
    index = NameIndex({*_LETTERS.findall(line.lower())})
    return any(start == end for start, end in index.values(line)) if index else False


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


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return end if end >= 0 else len(text)


def _goes_on(text: str, start: int, end: int) -> int | None:
    """Return the end of a name's line if its value is on the next, else None."""
    match = _GOES_ON.match(text, end)
    if match is None:
        return None
    return match.end() if match["assign"] or _IS_NAMED.search(_before(text, start)) else None


def _quoted(text: str, kind: NameKind, match: re.Match[str]) -> Sequence[tuple[int, int]]:
    """Return the spans of a quoted value, and of others in its list, that are secrets."""
    group = match.lastgroup or ""
    joint, separator, lead, call, opening = match.group("joint", "sep", "lead", "call", "open")
    if call:
        kind = "weak"  # a call's argument may be the name of the value
    if not (separator or joint or lead or opening):
        return ()
    # The next item in a list of names is not the first one's value.
    if joint == "," and (kind == "weak" or not _DIGIT.search(match[group])):
        return ()
    spans = [match.span(group)] if is_secret_literal(match[group], kind) else []
    item = _NEXT_ITEM.match(text, match.end()) if opening else None
    while item:
        if is_secret_literal(item["item"], "weak"):
            spans.append(item.span("item"))
        item = _NEXT_ITEM.match(text, item.end())
    return spans


def _before(text: str, start: int) -> str:
    """Return the line before a name, or its last characters."""
    first = max(0, start - _BEFORE_CHARS)
    return text[max(text.rfind("\n", first, start) + 1, first) : start]


def _bare(words: _Words, start: int, kind: NameKind, match: re.Match[str]) -> tuple[int, int] | None:
    """Return the span of an unquoted value: an element's, a line's, a field's, or one word."""
    text, separator, at = words.text, match["sep"], match.start("bare")
    if separator is None:
        word = words.at(at)
        return _loose_word(text, start, kind, word, has_tail=match["tail"] != "") if word else None
    if separator == ">":
        return _element(text, kind, at)
    if _begins_line(text, start) and (span := _line(text, kind, at)):
        return span
    if separator == "=" and not match["gap"] and (span := _field(text, kind, at)):
        return span
    word = words.at(at)
    return _word(text, start, kind, word, 0) if word else None


def _begins_line(text: str, start: int) -> bool:
    """Check whether a name is preceded on its line only by the mark of a comment, item or variable."""
    first = start - _BEFORE_CHARS
    line_start = text.rfind("\n", max(0, first), start) + 1
    return (line_start > 0 or first < 0) and _BEGINS_LINE.fullmatch(text, line_start, start) is not None


def _element(text: str, kind: NameKind, at: int) -> tuple[int, int] | None:
    """Return the span of an XML element's text if it is a secret."""
    end = text.find("<", at, at + _ELEMENT_CHARS)
    value = text[at : max(end, at)]
    return (at, end) if "\n" not in value and is_secret_literal(value, kind) else None


def _line(text: str, kind: NameKind, at: int) -> tuple[int, int] | None:
    """Return the span of the rest of a line if it is a secret."""
    line = text[at : _line_end(text, at)]
    comment = _COMMENT.search(line)
    value = (line[: comment.start()] if comment else line).rstrip(" \t\r,;")
    return (at, at + len(value)) if is_secret_line(value, kind) else None


def _field(text: str, kind: NameKind, at: int) -> tuple[int, int] | None:
    """Return the span of a value in a list of fields, `Password=…;`, which may contain blanks."""
    found = _FIELD_VALUE.match(text, at)
    return found.span() if found and is_secret_field(found[0], kind) else None


def _loose_word(
    text: str, start: int, kind: NameKind, span: tuple[int, int], *, has_tail: bool
) -> tuple[int, int] | None:
    """Return the span of a word that only blanks separate from a name, if it is a secret."""
    before = text[start - 1 : start]
    is_whole_word = not has_tail and not before.isalnum() and before not in ("_", "/")
    if is_whole_word or _begins_line(text, start):
        return _word(text, start, kind, span, MIN_LOOSE_CHARS)
    return _word(text, start, kind, span, None)


def _word(
    text: str, start: int, kind: NameKind, span: tuple[int, int], min_letters: int | None
) -> tuple[int, int] | None:
    """Return the span of one word, an option's or another, if it is a secret.

    `min_letters` is how long another is at least if it has no digit: 0 for never, None if none but an option's
    counts.
    """
    value = text[span[0] : span[1]]
    is_secret = is_secret_word(value, kind, min_letters or 0)
    if is_secret and min_letters is not None:
        return span
    if not _IS_OPTION.search(text, max(0, start - _OPTION_CHARS), start):
        return None
    return span if is_secret or (kind != "weak" and is_secret_literal(value, "secret")) else None
