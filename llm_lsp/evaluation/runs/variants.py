"""The settings that are measured side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from llm_lsp import __version__
from llm_lsp.config.settings import ContextConfig
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.request import Trigger

# Turns off what delays or prevents calls while typing: every hole gets a call, immediately.
UNGATED: Mapping[str, object] = {
    "enabled": True,
    "completion": {
        "trigger": "auto",
        "languages": [],
        "gates": [],
        "debounce_ms": 0,
        "calls_per_minute": 6000,
    },
}


@dataclass(frozen=True, slots=True)
class Variant:
    """Settings, and their name."""

    name: str
    stack: SettingsStack
    key: str
    """Identifies the settings and the program's version across runs."""
    asking: str
    """Like `key`, but the same for variants that differ only in context: for equal prompts they give equal
    answers.
    """
    provider: str
    """The provider in use, whose limits apply."""
    trigger: Trigger
    """Whether requests are automatic or manual."""

    @classmethod
    def of(cls, name: str, stack: SettingsStack, trigger: Trigger) -> Variant:
        """Return a variant of the settings without debounce, gates and fallbacks."""
        providers = stack.resolve().config.providers
        alone: Mapping[str, object] = {
            name: {"fallback": []} for name, provider in providers.items() if provider.fallback
        }
        stack = stack.with_layer(SettingsSource.COMMAND_LINE, {**UNGATED, "providers": alone}, "evaluation")
        config = stack.resolve().config
        key, asking = (
            hashlib.sha256(f"{__version__} {trigger} {each!r}".encode()).hexdigest()
            for each in (config, replace(config, context=ContextConfig()))
        )
        return cls(name, stack, f"{name} {key[:12]}", asking, config.provider, trigger)
