"""`--vary KEY=A,B` makes a variant of each combination."""

from __future__ import annotations

import pytest

from llm_lsp.cli.vary_option import AS_SET, variants
from llm_lsp.config.settings import Config
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.request import Trigger

TABLE = {"api": "openai-completions", "base_url": "http://127.0.0.1:9/v1"}
STACK = SettingsStack().with_layer(
    SettingsSource.USER_FILE,
    {
        "provider": "one",
        "providers": {"one": TABLE, "two": TABLE},
        "routes": [{"provider": "two", "language": "python"}],
    },
)


def varied(*said: str) -> dict[str, Config]:
    found = variants(STACK, said, Trigger.AUTOMATIC)
    return {variant.name: variant.stack.resolve().config for variant in found}


def test_without_anything_varied_the_settings_are_measured_as_they_are() -> None:
    found = varied()

    assert [*found] == [AS_SET]
    assert [route.provider for route in found[AS_SET].routes] == ["two"]


@pytest.mark.parametrize(
    ("said", "values"),
    [
        pytest.param("completion.multiline=auto,never", ["auto", "never"], id="words"),
        pytest.param("completion.multiline='auto', \"never\"", ["auto", "never"], id="quoted words"),
    ],
)
def test_values_are_words_or_toml(said: str, values: list[str]) -> None:
    found = varied(said)

    assert [config.completion.multiline for config in found.values()] == values
    assert [*found] == [f"completion.multiline={value}" for value in values]


def test_numbers_switches_and_lists_are_what_they_look_like() -> None:
    found = varied(
        "providers.one.max_tokens=8,64", "privacy.redact_secrets=false", "context.sources=[],['edits']"
    )

    config = found["providers.one.max_tokens=64, context.sources=['edits']"]
    assert config.providers["one"].max_tokens == 64
    assert config.context.sources == ("edits",)
    assert config.privacy.redact_secrets is False
    assert len(found) == 4


def test_a_provider_that_is_varied_is_the_one_that_is_asked() -> None:
    for name, config in varied("provider=one,two").items():
        assert (f"provider={config.provider}", config.routes) == (name, ())


def test_what_is_the_same_for_all_is_not_in_their_names() -> None:
    assert [*varied("provider=two")] == [AS_SET]
