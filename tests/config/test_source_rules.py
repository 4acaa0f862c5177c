"""Which source may decide where code is sent: every source, times every dangerous key."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_lsp.config.settings import ChatConfig, Config, LocalConfig, ProviderConfig
from llm_lsp.config.source_rules import HARMLESS, STRICTER, USERS_ALONE, SettingsSource
from llm_lsp.config.value_types import section_of
from llm_lsp.core.privacy.addresses import is_loopback
from tests.config.examples import CHOOSERS, PRESETS, USERS_OWN, WAYS_IN, resolve, users_own
from tests.config.mappings import EVIL, MAPPINGS, TEAM


def team(**changes: object) -> dict[str, object]:
    return {"providers": {"team": changes}}


def new(**changes: object) -> dict[str, object]:
    table = {"api": "openai-completions", "base_url": "http://127.0.0.1:1/v1", **changes}
    return {"provider": "new", "providers": {"new": table}}


# Nothing of these may have any effect, whichever way they come.
REDIRECTS = {
    "another address": team(base_url=EVIL),
    "suffix of the host": team(base_url=TEAM + ".evil.tld"),
    "user before the host": team(base_url=TEAM + "@evil.tld"),
    "fragment before the host": team(base_url="https://evil.tld#llm.team.example"),
    "backslash": team(base_url="https://evil.tld\\@llm.team.example"),
    "another port": team(base_url=TEAM + ":8443/v1"),
    "http in place of https": team(base_url="http://llm.team.example/v1"),
    "another path": team(base_url=TEAM + "/collect"),
    "look-alike": team(base_url="https://llm.tеam.example"),
    "an enabled provider's key to loopback": team(base_url="http://127.0.0.1:9/v1"),
    "another dialect": team(api="ollama"),
    "another model": team(model="most-expensive"),
    "another key": team(api_key_env="AWS_SECRET_ACCESS_KEY"),
    "a command": team(api_key_command=["sh", "-c", "curl evil.tld"]),
    "headers": team(headers={"x-forward-to": "evil.tld"}),
    "body": team(extra_body={"webhook": EVIL}),
    "readable on the way": team(allow_http=True),
    "more tokens": team(max_tokens=4096),
    "more context": team(context_tokens=100_000),
    "free": team(free=True),
    "local": team(local=True),
    "more calls": team(max_in_flight=64),
    "bill": team(cancel_stops_billing=False),
    "thoughts that are paid": team(thinking="manual"),
    "answers that are paid to their end": team(stream=False),
    "a remote provider": new(base_url=EVIL),
    "a remote provider called local": new(base_url=EVIL, local=True),
    "unspecified address": new(base_url="http://0.0.0.0:1"),
    "another machine in the net": new(base_url="http://192.168.0.7:8080", allow_http=True),
    "a preset": {"provider": "codestral"},
    "a preset's table": {"provider": "codestral", "providers": {"codestral": {}}},
    "a preset elsewhere": {"provider": "codestral", "providers": {"codestral": {"base_url": EVIL}}},
    "automatic, redefined": {"providers": {"auto": {"api": "ollama", "base_url": EVIL}}},
    "local, redefined": {"providers": {"local": {"api": "ollama", "base_url": EVIL}}},
    "views of other programs": {"privacy": {"schemes": ["output"]}},
    "secret files": {"privacy": {"exclude_defaults": False}},
    "excluded files taken back": {"privacy": {"exclude": ["!*.secret", "!.env"]}},
    "a model file of the repository": {"local": {"model": "./evil.gguf"}},
    "a model file by a Windows path": {"local": {"model": "C:\\evil"}},
    "a model file beside": {"local": {"model": "evil.GGUF"}},
}


@pytest.mark.parametrize("danger", REDIRECTS.values(), ids=REDIRECTS.keys())
@pytest.mark.parametrize("way", WAYS_IN, ids=lambda way: way.value)
def test_no_way_in_lets_danger_through(way: SettingsSource, danger: dict[str, object]) -> None:
    resolved = resolve((SettingsSource.USER_FILE, USERS_OWN), (way, danger))

    assert resolved.config == users_own()
    # A policy that would only loosen, or speaks of what is not here, is no mistake.
    assert resolved.problems or way is SettingsSource.POLICY_FILE


@pytest.mark.parametrize("danger", REDIRECTS.values(), ids=REDIRECTS.keys())
def test_two_ways_together_let_no_danger_through(danger: dict[str, object]) -> None:
    layers = [(way, danger) for way in WAYS_IN]
    assert resolve((SettingsSource.USER_FILE, USERS_OWN), *layers).config == users_own()


@pytest.mark.parametrize("danger", REDIRECTS.values(), ids=REDIRECTS.keys())
@pytest.mark.parametrize("way", WAYS_IN, ids=lambda way: way.value)
def test_without_a_user_file_nothing_leaves_the_machine(
    way: SettingsSource, danger: dict[str, object]
) -> None:
    config = resolve((way, danger)).config
    assert all(is_loopback(provider.base_url) for provider in config.providers.values())
    assert all(no_key(provider) for provider in config.providers.values())
    assert config.local == LocalConfig()


@pytest.mark.parametrize(
    "danger",
    [
        pytest.param(team(base_url=EVIL), id="address"),
        pytest.param(team(api_key_env="OTHER"), id="key"),
        pytest.param(team(headers={"a": "b"}), id="headers"),
        pytest.param({"provider": "codestral"}, id="preset"),
    ],
)
def test_the_user_may_say_it_all(danger: dict[str, object]) -> None:
    resolved = resolve((SettingsSource.USER_FILE, USERS_OWN), (SettingsSource.COMMAND_LINE, danger))
    assert resolved.config != users_own()
    assert resolved.problems == ()


class TestDefaults:
    """What the machine's defaults file can do: all that the user can, and the user overrides it."""

    @pytest.mark.parametrize("danger", REDIRECTS.values(), ids=REDIRECTS.keys())
    def test_others_cannot_change_them(self, danger: dict[str, object]) -> None:
        layers = [(way, danger) for way in WAYS_IN]
        assert resolve((SettingsSource.DEFAULTS_FILE, USERS_OWN), *layers).config == users_own()

    def test_a_policy_tightens_them(self) -> None:
        policy = {"privacy": {"remote": False}}
        resolved = resolve((SettingsSource.DEFAULTS_FILE, USERS_OWN), (SettingsSource.POLICY_FILE, policy))
        assert resolved.config.providers == {}

    def test_a_provider_that_the_user_moves_takes_no_key_along(self) -> None:
        machines = team(
            api="openai-chat", base_url=TEAM, api_key_command=["sso", "token"], headers={"x-team": "1"}
        )
        mine = team(base_url="https://mine.example/v1")
        resolved = resolve((SettingsSource.DEFAULTS_FILE, machines), (SettingsSource.USER_FILE, mine))
        provider = resolved.config.providers["team"]
        assert provider.base_url == "https://mine.example/v1"
        assert no_key(provider)
        assert provider.headers == {}


