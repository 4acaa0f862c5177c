"""Checks a server on this machine that the user did not name, before code is sent to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.addresses import Origin, origin_of
from llm_lsp.core.privacy.ollama_cloud import is_cloud_tag, runs_elsewhere
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.errors import ConfigError, NotFoundError, UnreachableError
from llm_lsp.port_owners import Owner, listener_owner
from llm_lsp.providers.http.peer_check import UNVOUCHED, PeerCheck, refusal
from llm_lsp.providers.provider_factory import header_fields

if TYPE_CHECKING:
    from llm_lsp.providers.discovery.local_probe import ProbeReply

# Seconds. Ollama answers this from its files within milliseconds, later on a busy machine.
TIMEOUT_S = 2.0
# https://docs.ollama.com/faq: Ollama's port, where it also supports OpenAI's API.
OLLAMA_PORT = 11434


def check_owner(config: ProviderConfig, owner_of: Callable[[int], Owner] = listener_owner) -> None:
    """Raise ConfigError unless the listener belongs to this user or the system.

    For an early error message; every connection is checked again when it is made.
    """
    origin = origin_of(config.base_url)
    owner = owner_of(origin.port)
    if owner not in UNVOUCHED:
        raise ConfigError(refusal(config.name, _host(origin), owner))


async def check_place(
    config: ProviderConfig, key: Secret | None = None, peer: PeerCheck | None = None
) -> None:
    """Raise LlmLspError if an Ollama on this machine would run the model in its cloud, or does not say.

    Other servers are not checked: they run their models here, or are a gateway that the user set up.
    """
    origin = origin_of(config.base_url)
    if not origin.is_loopback or not config.model:
        return
    elsewhere = (
        f"{config.model} runs in a cloud, not on this machine: to use it anyway, run `llm-lsp provider add`"
    )
    if is_cloud_tag(config.model):
        raise ConfigError(elsewhere)
    if config.api == "ollama" or origin.port == OLLAMA_PORT:
        shown = await _show(config, key, peer)
        # A copy of a cloud model under another name does not have the tag.
        if runs_elsewhere(shown.body):
            raise ConfigError(elsewhere)


async def _show(config: ProviderConfig, key: Secret | None, peer: PeerCheck | None) -> ProbeReply:
    from llm_lsp.providers.discovery.local_probe import ProbeConversation

    origin = origin_of(config.base_url)
    headers = header_fields(config, key)
    async with ProbeConversation(str(origin), TIMEOUT_S, headers, config.ca_file, peer) as ask:
        shown = await ask.post("/api/show", {"model": config.model})
    if shown.status == 0:
        raise UnreachableError(f"nothing answers at {_host(origin)}; start the server of {config.name}")
    if shown.status != 200:
        raise NotFoundError(
            f"{_host(origin)} does not have {config.model}; run `ollama pull` with a model's name"
        )
    return shown


def _host(origin: Origin) -> str:
    return str(origin).partition("://")[2]
