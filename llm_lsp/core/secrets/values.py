"""Decides whether a value is a secret, from the value and the certainty of its name.

The criteria depend on the position. A quoted value is certainly a literal, and may be a password chosen by a
person. The rest of a line, or a bare word, may be code, so it must look machine-made.
"""

from __future__ import annotations

import re
from typing import Literal

from llm_lsp.core.secrets.randomness import is_machine_made, is_random, word_share

NameKind = Literal["weak", "secret", "password"]
"""What a name says about its value: `key` has other meanings too, and a password may be a word."""

# The usual minimum length of passwords.
MIN_VALUE_CHARS = 8
# Characters of a value that are examined: a longer value is not a placeholder.
_JUDGED_CHARS = 96
# A value with more blanks is a sentence.
_MAX_BLANKS = 4
# From this share of pairs as in words, a value that is spelled like a name is one; below the other a value of letters
# alone is none, even without capitals and digits.
_NAME_WORD_SHARE = 0.5
_LETTERS_WORD_SHARE = 0.3
_DIGITS = re.compile(r"\d+")
_TOKEN = re.compile(r"[A-Za-z0-9_+/=.~%:-]{8,}")
_CHAIN = re.compile(r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)+")
_ODD_MARKS = re.compile(r"[!#%*+=?^~@$&]")
_NAME_SHAPE = re.compile(r"[$A-Za-z_/][\w./:@#-]*")
_CODE = re.compile(r"[\"'`]|\w[(\[]|\)|\]|[{}]|::|=>|->|==| (?:if|else|or|and|is|in|for|as) |\|\||&&")
# What represents a value: variables and template fields; also patterns, formats and addresses.
_STANDS_FOR = re.compile(
    r"%[sd](?!\w)|\$\{|\$\(|\{\{|\}\}|#\{|%\(|<%|\{[\w.:!]*\}|://|\\[dwsbDWSBAZ.(\[]|\(\?|\[\^|a-z|A-Z|0-9"
)
_VARIABLE = re.compile(r"[$<%@:][\w .-]+[>%]?")


def is_secret_literal(value: str, kind: NameKind) -> bool:
    """Check whether a value that is certainly a literal is a secret."""
    value = value[:_JUDGED_CHARS].strip()
    if len(value) < MIN_VALUE_CHARS or value.count(" ") > _MAX_BLANKS:
        return False
    if kind == "weak":
        is_path = "/" in value and "." in value
        is_token = _TOKEN.fullmatch(value) is not None and len(_DIGITS.findall(value)) > 1
        is_secret = is_token and is_machine_made(value) and not is_path
    else:
        is_secret = is_machine_made(value) or _is_letters(value) or _is_persons(value, kind)
    return is_secret and not _stands_for_another(value)


def is_secret_line(value: str, kind: NameKind) -> bool:
    """Check whether the rest of a line after a name is a secret."""
    value = value[:_JUDGED_CHARS]
    if kind == "weak":
        return is_secret_word(value, kind)
    return not _CODE.search(value) and not _CHAIN.fullmatch(value) and is_secret_literal(value, "secret")


def is_secret_field(value: str, kind: NameKind) -> bool:
    """Check whether a value that ends with a mark, as in `Password=…;`, is a secret."""
    return kind != "weak" and is_machine_made(value) and is_secret_line(value, kind)


def is_secret_word(value: str, kind: NameKind, min_letters: int = 0) -> bool:
    """Check whether a bare word is a secret; without a digit it can be from `min_letters` on, if that is not 0."""
    if not is_machine_made(value):
        return False
    value = value[:_JUDGED_CHARS]
    if kind == "weak":
        may_be_secret = _TOKEN.fullmatch(value) is not None and len(_DIGITS.findall(value)) > 2
    else:
        may_be_secret = 0 < min_letters <= len(value) or _DIGITS.search(value) is not None
    return may_be_secret and not _CHAIN.fullmatch(value) and not _stands_for_another(value)


def _is_letters(value: str) -> bool:
    """Check whether a long value consists of letters that form no words, like some services' passwords."""
    letters = value.replace(" ", "")
    return len(letters) >= 16 and letters.isalpha() and word_share(letters) <= _LETTERS_WORD_SHARE


def _is_persons(value: str, kind: NameKind) -> bool:
    """Check whether a value is a word with digits or marks, as people choose it, and not a name in code."""
    if " " in value:
        return False
    if not is_random(value):
        return len(_ODD_MARKS.findall(value)) > 1 and word_share(value) <= _NAME_WORD_SHARE
    is_name = _NAME_SHAPE.fullmatch(value) is not None and word_share(value) >= _NAME_WORD_SHARE
    return kind == "password" or not is_name


def _stands_for_another(value: str) -> bool:
    if _STANDS_FOR.search(value):
        return True
    return _VARIABLE.fullmatch(value) is not None and not is_machine_made(value)
