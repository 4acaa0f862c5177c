"""Secrets out of what is sent: masked in place; knows nothing of files, providers and editors.

A mask has its secret's length and kinds of characters, so that the prompt's syntax, and every place in it, stay
as they were. Nothing in a text can switch this off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from math import log2
from string import ascii_lowercase, ascii_uppercase, digits
from urllib.parse import quote

from llm_lsp.core.privacy.secret_formats import (
    FORMATS,
    NAMED_SECRET,
    PRIVATE_KEY,
    PRIVATE_KEY_END,
    PRIVATE_KEY_LINE,
    SECRET_NAMES,
    SecretFormat,
)
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.core.text.text import Point, Text

# Characters of an exact value that are worth hiding; shorter ones stand in code for other things. One that looks made
# by a machine stands for nothing else, and is hidden from the length on that password rules ask for.
MIN_EXACT_CHARS = 12
MIN_RANDOM_CHARS = 8
# Lines without a secret that are remembered, and the longest of them: a keystroke changes one line of a prompt.
MAX_CLEAN_LINES = 8192
MAX_CLEAN_LINE_CHARS = 512
# Columns on each side of a cursor in which a secret may reach it.
CURSOR_COLUMNS = 512
# Lines above a cursor in which a private key's first line may stand: RSA with 16,384 bits has 200.
KEY_BLOCK_LINES = 256
# Bits per character, of a value's own letters: detect-secrets' and gitleaks' bound for short values.
MIN_ENTROPY_BITS = 3.0


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without its secrets."""

    text: str
    found: tuple[str, ...] = ()
    """The formats' names, one for each secret."""


@dataclass(frozen=True, slots=True)
class _Find:
    start: int
    end: int
    name: str
    kept: int = 0
    """Characters at its start that are not masked."""


def _by_literal() -> Mapping[str, Sequence[SecretFormat]]:
    table: dict[str, list[SecretFormat]] = {}
    for secret in FORMATS:
        for literal in secret.literals:
            table.setdefault(literal, []).append(secret)
    return table


_BY_LITERAL = _by_literal()


class Redactor:
    """Finds secrets and masks them; remembers lines that have none."""

    def __init__(self) -> None:
        self._exact: tuple[str, ...] = ()
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._clean: dict[str, None] = {}

    def hide(self, value: str) -> None:
        """Mask a value wherever it stands, such as a key in use, also as JSON and addresses write it.

        Of a value with several lines each is masked. What is too short is passed over.
        """
        for line in map(str.strip, value.splitlines()):
            if len(line) >= MIN_EXACT_CHARS or (len(line) >= MIN_RANDOM_CHARS and is_random(line)):
                written = (line, json.dumps(line)[1:-1], quote(line, safe=""))
                self._exact = tuple(dict.fromkeys((*self._exact, *written)))
        self._clean.clear()

    def redact(self, text: str) -> Redacted:
        """Mask every secret of a text; what has none comes back as it is."""
        has_block = "PRIVATE KEY" in text
        fresh = {*text.split("\n")}.difference(self._clean)
        if not has_block and not any(self._finds("\n".join(fresh))):
            self._remember(fresh)
            return Redacted(text)
        finds = [*self._finds(text), *(self._key_blocks(text) if has_block else ())]
        return _masked(text, finds)

    def touches(self, text: Text, point: Point) -> bool:
        """Say whether a point is in a secret, or at its end: there a completion would continue it."""
        line, column = text.line(point.line), point.column
        start = max(0, column - CURSOR_COLUMNS)
        near = line[start : column + CURSOR_COLUMNS]
        if near not in self._clean:
            finds = [*self._finds(near)]
            if any(find.start < column - start <= find.end for find in finds):
                return True
            if not finds:
                self._remember([near])
        return self._is_in_key_block(text, point.line)

    def _remember(self, lines: Collection[str]) -> None:
        if len(self._clean) + len(lines) > MAX_CLEAN_LINES:
            self._clean.clear()
        self._clean.update((line, None) for line in lines if len(line) <= MAX_CLEAN_LINE_CHARS)

    def _finds(self, text: str) -> Iterator[_Find]:
        """Find what stands on one line."""
        for value in self._exact:
            start = text.find(value)
            while start >= 0:
                yield _Find(start, start + len(value), "exact")
                start = text.find(value, start + len(value))
        held = [secrets for literal, secrets in _BY_LITERAL.items() if literal in text]
        for secret in dict.fromkeys(chain.from_iterable(held)):
            yield from self._matches(secret, text)
        yield from self._named(text)

    def _key_blocks(self, text: str) -> Iterator[_Find]:
        yield from self._matches(PRIVATE_KEY, text)
        body = self._pattern(PRIVATE_KEY_LINE)
        # One whose beginning the prompt leaves out: the lines above its end that look like a key's.
        for end in self._pattern(PRIVATE_KEY_END).finditer(text):
            start = line_start = text.rfind("\n", 0, end.start()) + 1
            while line_start > 0:
                line_start = text.rfind("\n", 0, start - 1) + 1
                if not body.fullmatch(text, line_start, start - 1):
                    break
                start = line_start
            yield _Find(start, end.end(), PRIVATE_KEY.name)

    def _matches(self, secret: SecretFormat, text: str) -> Iterator[_Find]:
        for match in self._pattern(secret.pattern).finditer(text):
            yield _Find(*match.span(match.lastgroup or 0), secret.name, secret.kept_chars)

    def _named(self, text: str) -> Iterator[_Find]:
        # Names are looked for as plain strings: a search for either case in one expression takes ten times as long.
        lowered = text.translate(_LOWER)
        for name in SECRET_NAMES:
            at = lowered.find(name)
            while at >= 0:
                match = self._pattern(NAMED_SECRET).match(text, at + len(name))
                if match and match.lastgroup and is_random(match[match.lastgroup]):
                    yield _Find(*match.span(match.lastgroup), "named")
                at = lowered.find(name, at + len(name))

    def _pattern(self, pattern: str) -> re.Pattern[str]:
        # Compiled when first met: most are never needed, and together they take some milliseconds.
        compiled = self._patterns.get(pattern)
        if compiled is None:
            compiled = self._patterns[pattern] = re.compile(pattern, re.MULTILINE)
        return compiled

    def _is_in_key_block(self, text: Text, line_number: int) -> bool:
        body = self._pattern(PRIVATE_KEY_LINE)
        for number in range(line_number, max(-1, line_number - KEY_BLOCK_LINES), -1):
            line = text.line(number)
            if "-----BEGIN" in line and "PRIVATE KEY" in line:
                return "-----END" not in line
            if number < line_number and not body.fullmatch(line):
                return False
        return False


