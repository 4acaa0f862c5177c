"""Layers that come, change and go in any order come to what the last of each come to, however they came."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from tests.config.examples import PRESETS, USERS_OWN
from tests.config.json_values import JSON
from tests.config.mappings import MAPPINGS
from tests.fuzz.examples import fuzzed

SOURCES = st.sampled_from(list(SettingsSource))
LABELS = st.sampled_from(["", "/one", "/two"])


class AnyOrder(RuleBasedStateMachine):
    """One stack that lives, and the last settings of each source and label."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = SettingsStack(PRESETS)
        self.last: dict[tuple[SettingsSource, str], dict[str, object]] = {}

    @rule(source=SOURCES, label=LABELS, settings=MAPPINGS)
    def say(self, source: SettingsSource, label: str, settings: dict[str, object]) -> None:
        self.stack = self.stack.with_layer(source, settings, label)
        self.last.setdefault((source, label), {})
        self.last[source, label] = settings

    @rule(source=SOURCES, settings=st.dictionaries(st.text(max_size=9), JSON, max_size=3))
    def say_nonsense(self, source: SettingsSource, settings: dict[str, object]) -> None:
        self.say(source, "", settings)

    @rule()
    def be_a_user(self) -> None:
        self.say(SettingsSource.USER_FILE, "", dict(USERS_OWN))

    @rule(source=SOURCES)
    def be_silent(self, source: SettingsSource) -> None:
        self.stack = self.stack.without(source)
        self.last = {key: settings for key, settings in self.last.items() if key[0] is not source}

    @invariant()
    def only_the_last_of_each_counts(self) -> None:
        fresh = SettingsStack(PRESETS)
        for (source, label), said in self.last.items():
            fresh = fresh.with_layer(source, said, label)
        assert fresh.resolve() == self.stack.resolve()

    @invariant()
    def every_setting_has_an_origin_and_every_problem_is_a_line(self) -> None:
        resolved = self.stack.resolve()
        labels = {label or source.value for source, label in self.last}
        for origin in resolved.origins.values():
            assert origin.startswith("preset ") or set(origin.split(", ")) <= labels | {"default"}
        assert all("\n" not in problem.message for problem in resolved.problems)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(fuzzed, stateful_step_count=12)
