"""Parses one mapping from any source into checked settings.

The dataclasses in `settings` are the only list of keys.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from llm_lsp.config.settings import Config, ProviderName
from llm_lsp.config.value_types import (
    UnfitValue,
    alone,
    array,
    choices,
    describe,
    listed_section_of,
    named_section_of,
    read_value,
    section_of,
    table,
)

Path = tuple[str, ...]
"""The keys that lead to a setting: `("providers", "mine", "model")`."""

SECTION = "llm-lsp"
NAME = "name"
"""The field of a section that holds its table's name."""
UNVOUCHED = "unvouched"
"""The field of a provider that records who enabled it."""
NO_KEYS = frozenset({NAME, UNVOUCHED})
"""Fields that cannot be set by a key in a table."""

# Limit on keys and list items of settings that may come from others. Real settings have dozens; parsing happens
# before the first completion, so its time must be bounded.
MAX_ENTRIES = 1000
# Limit on characters in total: enough for 2,000 globs, or a long prompt with examples. Checking globs takes 2 µs each.
MAX_CHARS = 1 << 16
TOO_LARGE = f"over {MAX_ENTRIES:,} keys or {MAX_CHARS:,} characters"
# Only the first faults get a "did you mean" hint: each hint compares the word with every key.
HINTED_FAULTS = 10

# Longer invalid values are left out of messages; the settings' fixed words are all shorter.
SHOWN_CHARS = 24


@dataclass(frozen=True, slots=True)
class Parsed:
    """The valid values of one mapping, and what is wrong with the rest."""

    values: Mapping[Path, object]
    """Only what is set; a named section appears even if it sets nothing."""
    faults: tuple[str, ...]


def parse(settings: object, *, from_editor: bool = False) -> Parsed:
    """Check a mapping of settings.

    An editor's settings may use camelCase, may be wrapped in "llm-lsp", and may use null for "not set".
    """
    reader = _Reader(from_editor)
    if from_editor and isinstance(settings, Mapping) and SECTION in settings:
        settings = settings[SECTION]
    if settings is not None:
        reader.section(Config, (), settings)
    return Parsed(reader.values, tuple(reader.faults))


def is_too_large(settings: object) -> bool:
    """Check whether settings exceed MAX_ENTRIES keys and list items, or MAX_CHARS characters, at any depth."""
    waiting, count, chars = [settings], 0, 0
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, str):
            chars += len(inner)
        elif isinstance(inner, Mapping | list):
            count += len(inner)
        if count > MAX_ENTRIES or chars > MAX_CHARS:
            return True
        if isinstance(inner, Mapping):
            waiting += (*inner, *inner.values())
        elif isinstance(inner, list):
            waiting += inner
    return False


def dotted(path: Path) -> str:
    """Return a path in dotted form: `providers.mine.model`."""
    return ".".join(path)


def is_required(each: Field[Any]) -> bool:
    """Check whether a section's field must be given."""
    return each.default is MISSING and each.default_factory is MISSING


def nearest(word: str, words: Iterable[str]) -> str:
    """Return a clause that suggests the word closest to `word`, or "" if none is close."""
    # Imported here: most settings have no typos, and the server's startup waits for this module.
    from difflib import get_close_matches

    by_lower = {known.lower(): known for known in words}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f', did you mean "{by_lower[found[0]]}"?' if found else ""