class TestEditor:
    """What the editor's settings can do: choose, and name a loopback address without a key."""

    @pytest.fixture(
        params=[SettingsSource.EDITOR_USER, SettingsSource.INITIALIZATION, SettingsSource.EDITOR],
        ids=lambda way: way.value,
    )
    def way(self, request: pytest.FixtureRequest) -> SettingsSource:
        source = request.param
        assert isinstance(source, SettingsSource)
        return source

    def test_it_names_a_loopback_address(self, way: SettingsSource) -> None:
        resolved = resolve(
            (way, new(model="m", local=False, free=True, max_in_flight=2, cancel_stops_billing=True))
        )
        assert resolved.problems == ()
        assert resolved.config.provider == "new"
        assert resolved.config.providers["new"].base_url == "http://127.0.0.1:1/v1"

    def test_what_it_enables_is_marked(self, way: SettingsSource) -> None:
        config = resolve((SettingsSource.USER_FILE, USERS_OWN), (way, {**new(), "provider": "ollama"})).config
        assert {name: provider.unvouched for name, provider in config.providers.items()} == {
            "team": False,
            "new": True,
            "ollama": True,
        }

    def test_it_cannot_take_the_mark_away(self, way: SettingsSource) -> None:
        resolved = resolve((way, new(unvouched=False)))
        assert resolved.config.providers["new"].unvouched
        assert [problem.message for problem in resolved.problems] == [
            'unknown setting "providers.new.unvouched"'
        ]

    def test_the_user_takes_the_mark_away_by_enabling_it(self, way: SettingsSource) -> None:
        config = resolve(
            (SettingsSource.USER_FILE, {"provider": "ollama"}), (way, {"provider": "ollama"})
        ).config
        assert not config.providers["ollama"].unvouched

    def test_it_chooses_an_enabled_provider(self, way: SettingsSource) -> None:
        resolved = resolve(
            (SettingsSource.USER_FILE, {**USERS_OWN, "provider": "auto"}), (way, {"provider": "team"})
        )
        assert (resolved.config.provider, resolved.problems) == ("team", ())

    def test_it_chooses_a_preset_on_this_machine_without_its_key(self, way: SettingsSource) -> None:
        resolved = resolve((way, {"provider": "ollama"}))
        assert (resolved.config.provider, resolved.problems) == ("ollama", ())
        assert no_key(resolved.config.providers["ollama"])

    def test_a_remote_preset_is_refused_with_the_command_that_enables_it(self, way: SettingsSource) -> None:
        (problem,) = resolve((way, {"provider": "codestral"})).problems
        assert problem.message == 'provider "codestral" is not enabled; run `llm-lsp provider add codestral`'
        assert problem.source == way.value

    @pytest.mark.parametrize("key", sorted(USERS_ALONE))
    def test_a_loopback_address_gets_no_key_and_is_not_sent_on(self, way: SettingsSource, key: str) -> None:
        values = {"api_key_env": "HOME", "api_key_command": ["id"], "allow_http": True, "ca_file": "x.pem"}
        value = values.get(key, "x" if "affinity" in key else {"model": "x:cloud"})
        resolved = resolve((way, new(**{key: value})))
        assert [problem.message for problem in resolved.problems] == [
            f"providers.new.{key}: only your own settings file may set this"
        ]
        assert no_key(resolved.config.providers["new"])
        assert resolved.config.providers["new"].extra_body == {}

    def test_a_presets_key_does_not_follow_to_loopback(self, way: SettingsSource) -> None:
        config = resolve((way, {"providers": {"codestral": {"base_url": "http://127.0.0.1:9"}}})).config
        assert no_key(config.providers["codestral"])

    @pytest.mark.parametrize(
        "model", ["qwen3-coder:480b-cloud", "glm-4.6:cloud", "GPT-OSS:20B-CLOUD ", "x:cloud"]
    )
    def test_it_cannot_name_a_model_in_a_cloud(self, way: SettingsSource, model: str) -> None:
        resolved = resolve((way, {"provider": "ollama", "providers": {"ollama": {"model": model}}}))
        assert resolved.config.providers["ollama"].model == ""
        assert len(resolved.problems) == 1

    @pytest.mark.parametrize("setting", sorted(HARMLESS))
    def test_it_may_tune_an_enabled_provider(self, way: SettingsSource, setting: str) -> None:
        value = {"fim": "none", "temperature": 0.5, "timeout_s": 3.0}[setting]
        resolved = resolve((SettingsSource.USER_FILE, USERS_OWN), (way, team(**{setting: value})))
        assert getattr(resolved.config.providers["team"], setting) == value
        assert resolved.problems == ()

    def test_repeating_what_the_user_said_is_no_slip(self, way: SettingsSource) -> None:
        resolved = resolve((SettingsSource.USER_FILE, USERS_OWN), (way, USERS_OWN))
        assert resolved.problems == ()
        assert resolved.config == users_own()

    def test_its_switch_turns_off_and_not_on(self, way: SettingsSource) -> None:
        if way is SettingsSource.EDITOR_USER:
            return  # It is the user's.
        assert not resolve((way, {"enabled": False})).config.enabled
        assert not resolve(
            (SettingsSource.USER_FILE, {"enabled": False}), (way, {"enabled": True})
        ).config.enabled

    def test_a_users_provider_takes_nothing_from_the_editors_of_the_same_name(
        self, way: SettingsSource
    ) -> None:
        mine = {"providers": {"new": {"api": "ollama", "base_url": TEAM, "api_key_env": "K"}}}
        resolved = resolve((way, new(local=True)), (SettingsSource.COMMAND_LINE, mine))
        assert resolved.config.providers["new"] == ProviderConfig("new", "ollama", TEAM, api_key_env="K")


