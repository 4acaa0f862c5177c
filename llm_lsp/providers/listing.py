"""Ask a model API which models it has; knows nothing of which is good."""

from __future__ import annotations

from dataclasses import replace

from llm_lsp.config.values import ProviderConfig
from llm_lsp.core.secret import Secret
from llm_lsp.providers.dialect import load_dialect
from llm_lsp.providers.resolve import api_address
from llm_lsp.providers.shapes import as_list, as_map, as_text

# Seconds for each step of the question; some hosted lists are a megabyte.
TIMEOUT_S = 3.0


async def list_models(config: ProviderConfig, key: Secret | None) -> tuple[str, ...]:
    """Give the names of an API's models, in its order; empty where it does not say."""
    from llm_lsp.providers.probe import Conversation

    path = load_dialect(config.api).models_path
    async with Conversation(api_address(config), TIMEOUT_S, key, config.headers) as ask:
        reply = await ask.get(path)
    entries = map(as_map, as_list(reply.body.get("data")) or as_list(reply.body.get("models")))
    names = [as_text(entry.get("id")) or as_text(entry.get("name")) for entry in entries]
    return tuple(name for name in names if name)


async def with_model(config: ProviderConfig, key: Secret | None) -> ProviderConfig:
    """Fill in the model where the settings name none: the first that the API lists, as the settings say."""
    if config.model:
        return config
    names = await list_models(config, key)
    return replace(config, model=names[0]) if names else config
