"""Builds a provider from its settings, resolving every "auto"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.addresses import origin_of
from llm_lsp.core.privacy.ollama_cloud import is_cloud_tag
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.fim_families import family_named, family_of
from llm_lsp.core.provider_profile import Fim, Profile
from llm_lsp.core.request import Patience
from llm_lsp.errors import ConfigError
from llm_lsp.providers.catalogue.presets import preset_of, quirks_of
from llm_lsp.providers.catalogue.prices import price_of
from llm_lsp.providers.dialects.dialect import Settings, load_dialect
from llm_lsp.providers.http.failures import FailureSource
from llm_lsp.providers.http.peer_check import UNVOUCHED, PeerCheck
from llm_lsp.providers.http.provider import Endpoint, HttpProvider, Remedies, headers_of
from llm_lsp.providers.http.stream import Deadlines

# Connecting with TCP and TLS to a distant server takes 0.6 s at 200 ms per round trip; each step gets this much time.
# The other limits for typing serve a user who stops and waits: if they type on, the scheduler joins or closes the call.
# Hosted chat models often take 1 to 3 s to their first text.
DEADLINES: Mapping[Patience, Deadlines] = {
    Patience.TYPING: Deadlines(connect_s=1.0, first_s=4.0, idle_s=1.5, total_s=8.0),
    Patience.ASKED: Deadlines(connect_s=3.0, first_s=8.0, idle_s=3.0, total_s=15.0),
    Patience.COMMAND: Deadlines(connect_s=5.0, first_s=30.0, idle_s=10.0, total_s=60.0),
}
# Seconds for a whole call to a user's own server on another machine; 80 % of it may pass before the first text
# (`Deadlines.within`).
SELF_HOSTED_S = 120.0
# Parameters from which whole lines are shown until users' reactions tell otherwise, in billions.
LARGE_BILLIONS = 3.0
_PARAMETERS = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)([bm])(?![a-z0-9])")
# Tokens of prompt and answer. Hosted models charge per prompt token, and the speed of a detected server is unknown; our
# own model gets what it was measured to read in time (local/local_models.py).
CONTEXT_TOKENS = 2048


def make_provider(
    config: ProviderConfig,
    key: Secret | None,
    remedies: Remedies | None = None,
    *,
    peer: PeerCheck | None = None,
    socket: str = "",
) -> HttpProvider:
    """Build a provider without sending anything. Raises ConfigError for settings that do not go together.

    `peer` checks the server's account on this machine; `socket` replaces the address's host and port.
    """
    profile = profile_of(config)
    quirks = quirks_of(config)
    settings = Settings(
        model=config.model,
        temperature=config.temperature if quirks.takes_temperature else None,
        stream=config.stream,
        max_stops=quirks.max_stops,
        max_tokens_field=quirks.max_tokens_field,
        raw_max_tokens_field=config.max_tokens_field or "max_tokens",
        ask_logprobs=quirks.ask_logprobs,
        ask_usage=quirks.ask_usage,
        prefill=quirks.prefill,
        cache_breakpoints=quirks.cache_breakpoints,
        affinity_field=quirks.affinity_field,
        thinking_off=quirks.thinking_off,
        extra_body=config.extra_body,
    )
    endpoint = Endpoint(
        api_address(config),
        load_dialect(config.api),
        settings,
        where_of(config),
        deadlines_of(config, profile.local),
        key,
        _further_headers(config),
        quirks.key_header,
        remedies,
        config.ca_file,
        peer or PeerCheck(config.name, UNVOUCHED if config.unvouched else ()),
        socket,
        affinity_header=quirks.affinity_header,
    )
    return HttpProvider(profile, endpoint)


def header_fields(config: ProviderConfig, key: Secret | None) -> Mapping[str, str]:
    """Return the headers of probe requests, including the key; raises ConfigError like `make_provider`."""
    return headers_of(key, _further_headers(config), quirks_of(config).key_header)


def _further_headers(config: ProviderConfig) -> Mapping[str, str]:
    """Return the dialect's headers, overridden by the user's."""
    return {**load_dialect(config.api).headers, **config.headers}


def profile_of(config: ProviderConfig) -> Profile:
    """Return what the engine needs to know about a provider."""
    local = is_local(config) if config.local == "auto" else config.local
    dialect, quirks = load_dialect(config.api), quirks_of(config)
    return Profile(
        provider=config.name,
        model=config.model,
        fim=_fim(config),
        context_tokens=CONTEXT_TOKENS if config.context_tokens == "auto" else config.context_tokens,
        max_tokens=config.max_tokens,
        local=local,
        free=local if config.free == "auto" else config.free,
        max_in_flight=_in_flight(config, local) if config.max_in_flight == "auto" else config.max_in_flight,
        cancel_stops_billing=config.cancel_stops_billing,
        price=price_of(config),
        takes_prefill=quirks.prefill != "never",
        always_thinks=quirks.always_thinks,
        thinks_by_hand=config.thinking == "manual",
        forces_start=dialect.forces_start,
        origin=str(origin_of(config.base_url)),
        sends_logprobs=quirks.ask_logprobs,
        is_small=local and _billions(config.model) < LARGE_BILLIONS,
        takes_files=dialect.takes_files,
        may_be_slow=config.context_tokens == "auto" and _runs_models(config),
    )


def _billions(model: str) -> float:
    """Return a model's parameters in billions, as its name tells them; 0 if it does not."""
    found = _PARAMETERS.search(model.lower())
    return float(found[1]) / (1000 if found[2] == "m" else 1) if found else 0.0


