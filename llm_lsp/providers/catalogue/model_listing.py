"""Lists an API's models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.errors import NotFoundError, UnreachableError
from llm_lsp.providers.catalogue.presets import preset_of
from llm_lsp.providers.dialects.dialect import load_dialect
from llm_lsp.providers.dialects.json_shapes import as_list, as_map, as_text
from llm_lsp.providers.http.failures import from_reply
from llm_lsp.providers.provider_factory import api_address, header_fields, where_of

if TYPE_CHECKING:
    from llm_lsp.providers.discovery.local_probe import ProbeReply
    from llm_lsp.providers.http.peer_check import PeerCheck

# Seconds for each step of the request; some hosted lists are a megabyte.
TIMEOUT_S = 3.0


async def list_models(
    config: ProviderConfig, key: Secret | None, peer: PeerCheck | None = None
) -> tuple[str, ...]:
    """Return the names of an API's models, in its order; empty if it has no list."""
    return _names(await _ask(config, key, peer))


async def with_model(
    config: ProviderConfig, key: Secret | None, peer: PeerCheck | None = None
) -> ProviderConfig:
    """Fill in the model if the settings name none: the first in the API's list.

    A llama.cpp server uses its one model whatever the name. Of a hosted API's hundreds of models, some are
    expensive and some do not write text, so the user must choose. Raises ProviderError if the API does not
    answer, refuses, has no model, or has several to choose from.
    """
    if config.model:
        return config
    reply = await _ask(config, key, peer)
    where = where_of(config)
    if reply.status == 0:
        raise UnreachableError(
            f"{where.host} did not list its models: start the server, or check base_url of {config.name}"
        )
    if names := _names(reply):
        preset = preset_of(config)
        if preset is not None and not preset.is_local:
            raise NotFoundError(
                f"{where.host} has several models: set model of {config.name} to {one_of(names)}"
            )
        return replace(config, model=names[0])
    if reply.status not in _NO_LIST:
        raise from_reply(where, reply.status, reply.body)
    if config.api == "llamacpp-infill":
        return config
    raise NotFoundError(f"{where.host} has no model: load one there, or set model of {config.name}")


# Names listed in a message, which is a single line: some lists have hundreds.
MAX_NAMED = 5


def one_of(names: Sequence[str]) -> str:
    """Return a clause with the models to choose from."""
    some = ", ".join(f'"{name}"' for name in names[:MAX_NAMED])
    return f"one of {some}{' …' if len(names) > MAX_NAMED else ''}"


# Statuses of an API without a list, or with an empty one.
_NO_LIST = frozenset({200, 404, 405})


async def _ask(config: ProviderConfig, key: Secret | None, peer: PeerCheck | None) -> ProbeReply:
    from llm_lsp.providers.discovery.local_probe import ProbeConversation

    async with ProbeConversation(
        api_address(config), TIMEOUT_S, header_fields(config, key), config.ca_file, peer
    ) as ask:
        return await ask.get(load_dialect(config.api).models_path)


def _names(reply: ProbeReply) -> tuple[str, ...]:
    entries = map(as_map, as_list(reply.body.get("data")) or as_list(reply.body.get("models")))
    names = [as_text(entry.get("id")) or as_text(entry.get("name")) for entry in entries]
    # Gemini's names are paths. Names with control characters are left out, since a terminal would obey them.
    return tuple(name.removeprefix("models/") for name in names if name and name.isprintable())
