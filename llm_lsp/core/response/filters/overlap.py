"""Filters that remove what the document already contains: the line's beginning, the line above, the next lines.

Some repetitions are intended: `max(max(`, `long long`, `NULL, NULL, ` are ordinary code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from llm_lsp.core.response.filter_context import LOOK_LINES, FilterContext, FilterInput
from llm_lsp.core.response.line_likeness import is_same_line, is_telling
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.brackets import loose
from llm_lsp.core.text.languages import indent_of, leaves_block

# Words that never follow themselves in any language that has them; `long` does, and so may names.
KEYWORDS = frozenset((
    "abstract", "and", "as", "assert", "async", "await", "bool", "boolean", "break", "case", "catch", "char",
    "class", "const", "continue", "def", "default", "defer", "delete", "do", "double", "elif", "else",
    "elsif", "enum", "except", "export", "extends", "extern", "final", "finally", "float", "fn", "for",
    "foreach", "from", "fun", "func", "function", "global", "if", "impl", "implements", "import", "in",
    "instanceof", "int", "interface", "is", "lambda", "let", "local", "loop", "match", "mod", "module",
    "mut", "namespace", "new", "or", "override", "package", "private", "protected", "pub", "public", "raise",
    "readonly", "require", "return", "select", "self", "static", "struct", "super", "switch", "then", "this",
    "throw", "throws", "trait", "try", "type", "typedef", "typeof", "union", "unless", "unsafe", "until",
    "use", "using", "val", "var", "virtual", "void", "when", "where", "while", "with", "yield",
))  # fmt: skip
OPERATORS = frozenset((
    "=", "==", "===", "!=", "!==", ":=", "+=", "-=", "*=", "/=", "<=", ">=", "=>", "->", "<-", "&&", "||", "??", "|>", "=~", "~>", "::=",
))  # fmt: skip
# Characters of a line that are compared with the start of an answer.
MAX_LINE_CHARS = 200
# The mark of a comment, item, quote or heading, alone on its line and followed by a blank.
_LINE_MARK = re.compile(
    r"(?:[-*+] \[.\]|\d+[.)]|\w[.)]|\[\^?\w+\]:|[#@\\]\w+|\(\*|\{-|[^\w\s()\[\]{}\"`|&]+'?)\s+$"
)
# Characters that begin a name, and do not occur twice before one.
_SIGIL = re.compile(r"(?:^|(?<=[\s(\[{,=:]))(@|--|\$|\\|#)$")
_MEMBER = re.compile(r"(?:[^\W\d]\w*(?:\.|::|->))+\w*$")
_OPEN_CALL = re.compile(r"[\w.:]+\([^()]*$")
_NUMBER_OR_BULLET = re.compile(r"(?:\d+[.)]|[-*+])[ \t]+")
_LAST_WORD = re.compile(r"(?:^|(?<=[\s(\[{,;:.!=<>|&]))(@?\w+)[ \t]+$")
_LAST_OPERATOR = re.compile(r"(?:^|(?<=[\w\s)\]}\"']))([^\w\s()\[\]{}\"'`,;]{1,3})[ \t]+$")
_HALF_WORD = re.compile(r"\w{2,}$")
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_LETTER = re.compile(r"[^\W\d_]")
# A call, index or type whose beginning may be repeated inside: `max(`, `a.b[`, `Box<`.
_NESTABLE = re.compile(r"[\w.:]+[(\[<{]")
_OPEN_END = re.compile(r"[(\[{,=+*/.&|<>:?-]$|\b(?:and|or|not|in|is|return|from|import|new)$")


def drop_echo(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Remove the line's beginning, or its last mark or word, if the answer repeats it."""
    if not place.before.strip():
        return draft
    for rule in _RULES:
        at = rule(draft.text, place)
        if at is not None:
            rest = draft.text[at:]
            # The blanks were typed already, or this user writes none: `x=`.
            has_blanks = place.before[-1].isspace() or not draft.text[:at].endswith(place.before.strip())
            return replace(draft, text=rest.lstrip(" \t") if has_blanks else rest)
    return draft


def _whole_line(text: str, place: FilterContext) -> int | None:
    """Return where the text continues after repeating the line, ignoring blanks, kind of quotes and case."""
    line = place.before.strip()
    start = len(text) - len(text.lstrip())
    if len(line) > MAX_LINE_CHARS or ("\n" in text[:start] and not _OPEN_END.search(line)):
        return None
    end = _end_of_echo(text, start, line)
    return end if end is not None and _may_be_echo(line, text, end, place) else None


def _end_of_echo(text: str, at: int, line: str) -> int | None:
    for character in line:
        if character.isspace():
            continue
        while at < len(text) and text[at] in " \t":
            at += 1
        if at >= len(text) or _plain(text[at]) != _plain(character):
            return None
        at += 1
    return at


def _plain(character: str) -> str:
    return "'" if character in '"`' else character.lower()


