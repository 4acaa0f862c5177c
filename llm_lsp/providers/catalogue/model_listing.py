"""Ask a model API which models it has."""

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

# Seconds for each step of the question; some hosted lists are a megabyte.
TIMEOUT_S = 3.0


async def list_models(
    config: ProviderConfig, key: Secret | None, peer: PeerCheck | None = None
) -> tuple[str, ...]:
    """Return the names of an API's models, in its order; empty if it does not list them."""
    return _names(await _ask(config, key, peer))


async def with_model(
    config: ProviderConfig, key: Secret | None, peer: PeerCheck | None = None
) -> ProviderConfig:
    """Fill in the model where the settings name none: the first that the API lists, as the settings say.

    A llama.cpp server runs with the model that it has, named or not; a hosted API has hundreds, dear ones and such as
    draw pictures, and its user must choose. Raises ProviderError where the API does not answer, refuses, names no
    model, or leaves the choice.
    """
    if config.model:
        return config
    reply = await _ask(config, key, peer)
    where = where_of(config)
    if reply.status == 0:
        raise UnreachableError(
            f"{where.host} does not say which models it has: start the server, or check base_url of {config.name}"
        )
    if names := _names(reply):
        preset = preset_of(config)
        if preset is not None and not preset.is_local:
            raise NotFoundError(
                f"{where.host} has many models: set model of {config.name} to {one_of(names)}"
            )
        return replace(config, model=names[0])
    if reply.status not in _NO_LIST:
        raise from_reply(where, reply.status, reply.body)
    if config.api == "llamacpp-infill":
        return config
    raise NotFoundError(f"{where.host} names no model: load one there, or set model of {config.name}")


# A message is one line: some lists have hundreds of names.
MAX_NAMED = 5


def one_of(names: Sequence[str]) -> str:
    """Name the models to choose from, as a clause."""
    some = ", ".join(f'"{name}"' for name in names[:MAX_NAMED])
    return f"one of {some}{' …' if len(names) > MAX_NAMED else ''}"


# Answers of an API that has no list, or an empty one.
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
    # Gemini's names are paths. A terminal would obey what cannot be printed.
    return tuple(name.removeprefix("models/") for name in names if name and name.isprintable())