# By how often a model is asked: what a user may have said, and what a stranger would have instead.
PACES: dict[str, tuple[object, object]] = {
    "trigger": ("manual", "auto"),
    "languages": (["go"], []),
    "debounce_ms": (300, 0),
    "gates": (["mid-line", "statement-end", "deleting"], []),
    "calls_per_minute": (30, 6000),
}
CHATS = [{"system_prompt": "Obey."}, {"examples": [{"before": "a" * 9999, "answer": "b"}]}]


class TestPaidCalls:
    """Of what makes paid calls more or dearer, strangers only get less; the user's editor settings are the user's."""

    @pytest.mark.parametrize("setting", PACES)
    @pytest.mark.parametrize("way", [way for way in WAYS_IN if way is not SettingsSource.EDITOR_USER])
    def test_nobody_else_asks_more_often(self, way: SettingsSource, setting: str) -> None:
        mine, theirs = PACES[setting]
        own = resolve((SettingsSource.USER_FILE, {"completion": {setting: mine}})).config
        both = resolve(
            (SettingsSource.USER_FILE, {"completion": {setting: mine}}),
            (way, {"completion": {setting: theirs}}),
        )

        assert both.config == own

    @pytest.mark.parametrize("setting", PACES)
    @pytest.mark.parametrize("way", CHOOSERS)
    def test_the_defaults_are_bounds_too(self, way: SettingsSource, setting: str) -> None:
        if PACES[setting][1] not in ("auto", []) or setting == "gates":
            assert resolve((way, {"completion": {setting: PACES[setting][1]}})).config == Config()

    @pytest.mark.parametrize("setting", PACES)
    @pytest.mark.parametrize("way", [way for way in WAYS_IN if way is not SettingsSource.EDITOR_USER])
    def test_everybody_may_ask_less_often(self, way: SettingsSource, setting: str) -> None:
        less, more = PACES[setting]
        config = resolve(
            (SettingsSource.USER_FILE, {"completion": {setting: more}}),
            (way, {"completion": {setting: less}}),
        ).config

        wanted = resolve((SettingsSource.USER_FILE, {"completion": {setting: less}})).config
        assert config == wanted

    @pytest.mark.parametrize("setting", PACES)
    def test_the_users_editor_settings_win_over_the_users_file(self, setting: str) -> None:
        mine, other = PACES[setting]
        resolved = resolve(
            (SettingsSource.USER_FILE, {"completion": {setting: mine}}),
            (SettingsSource.EDITOR_USER, {"completion": {setting: other}}),
        )

        assert resolved.config == resolve((SettingsSource.USER_FILE, {"completion": {setting: other}})).config
        assert resolved.problems == ()

    def test_a_workspace_is_bound_by_what_the_users_editor_settings_say(self) -> None:
        calls = {"completion": {"calls_per_minute": 200}}
        more = {"completion": {"calls_per_minute": 300}}
        config = resolve((SettingsSource.EDITOR, more), (SettingsSource.EDITOR_USER, calls)).config

        assert config.completion.calls_per_minute == 200

    def test_the_users_editor_settings_may_raise_the_users_budget(self) -> None:
        config = resolve(
            (SettingsSource.USER_FILE, {"budget": {"per_day": 1.0}}),
            (SettingsSource.EDITOR_USER, {"budget": {"perDay": 5.0}, "enabled": True}),
            (SettingsSource.EDITOR, {"budget": {"perDay": 9.0}}),
        ).config

        assert config.budget.per_day == 5.0

    @pytest.mark.parametrize("chat", CHATS)
    @pytest.mark.parametrize("way", CHOOSERS)
    def test_nobody_else_makes_each_prompt_longer(self, way: SettingsSource, chat: dict[str, object]) -> None:
        resolved = resolve((way, {"chat": chat}))

        assert resolved.config.chat == ChatConfig()
        assert len(resolved.problems) == 1


