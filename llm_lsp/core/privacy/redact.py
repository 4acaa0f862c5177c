"""Redacts secrets in everything that is sent.

A mask has the length and the kinds of characters of its secret, so that the syntax and all offsets in the prompt
remain the same. Nothing in a text can turn this off.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from string import ascii_lowercase, ascii_uppercase, digits
from typing import NamedTuple
from urllib.parse import quote

from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.core.secrets.assignments import value_on_next_line
from llm_lsp.core.secrets.finder import Find, SecretFinder, long_words
from llm_lsp.core.secrets.places import places
from llm_lsp.core.secrets.private_keys import (
    KEY_BLOCK_LINES,
    KeyRole,
    is_in_key,
    key_roles,
    key_spans,
)
from llm_lsp.core.secrets.randomness import is_random
from llm_lsp.core.text.text import Point, Text

# Least length of known values that are redacted; shorter ones may occur in code by chance. A value that looks
# machine-made is redacted from the usual minimum length of passwords on.
MIN_EXACT_CHARS = 12
MIN_RANDOM_CHARS = 8
# Number and length of lines whose result is cached: a keystroke changes only one line of a prompt.
MAX_KNOWN_LINES = 8192
MAX_KNOWN_LINE_CHARS = 512
# Columns on each side of the cursor that are searched for a secret around it: a long web token or private key.
CURSOR_COLUMNS = 4096


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted text."""

    text: str
    found: tuple[str, ...] = ()
    """The formats of the secrets, one for each."""


class _Line(NamedTuple):
    """The secrets found on a line by itself."""

    finds: tuple[Find, ...] = ()
    role: KeyRole = ""
    names_next: bool = False
    """Whether it ends with the name of a secret whose value is on the next line."""


_PLAIN = _Line()


class Redactor:
    """Finds and redacts secrets; caches the results for lines."""

    def __init__(self) -> None:
        self._finder = SecretFinder()
        self._exact: tuple[str, ...] = ()
        self._plain: set[str] = set()
        self._known: dict[str, _Line] = {}
        """The lines with findings."""

    def hide(self, value: str, instead_of: str = "") -> None:
        """Redact a value, such as an API key, wherever it occurs, also as encoded in JSON and URLs.

        Each line of a multi-line value is redacted. Values that are too short are ignored. `instead_of` is a value of
        one line that no longer needs to be redacted, such as an expired key.
        """
        self._exact = tuple(each for each in self._exact if each not in _written(instead_of))
        for line in map(str.strip, value.splitlines()):
            if len(line) >= MIN_EXACT_CHARS or (len(line) >= MIN_RANDOM_CHARS and is_random(line)):
                self._exact = tuple(dict.fromkeys((*self._exact, *_written(line))))
        self._plain.clear()
        self._known.clear()

    def redact(self, text: str) -> Redacted:
        """Redact all secrets in a text; a text without secrets is returned unchanged."""
        lines = text.split("\n")
        if self._plain.issuperset(lines):
            return Redacted(text)
        found = self._look_at(lines)
        if not found:
            return Redacted(text)
        seen = [found.get(line, _PLAIN) for line in lines]
        starts = [*accumulate((len(line) + 1 for line in lines[:-1]), initial=0)]
        finds = []
        for number, line in enumerate(seen):
            finds += [_moved(find, starts[number]) for find in line.finds]
            if (
                line.names_next
                and number + 1 < len(lines)
                and (span := value_on_next_line(lines[number + 1]))
            ):
                finds.append(_moved(Find(*span, "named"), starts[number + 1]))
        roles = [line.role for line in seen]
        if any(roles):
            finds += [
                Find(starts[number] + start, starts[number] + end, "private-key")
                for number, start, end in key_spans(lines, roles)
                if start < end
            ]
        return _masked(text, finds)

    def touches(self, text: Text, point: Point) -> bool:
        """Check whether a position is in a secret or at its end, where a completion would continue it."""
        line, column = text.line(point.line), point.column
        start = max(0, column - CURSOR_COLUMNS)
        near, column = line[start : column + CURSOR_COLUMNS], column - start
        above = text.lines(max(0, point.line - KEY_BLOCK_LINES), point.line)
        last = above[-1][-CURSOR_COLUMNS:].rstrip("\r\n") if above else ""
        seen = self._look_at([last, near])
        spans = [(find.start, find.end) for find in seen.get(near, _PLAIN).finds]
        if seen.get(last, _PLAIN).names_next and (span := value_on_next_line(near)):
            spans.append(span)
        return any(start < column <= end for start, end in spans) or is_in_key(above, near, column)

    def _look_at(self, lines: Sequence[str]) -> Mapping[str, _Line]:
        """Return the lines with findings; lines that are not cached are searched together."""
        others = {*lines}.difference(self._plain)
        fresh = [*others.difference(self._known)]
        found = {line: self._known[line] for line in others if line in self._known}
        if fresh:
            new = self._search(fresh)
            self._keep(fresh, new)
            found.update(new)
        return found

    def _keep(self, lines: Iterable[str], found: Mapping[str, _Line]) -> None:
        """Cache lines that were searched, with their findings."""
        if len(self._plain) + len(self._known) > MAX_KNOWN_LINES:
            self._plain.clear()
            self._known.clear()
        short = [line for line in lines if len(line) <= MAX_KNOWN_LINE_CHARS]
        self._known.update((line, found[line]) for line in short if line in found)
        self._plain.update(line for line in short if line not in found)

    def _search(self, lines: Sequence[str]) -> Mapping[str, _Line]:
        text, found = "\n".join(lines), dict[str, _Line]()
        words = long_words(text)
        finds = [*self._exact_finds(text), *self._finder.find(text, words)]
        roles = key_roles(lines, words)
        if finds or roles:
            starts = [*accumulate((len(line) + 1 for line in lines[:-1]), initial=0)]
            by_line: dict[int, list[Find]] = {}
            for find in finds:
                number = bisect_right(starts, find.start) - 1
                by_line.setdefault(number, []).append(_moved(find, -starts[number]))
            for number in by_line.keys() | roles.keys():
                here = by_line.get(number, ())
                whole = tuple(find for find in here if find.start < find.end)
                found[lines[number]] = _Line(whole, roles.get(number, ""), len(whole) < len(here))
        return found

    def _exact_finds(self, text: str) -> Iterator[Find]:
        for value in self._exact:
            yield from (Find(at, at + len(value), "exact") for at in places(text, value))