def _may_be_echo(line: str, text: str, end: int, place: FilterContext) -> bool:
    """Check whether the line cannot occur twice in a row; if it can, the brackets decide."""
    tokens = _TOKEN.findall(line)
    is_series = _end_of_echo(text, end, line) is not None
    if len(tokens) < 2 or line.endswith(">") or not _LETTER.search(line) or is_series:
        return False
    is_keyword = next(filter(str.isalpha, tokens), "").lower() in KEYWORDS
    if not is_keyword and (line.endswith((",", ";")) or _NESTABLE.fullmatch(line)):
        return _loose_count(place, text[end:]) < _loose_count(place, text)
    return is_keyword or " " in line or any(token in "=([{<:" for token in tokens)


def _loose_count(place: FilterContext, text: str) -> int:
    found = loose(place.before + text[:MAX_LINE_CHARS] + place.rest[:MAX_LINE_CHARS])
    return len(found.closers) + len(found.openers)


def _line_mark(text: str, place: FilterContext) -> int | None:
    """Return where the text continues after repeating the mark that the line consists of."""
    start, mark = len(text) - len(text.lstrip(" \t")), place.before.strip()
    if mark == place.language.line_comment != "" and text.startswith(mark + " ", start):
        # If the mark is `%%`, a single `%` is only half of it.
        is_half = any(
            line.lstrip().startswith(mark + mark[0]) for line in (*place.above[-2:], *place.below[:2])
        )
        return None if is_half and not place.before[-1].isspace() else start + len(mark)
    if not _LINE_MARK.fullmatch(place.before.lstrip()):
        return None
    if text.startswith(mark, start) and text[start + len(mark) : start + len(mark) + 1].isspace():
        return start + len(mark)
    # The next number or bullet in the same list.
    again = _NUMBER_OR_BULLET.match(text, start)
    return again.end() if again and _NUMBER_OR_BULLET.fullmatch(place.before.lstrip()) else None


def _last_word(text: str, place: FilterContext) -> int | None:
    """Return where the text continues after repeating the keyword, tag or operator before the cursor."""
    before = place.before[-MAX_LINE_CHARS:]
    if found := _LAST_WORD.search(before):
        word = found.group(1)
        is_first = before.strip() == word and word.islower() and word != "long" and not word[0].isdigit()
        is_single = word in KEYWORDS or is_first or word[0] == "@"
    else:
        found = _LAST_OPERATOR.search(before)
        word = found.group(1) if found else ""
        is_single = word in OPERATORS
    start = len(text) - len(text.lstrip(" \t"))
    if not is_single or place.language.is_prose or not text.startswith(word, start):
        return None
    end = start + len(word)
    return end if text[end : end + 1] in (" ", "\t") else None


def _member(text: str, place: FilterContext) -> int | None:
    """Return the length of the repeated beginning of a member or call, including arguments."""
    before = place.before[-MAX_LINE_CHARS:]
    if (found := _MEMBER.search(before)) and text.startswith(found.group()):
        follows = text[len(found.group()) : len(found.group()) + 1]
        return len(found.group()) if follows.isalnum() or follows == "_" else None
    if (found := _OPEN_CALL.search(before)) and text.startswith(found.group().strip()):
        end = len(found.group().strip())
        return end if _loose_count(place, text[end:]) < _loose_count(place, text) else None
    return None


def _sigil(text: str, place: FilterContext) -> int | None:
    """Return the length of the mark before a name if the text repeats it."""
    found = _SIGIL.search(place.before)
    if not found or not text.startswith(found.group(1)) or not text[len(found.group(1)) :][:1].isalpha():
        return None
    line_start = place.before.strip() == "#" and place.language.needs_end_mark
    doubled = {"ruby": "@", "perl": "$", "crystal": "@"}.get(place.language_id)
    is_mark = line_start if found.group(1) == "#" else found.group(1) != doubled
    return len(found.group(1)) if is_mark else None


def _half_word(text: str, place: FilterContext) -> int | None:
    """Return the length of the partial word before the cursor if the text begins with the whole word."""
    half, word = _HALF_WORD.search(place.before), _WORD.match(text)
    if not half or not word or not word.group().startswith(half.group()):
        return None
    begun, whole = half.group(), word.group()
    if whole == begun and not (begun in KEYWORDS or place.before.strip() == begun):
        return None
    is_word = _LETTER.match(begun) or (begun.strip("_") == "" and _LETTER.match(whole[len(begun) :]))
    if not is_word or begun == begun[0] * len(begun) != "_" * len(begun):
        return None
    return None if _is_known(begun + whole, whole, place) else len(begun)


def _is_known(joined: str, whole: str, place: FilterContext) -> bool:
    """Check whether the document contains the joined word, and not the whole word alone: `re` and `read`."""
    words = {word for line in (*place.above, *place.below) for word in _WORD.findall(line)}
    return joined in words and whole not in words


