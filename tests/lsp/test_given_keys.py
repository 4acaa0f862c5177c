"""Keys that a client keeps come with its initialization options, and are no settings."""

from __future__ import annotations

import pytest

from llm_lsp.core.privacy.secret import GivenKey, Secret
from llm_lsp.lsp.conversion import to_settings_and_keys

ENTRY = {"provider": "mine", "address": "https://h.example/v1", "key": "sk-CANARY"}


def test_keys_are_told_from_settings() -> None:
    settings, keys = to_settings_and_keys({"provider": "mine", "keys": [ENTRY]})

    assert settings == {"provider": "mine"}
    assert keys == [GivenKey("mine", "https://h.example/v1", Secret("sk-CANARY"))]
    assert "CANARY" not in repr(keys)


@pytest.mark.parametrize(
    "keys",
    [
        None,
        7,
        "sk-CANARY",
        {},
        [None],
        [[]],
        [{**ENTRY, "key": 7}],
        [{**ENTRY, "provider": ""}],
        [{"key": "x"}],
    ],
)
def test_what_is_none_is_left_out(keys: object) -> None:
    assert to_settings_and_keys({"keys": keys}) == ({}, [])


def test_options_that_are_no_table_are_empty() -> None:
    assert to_settings_and_keys(None) == to_settings_and_keys([]) == ({}, [])