def _in_flight(config: ProviderConfig, local: bool) -> int:
    """Return the simultaneous calls: two, so that one can start next to a superseded one, unless both are
    billed.
    """
    return 2 if config.cancel_stops_billing and not local else 1


def _runs_models(config: ProviderConfig) -> bool:
    """Check whether the API belongs to a server that runs models itself, or to one on this machine."""
    return config.api in ("llamacpp-infill", "ollama") or origin_of(config.base_url).is_loopback


def is_local(config: ProviderConfig) -> bool:
    """Check whether a model certainly runs on this machine: a loopback server that runs models itself.

    An OpenAI-compatible API on loopback may be a gateway, and Ollama's cloud models run elsewhere.
    """
    runs_models = config.api in ("llamacpp-infill", "ollama")
    return runs_models and origin_of(config.base_url).is_loopback and not is_cloud_tag(config.model)


def deadlines_of(config: ProviderConfig, local: bool) -> Mapping[Patience, Deadlines]:
    """Return the deadlines; a model on this machine has none while it is working, unless the user sets one.

    A server that runs models on another machine gets more time: it may have no GPU, and other users' prompts to read.
    """
    set_s = None if config.timeout_s == "auto" else config.timeout_s
    if local:
        return {each: Deadlines(usual.connect_s, total_s=set_s) for each, usual in DEADLINES.items()}
    if set_s is None and config.api in ("llamacpp-infill", "ollama") and not is_cloud_tag(config.model):
        set_s = SELF_HOSTED_S
    return {each: usual if set_s is None else usual.within(set_s) for each, usual in DEADLINES.items()}


def _fim(config: ProviderConfig) -> Fim:
    if config.fim == "auto":
        return _auto_fim(config)
    known = ("native", "chat", "none")
    if config.fim not in known and family_named(config.fim) is None:
        raise ConfigError(f"fim of {config.name} is not a known template family: {config.fim}")
    is_refused = {
        "openai-chat": config.fim != "chat",
        "anthropic": config.fim != "chat",
        "gemini": config.fim != "chat",
        "mistral-fim": config.fim not in ("native", "chat"),
        "tgi": config.fim == "native",
    }
    if is_refused.get(config.api, False):
        raise ConfigError(f'{config.api} of {config.name} does not support fim = "{config.fim}"')
    return config.fim


def _auto_fim(config: ProviderConfig) -> Fim:
    if config.api in ("openai-chat", "anthropic", "gemini"):
        return "chat"
    if config.api in ("mistral-fim", "llamacpp-infill"):
        return "native"
    if known := quirks_of(config).fim:
        return known
    preset = preset_of(config)
    if preset is not None and preset.fim != "auto":
        return preset.fim
    return family_of(config.model) or "none"


def is_template_unknown(config: ProviderConfig) -> bool:
    """Return whether nothing tells how a model is asked to fill in the middle: a gateway's name for it, for example.

    An API for dialogues may have one for raw prompts beside it, unless it is one that the presets know.
    """
    if config.fim != "auto":
        return False
    if config.api == "openai-chat":
        preset = preset_of(config)
        return preset is None or preset.name == "litellm"
    return config.api == "openai-completions" and _auto_fim(config) == "none"


def api_address(config: ProviderConfig) -> str:
    """Return the address to which a dialect's paths are appended."""
    base_url = config.base_url.rstrip("/")
    # These APIs are at the root, but users often copy the address of the OpenAI-compatible API, which ends in /v1.
    is_at_root = config.api in ("llamacpp-infill", "ollama", "anthropic", "tgi")
    return base_url.removesuffix("/v1") if is_at_root else base_url


def where_of(config: ProviderConfig) -> FailureSource:
    """Return what error messages say about a provider."""
    host = str(origin_of(config.base_url)).partition("://")[2]
    return FailureSource(config.name, host, config.model, _key_remedy(config))


def _key_remedy(config: ProviderConfig) -> str:
    if config.api_key_env:
        return f"set {config.api_key_env} to a valid one"
    return f"run `llm-lsp provider add {config.name}`"