_RULES: tuple[Callable[[str, FilterContext], int | None], ...] = (
    _line_mark,
    _whole_line,
    _last_word,
    _member,
    _sigil,
    _half_word,
)


def drop_lines_that_follow(draft: FilterInput, place: FilterContext) -> FilterInput | Skip:
    """Remove last lines that equal the document's next lines."""
    below = place.below
    if not place.before.strip() and place.rest.strip():
        below = (place.before + place.rest, *below)
    lines = (place.before + draft.text).split("\n")
    kept = [idx for idx, line in enumerate(lines) if line.strip()]
    for size in range(min(len(kept), len(below)), 0, -1):
        last = [lines[idx] for idx in kept[-size:]]
        is_next = all(_is_next(one, other, place) for one, other in zip(last, below, strict=False))
        if is_next and _may_drop(lines, kept[-size], last, place):
            if kept[-size] == 0:
                return Skip(Reason.REPEATS_SUFFIX)
            return replace(draft, text="\n".join(draft.text.split("\n")[: kept[-size]]).rstrip() + "\n")
    return draft


def _is_next(line: str, other: str, place: FilterContext) -> bool:
    """Check whether a line equals one of the document's; with another indentation it must also be distinctive.

    A closer with another indentation is a different one, even in commented-out code.
    """
    if line.rstrip() == other.rstrip():
        return True
    if not is_same_line(line, other, place.language) or _CLOSER.match(line.lstrip(_COMMENT_START)):
        return False
    if indent_of(line) == indent_of(other):
        return is_telling(line) or len(_LETTER.findall(line)) > 2 or "=" in line
    return is_telling(line) and not _may_come_again(line, place)


def _may_come_again(line: str, place: FilterContext) -> bool:
    """Check whether a line often recurs with another indentation, because it leaves or continues a block."""
    return leaves_block(line) or line.strip() in place.language.middles


# Blanks and comment marks.
_COMMENT_START = " \t#/*%;-"
# A line that closes what other lines opened.
_CLOSER = re.compile(r"[)\]}]|</|#?\s*end\w*\b|(?:fi|done|esac)\b")
# A constant in a list, or a single tag, which may well occur twice.
_VALUE = re.compile(
    r"\s*(?:(?:[\d.+-][\w.+-]*|[A-Z]{2,}|[\"'][\w.+-]*[\"']|(?:[Nn]one|[Tt]rue|[Ff]alse|null|nil)),|<\w+ ?/?>)\s*"
)
_QUOTE_MARKS = " \t\"'`"


def _may_drop(lines: list[str], start: int, last: list[str], place: FilterContext) -> bool:
    """Check whether the document's lines can replace the answer's last ones.

    A line of closers can, if the answer has no openers for it. Some closers have no particular indentation; for
    these, the lines above must not have opened more of them.
    """
    if len(last) == 1 and _VALUE.fullmatch(last[0]):
        return is_telling(last[0])
    if last[0][:1] == "<" and (tag := _CLOSING_TAG.match(last[0])):
        name = re.escape(tag[1])
        return _is_in_excess(rf"<{name}[\s>]", rf"</{name}>", lines[:start], last, place)
    if _ENDIF.match(last[0]):
        return _is_in_excess(r"^\s*#\s*if", _ENDIF.pattern, lines[:start], last, place)
    if any(map(_LETTER.search, last)):
        return True
    if any(map(str.isdigit, "".join(last))):
        return False
    is_quotes = all(not line.strip(_QUOTE_MARKS) for line in last)
    return is_quotes or len(loose("\n".join(lines[: start + len(last)])).closers) > 0


# Closers at the left margin, whatever the surrounding indentation.
_CLOSING_TAG = re.compile(r"</([\w.:-]+)>")
_ENDIF = re.compile(r"^\s*#\s*endif\b")


def _is_in_excess(opener: str, closer: str, kept: list[str], last: list[str], place: FilterContext) -> bool:
    before = (*place.above, *kept)
    opened = sum(len(re.findall(opener, line)) - len(re.findall(closer, line)) for line in before)
    closed = sum(len(re.findall(closer, line)) for line in last)
    # Openers further above are not visible.
    unseen = len(place.above) >= LOOK_LINES
    return opened > 0 and opened + unseen < 2 * closed


def drop_line_above(draft: FilterInput, place: FilterContext) -> FilterInput | Skip:
    """Refuse an answer that begins with exactly the line above."""
    first, _, others = draft.text.partition("\n")
    if not first.strip() or not place.above or not _is_above(place.before + first, place):
        return draft
    if place.before.strip() or not others.strip():
        return Skip(Reason.REPEATS_PREFIX)
    return replace(draft, text=others.removeprefix(place.before))


def _is_above(line: str, place: FilterContext) -> bool:
    above = place.above[-1]
    if not is_telling(line) or not _LETTER.search(line) or indent_of(line) != indent_of(above):
        return False
    if _CLOSER.match(line.lstrip(_COMMENT_START)):
        return False
    return is_same_line(line, above, place.language)
