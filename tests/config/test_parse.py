"""One mapping gives checked values, and one message for each thing that is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.config.parse import Parsed, Path, parse
from tests.config.json_values import JSON

MINE = ("providers", "mine")


@pytest.mark.parametrize(
    ("settings", "path", "value"),
    [
        pytest.param({"enabled": False}, ("enabled",), False, id="switch"),
        pytest.param({"completion": {"debounce_ms": 120}}, ("completion", "debounce_ms"), 120, id="number"),
        pytest.param(
            {"completion": {"debounce_ms": "auto"}}, ("completion", "debounce_ms"), "auto", id="auto"
        ),
        pytest.param(
            {"completion": {"debounce_ms": 120.0}}, ("completion", "debounce_ms"), 120, id="whole float"
        ),
        pytest.param(
            {"local": {"idle_minutes": 1}}, ("local", "idle_minutes"), 1.0, id="integer for a float"
        ),
        pytest.param({"completion": {"languages": ["go"]}}, ("completion", "languages"), ("go",), id="list"),
        pytest.param(
            {"completion": {"languages": {}}}, ("completion", "languages"), (), id="Lua's empty list"
        ),
        pytest.param({"providers": {"mine": {}}}, (*MINE, "name"), "mine", id="a table without keys"),
        pytest.param({"providers": {"mine": []}}, (*MINE, "name"), "mine", id="Lua's empty table"),
        pytest.param(
            {"providers": {"mine": {"extra_body": {"a": {"bC": 1}}}}},
            (*MINE, "extra_body"),
            {"a": {"bC": 1}},
            id="free table",
        ),
        pytest.param({"providers": {"mine": {"headers": []}}}, (*MINE, "headers"), {}, id="empty headers"),
    ],
)
def test_a_good_value_is_taken(settings: dict[str, object], path: Path, value: object) -> None:
    parsed = parse(settings)
    assert parsed.faults == ()
    assert parsed.values[path] == value
    assert type(parsed.values[path]) is type(value)


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"enabeld": True}, 'unknown setting "enabeld", did you mean "enabled"?'),
        (
            {"completion": {"debounce": 5}},
            'unknown setting "completion.debounce", did you mean "debounce_ms"?',
        ),
        ({"qqq": 1}, 'unknown setting "qqq"'),
        ({"debounce_ms": 5}, 'unknown setting "debounce_ms", did you mean "completion.debounce_ms"?'),
        ({"enabled": 1}, "enabled must be true or false, not 1"),
        ({"enabled": "yes"}, "enabled must be true or false"),
        (
            {"completion": {"menu": "nevr"}},
            'completion.menu must be "auto", "never" or "always", not "nevr", did you mean "never"?',
        ),
        (
            {"completion": {"debounce_ms": 5001}},
            'completion.debounce_ms must be a whole number from 0 to 5000 or "auto", not 5001',
        ),
        (
            {"completion": {"debounce_ms": 1.5}},
            'completion.debounce_ms must be a whole number from 0 to 5000 or "auto", not 1.5',
        ),
        ({"completion": {"languages": "go"}}, "completion.languages must be a list, each text"),
        ({"completion": {"languages": [1]}}, "completion.languages must be a list, each text"),
        (
            {"providers": {"mine": {"fim": "qwenn"}}},
            'providers.mine.fim must be "auto", "native", "chat", "none" or a template family, not "qwenn", did you mean "qwen"?',
        ),
        ({"completion": 3}, "completion must be a table"),
        ({"providers": {"mine": "x"}}, "providers.mine must be a table"),
        ({"providers": {"mine": {"headers": {"a": 1}}}}, "providers.mine.headers must be a table, each text"),
        (
            {"providers": {"mine": {"max_tokens": True}}},
            "providers.mine.max_tokens must be a whole number from 1 to 8192, not true",
        ),
        ({"providers": {"mine": {"name": "x"}}}, 'unknown setting "providers.mine.name"'),
        (
            {"providers": {"a/b": {}}},
            "providers: \"a/b\" must be a name made of letters, digits, '.', '_' and '-'",
        ),
        (
            {"providers": {"mine": {"base_url": "https://u:p@host"}}},
            "providers.mine.base_url must be an http or https address without user, password, query and fragment",
        ),
    ],
)
def test_a_slip_gives_one_message_and_nothing_else(settings: dict[str, object], fault: str) -> None:
    parsed = parse(settings)
    assert parsed.faults == (fault,)
    assert {path for path in parsed.values if path[-1] != "name"} == set()


def test_one_slip_leaves_the_rest() -> None:
    parsed = parse({"enabled": False, "completion": {"menu": 1, "trigger": "manual"}, "x": 1})
    assert parsed.values == {("enabled",): False, ("completion", "trigger"): "manual"}
    assert len(parsed.faults) == 2


@pytest.mark.parametrize("key", ["sk-proj-Ab12", "AIzaSyAbc", "ghp_abcDEF", "a b"])
def test_a_key_in_place_of_a_variable_is_refused_and_not_shown(key: str) -> None:
    parsed = parse({"providers": {"mine": {"api_key_env": key}}})
    assert "never the key itself" in parsed.faults[0]
    assert key not in parsed.faults[0]


@pytest.mark.parametrize("number", [float("inf"), float("nan"), 10**400, -(10**400), 1e300])
def test_numbers_beyond_all_measure_are_refused(number: float) -> None:
    assert parse({"local": {"idle_minutes": number}}).values == {}
    assert parse({"local": {"threads": number}}).values == {}


class TestEditor:
    """An editor writes settings in its own ways."""

    def test_camel_case_is_understood(self) -> None:
        settings = {"completion": {"debounceMs": 9}, "providers": {"myName": {"baseUrl": "http://localhost"}}}
        parsed = parse(settings, from_editor=True)
        assert parsed.faults == ()
        assert parsed.values["completion", "debounce_ms"] == 9
        assert parsed.values["providers", "myName", "base_url"] == "http://localhost"

    def test_camel_case_in_a_file_is_a_slip(self) -> None:
        assert "debounce_ms" in parse({"completion": {"debounceMs": 9}}).faults[0]

    def test_null_is_not_set(self) -> None:
        settings = {"enabled": None, "completion": None, "providers": {"mine": None}}
        assert parse(settings, from_editor=True) == Parsed({}, ())

    @pytest.mark.parametrize("nothing", [None, {}, [], {"llm-lsp": None}, {"llm-lsp": {}}])
    def test_nothing_is_no_settings(self, nothing: object) -> None:
        assert parse(nothing, from_editor=True) == Parsed({}, ())

    def test_the_whole_may_stand_under_its_section(self) -> None:
        assert parse({"llm-lsp": {"enabled": False}}, from_editor=True).values == {("enabled",): False}

    @pytest.mark.parametrize("settings", ["text", 3, True, ["a"]])
    def test_what_is_no_table_is_one_message(self, settings: object) -> None:
        assert parse(settings, from_editor=True).faults == ("the settings must be a table",)


KEYS = st.sampled_from(
    ["enabled", "provider", "providers", "completion", "privacy", "local", "exclude", "model", "x"]
)


@given(st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON, max_size=3), max_size=4), st.booleans())
def test_any_mapping_gives_settings_and_one_line_messages(
    mapping: dict[str, object], from_editor: bool
) -> None:
    for fault in parse(mapping, from_editor=from_editor).faults:
        assert "\n" not in fault
        assert len(fault) < 300


def test_a_bad_glob_is_left_out_and_the_others_hold() -> None:
    parsed = parse({"privacy": {"exclude": ["a.py", "\\", "!", 3, "[a-z", "/b/"]}})

    assert parsed.values["privacy", "exclude"] == ("a.py", "/b/")
    assert parsed.faults == tuple(
        f"item {number} of privacy.exclude must be a glob in .gitignore syntax" for number in (2, 3, 4, 5)
    )


def test_globs_that_are_no_list_are_one_fault() -> None:
    (fault,) = parse({"privacy": {"exclude": "a.py"}}).faults
    assert fault == "privacy.exclude must be a list, each a glob in .gitignore syntax"
