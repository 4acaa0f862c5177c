"""Checks of a provider's API key, account and model, as `doctor` and `provider test` print them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from llm_lsp.cli.terminal.checklist import Check
from llm_lsp.config.settings import Config, ProviderConfig
from llm_lsp.errors import LlmLspError

if TYPE_CHECKING:
    from llm_lsp.cli.files.api_keys import GivenKeys
    from llm_lsp.providers.base import Provider
    from llm_lsp.providers.catalogue.key_account import KeyAccount


async def account_checks(config: Config, given: GivenKeys | None = None) -> list[Check]:
    """Check the key of the provider in use; empty if there is no key, or its API reports nothing about it."""
    from llm_lsp.cli.files.api_keys import find_key
    from llm_lsp.providers.catalogue.key_account import look_at_account

    provider = config.providers.get(config.provider)
    if provider is None:
        return []
    try:
        key = await find_key(provider, given)
    except LlmLspError:
        # The provider's own check has already reported the missing key.
        return []
    return list(_account(await look_at_account(provider, key))) if key is not None else []


def model_checks(config: Config) -> list[Check]:
    """Warn if the vendor retires the configured model, or if it is of no use for completion."""
    provider = config.providers.get(config.provider)
    if provider is None or not provider.model:
        return []
    return list(_model(provider))


def _model(provider: ProviderConfig) -> Iterator[Check]:
    from llm_lsp.providers.catalogue.presets import quirks_of
    from llm_lsp.providers.catalogue.retired import retired

    if gone := retired(provider.model):
        text = f"{provider.model} is retired on {gone.on}; use {gone.successor} instead ({gone.source})"
        yield Check("model", "warn", text)
    if quirks_of(provider).always_thinks:
        text = f"{provider.model} cannot stop thinking, so it only answers questions; completion needs another model"
        yield Check("model", "warn", text)


def age_checks(config: Config, today: date) -> Iterator[Check]:
    """Yield a check that names rows for the provider in use that were last compared with the vendor's documents long ago."""
    from llm_lsp.providers.catalogue.documents import DOCUMENTS, MAX_AGE_DAYS, age_days, oldest
    from llm_lsp.providers.catalogue.presets import preset_of
    from llm_lsp.providers.catalogue.prices import listing_of

    provider = config.providers.get(config.provider)
    if provider is None:
        return
    if preset := preset_of(provider):
        checked = oldest(DOCUMENTS[preset.name])
        if (age := age_days(checked, today)) > MAX_AGE_DAYS:
            text = f"{preset.name} was checked against the vendor's documents on {checked}, {age} days ago"
            yield Check("preset", "note", f"{text}; it may be out of date: update llm-lsp")
    listing = listing_of(provider) if provider.price_input == "auto" else None
    if listing and (age := age_days(listing.captured, today)) > MAX_AGE_DAYS:
        text = f"the price of {provider.model} is of {listing.captured}, {age} days ago"
        yield Check("price", "note", f"{text}; it may be out of date: update llm-lsp, or set price_input")


def limit_checks(provider: Provider) -> list[Check]:
    """Return the rate limits that the provider's last answer reported."""
    from llm_lsp.providers.catalogue.key_account import limits_left
    from llm_lsp.providers.http.provider import HttpProvider

    left = limits_left(provider.last_headers) if isinstance(provider, HttpProvider) else ""
    return [Check("rate limit", "note", left)] if left else []


def _account(account: KeyAccount) -> Iterator[Check]:
    if account.rights:
        yield Check("key", "warn", account.rights)
    if account.left:
        yield Check("left to spend", "warn" if account.is_spent else "note", account.left)