class TestTightening:
    """What a workspace file and a policy file can do."""

    @pytest.mark.parametrize(
        "way", [SettingsSource.WORKSPACE_FILE, SettingsSource.POLICY_FILE], ids=lambda way: way.value
    )
    @pytest.mark.parametrize(
        ("user", "stricter", "result"),
        [
            pytest.param({}, {"enabled": False}, {"enabled": False}, id="off"),
            pytest.param({}, {"completion": {"trigger": "manual"}}, {"trigger": "manual"}, id="manual"),
            pytest.param(
                {}, {"completion": {"languages": ["go"]}}, {"languages": ("go",)}, id="some languages"
            ),
            pytest.param(
                {"completion": {"languages": ["go", "c"]}},
                {"completion": {"languages": ["c", "lua"]}},
                {"languages": ("c",)},
                id="fewer languages",
            ),
            pytest.param(
                {"completion": {"languages": ["go"]}},
                {"completion": {"languages": ["c"]}},
                {"languages": ("none",)},
                id="no common language",
            ),
            pytest.param(
                {"completion": {"languages": ["go"]}},
                {"completion": {"languages": []}},
                {"languages": ("go",)},
                id="no list of languages",
            ),
            pytest.param(
                {}, {"completion": {"debounce_ms": 900}}, {"debounce_ms": 900}, id="longer than automatic"
            ),
            pytest.param(
                {"completion": {"debounce_ms": 50}},
                {"completion": {"debounce_ms": "auto"}},
                {"debounce_ms": "auto"},
                id="automatic is longer",
            ),
            pytest.param(
                {}, {"privacy": {"exclude": ["b"]}}, {"exclude": ("*.secret", "b")}, id="more excluded"
            ),
            pytest.param(
                {"privacy": {"exclude_defaults": False}},
                {"privacy": {"exclude_defaults": True}},
                {"exclude_defaults": True},
                id="secret files again",
            ),
            pytest.param(
                {"context": {"sources": ["edits", "similar"]}},
                {"context": {"sources": ["similar", "signatures"]}},
                {"sources": ("similar",)},
                id="fewer sources of context",
            ),
            pytest.param(
                {"context": {"sources": "auto"}},
                {"context": {"sources": ["similar"]}},
                {"sources": ("similar",)},
                id="automatic is all sources",
            ),
            pytest.param({}, {"context": {"share": 0.1}}, {"share": 0.1}, id="less context"),
        ],
    )
    def test_stricter_values_hold(
        self,
        way: SettingsSource,
        user: dict[str, object],
        stricter: dict[str, object],
        result: dict[str, object],
    ) -> None:
        resolved = resolve((SettingsSource.USER_FILE, {**USERS_OWN, **user}), (way, stricter))
        config = resolved.config
        flat = {each.name: getattr(config, each.name) for each in fields(config)}
        for section in (config.completion, config.context, config.privacy):
            flat |= {each.name: getattr(section, each.name) for each in fields(section)}
        assert {name: flat[name] for name in result} == result
        assert resolved.problems == ()

    def test_the_policy_is_read_after_the_editor_and_the_command_line(self) -> None:
        config = resolve(
            (
                SettingsSource.POLICY_FILE,
                {"completion": {"trigger": "manual"}, "providers": {"team": {"max_tokens": 8}}},
            ),
            (SettingsSource.EDITOR, {"completion": {"trigger": "auto"}}),
            (SettingsSource.COMMAND_LINE, {"completion": {"trigger": "auto"}}),
            (SettingsSource.USER_FILE, USERS_OWN),
        ).config
        assert config.completion.trigger == "manual"
        assert config.providers["team"].max_tokens == 8

    @pytest.mark.parametrize("way", [way for way in WAYS_IN if way is not SettingsSource.EDITOR_USER])
    @pytest.mark.parametrize("sources", [["similar"], "auto"])
    def test_nobody_else_takes_more_context(self, way: SettingsSource, sources: object) -> None:
        less = {"context": {"sources": [], "share": 0.1}}
        more = {"context": {"sources": sources, "share": 0.5}}
        config = resolve((SettingsSource.USER_FILE, less), (way, more)).config
        assert (config.context.sources, config.context.share) == ((), 0.1)

    def test_globs_that_take_back_are_dropped_and_the_others_hold(self) -> None:
        resolved = resolve((SettingsSource.WORKSPACE_FILE, {"privacy": {"exclude": ["!.env", "a"]}}))
        assert resolved.config.privacy.exclude == ("a",)
        assert len(resolved.problems) == 1

    @pytest.mark.parametrize(
        "chat", [{"system_prompt": "Obey."}, {"examples": [{"before": "a", "answer": "b"}]}]
    )
    def test_a_workspace_file_does_not_tell_the_model_its_rules(self, chat: dict[str, object]) -> None:
        resolved = resolve((SettingsSource.WORKSPACE_FILE, {"chat": chat}))
        assert resolved.config.chat == ChatConfig()
        assert len(resolved.problems) == 1

    def test_a_workspace_file_names_no_provider(self) -> None:
        (problem,) = resolve((SettingsSource.WORKSPACE_FILE, {"providers": new()["providers"]})).problems
        assert problem.message == "providers.new: only your own settings file may define a provider"


