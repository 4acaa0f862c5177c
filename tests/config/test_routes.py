"""Routes and fallbacks name only enabled providers, and only users and their editors may set them."""

from __future__ import annotations

import pytest

from llm_lsp.config.parse import parse
from llm_lsp.config.settings import RouteConfig
from llm_lsp.config.source_rules import SettingsSource
from tests.config.examples import USERS_OWN, resolve

STRONG = {"trigger": "manual", "provider": "team"}


def test_a_list_of_tables_becomes_rules_in_its_order() -> None:
    rules = [{"provider": "team", "language": ["go", "rust"], "path": "src/**"}, STRONG]
    resolved = resolve((SettingsSource.USER_FILE, {**USERS_OWN, "routes": rules}))
    assert resolved.problems == ()
    assert resolved.config.routes == (
        RouteConfig("team", ("go", "rust"), "src/**"),
        RouteConfig("team", trigger="manual"),
    )


def test_an_editors_camel_case_and_empty_tables_are_understood() -> None:
    assert parse({"routes": {}}, from_editor=True).values == {("routes",): ()}
    assert parse({"llm-lsp": {"routes": [STRONG]}}, from_editor=True).values == {
        ("routes",): (RouteConfig("team", trigger="manual"),)
    }


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        pytest.param({"trigger": "manual"}, "[[routes]] 2 needs provider", id="no provider"),
        pytest.param({**STRONG, "trigger": "manul"}, 'did you mean "manual"?', id="a slip in a value"),
        pytest.param({**STRONG, "lang": "go"}, 'did you mean "language"?', id="a slip in a key"),
        pytest.param({**STRONG, "path": "[a-z"}, "glob", id="a bad glob"),
        pytest.param("team", "must be a table", id="no table"),
    ],
)
def test_a_rule_with_a_slip_is_left_out_alone(rule: object, message: str) -> None:
    resolved = resolve((SettingsSource.USER_FILE, {**USERS_OWN, "routes": [STRONG, rule]}))
    assert resolved.config.routes == (RouteConfig("team", trigger="manual"),)
    assert message in resolved.problems[0].message
    assert len(resolved.problems) == 1


UNKNOWN = [
    pytest.param("codestral", "is not enabled; run `llm-lsp provider add codestral`", id="a preset"),
    pytest.param("taem", 'did you mean "team"?', id="a slip"),
]


@pytest.mark.parametrize(("name", "message"), UNKNOWN)
@pytest.mark.parametrize("source", [SettingsSource.INITIALIZATION, SettingsSource.EDITOR])
def test_an_editor_routes_to_nobody_who_is_not_enabled(
    source: SettingsSource, name: str, message: str
) -> None:
    resolved = resolve((SettingsSource.USER_FILE, USERS_OWN), (source, {"routes": [{"provider": name}]}))
    assert resolved.config.routes == ()
    assert [message in problem.message for problem in resolved.problems] == [True]


@pytest.mark.parametrize("source", [SettingsSource.INITIALIZATION, SettingsSource.EDITOR])
def test_an_editor_routes_among_the_enabled(source: SettingsSource) -> None:
    config = resolve((SettingsSource.USER_FILE, USERS_OWN), (source, {"routes": [STRONG]})).config
    assert config.routes == (RouteConfig("team", trigger="manual"),)


@pytest.mark.parametrize("source", [SettingsSource.WORKSPACE_FILE, SettingsSource.POLICY_FILE])
def test_a_repository_routes_nothing_anywhere(source: SettingsSource) -> None:
    settings = {"routes": [STRONG], "providers": {"team": {"fallback": ["local"]}}}
    resolved = resolve((SettingsSource.USER_FILE, USERS_OWN), (source, settings))
    assert resolved.config == resolve((SettingsSource.USER_FILE, USERS_OWN)).config
    assert len(resolved.problems) == 2


def test_the_user_enables_a_preset_by_naming_it() -> None:
    team = {"team": {**USERS_OWN["providers"]["team"], "fallback": ["codestral", "local"]}}  # type: ignore[index] # the example has it
    config = resolve(
        (SettingsSource.USER_FILE, {"providers": team, "routes": [{"provider": "ollama"}]})
    ).config
    assert config.providers["team"].fallback == ("codestral", "local")
    assert set(config.providers) == {"team", "codestral", "ollama"}


def test_a_fallback_to_nobody_is_left_out_and_said() -> None:
    team = {"team": {**USERS_OWN["providers"]["team"], "fallback": ["taem", "auto"]}}  # type: ignore[index] # the example has it
    resolved = resolve((SettingsSource.USER_FILE, {"providers": team}))
    assert resolved.config.providers["team"].fallback == ("auto",)
    assert [problem.message for problem in resolved.problems] == [
        'providers.team.fallback: unknown provider "taem", did you mean "team"?'
    ]


def test_an_editor_does_not_say_who_stands_in_for_the_users_provider() -> None:
    settings = {"providers": {"team": {"fallback": ["local"]}}}
    resolved = resolve((SettingsSource.USER_FILE, USERS_OWN), (SettingsSource.EDITOR, settings))
    assert resolved.config.providers["team"].fallback == ()
    assert len(resolved.problems) == 1
