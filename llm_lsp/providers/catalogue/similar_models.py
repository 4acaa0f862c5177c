"""Suggests models to use instead of one that the API does not have."""

from __future__ import annotations

from collections.abc import Sequence

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.errors import NotFoundError
from llm_lsp.providers.catalogue.model_listing import list_models, one_of
from llm_lsp.providers.catalogue.retired import retired
from llm_lsp.providers.http.peer_check import PeerCheck
from llm_lsp.providers.provider_factory import where_of


async def name_models(
    config: ProviderConfig, error: NotFoundError, key: Secret | None, peer: PeerCheck | None = None
) -> NotFoundError:
    """Return an error that suggests the API's closest models; the original error if it lists none."""
    known = await list_models(config, key, peer)
    if not config.model or config.model in known:
        # Without a list, the address is probably wrong.
        return error
    remedy = suggestion(config.model, known)
    if not remedy:
        return error
    gone = retired(config.model)
    when = f" (retired {gone.on})" if gone else ""
    pull = f", or run `ollama pull {config.model}`" if config.api == "ollama" else ""
    host = where_of(config).host
    return NotFoundError(
        f"{host} does not have {config.model}{when}: set model of {config.name} to {remedy}{pull}"
    )


def suggestion(model: str, known: Sequence[str]) -> str:
    """Return a clause with the models to choose from: successor, most similar, or first ones; "" if none is
    known.
    """
    gone = retired(model)
    if gone and (not known or gone.successor in known):
        return f'"{gone.successor}"'
    by_lower = {name.lower(): name for name in known}
    # Imported here: only needed if a model is not found.
    from difflib import get_close_matches

    if alike := get_close_matches((gone.successor if gone else model).lower(), by_lower, n=1, cutoff=0.6):
        return f'"{by_lower[alike[0]]}"'
    return one_of(known) if known else ""