def test_every_rule_is_about_a_setting_that_exists() -> None:
    names = {each.name for each in fields(ProviderConfig)}
    assert names >= HARMLESS
    assert names >= USERS_ALONE
    for path in STRICTER:
        kind: Any = ProviderConfig if path[0] == "providers" else Config
        for name in path[2:] if path[0] == "providers" else path:
            known = {each.name: each.type for each in fields(kind)}
            assert name in known
            kind = section_of(known[name]) or kind


LAYERS = st.lists(st.tuples(st.sampled_from(WAYS_IN), MAPPINGS), min_size=1, max_size=3)


@settings(max_examples=200)
@given(LAYERS)
def test_whatever_strangers_say_the_user_is_at_least_as_safe(
    layers: list[tuple[SettingsSource, dict[str, object]]],
) -> None:
    before, after = users_own(), resolve((SettingsSource.USER_FILE, USERS_OWN), *layers).config

    mine, now = before.providers["team"], after.providers["team"]
    assert replace(now, max_tokens=mine.max_tokens) == mine
    assert now.max_tokens <= mine.max_tokens
    for name, provider in after.providers.items():
        assert name == "team" or (is_loopback(provider.base_url) and no_key(provider))
        assert name == "team" or not provider.model.endswith("cloud")
    assert after.provider in {"auto", *after.providers}
    assert set(before.privacy.exclude) <= set(after.privacy.exclude)
    assert not any(glob.startswith("!") for glob in after.privacy.exclude)
    assert after.privacy.exclude_defaults


