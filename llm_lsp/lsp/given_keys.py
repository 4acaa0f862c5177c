"""Reads the API keys that a client keeps and gives to the server for its life."""

from __future__ import annotations

from collections.abc import Mapping

from llm_lsp.core.privacy.secret import GivenKey, Secret
from llm_lsp.lsp.conversion import to_settings


def to_settings_and_keys(options: object) -> tuple[Mapping[str, object], list[GivenKey]]:
    """Separate the keys among a client's initialization options, under `keys`, from its settings.

    Each is `{"provider": …, "address": …, "key": …}`; what is none is left out.
    """
    settings = {**to_settings(options)}
    given = settings.pop("keys", None)
    keys = []
    for entry in map(to_settings, given if isinstance(given, list | tuple) else ()):
        fields = [entry.get(name) for name in ("provider", "address", "key")]
        if all(isinstance(field, str) and field for field in fields):
            provider, address, key = map(str, fields)
            keys.append(GivenKey(provider, address, Secret(key)))
    return settings, keys
