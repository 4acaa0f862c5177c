"""Removes what a chat answer repeats of the text before the cursor: the line, its last word, the lines above."""

from __future__ import annotations

import re

from llm_lsp.core.response.line_likeness import bare, is_telling
from llm_lsp.core.text.window import Window

HOLE = "{{HOLE}}"
# Lines above the cursor in which the beginning of a repetition is searched, and lines of an answer that may precede the
# cursor's position.
LOOK_LINES = 80
_QUOTES = "\"'`“”‘’"
# The end of a line that a model repeats if it does not repeat the whole line: a word and what joins it to the next.
_LAST_WORD = re.compile(r"(?:[\w$@]+(?:\.|::|->))*[\w$@]*[^\W\d][\w$@]*(?:\.|::|->|\s*\(|\s+)?$")
# Characters of a line's beginning by which it is known again.
_TELLING_START = 4
_NAME = re.compile(r"\w*[^\W\d]\w*")


def without_echo(code: str, window: Window) -> str:
    """Return the part of an answer that belongs after the cursor."""
    code = _without_hole(code, window)
    line = window.line_prefix
    whole = _after_lines_above(code, window)
    if whole is not None:
        return whole
    # A blank line before the repeated line belongs to the wrapper.
    for text in (code, code.lstrip("\n")):
        if line.strip() and (rest := _after(text, line)) is not None:
            return rest
    if not line.strip():
        return _after_indentation(code, line)
    return _after_last_word(code, line)


def has_hole(window: Window) -> bool:
    """Check whether the document itself contains the mark of the hole."""
    return HOLE in window.prefix + window.line_prefix + window.line_suffix + window.suffix


def _without_hole(code: str, window: Window) -> str:
    """Remove the mark of the hole, unless the document contains it."""
    if HOLE not in code or has_hole(window):
        return code
    head, _, rest = code.partition(HOLE)
    if not head.strip() or bare(head) == bare(window.line_prefix):
        # The mark may precede the answer, or be at its place in the repeated code.
        rest = rest.lstrip(" \t:").removeprefix("\n") if not head.strip() else rest
        follows = window.line_suffix + window.suffix
        return (
            ""
            if not rest.strip() or follows.strip().startswith(rest.strip()[:40])
            else rest.partition(HOLE)[0]
        )
    # The model repeated the file with the hole still open.
    return head if _after_lines_above(head, window) is None else ""


def _after(code: str, start: str) -> str | None:
    """Return what follows a beginning, ignoring blanks and kind of quotes; None if the code begins differently."""
    at, opened = 0, ""
    for char in start:
        if char.isspace():
            continue
        while at < len(code) and code[at] in " \t":
            at += 1
        if at == len(code) or not (code[at] == char or (char in _QUOTES and code[at] in _QUOTES)):
            return None
        if char in _QUOTES:
            opened = "" if opened else code[at] + char
        at += 1
    rest = code[at:]
    if opened and opened[0] != opened[1]:
        # If a string is open at the cursor, the document's kind of quote closes it.
        rest = rest.replace(opened[0], opened[1], 1)
    return rest.lstrip(" \t") if start[-1:].isspace() else rest


def _after_indentation(code: str, line: str) -> str:
    """Return an answer to a blank line without the line's own indentation; deeper lines keep the rest."""
    text = code
    if code.strip() and not code.split("\n", 1)[0].strip():
        text = code[len(code) - len(code.lstrip("\n")) :] if not line else code.lstrip("\n")
    if line and text.startswith(line):
        return text[len(line) :]
    if line and text[:1] in " \t":
        return text.lstrip(" \t")
    return text if line else code


def _after_last_word(code: str, line: str) -> str:
    """Return an answer without the last word before the cursor, if it begins with that word."""
    found = _LAST_WORD.search(line[-200:])
    if found is None or not _NAME.search(found.group()):
        return code
    word = found.group()
    ends_open = word[-1:].isspace() or word[-1:] in ".:>("
    names = _NAME.findall(word)
    if sum(map(len, names)) < 2:
        return code
    rest = _after(code.lstrip(" \t"), word)
    if rest is None and "." in word and not ends_open:
        rest = (
            _after(code.lstrip(" \t"), word.rpartition(".")[2]) if len(word.rpartition(".")[2]) > 1 else None
        )
    if rest is None or (not ends_open and rest[:1].isspace() and not rest.strip()):
        return code
    return rest


def _after_lines_above(code: str, window: Window) -> str | None:
    """Return what follows if an answer begins with lines above the cursor; None if it does not reach the cursor."""
    above = [line for line in window.prefix.split("\n")[-LOOK_LINES - 1 :] if line.strip()]
    lines = code.split("\n")[:LOOK_LINES]
    first = next((idx for idx, line in enumerate(lines) if line.strip()), None)
    if first is None or not above:
        return None
    if not is_telling(lines[first]) or not any(_is_same(line, lines[first]) for line in above):
        return None
    start = window.line_prefix.strip()
    place: int | None = None
    loose: int | None = None
    for idx in range(first, len(lines)):
        if _is_same(above[-1], lines[idx]):
            place = idx
            if not start or _begins(lines, idx + 1, start):
                break
        elif (
            loose is None
            and idx > first
            and len(bare(start)) >= _TELLING_START
            and _begins(lines, idx, start)
        ):
            # Lines were added or changed in between.
            loose = idx - 1
    if start and (place is None or not _begins(lines, place + 1, start)):
        place = loose
    if place is None or (start and not _begins(lines, place + 1, start)):
        return None
    rest = lines[place + 1 :]
    while start and rest and not rest[0].strip():
        rest = rest[1:]
    following = code.split("\n")[LOOK_LINES:]
    text = "\n".join([*rest, *following])
    return _after(text, window.line_prefix) if start else _after_indentation(text, window.line_prefix)


def _begins(lines: list[str], idx: int, start: str) -> bool:
    """Check whether the next non-blank line repeats the beginning of the current line."""
    following = next((line for line in lines[idx:] if line.strip()), "")
    return _after(following, start) is not None


def _is_same(line: str, other: str) -> bool:
    """Check whether two lines are equal, or begin the same definition, such as one with types and one without."""
    if bare(line) == bare(other):
        return True
    words, other_words = line.split("(")[0].split(), other.split("(")[0].split()
    return "(" in line and "(" in other and len(words) > 1 and words == other_words
