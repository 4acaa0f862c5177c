"""Characters that hide something from the reader of code; knows nothing of where they come from."""

from __future__ import annotations

import re

# Control characters but tab and line feed (C0, DEL, C1), soft hyphen, combining grapheme joiner, Arabic letter
# mark, Hangul fillers, Khmer vowels without a shape, Mongolian separators, zero-width marks, bidirectional
# controls (CVE-2021-42574), line and paragraph separators, invisible operators, variation selectors, byte order
# mark, interlinear marks, what stands for bytes that are no text, lone surrogates, and the tag block.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffd\ud800-\udfff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# An emoji's presentation selector, and the joiner between two of them.
_EMOJI_MARKS = re.compile(
    "(?<=[\u2190-\u2bff\u3030-\u3299\U0001f000-\U0001faff\ufe0f])[\ufe0f\u200d]|(?<=[0-9#*])\ufe0f\u20e3"
)
_EMOJI_OR_UNSAFE = re.compile(f"(?P<mark>{_EMOJI_MARKS.pattern})|{_UNSAFE.pattern}")


def unsafe_characters(text: str) -> frozenset[str]:
    """Give the characters of a text that a reader would not see, or would see elsewhere."""
    if text.isascii() and text.isprintable():
        return frozenset()
    return frozenset(_UNSAFE.findall(_EMOJI_MARKS.sub("", text)))


def without_hidden(text: str) -> str:
    """Leave out the characters that a reader would not see; the marks of an emoji stay."""
    if not unsafe_characters(text):
        return text
    return _EMOJI_OR_UNSAFE.sub(lambda match: match["mark"] or "", text)


def plain_name(name: str) -> str:
    """Give a file's name or path on one line, and without hidden characters: it may stand in a comment."""
    return without_hidden(name).replace("\n", " ")


def visible(text: str) -> str:
    r"""Write hidden characters as escapes, `\x1b` for ESC: a terminal obeys some of them."""
    if not unsafe_characters(text):
        return text
    return _UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
