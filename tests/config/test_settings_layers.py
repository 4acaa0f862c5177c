"""Layers merge in the order of their sources, and every setting says where it came from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llm_lsp.config.settings import Config, Problem, ProviderConfig
from llm_lsp.config.settings_layers import SettingsStack, by_source
from llm_lsp.config.source_rules import SettingsSource
from tests.config.examples import PRESETS, USERS_OWN, resolve

MINE = {"api": "ollama", "base_url": "http://localhost:1"}


def test_without_layers_all_is_default() -> None:
    resolved = SettingsStack().resolve()
    assert resolved.config == Config()
    assert resolved.problems == ()
    assert set(resolved.origins.values()) == {"default"}


def test_a_later_source_wins_however_the_layers_came() -> None:
    manual, auto = {"completion": {"trigger": "manual"}}, {"completion": {"trigger": "auto"}}
    first = resolve((SettingsSource.EDITOR, manual), (SettingsSource.USER_FILE, auto))
    second = resolve((SettingsSource.USER_FILE, auto), (SettingsSource.EDITOR, manual))
    assert first.config == second.config
    assert first.config.completion.trigger == "manual"


def test_new_settings_of_a_source_take_the_place_of_its_old_ones() -> None:
    stack = SettingsStack().with_layer("editor settings", {"completion": {"trigger": "manual"}})
    assert stack.with_layer("editor settings", {}).resolve().config == Config()
    assert stack.resolve().config.completion.trigger == "manual"


def test_two_files_of_a_source_stand_beside_each_other() -> None:
    stack = SettingsStack().with_layer(SettingsSource.WORKSPACE_FILE, {"privacy": {"exclude": ["a"]}}, "/one")
    stack = stack.with_layer(SettingsSource.WORKSPACE_FILE, {"privacy": {"exclude": ["b"]}}, "/two")
    resolved = stack.resolve()
    assert resolved.config.privacy.exclude == ("a", "b")
    assert resolved.origins["privacy.exclude"] == "/one, /two"
    assert stack.without(SettingsSource.WORKSPACE_FILE).resolve().config == Config()


def test_excludes_add_up_over_all_sources() -> None:
    layers = [(source, {"privacy": {"exclude": [source.value, "*.pem"]}}) for source in SettingsSource]
    assert resolve(*layers).config.privacy.exclude == (
        "defaults file",
        "*.pem",
        "user file",
        "editor's user settings",
        "workspace file",
        "trusted workspace file",
        "initializationOptions",
        "editor settings",
        "select command",
        "command line",
        "policy file",
    )


def test_origins_name_the_layer_the_preset_or_the_default() -> None:
    user = {"provider": "codestral", "providers": {"codestral": {"max_tokens": 9}}}
    origins = resolve(
        (SettingsSource.USER_FILE, user), (SettingsSource.EDITOR, {"completion": {"menu": "never"}})
    ).origins
    assert origins["provider"] == "user file"
    assert origins["providers.codestral.max_tokens"] == "user file"
    assert origins["providers.codestral.base_url"] == "preset codestral"
    assert origins["providers.codestral.stream"] == "default"
    assert origins["completion.menu"] == "editor settings"


def test_problems_of_reading_come_first_and_name_their_file() -> None:
    broken = Problem("/a", "cannot be read")
    stack = SettingsStack().with_layer(SettingsSource.USER_FILE, {"x": 1}, "/a", (broken,))
    assert stack.resolve().problems == (broken, Problem("/a", 'unknown setting "x"'))


def test_problems_of_one_source_are_one_message_with_the_first_ones() -> None:
    problems = [Problem("/a", f"no {n}") for n in range(1200)] + [Problem("/b", "bad")]

    assert by_source([*problems, Problem("/a", "no more")]) == (
        Problem("/a", "1,201 problems: no 0; no 1; no 2; and 1,198 more"),
        Problem("/b", "bad"),
    )


def test_of_three_problems_none_is_left_out() -> None:
    (problem,) = by_source(Problem("/a", f"no {n}") for n in range(3))

    assert problem.message == "3 problems: no 0; no 1; no 2"


@pytest.mark.parametrize("source", [source for source in SettingsSource if source.is_bounded])
@pytest.mark.parametrize(
    "flood",
    [
        pytest.param({"x": {"y": [list(range(500)), list(range(500))]}}, id="entries"),
        pytest.param({"privacy": {"exclude": ["*a" * 500] * 70}}, id="long globs"),
        pytest.param({"k" * 70_000: 1}, id="a long key"),
    ],
)
def test_settings_without_measure_are_refused_whole(source: SettingsSource, flood: dict[str, object]) -> None:
    resolved = resolve((source, {"completion": {"trigger": "manual"}, **flood}))

    assert resolved.config == Config()
    (problem,) = resolved.problems
    assert problem.message == "none of its settings are used: over 1,000 keys or 65,536 characters"


@pytest.mark.parametrize("source", [SettingsSource.USER_FILE, SettingsSource.POLICY_FILE])
def test_what_its_user_or_a_policy_says_is_used_however_long(source: SettingsSource) -> None:
    globs = [f"{n}{'a' * 100}" for n in range(1100)]

    assert len(resolve((source, {"privacy": {"exclude": globs}})).config.privacy.exclude) == 1100


class TestProviders:
    """Tables, presets and the choice among them."""

    def test_a_preset_fills_what_its_users_table_leaves_out(self) -> None:
        config = resolve((SettingsSource.USER_FILE, {"providers": {"codestral": {"max_tokens": 9}}})).config
        assert config.providers["codestral"] == replace(PRESETS["codestral"], max_tokens=9)

    def test_naming_a_preset_in_the_users_file_enables_it(self) -> None:
        config = resolve((SettingsSource.USER_FILE, {"provider": "codestral"})).config
        assert config.providers == {"codestral": PRESETS["codestral"]}

    def test_a_presets_key_stays_with_the_presets_origin(self) -> None:
        table = {"codestral": {"base_url": "https://proxy.example/v1"}}
        config = resolve((SettingsSource.USER_FILE, {"providers": table})).config
        assert config.providers["codestral"].api_key_env == ""

    def test_a_presets_key_follows_another_path_of_its_origin(self) -> None:
        table = {"codestral": {"base_url": "https://codestral.mistral.ai/v2"}}
        config = resolve((SettingsSource.USER_FILE, {"providers": table})).config
        assert config.providers["codestral"].api_key_env == "CODESTRAL_API_KEY"

    def test_a_preset_without_an_address_needs_one(self) -> None:
        presets = {"azure": ProviderConfig("azure", "openai-chat", "")}
        resolved = resolve((SettingsSource.USER_FILE, {"provider": "azure"}), presets=presets)
        assert resolved.problems == (Problem("user file", "providers.azure needs base_url"),)
        assert resolved.config.provider == "auto"

    @pytest.mark.parametrize("name", ["auto", "local"])
    def test_two_names_are_always_there(self, name: str) -> None:
        resolved = resolve((SettingsSource.EDITOR, {"provider": name}))
        assert (resolved.config.provider, resolved.problems) == (name, ())

    def test_a_choice_that_is_not_there_leaves_the_one_before(self) -> None:
        resolved = resolve(
            (SettingsSource.USER_FILE, USERS_OWN), (SettingsSource.EDITOR, {"provider": "tema"})
        )
        assert resolved.config.provider == "team"
        assert resolved.problems == (
            Problem("editor settings", 'unknown provider "tema", did you mean "team"?'),
        )

    def test_a_choice_may_come_before_its_table(self) -> None:
        layers = (
            (SettingsSource.INITIALIZATION, {"provider": "mine"}),
            (SettingsSource.EDITOR, {"providers": {"mine": MINE}}),
        )
        resolved = resolve(*layers)
        assert (resolved.config.provider, resolved.problems) == ("mine", ())

    def test_one_cause_gives_one_problem(self) -> None:
        bad = {"provider": "mine", "providers": {"mine": {"api": "ollama"}}}
        assert resolve((SettingsSource.USER_FILE, bad)).problems == (
            Problem("user file", "providers.mine needs base_url"),
        )

    @pytest.mark.parametrize(
        ("table", "usable"),
        [
            pytest.param({"base_url": "http://gpu.lan:8000"}, False, id="another machine"),
            pytest.param({"base_url": "http://gpu.lan:8000", "allow_http": True}, True, id="allowed"),
            pytest.param({"base_url": "http://127.0.0.1:8000"}, True, id="this machine"),
            pytest.param({"base_url": "https://gpu.lan:8000"}, True, id="encrypted"),
        ],
    )
    def test_code_travels_readable_only_by_the_users_leave(
        self, table: dict[str, object], usable: bool
    ) -> None:
        resolved = resolve((SettingsSource.USER_FILE, {"providers": {"mine": {"api": "ollama", **table}}}))
        assert ("mine" in resolved.config.providers) is usable
        assert len(resolved.problems) == (0 if usable else 1)