def no_key(provider: ProviderConfig) -> bool:
    return not (provider.api_key_env or provider.api_key_command or provider.headers)


def test_the_presets_of_these_tests_have_keys() -> None:
    assert all(preset.api_key_env for preset in PRESETS.values())


class TestNextEdits:
    """Which model writes next edits: each pause in typing may be a paid call, so only the user names it."""

    @pytest.mark.parametrize(
        "way",
        [way for way in WAYS_IN if way is not SettingsSource.EDITOR_USER],
        ids=lambda way: way.value,
    )
    @pytest.mark.parametrize("wanted", [{"provider": "team"}, {"enabled": True}, {"provider": "codestral"}])
    def test_others_name_no_model(self, way: SettingsSource, wanted: dict[str, object]) -> None:
        resolved = resolve((SettingsSource.USER_FILE, USERS_OWN), (way, {"edits": wanted}))

        assert resolved.config == users_own()

    @pytest.mark.parametrize("way", WAYS_IN, ids=lambda way: way.value)
    def test_others_may_switch_them_off(self, way: SettingsSource) -> None:
        own = {**USERS_OWN, "edits": {"enabled": True, "provider": "team"}}

        edits = resolve(
            (SettingsSource.USER_FILE, own), (way, {"edits": {"enabled": False, "provider": "auto"}})
        ).config.edits

        assert (edits.enabled, edits.provider) == (False, "auto")

    def test_the_user_names_one_that_is_enabled(self) -> None:
        found = resolve((SettingsSource.USER_FILE, {**USERS_OWN, "edits": {"provider": "team"}}))
        unknown = resolve((SettingsSource.USER_FILE, {**USERS_OWN, "edits": {"provider": "tema"}}))

        assert found.config.edits.provider == "team"
        assert found.problems == ()
        assert unknown.config.edits.provider == "auto"
        assert 'did you mean "team"' in unknown.problems[0].message
