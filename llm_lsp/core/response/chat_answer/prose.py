"""Recognizes lines of an answer that are sentences for the user rather than code."""

from __future__ import annotations

import re

# A sentence: words with punctuation. Code has other marks, or has these without blanks.
# Possessive, so that a line that is none costs no more than one reading.
_SENTENCE = re.compile(
    r"[^\W\d_][\w'’\-]*+[,;:.!?…\"”)]*+(?:\s++[(\"“*`]*+[\w'’`./\-]++[,;:.!?…\"”)*`]*+)*+\s*+"
)
_MARKDOWN = re.compile(r"^\s*(?:[#>*_\-]+\s*)?(?:\d+\.\s+)?[*_]*")
# Short lines that only announce or refuse something.
_OPENERS = re.compile(
    r"(?:sure|certainly|okay|ok|absolutely|of course|sorry|apologies|got it|understood|great|yes|no|none needed"
    r"|done|here you go|here it is|here|n/a|hi|hello|voilà|claro|natürlich|bien sûr|desde luego)\b",
    re.IGNORECASE,
)
# Said for themselves alone, too.
_POLITE = re.compile(
    r"(?:sure|certainly|sorry|apologies|absolutely|of course|understood|got it|n/a)\W*", re.IGNORECASE
)
# What only a sentence begins with.
_PRONOUNS = frozenset(
    [
        "i",
        "i'm",
        "i've",
        "i'll",
        "i'd",
        "we",
        "we'll",
        "we're",
        "you",
        "you're",
        "it's",
        "there's",
        "that's",
        "let's",
        "here's",
        "this",
        "that",
        "there",
        "please",
        "unfortunately",
        "however",
    ]
)
_LABEL = re.compile(
    r"\W*(?:the\s+)?(?:final\s+|completed?\s+|missing\s+|full\s+)?"
    r"(?:answer|completion|code|output|result|solution|response|explanation|note|line|snippet|python|javascript)"
    r"(?:\s+is)?\W*:\W*",
    re.IGNORECASE,
)
# Words that are frequent in sentences, and not a keyword of any programming language.
_COMMON = frozenset(
    [
        "the",
        "is",
        "are",
        "was",
        "here's",
        "here",
        "to",
        "you",
        "your",
        "this",
        "that",
        "i",
        "i'm",
        "i've",
        "i'll",
        "we",
        "a",
        "an",
        "of",
        "for",
        "it",
        "it's",
        "with",
        "should",
        "would",
        "could",
        "can",
        "cannot",
        "can't",
        "please",
        "code",
        "missing",
        "complete",
        "completed",
        "completion",
        "function",
        "line",
        "file",
        "and",
        "in",
        "which",
        "will",
        "be",
        "sorry",
        "let",
        "me",
        "because",
        "so",
        "how",
        "what",
        "there",
        "der",
        "die",
        "das",
        "ist",
        "hier",
        "und",
        "le",
        "la",
        "est",
        "voici",
        "el",
        "es",
        "aquí",
        "il",
        "è",
        "ecco",
    ]
)
# Those of them that begin or join statements in some language.
_KEYWORDS = frozenset(
    [
        "is",
        "in",
        "for",
        "with",
        "and",
        "let",
        "function",
        "line",
        "file",
        "a",
        "as",
        "which",
        "what",
        "there",
        "i",
        "it",
        "an",
        "of",
    ]
)
_MIN_WORDS = 3
# A line with this many words and no mark of code is a sentence, whatever its end.
_LONG = 8
# Characters that are examined: in a longer line, the first ones have already decided.
MAX_LINE_CHARS = 400
_CODE_MARKS = re.compile(
    r"[={}\[\]<>;$@|&%+\\^~]|\w\(|\w\.\w|::|->|//|^\s*[#\-]\w|^\s*(?:\"\"\"|'''|--|/\*|\*/)"
)


def is_prose(line: str) -> bool:
    """Check whether a whole line is a sentence, a label or an announcement; never for a place where prose
    belongs.
    """
    line = line[:MAX_LINE_CHARS].strip()
    bare = _MARKDOWN.sub("", line)
    if not bare:
        return False
    if _LABEL.fullmatch(line) and (line[0] in "#*_>" or line[:1].isupper()):
        return True
    # French has a blank before its marks.
    inline = re.sub(r"\s+(?=[:!?;](?:\s|$))", "", re.sub(r"`[^`]*`", "it", bare))
    if _is_foreign(inline) or _POLITE.fullmatch(bare):
        return True
    words = [word.strip(',;:.!?…"”()*`“').lower().replace("’", "'") for word in bare.split()]
    if len(words) < _MIN_WORDS:
        return bool(_OPENERS.match(bare)) and bare[-1] in "!.:," and not _CODE_MARKS.search(bare)
    n_common = sum(word in _COMMON for word in words)
    if not bare[0].isupper() or bare.isupper():
        n_common = sum(word in _COMMON and word not in _KEYWORDS for word in words)
        return n_common >= _MIN_WORDS and bare[-1] in ".!?:" and bool(_SENTENCE.fullmatch(inline))
    is_plain = not _CODE_MARKS.search(inline)
    if is_plain and (
        n_common >= _MIN_WORDS or words[0] in _PRONOUNS or (n_common > 1 and len(words) > _MIN_WORDS)
    ):
        return True
    if not is_plain or not _SENTENCE.fullmatch(inline):
        return _OPENERS.match(bare) is not None and n_common > 0 and "=" not in inline
    return (bare[-1] in ".!?:…" and (n_common > 0 or len(words) > _MIN_WORDS)) or len(words) >= _LONG


def may_be_prose(start: str) -> bool:
    """Check whether a line with this beginning may turn out to be prose; for most code the first characters
    decide.
    """
    bare = _MARKDOWN.sub("", start[:MAX_LINE_CHARS].strip())
    if not bare or len(start) > MAX_LINE_CHARS:
        return not bare and start.strip() != ""
    if not bare[0].isalpha():
        return False
    inline = re.sub(r"`[^`]*(`|$)", "it", bare)
    if not bare.isascii() and _is_foreign(inline):
        return True
    if _CODE_MARKS.search(inline):
        return False
    words = bare.lower().split()
    return (
        bare[0].isupper()
        or (len(words) < 2 and bare.lower() in _COMMON)
        or sum(w in _COMMON for w in words) > 1
    )


def _is_foreign(bare: str) -> bool:
    """Check whether a line has mostly non-ASCII letters, which in code occur only in strings and comments."""
    letters = [char for char in bare if char.isalpha()]
    beyond = sum(char > "\u02ff" for char in letters)
    return beyond > 3 and beyond * 2 > len(letters) and not re.search(r"[=({\[;]", bare)