@dataclass(slots=True)
class _Reader:
    """Collects values and faults while it walks a mapping; used for a single `parse`."""

    from_editor: bool
    values: dict[Path, object] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def _gets_hint(self) -> bool:
        return len(self.faults) < HINTED_FAULTS

    def section(self, kind: type, path: Path, settings: object) -> None:
        kinds = {each.name: each.type for each in fields(kind) if each.name not in NO_KEYS}
        for key, value in self._items(path, settings):
            known = _snake(key) if self.from_editor and key not in kinds else key
            if known not in kinds:
                hint = (nearest(key, kinds) or _elsewhere(key)) if self._gets_hint else ""
                self.faults.append(f'unknown setting "{_cut(dotted((*path, key)))}"{hint}')
            elif value is not None:
                self._entry(kinds[known], (*path, known), value)

    def _entry(self, kind: Any, path: Path, value: object) -> None:
        if inner := section_of(kind):
            self.section(inner, path, value)
        elif inner := named_section_of(kind):
            self._named(inner, path, value)
        elif inner := listed_section_of(kind):
            self._listed(inner, path, value)
        else:
            self._value(kind, path, value)

    def _named(self, kind: type, path: Path, settings: object) -> None:
        for name, value in self._items(path, settings):
            try:
                read_value(ProviderName, name)
            except UnfitValue:
                self.faults.append(f'{dotted(path)}: "{_cut(name)}" must be {describe(ProviderName)}')
                continue
            if value is not None:
                self.values[*path, name, NAME] = name
                self.section(kind, (*path, name), value)

    def _listed(self, kind: Any, path: Path, settings: object) -> None:
        """Read a list of tables. A faulty one is left out entirely: without the faulty key it could match too
        much.
        """
        try:
            tables = array(settings)
        except UnfitValue:
            self.faults.append(f"{dotted(path)} must be a list of tables")
            return
        read = [self._one_of_list(kind, f"[[{dotted(path)}]] {n}", item) for n, item in enumerate(tables, 1)]
        self.values[path] = tuple(section for section in read if section is not None)

    def _one_of_list(self, kind: Any, place: str, settings: object) -> object | None:
        reader = _Reader(self.from_editor)
        reader.section(kind, (place,), settings)
        table = {path[-1]: value for path, value in reader.values.items()}
        missing = [each.name for each in fields(kind) if is_required(each) and each.name not in table]
        if missing and not reader.faults:
            reader.faults.append(f"{place} needs {' and '.join(missing)}")
        self.faults += reader.faults
        return None if reader.faults else kind(**table)

    def _items(self, path: Path, settings: object) -> list[tuple[str, object]]:
        try:
            return [(str(key), value) for key, value in table(settings).items()]
        except UnfitValue:
            self.faults.append(f"{dotted(path) or 'the settings'} must be a table")
            return []

    def _value(self, kind: Any, path: Path, value: object) -> None:
        if isinstance(value, list) and (item_kind := alone(kind)):
            self.values[path] = tuple(self._items_of(item_kind, path, value))
            return
        try:
            self.values[path] = read_value(kind, value)
        except UnfitValue:
            hint = _but(kind, value) if self._gets_hint else ""
            self.faults.append(f"{dotted(path)} must be {describe(kind)}{hint}")

    def _items_of(self, kind: Any, path: Path, items: list[object]) -> Iterator[object]:
        for number, item in enumerate(items, 1):
            try:
                yield read_value(kind, item)
            except UnfitValue:
                self.faults.append(f"item {number} of {dotted(path)} must be {describe(kind)}")


def _elsewhere(key: str) -> str:
    """Suggest the section that has a key of this name."""
    for each in fields(Config):
        inner = section_of(each.type)
        if inner and _snake(key) in {known.name for known in fields(inner)}:
            return f', did you mean "{each.name}.{_snake(key)}"?'
    return ""


def _but(kind: Any, value: object) -> str:
    """Quote the invalid value, unless it could be a key or a piece of code."""
    if isinstance(value, bool):
        return f", not {str(value).lower()}"
    if isinstance(value, int | float):
        return f", not {value:g}" if isinstance(value, float) or abs(value) < 10**15 else ""
    words = choices(kind)
    if words and isinstance(value, str) and len(value) <= SHOWN_CHARS:
        return f', not "{value}"' + nearest(value, words)
    return ""


def _snake(key: str) -> str:
    """Convert "debounceMs" to "debounce_ms"."""
    return re.sub(r"(?<=[a-z0-9])[A-Z]", lambda match: "_" + match.group().lower(), key)


def _cut(text: str) -> str:
    """Shorten a name to one short line."""
    line = "".join(char if char.isprintable() else "?" for char in text)
    return line if len(line) <= 80 else line[:79] + "…"
