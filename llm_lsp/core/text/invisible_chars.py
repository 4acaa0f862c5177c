"""Characters that are invisible or hide code from a reader."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Set

# Control characters but tab and line feed (C0, DEL, C1), soft hyphen, combining grapheme joiner, Arabic letter
# mark, Hangul fillers, Khmer vowels without a shape, Mongolian separators, zero-width marks, bidirectional
# controls (CVE-2021-42574), line and paragraph separators, invisible operators, variation selectors, byte order
# mark, interlinear marks, what stands for bytes that are no text, lone surrogates, and the tag block.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffd\ud800-\udfff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# An emoji's presentation selector, and the joiner between two emoji.
_EMOJI_MARKS = re.compile(
    "(?<=[\u2190-\u2bff\u3030-\u3299\U0001f000-\U0001faff\ufe0f])[\ufe0f\u200d]|(?<=[0-9#*])\ufe0f\u20e3"
)
_EMOJI_OR_UNSAFE = re.compile(f"(?P<mark>{_EMOJI_MARKS.pattern})|{_UNSAFE.pattern}")


def unsafe_characters(text: str) -> frozenset[str]:
    """Return the characters of a text that are invisible or displayed at another position."""
    if text.isascii() and text.isprintable():
        return frozenset()
    return frozenset(_UNSAFE.findall(_EMOJI_MARKS.sub("", text)))


# Reverse the order of displayed text (CVE-2021-42574), or encode text that is not displayed at all.
_DECEIVING = re.compile("[\u202a-\u202e\u2066-\u206f\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]")
# Have no width: next to an ASCII letter they make a name that looks like another one.
_ZERO_WIDTH = re.compile(
    "[\xad\u034f\u115f\u1160\u180b-\u180f\u200b-\u200f\u2060-\u2065\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0100-\U000e01ef]"
)
# Thai, Lao, Tibetan, Myanmar, Khmer, Tai, Balinese and Javanese have no blanks between words.
_WITHOUT_BLANKS = re.compile(
    "[\u0e00-\u109f\u1780-\u17ff\u1950-\u19ff\u1a00-\u1aaf\u1b00-\u1b7f\ua980-\ua9df\uaa60-\uaadf]"
)
_MONGOLIAN = re.compile("[\u1800-\u180a\u1810-\u18af]")


def first_hidden(
    text: str, before: str, after: str, allowed: Set[str] = frozenset(), *, is_text: Callable[[int], bool]
) -> tuple[str, bool] | None:
    """Return a text's first invisible character, and whether it is deceptive wherever it occurs.

    Ignores those that are part of a word: joiners between non-ASCII letters, word breaks in scripts without
    blanks, variation selectors after an ideograph or a symbol, and soft hyphens at offsets that `is_text`
    identifies as prose, comment or string; and those in `allowed` that are not deceptive. `before` and `after`
    surround the text.
    """
    if not unsafe_characters(text):
        return None
    around = f"{before[-1:] or ' '}{text}{after[:1] or ' '}"
    harmless = {match.start() for match in _EMOJI_MARKS.finditer(around)}
    for match in _UNSAFE.finditer(around, 1, len(around) - 1):
        at, mark = match.start(), match.group()
        if at in harmless or _spells(around, at, is_text):
            continue
        beside = around[at - 1] + around[at + 1]
        is_in_name = _ZERO_WIDTH.match(mark) and any(one.isascii() and one.isalnum() for one in beside)
        deceives = bool(is_in_name or _DECEIVING.match(mark))
        if deceives or mark not in allowed:
            return mark, deceives
    return None


def _spells(text: str, at: int, is_text: Callable[[int], bool]) -> bool:
    mark, before, after = text[at], text[at - 1], text[at + 1]
    match mark:
        case "\u200c" | "\u200d" | "\u034f":
            return not before.isascii() and unicodedata.category(before)[0] in "LM"
        case "\u200b":
            return bool(_WITHOUT_BLANKS.match(before) or _WITHOUT_BLANKS.match(after))
        case "\f":
            # A form feed on a line of its own.
            return before == after == "\n"
        case "\xad":
            return before.isalpha() and after.isalpha() and is_text(at - 1)
    if "\u180b" <= mark <= "\u180f":
        return bool(_MONGOLIAN.match(before))
    if "\ufe00" <= mark <= "\ufe0f" or "\U000e0100" <= mark <= "\U000e01ef":
        return not before.isascii() and unicodedata.category(before)[0] in "LS"
    return False


def without_hidden(text: str) -> str:
    """Remove invisible characters, except those in emoji."""
    if not unsafe_characters(text):
        return text
    return _EMOJI_OR_UNSAFE.sub(lambda match: match["mark"] or "", text)


def plain_name(name: str) -> str:
    """Return a file's name or path on one line and without invisible characters, for use in a comment."""
    return without_hidden(name).replace("\n", " ")


def visible(text: str) -> str:
    r"""Replace invisible characters, except in emoji, by escapes such as `\x1b`: a terminal obeys some of them."""
    if not unsafe_characters(text):
        return text
    return _EMOJI_OR_UNSAFE.sub(
        lambda match: match["mark"] or match[0].encode("unicode_escape").decode(), text
    )
