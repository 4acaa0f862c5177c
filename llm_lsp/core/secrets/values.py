"""Tells from a value, and from how sure its name is, whether it is a secret.

How much is asked of a value depends on where it stands: one in quotes is surely a literal, and may be a person's
password; the rest of a line, or a bare word, may be code, and must look made by a machine.
"""

from __future__ import annotations

import re
from typing import Literal

from llm_lsp.core.secrets.randomness import is_machine_made, is_random, word_share

NameKind = Literal["weak", "secret", "password"]
"""What a name says of its value: `key` stands for other things, too, and a password may be a word."""

# Characters that password rules ask for at least.
MIN_VALUE_CHARS = 8
# Characters of a value that are judged: a longer one is no placeholder.
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
# What stands for a value: a variable, a field of a template; and what is a pattern, a format or an address.
_STANDS_FOR = re.compile(
    r"%[sd](?!\w)|\$\{|\$\(|\{\{|\}\}|#\{|%\(|<%|\{[\w.:!]*\}|://|\\[dwsbDWSBAZ.(\[]|\(\?|\[\^|a-z|A-Z|0-9"
)
_VARIABLE = re.compile(r"[$<%@:][\w .-]+[>%]?")


def is_secret_literal(value: str, kind: NameKind) -> bool:
    """Return whether a value that is surely a literal is a secret."""
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
    """Return whether what stands alone behind a name on its line is a secret."""
    value = value[:_JUDGED_CHARS]
    if kind == "weak":
        return is_secret_word(value, kind)
    return not _CODE.search(value) and not _CHAIN.fullmatch(value) and is_secret_literal(value, "secret")


def is_secret_field(value: str, kind: NameKind) -> bool:
    """Return whether what a mark ends, as in `Password=…;`, is a secret."""
    return kind != "weak" and is_machine_made(value) and is_secret_line(value, kind)


def is_secret_word(value: str, kind: NameKind, min_letters: int = 0) -> bool:
    """Return whether a bare word is a secret; one without a digit may be, from `min_letters` on if that is not 0."""
    if not is_machine_made(value):
        return False
    value = value[:_JUDGED_CHARS]
    if kind == "weak":
        may_be_secret = _TOKEN.fullmatch(value) is not None and len(_DIGITS.findall(value)) > 2
    else:
        may_be_secret = 0 < min_letters <= len(value) or _DIGITS.search(value) is not None
    return may_be_secret and not _CHAIN.fullmatch(value) and not _stands_for_another(value)


def _is_letters(value: str) -> bool:
    """Return whether a long value has letters only, in no order of words: some services' passwords are so."""
    letters = value.replace(" ", "")
    return len(letters) >= 16 and letters.isalpha() and word_share(letters) <= _LETTERS_WORD_SHARE


def _is_persons(value: str, kind: NameKind) -> bool:
    """Return whether a value is a word with digits or marks, as people choose it, and no name in code."""
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
