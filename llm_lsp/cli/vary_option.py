"""Parses `--vary KEY=A,B`, which measures several values of a setting side by side."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence

from llm_lsp.cli.commands.complete import chosen, refuse_unknown
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.request import Trigger
from llm_lsp.errors import ConfigError
from llm_lsp.evaluation.runs.variants import Variant

LABEL = "--vary"
AS_SET = "as set"

Choice = tuple[str, object]
"""A setting's dotted key, and a value."""


def variants(stack: SettingsStack, varied: Sequence[str], trigger: Trigger) -> list[Variant]:
    """Return a variant for each combination of values, first values first.

    Raises ConfigError for an unknown setting or an invalid value.
    """
    axes = [list(_axis(one)) for one in varied]
    several = {axis[0][0] for axis in axes if len(axis) > 1}
    return [_variant(stack, choice, trigger, several) for choice in itertools.product(*axes)]


def _axis(varied: str) -> Iterator[Choice]:
    key, equals, values = varied.partition("=")
    if not (key.strip() and equals and values.strip()):
        raise ConfigError(f"write --vary as KEY=VALUE,VALUE, not {varied}")
    for value in _values(values):
        yield key.strip(), value


def _values(text: str) -> list[object]:
    """Parse values as TOML; words need no quotes."""
    try:
        found = tomllib.loads(f"values = [{text}]")["values"]
    except tomllib.TOMLDecodeError:
        return [value for word in text.split(",") for value in _word(word.strip())]
    assert isinstance(found, list)
    return found


def _word(word: str) -> list[object]:
    try:
        return [tomllib.loads(f"value = {word}")["value"]]
    except tomllib.TOMLDecodeError:
        return [word]


def _variant(stack: SettingsStack, choice: Sequence[Choice], trigger: Trigger, several: set[str]) -> Variant:
    # Only settings that differ between variants are part of their names.
    name = ", ".join(f"{key}={_written(value)}" for key, value in choice if key in several) or AS_SET
    for key, value in choice:
        # One layer per setting, so that no tables have to be merged here.
        stack = stack.with_layer(SettingsSource.COMMAND_LINE, _settings(key, value), f"{LABEL} {key}")
    faults = [problem.message for problem in stack.resolve().problems if problem.source.startswith(LABEL)]
    if faults:
        raise ConfigError(faults[0])
    for provider in (value for key, value in choice if key == "provider"):
        refuse_unknown(stack, str(provider))
    return Variant.of(name, stack, trigger)


def _settings(key: str, value: object) -> Mapping[str, object]:
    return chosen(value) if key == "provider" else _nested(key.split("."), value)


def _nested(path: Sequence[str], value: object) -> Mapping[str, object]:
    head, *rest = path
    return {head: _nested(rest, value) if rest else value}


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
