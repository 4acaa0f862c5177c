"""Distinguishes machine-made values from words and names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from math import log2
from string import digits

# Bits per character, by the frequencies in the value itself: the limit of detect-secrets and gitleaks for short values.
MIN_ENTROPY_BITS = 3.0
# For short values that are not words: least share of the highest possible entropy, that of a value without repeated
# characters. Of random values with eight letters and digits, 37 % have less than three bits, 2 % less than this share.
MIN_ENTROPY_SHARE = 0.83
# Largest share of neighbouring characters that are common pairs in words. Of 5,000 random values with 12 letters and
# digits, 97 % have at most 0.45; of 75,000 camel-case names in Python's library, 2 % do.
MAX_WORD_SHARE = 0.45
# The 160 most common pairs of letters in the words of Python's library: 82 % of all pairs.
_COMMON_PAIRS = (
    "in er re te es le on en st at ti se ed de ar or nt co al ng et me li ro ra an ec ta tr it nd ri di ne "
    "io is ge pe as ma pa ct lo ea il fi ac el ve si la un ce ca to na pr ns th rs ex ic am ss ch ll he nc "
    "rt ad ts od ha em rr om ut ou ol po oc op ur su no mp im pl ck ef id ot ni ap ab ul do sp tt ee ke bl "
    "ep ig mo mi fo cl da ho sc os sh ty ly ow ai us ir cr ag pt va ba ie ia so qu lt up tu pi um rm rc tc "
    "hi ip oo ue nf wi"
)
_WORD_PAIRS = frozenset((pair[0], pair[1]) for pair in _COMMON_PAIRS.split())
# Characters of a value that are examined.
_LOOK_CHARS = 64
_MIN_BITS = tuple(
    min(MIN_ENTROPY_BITS, MIN_ENTROPY_SHARE * log2(max(1, count))) for count in range(_LOOK_CHARS + 1)
)
_MARKS = re.compile(r"[\W_]+")
_DIGITS = frozenset(digits)
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_NAME_CHAIN = re.compile(r"[A-Za-z_]\w*+(?:(?:\.|->|::)[A-Za-z_]\w*+)+")


def is_random(value: str) -> bool:
    """Check whether a value mixes letters and digits and repeats few of them.

    A chain of names, such as `config.secret_2`, is code.
    """
    if not (_DIGIT.search(value) and _LETTER.search(value)) or _NAME_CHAIN.fullmatch(value):
        return False
    return _is_varied(value, MIN_ENTROPY_BITS)


def is_machine_made(value: str) -> bool:
    """Check whether a value has several kinds of characters, and letter pairs that are not those of words."""
    value = value[:_LOOK_CHARS]
    characters, min_bits = {*value}, _MIN_BITS[len(value)]
    if len(characters) < 2**min_bits:
        return False  # implied by `_is_varied`, but this check is the cheapest and usually decides
    if value.islower() or value.isupper():
        has_kinds = not _DIGITS.isdisjoint(characters)
    else:
        has_kinds = value != value.lower()  # false without letters
    return has_kinds and word_share(value) <= MAX_WORD_SHARE and _is_varied(value, min_bits)


def word_share(value: str) -> float:
    """Return the share of neighbouring letters and digits in a value that are common pairs in words.

    Punctuation is ignored. 1.0 for fewer than two characters.
    """
    lowered = (value if value.isalnum() else _MARKS.sub("", value)).lower()
    found = sum(map(_WORD_PAIRS.__contains__, pairwise(lowered)))
    return found / (len(lowered) - 1) if len(lowered) > 1 else 1.0


def entropy_bits(value: str) -> float:
    """Return the entropy of a value in bits per character."""
    return _entropy_bits([value.count(character) for character in {*value}], len(value))


def _entropy_bits(counts: Sequence[int], chars: int) -> float:
    return log2(chars) - sum(count * log2(count) for count in counts if count > 1) / chars


def _is_varied(value: str, min_bits: float) -> bool:
    """Check whether a value has this entropy; the count of its most frequent character usually decides."""
    characters, least = {*value}, 2**min_bits
    if len(characters) < least:
        return False
    # The most that any character can occur, if all others occur once.
    if len(value) >= (len(value) - len(characters) + 1) * least:
        return True
    counts = [*map(value.count, characters)]
    return len(value) >= max(counts) * least or _entropy_bits(counts, len(value)) >= min_bits
