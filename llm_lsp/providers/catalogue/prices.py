"""Determines the price of a provider's calls: from the settings, our own table, or the package genai-prices."""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib.util import find_spec

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.provider_profile import Price
from llm_lsp.core.usage.prices import PriceListing, listed
from llm_lsp.providers.catalogue.presets import preset_of

LOG = logging.getLogger(__name__)


def price_of(config: ProviderConfig) -> Price | None:
    """Return a provider's price from its settings or our table; None if neither has it."""
    if config.price_input != "auto" and config.price_output != "auto":
        cached = None if config.price_cached == "auto" else config.price_cached
        return Price(config.price_input, config.price_output, cached, currency=config.price_currency)
    listing = listing_of(config)
    return listing.price if listing else None


def listing_of(config: ProviderConfig) -> PriceListing | None:
    """Return the row of our table for a provider's model, in the currency of the vendor at its address."""
    preset = preset_of(config)
    return listed(config.model, preset.name if preset else "")


def is_worth_asking(config: ProviderConfig) -> bool:
    """Check whether genai-prices may have a price that is missing elsewhere."""
    return price_of(config) is None and bool(config.model) and find_spec("genai_prices") is not None


def with_price(config: ProviderConfig) -> ProviderConfig:
    """Fill in the price from genai-prices; its import takes 0.3 s, so call this in a thread."""
    try:
        read, written = _asked(config)
    except LookupError:
        return config
    except Exception as exc:
        # The installed version may be incompatible. Completion works without a price.
        LOG.warning("genai-prices has no price for %s: %s", config.model, type(exc).__name__)
        return config
    return replace(config, price_input=read, price_output=written, price_currency="USD")


def _asked(config: ProviderConfig) -> tuple[float, float]:
    from genai_prices import Usage, calc_price

    # A short prompt, since some models charge more per token for long ones.
    thousand = Usage(input_tokens=1000, output_tokens=1000)
    found = calc_price(thousand, model_ref=config.model, provider_api_url=config.base_url)
    return float(found.input_price) * 1000, float(found.output_price) * 1000
