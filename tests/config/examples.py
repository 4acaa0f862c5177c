"""Settings that the tests of trust and merging start from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from llm_lsp.config.settings import Config, ProviderConfig
from llm_lsp.config.settings_layers import Resolved, SettingsStack
from llm_lsp.config.source_rules import SettingsSource

PRESETS: Mapping[str, ProviderConfig] = MappingProxyType(
    {
        "codestral": ProviderConfig(
            "codestral",
            "mistral-fim",
            "https://codestral.mistral.ai/v1",
            model="codestral-latest",
            api_key_env="CODESTRAL_API_KEY",
        ),
        "ollama": ProviderConfig("ollama", "ollama", "http://localhost:11434", api_key_env="OLLAMA_API_KEY"),
    }
)

# The settings of a user with one remote provider, with a key, in use.
USERS_OWN: Mapping[str, object] = MappingProxyType(
    {
        "provider": "team",
        "providers": {
            "team": {
                "api": "openai-chat",
                "base_url": "https://llm.team.example/v1",
                "model": "coder",
                "api_key_env": "TEAM_KEY",
                "max_tokens": 64,
            }
        },
        "privacy": {"exclude": ["*.secret"]},
    }
)

# Every way in of which a user's own editor is not told from a stranger's file.
CHOOSERS = (SettingsSource.TRUSTED_FILE, SettingsSource.INITIALIZATION, SettingsSource.EDITOR)

# Every way in that a stranger may stand behind.
WAYS_IN = (
    SettingsSource.EDITOR_USER,
    SettingsSource.WORKSPACE_FILE,
    SettingsSource.TRUSTED_FILE,
    SettingsSource.INITIALIZATION,
    SettingsSource.EDITOR,
    SettingsSource.POLICY_FILE,
)


def resolve(
    *layers: tuple[SettingsSource, Mapping[str, object]], presets: Mapping[str, ProviderConfig] = PRESETS
) -> Resolved:
    """Resolve layers over the presets."""
    stack = SettingsStack(presets)
    for source, settings in layers:
        stack = stack.with_layer(source, settings)
    return stack.resolve()


def users_own(**changes: object) -> Config:
    """Resolve the user's own file alone."""
    return resolve((SettingsSource.USER_FILE, {**USERS_OWN, **changes})).config
