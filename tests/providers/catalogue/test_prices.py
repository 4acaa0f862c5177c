"""Whose price a call has."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from decimal import Decimal
from types import ModuleType

import pytest

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.provider_profile import Price
from llm_lsp.providers.catalogue import prices
from llm_lsp.providers.catalogue.prices import is_worth_asking, price_of, with_price

CONFIG = ProviderConfig("mine", "openai-chat", "https://api.example.com/v1", "codestral-latest")


def test_the_users_own_price_wins_in_its_own_currency() -> None:
    own = replace(CONFIG, price_input=2.0, price_output=8.0, price_cached=0.5, price_currency="CNY")

    assert price_of(own) == Price(2.0, 8.0, 0.5, currency="CNY")


def test_else_our_table_is_asked() -> None:
    price = price_of(CONFIG)

    assert price is not None
    assert (price.input, price.currency) == (0.30, "USD")


def test_half_a_price_is_none() -> None:
    assert price_of(replace(CONFIG, model="unheard-of", price_input=1.0)) is None


@dataclass
class Calculation:
    input_price: Decimal
    output_price: Decimal


@pytest.fixture
def genai_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for the package, which knows one model."""
    module = ModuleType("genai_prices")

    def calc_price(usage: dict[str, int], *, model_ref: str, provider_api_url: str) -> Calculation:
        if model_ref == "model-that-breaks-it":
            raise TypeError("its prices are of a newer kind")
        if model_ref != "rare-model":
            raise LookupError(model_ref)
        return Calculation(Decimal("0.001"), Decimal("0.004"))

    module.Usage = dict  # type: ignore[attr-defined]  # a module made here has what we give it
    module.calc_price = calc_price  # type: ignore[attr-defined]  # the same
    monkeypatch.setitem(sys.modules, "genai_prices", module)
    monkeypatch.setattr(prices, "find_spec", lambda name: object())


def test_a_price_that_nobody_else_knows_is_asked_of_the_package(genai_prices: None) -> None:
    priced = price_of(with_price(replace(CONFIG, model="rare-model")))

    assert priced == Price(1.0, 4.0)


def test_where_the_price_is_known_the_package_is_not_asked(genai_prices: None) -> None:
    assert not is_worth_asking(CONFIG)
    assert is_worth_asking(replace(CONFIG, model="rare-model"))


@pytest.mark.parametrize("model", ["unheard-of", "model-that-breaks-it"])
def test_what_the_package_does_not_know_has_no_price(genai_prices: None, model: str) -> None:
    assert price_of(with_price(replace(CONFIG, model=model))) is None


def test_a_package_that_cannot_be_imported_is_no_reason_to_complete_nothing(
    genai_prices: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)

    assert price_of(with_price(replace(CONFIG, model="rare-model"))) is None


def test_without_the_package_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "find_spec", lambda name: None)

    assert not is_worth_asking(replace(CONFIG, model="rare-model"))
