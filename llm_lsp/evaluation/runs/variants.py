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

# What stands between a keystroke and its call is for typing: here every hole is worth a call, at once.
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
    """Settings, and what they are called."""

    name: str
    stack: SettingsStack
    key: str
    """Tells it from all others, in other runs, too: what other settings or versions gave is not taken for it."""
    asking: str
    """The same for variants that differ in their context alone: of equal prompts they would make the same."""
    provider: str
    """The provider that is asked, whose limits hold."""
    trigger: Trigger
    """Whether it is asked as while typing, or as by hand."""

    @classmethod
    def of(cls, name: str, stack: SettingsStack, trigger: Trigger) -> Variant:
        """Return settings without debounce and gates, and without fallbacks."""
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