def redact_prompt(prompt: Prompt, redact: Callable[[str], Redacted]) -> tuple[Prompt, tuple[str, ...]]:
    """Mask the secrets of a whole prompt, whatever source they came from; give the formats that were found."""
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
    """Write X for capitals, x for small letters and 0 for digits; marks stay."""
    return _BEYOND_ASCII.sub("x", secret.translate(_MASKS))


_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_BEYOND_ASCII = re.compile(r"[^\W\x00-\x7f]")
_MASKS = str.maketrans(
    ascii_uppercase + ascii_lowercase + digits,
    "X" * len(ascii_uppercase) + "x" * len(ascii_lowercase) + "0" * len(digits),
)
_NAME_CHAIN = re.compile(r"[A-Za-z_]\w*+(?:(?:\.|->|::)[A-Za-z_]\w*+)+")
# Characters. A run of mask characters that no code has by chance: `0x00000000` has but one letter.
_MASK_RUN = re.compile(r"[Xx0]{8,}")
MIN_MASK_LETTERS = 4


def holds_mask(text: str) -> bool:
    """Say whether a model copied a mask: such text is worth nothing to its user."""
    return any(
        len(run) - run.count("0") >= MIN_MASK_LETTERS and len(set(run)) > 1 for run in _MASK_RUN.findall(text)
    )


def is_random(value: str) -> bool:
    """Say whether a value looks made by a machine: letters with digits, and few of them twice.

    A chain of names, as `config.secret_2` is, is code.
    """
    if _NAME_CHAIN.fullmatch(value):
        return False
    if not (any(c.isdigit() for c in value) and any(c.isalpha() for c in value)):
        return False
    counts = (value.count(character) / len(value) for character in set(value))
    return -sum(share * log2(share) for share in counts) >= MIN_ENTROPY_BITS


def _masked(text: str, finds: Sequence[_Find]) -> Redacted:
    pieces, names, at = [], [], 0
    for find in sorted(finds, key=lambda find: (find.start, -find.end)):
        if find.end <= at:
            continue  # Inside one that was masked already.
        start = max(at, find.start + find.kept)
        pieces += [text[at:start], mask(text[start : find.end])]
        names.append(find.name)
        at = find.end
    return Redacted("".join((*pieces, text[at:])), tuple(names))
