"""Parses and matches .gitignore patterns exactly like git (gitignore(5); dir.c and wildmatch.c of git 2.39)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from llm_lsp.core.privacy.globs import ANY_CHAR, ANY_FOLDERS, AnyRun, CharClass, Element, Glob, GlobSet

# As long as the longest path in Linux (PATH_MAX); real patterns are far shorter.
MAX_PATTERN_CHARS = 4096
# POSIX character classes; git's are ASCII.
_NAMED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "alnum": (("0", "9"), ("A", "Z"), ("a", "z")),
    "alpha": (("A", "Z"), ("a", "z")),
    "blank": ((" ", " "), ("\t", "\t")),
    "cntrl": (("\0", "\x1f"), ("\x7f", "\x7f")),
    "digit": (("0", "9"),),
    "graph": (("!", "~"),),
    "lower": (("a", "z"),),
    "print": ((" ", "~"),),
    "punct": (("!", "/"), (":", "@"), ("[", "`"), ("{", "~")),
    "space": (("\t", "\r"), (" ", " ")),
    "upper": (("A", "Z"),),
    "xdigit": (("0", "9"), ("A", "F"), ("a", "f")),
}
_SPECIAL = re.compile(r"[*?\[\\]")
_PLAIN = re.compile(r"[^*?\[\\]+")
_STARS = re.compile(r"\*+")
_CROSSING_STARS = re.compile(r"\*{2,}(?=/|\\/|\Z)")
_IN_FOLDER = AnyRun()


@dataclass(frozen=True, slots=True)
class IgnorePattern:
    """One line of an ignore file."""

    glob: Glob
    is_negated: bool = False
    """Whether it re-includes what an earlier pattern ignores."""
    folders_only: bool = False


EVERYTHING = IgnorePattern((AnyRun(crosses_folders=True),))


class IgnoreRules:
    """The patterns of one ignore file, for paths relative to its folder; the last match decides."""

    def __init__(self, patterns: Iterable[IgnorePattern], *, ignore_case: bool = False) -> None:
        self._patterns = tuple(patterns)
        self._ignore_case = ignore_case

    def verdicts(self, path: str) -> list[bool | None]:
        """Return a verdict for each folder above a path, outermost first, and for the path itself.

        True means ignored, False re-included, None not matched. A folder's path ends in a slash.
        """
        lasts = self._globs.last_matches(path)
        return [None if last is None else not self._patterns[last].is_negated for last in lasts]

    def verdict(self, path: str) -> bool | None:
        """Return the verdict on a path; True if one of its folders is ignored, in which git re-includes nothing."""
        *above, own = self.verdicts(path)
        return True if True in above else own

    @cached_property
    def _globs(self) -> GlobSet:
        """The patterns' globs, compiled on first use."""
        folders_only = frozenset(index for index, each in enumerate(self._patterns) if each.folders_only)
        globs = (pattern.glob for pattern in self._patterns)
        return GlobSet(globs, folders_only, ignore_case=self._ignore_case)


def read_patterns(text: str) -> list[IgnorePattern]:
    """Parse the text of an ignore file; like in git, patterns that can match nothing are skipped.

    Lines end with LF or CRLF. A pattern that is unrealistically long excludes everything.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    found = (_read_line(line.removesuffix("\r")) for line in lines)
    return [pattern for pattern in found if pattern]


def parse_pattern(line: str) -> IgnorePattern | None:
    """Parse one line without its end; None for a blank line and a comment.

    Raises ValueError for a pattern that can match nothing or is too long.
    """
    text = _without_trailing_spaces(line)
    if not text or text.startswith("#"):
        return None
    if len(text) > MAX_PATTERN_CHARS:
        raise ValueError(f"the pattern has more than {MAX_PATTERN_CHARS} characters")
    body = text.removeprefix("!")
    folders_only = body.endswith("/")
    body = body.removesuffix("/")
    is_anchored = "/" in body
    glob = _parse_glob(body.removeprefix("/"), is_path=is_anchored)
    if not glob:
        raise ValueError("the pattern is empty")
    return IgnorePattern(glob if is_anchored else (ANY_FOLDERS, *glob), text.startswith("!"), folders_only)


def _read_line(line: str) -> IgnorePattern | None:
    try:
        return parse_pattern(line)
    except ValueError:
        return EVERYTHING if len(line) > MAX_PATTERN_CHARS else None


def _without_trailing_spaces(line: str) -> str:
    kept = line.rstrip(" ")
    backslashes = len(kept) - len(kept.rstrip("\\"))
    # If the number of trailing backslashes is odd, the last one escapes the space after it.
    return line[: len(kept) + 1] if backslashes % 2 else kept


def _parse_glob(text: str, *, is_path: bool) -> Glob:
    found: list[Element] = []
    at = 0
    while at < len(text):
        if plain := _PLAIN.match(text, at):
            found.append(plain[0])
            at = plain.end()
        elif stars := _STARS.match(text, at):
            run, at = _parse_stars(text, *stars.span()) if is_path else (_IN_FOLDER, stars.end())
            found.append(run)
        elif text[at] == "[":
            char_class, at = _parse_class(text, at + 1)
            found.append(char_class)
        elif text[at] == "?":
            found.append(ANY_CHAR)
            at += 1
        else:
            char, at = _parse_char(text, at)
            found.append(char)
    return tuple(found)


def _parse_stars(text: str, start: int, end: int) -> tuple[Element, int]:
    """Return the meaning of consecutive stars, and the position after them: two that fill a path part cross
    folders.

    git matches the text before the first special character separately, so `a**/b` crosses folders too.
    """
    begins_part = text[start - 1 : start] in ("", "/") or not _SPECIAL.search(text, 0, start)
    if not begins_part or not _CROSSING_STARS.match(text, start):
        return _IN_FOLDER, end
    return (ANY_FOLDERS, end + 1) if text.startswith("/", end) else (AnyRun(crosses_folders=True), end)


def _parse_class(text: str, at: int) -> tuple[CharClass, int]:
    """Parse a character class after its bracket; return it and the position after it. Raises ValueError if
    unclosed.
    """
    is_negated = text.startswith(("!", "^"), at)
    start = at = at + is_negated
    chars: list[str] = []
    ranges: list[tuple[str, str]] = []
    before = ""
    while at == start or not text.startswith("]", at):
        char, end = _parse_char(text, at)
        if name := _class_name(text, at):
            ranges += _NAMED[name]
            before, at = "", at + len(f"[:{name}:]")
        elif char == "-" == text[at] and before and text[end : end + 1] not in ("", "]"):
            last, at = _parse_char(text, end)
            ranges.append((before, last))
            before = ""
        else:
            chars.append(char)
            before, at = char, end
    return CharClass(frozenset(chars), tuple(ranges), is_negated), at + 1


def _parse_char(text: str, at: int) -> tuple[str, int]:
    """Parse a plain or escaped character; return it and the position after it."""
    at += text.startswith("\\", at)
    if at >= len(text):
        raise ValueError("the pattern ends within brackets or in a backslash")
    return text[at], at + 1


def _class_name(text: str, at: int) -> str:
    """Return the name of a `[:class:]` that begins here, "" if none does; raises ValueError for an unknown name."""
    if not text.startswith("[:", at):
        return ""
    name, mark, _ = text[at + 2 :].partition("]")
    if not mark:
        raise ValueError("the pattern ends within brackets")
    if not name.endswith(":"):
        return ""
    if name[:-1] not in _NAMED:
        raise ValueError("the pattern has an unknown character class")
    return name[:-1]