def _written(line: str) -> tuple[str, ...]:
    """Return a value plain, and as JSON and URLs encode it."""
    return line, json.dumps(line)[1:-1], quote(line, safe="")


def _moved(find: Find, by: int) -> Find:
    return Find(find.start + by, find.end + by, find.name, find.kept) if by else find


def redact_prompt(prompt: Prompt, redact: Callable[[str], Redacted]) -> tuple[Prompt, tuple[str, ...]]:
    """Redact a whole prompt, whatever its sources; return the formats that were found too."""
    found: list[str] = []

    def clean(text: str) -> str:
        result = redact(text)
        found.extend(result.found)
        return result.text

    match prompt:
        case RawPrompt():
            done: Prompt = replace(prompt, text=clean(prompt.text))
        case FimPrompt():
            snippets = tuple(replace(snippet, text=clean(snippet.text)) for snippet in prompt.snippets)
            before = clean(prompt.prefix + prompt.line_prefix)
            at = len(prompt.prefix)
            done = replace(
                prompt,
                prefix=before[:at],
                line_prefix=before[at:],
                suffix=clean(prompt.suffix),
                snippets=snippets,
            )
        case ChatPrompt():
            done = replace(prompt, messages=tuple((role, clean(text)) for role, text in prompt.messages))
    return done, tuple(found)


def mask(secret: str) -> str:
    """Replace capitals by X, small letters by x and digits by 0; other characters stay."""
    masked = secret.translate(_MASKS)
    return masked if masked.isascii() else _BEYOND_ASCII.sub("x", masked)


_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_BEYOND_ASCII = re.compile(r"[^\W\x00-\x7f]")
_MASKS = str.maketrans(
    ascii_uppercase + ascii_lowercase + digits,
    "X" * len(ascii_uppercase) + "x" * len(ascii_lowercase) + "0" * len(digits),
)
# Length of mask characters in a row that does not occur in code by chance: `0x00000000` has only one letter.
_MASK_RUN = re.compile(r"[Xx0]{8,}")
MIN_MASK_LETTERS = 4


def holds_mask(text: str) -> bool:
    """Check whether a text contains a mask, which a model has copied; such text is useless."""
    return any(
        len(run) - run.count("0") >= MIN_MASK_LETTERS and len(set(run)) > 1 for run in _MASK_RUN.findall(text)
    )


def _masked(text: str, finds: Sequence[Find]) -> Redacted:
    pieces, names, at = [], [], 0
    for find in sorted(finds, key=lambda find: (find.start, -find.end)):
        if find.end <= at:
            continue  # inside another one
        start = max(at, find.start + find.kept)
        pieces += [text[at:start], mask(text[start : find.end])]
        names.append(find.name)
        at = find.end
    return Redacted("".join((*pieces, text[at:])), tuple(names))
