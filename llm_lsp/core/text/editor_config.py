"""Parses the indentation settings of .editorconfig files, as specified at https://spec.editorconfig.org.

Section globs are matched by `core.privacy.globs` in linear time, because these files come with repositories.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from llm_lsp.core.privacy.globs import (
    ANY_CHAR,
    ANY_FOLDERS,
    AnyRun,
    CharClass,
    Choice,
    Element,
    Glob,
    GlobSet,
)

# The specification's limit on a section's name, in characters.
MAX_GLOB_CHARS = 1024
# Our own limits: real files have a dozen sections; nested braces are compiled recursively; numbers in one range.
MAX_SECTIONS, MAX_BRACES, MAX_NUMBERS = 200, 8, 100
# Columns. No editor indents by more.
MAX_COLUMNS = 16
_KEYS = frozenset({"indent_style", "indent_size", "tab_width"})
_NUMBERS = re.compile(r"([+-]?\d{1,9})\.\.([+-]?\d{1,9})")
_CLASS = re.compile(r"\[(!?)((?:[^\]\\/]|\\[^/])+)\]")
_NOTHING: Glob = (CharClass(),)
"""Matches no path: a class without members."""


class EditorConfig:
    """One file, for paths relative to its folder."""

    def __init__(self, sections: Sequence[tuple[str, Mapping[str, str]]], *, is_root: bool) -> None:
        self.is_root = is_root
        """Whether files in parent folders do not apply."""
        self._keys = [keys for _, keys in sections]
        self._globs = GlobSet(read_glob(name) for name, _ in sections)

    def keys(self, path: str) -> dict[str, str]:
        """Return the keys for a file; if several sections match, the last one with a key counts."""
        found: dict[str, str] = {}
        for index in self._globs.matches(path):
            found |= self._keys[index]
        return found


def read_editor_config(text: str) -> EditorConfig:
    """Parse a file; invalid lines are skipped."""
    is_root = False
    sections: list[tuple[str, dict[str, str]]] = []
    for line in map(str.strip, text.removeprefix("\ufeff").split("\n")):
        if line.startswith("[") and line.endswith("]"):
            if len(sections) == MAX_SECTIONS:
                break
            sections.append((line[1:-1], {}))
        elif not line.startswith(("#", ";")):
            name, _, value = (part.strip().lower() for part in line.partition("="))
            if sections and name in _KEYS:
                sections[-1][1][name] = value
            is_root = is_root or (not sections and (name, value) == ("root", "true"))
    return EditorConfig(sections, is_root=is_root)


def stated_unit(files: Iterable[Mapping[str, str]]) -> str:
    """Return one indentation step from the keys of several files, the nearest last; "" if they do not define it."""
    keys: dict[str, str] = {}
    for each in files:
        keys |= each
    style, size = keys.get("indent_style", ""), keys.get("indent_size", "")
    if style == "space" and size in ("", "tab"):
        size = keys.get("tab_width", "")
    if style == "tab":
        return "\t"
    is_size = size.isascii() and size.isdecimal() and len(size) < 3 and 0 < int(size) <= MAX_COLUMNS
    return " " * int(size) if is_size else ""


def read_glob(name: str) -> Glob:
    """Parse a section's name; one without a slash matches in every folder, one that is too long matches nothing."""
    pairs = _braces(name)
    if len(name) > MAX_GLOB_CHARS or pairs is None:
        return _NOTHING
    glob = _elements(name, (1 if name.startswith("/") else 0, len(name)), pairs)
    return glob if "/" in _CLASS.sub("", name) else (ANY_FOLDERS, *glob)


def _braces(name: str) -> dict[int, list[int]] | None:
    """Return the ends of each closed brace's branches: its commas and its closer; None if nested too deep."""
    open_at: list[list[int]] = []
    found: dict[int, list[int]] = {}
    at = 0
    while at < len(name):
        if name[at] == "[" and (group := _CLASS.match(name, at)):
            at = group.end()
            continue
        if name[at] == "{":
            open_at.append([at])
        elif name[at] == "," and open_at:
            open_at[-1].append(at)
        elif name[at] == "}" and open_at:
            start, *ends = open_at.pop()
            found[start] = [*ends, at]
        if len(open_at) > MAX_BRACES:
            return None
        at += 2 if name[at] == "\\" else 1
    return found


def _elements(name: str, span: tuple[int, int], braces: Mapping[int, list[int]]) -> Glob:
    at, stop = span
    found: list[Element] = []
    while at < stop:
        char, ends = name[at], braces.get(at)
        if ends and (choice := _choice(name, at, braces)):
            found.append(choice)
            at = ends[-1] + 1
        elif char == "*":
            is_double = name.startswith("**", at)
            found.append(AnyRun(crosses_folders=is_double))
            at += 1 + is_double
        elif char == "[" and (group := _CLASS.match(name, at, stop)):
            found.append(_char_class(group[2], is_negated=bool(group[1])))
            at = group.end()
        elif char == "\\" and at + 1 < stop:
            found.append(name[at + 1])
            at += 2
        else:
            found.append(ANY_CHAR if char == "?" else char)
            at += 1
    return tuple(found)


def _choice(name: str, start: int, braces: Mapping[int, list[int]]) -> Choice | None:
    """Parse `{a,b}` or `{1..3}`; None for braces around a single branch, which match themselves."""
    ends = braces[start]
    if len(ends) == 1:
        numbers = _NUMBERS.fullmatch(name, start + 1, ends[0])
        if not numbers:
            return None
        first, last = sorted(map(int, numbers.groups()))
        return Choice(tuple((str(number),) for number in range(first, min(last + 1, first + MAX_NUMBERS))))
    starts = (start + 1, *(end + 1 for end in ends[:-1]))
    return Choice(tuple(_elements(name, span, braces) for span in zip(starts, ends, strict=True)))


def _char_class(members: str, *, is_negated: bool) -> CharClass:
    plain = re.sub(r"\\(.)", r"\1", members)
    ranges = tuple((group[1], group[2]) for group in re.finditer(r"(.)-(.)", plain))
    return CharClass(frozenset(re.sub(r".-.", "", plain)), ranges, is_negated=is_negated)
