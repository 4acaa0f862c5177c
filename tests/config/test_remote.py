"""Where code may be sent at all: `privacy.remote` and `privacy.allowed_origins`, which a policy can tighten."""

from __future__ import annotations

import pytest

from llm_lsp.config.source_rules import SettingsSource
from tests.config.examples import USERS_OWN, WAYS_IN, resolve

REMOTE_OFF = {"privacy": {"remote": False}}
HERE = {"providers": {"here": {"api": "openai-completions", "base_url": "http://127.0.0.1:8012/v1"}}}


@pytest.mark.parametrize("source", [SettingsSource.USER_FILE, *WAYS_IN], ids=lambda source: source.value)
def test_whoever_says_so_nothing_remote_is_used(source: SettingsSource) -> None:
    resolved = resolve(
        (SettingsSource.USER_FILE, USERS_OWN),
        (source, REMOTE_OFF if source is not SettingsSource.USER_FILE else {**USERS_OWN, **REMOTE_OFF}),
    )

    assert resolved.config.provider == "auto"
    assert not resolved.config.providers
    assert [problem.message for problem in resolved.problems] == [
        f"providers.team: is not on this machine, and privacy.remote is false ({source.value})"
    ]


@pytest.mark.parametrize("source", WAYS_IN, ids=lambda source: source.value)
def test_nobody_but_the_user_can_allow_it_again(source: SettingsSource) -> None:
    layers = (SettingsSource.USER_FILE, {**USERS_OWN, **REMOTE_OFF}), (source, {"privacy": {"remote": True}})
    assert not resolve(*layers).config.providers


def test_a_server_on_this_machine_is_looked_at_where_nothing_remote_is_allowed() -> None:
    assert not resolve((SettingsSource.USER_FILE, HERE)).config.providers["here"].unvouched

    assert (
        resolve((SettingsSource.USER_FILE, HERE), (SettingsSource.POLICY_FILE, REMOTE_OFF))
        .config.providers["here"]
        .unvouched
    )


def test_a_gateway_on_this_machine_is_remote_where_its_user_says_so() -> None:
    gateway = {"providers": {"here": {**HERE["providers"]["here"], "local": False}}}
    assert not resolve(
        (SettingsSource.USER_FILE, gateway), (SettingsSource.POLICY_FILE, REMOTE_OFF)
    ).config.providers


@pytest.mark.parametrize(
    ("allowed", "is_kept"),
    [
        ([], True),
        (["https://llm.team.example"], True),
        (["https://llm.team.example:443/any/path"], True),
        (["https://other.example", "https://llm.team.example"], True),
        (["https://other.example"], False),
        (["https://llm.team.example:8443"], False),
        (["http://llm.team.example"], False),
        (["https://llm.team.example.evil.tld"], False),
    ],
)
def test_a_policy_names_the_origins_that_are_allowed(allowed: list[str], is_kept: bool) -> None:
    policy = {"privacy": {"allowed_origins": allowed}}
    assert (
        "team"
        in resolve(
            (SettingsSource.USER_FILE, USERS_OWN), (SettingsSource.POLICY_FILE, policy)
        ).config.providers
    ) is is_kept


def test_two_lists_allow_what_both_name() -> None:
    def origins(*lists: list[str]) -> tuple[str, ...]:
        sources = (SettingsSource.USER_FILE, SettingsSource.WORKSPACE_FILE, SettingsSource.POLICY_FILE)
        layers = [
            (source, {"privacy": {"allowed_origins": each}})
            for source, each in zip(sources, lists, strict=False)
        ]
        return resolve(*layers).config.privacy.allowed_origins

    assert origins(["https://a.example", "https://b.example"], ["https://b.example/v1"]) == (
        "https://b.example",
    )
    assert origins([], ["https://b.example"], []) == ("https://b.example",)
    assert origins(["https://a.example"], ["https://b.example"]) == ("https://none.invalid",)


def test_masking_cannot_be_switched_off_by_a_stranger() -> None:
    for way in WAYS_IN:
        assert resolve((way, {"privacy": {"redact_secrets": False}})).config.privacy.redact_secrets
    forced = resolve(
        (SettingsSource.USER_FILE, {"privacy": {"redact_secrets": False}}),
        (SettingsSource.POLICY_FILE, {"privacy": {"redact_secrets": True}}),
    )
    assert forced.config.privacy.redact_secrets
