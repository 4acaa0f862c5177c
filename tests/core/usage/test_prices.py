"""What a call costs."""

from __future__ import annotations

import pytest

from llm_lsp.core.generation import Usage
from llm_lsp.core.provider_profile import Price
from llm_lsp.core.usage.prices import LISTINGS, PRESET_LISTINGS, cost_of, listed
from llm_lsp.providers.catalogue.presets import PRESETS

PRICE = Price(1.0, 10.0, cached=0.1, written=1.25)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        pytest.param(Usage(1_000_000, 0), 1.0, id="read"),
        pytest.param(Usage(0, 1_000_000), 10.0, id="written"),
        pytest.param(Usage(1_000_000, 0, cached_tokens=400_000), 0.64, id="part of it from the cache"),
        pytest.param(Usage(1_000_000, 0, cache_write_tokens=1_000_000), 1.25, id="into the cache"),
        pytest.param(Usage(0, 1000, reasoning_tokens=900), 0.01, id="thoughts are part of what is written"),
        pytest.param(Usage(), 0.0, id="nothing said"),
    ],
)
def test_each_kind_of_token_has_its_price(usage: Usage, cost: float) -> None:
    assert cost_of(usage, PRICE) == pytest.approx(cost)


def test_without_a_price_of_its_own_cached_input_costs_what_input_costs() -> None:
    assert cost_of(Usage(1_000_000, 0, cached_tokens=500_000), Price(2.0, 4.0)) == 2.0


@pytest.mark.parametrize(
    ("model", "row"),
    [
        pytest.param("codestral-latest", "codestral-latest", id="the name itself"),
        pytest.param("claude-haiku-4-5-20251001", "claude-haiku-4-5", id="a dated version"),
        pytest.param("mistralai/codestral-2508", "mistralai/codestral", id="a month"),
        pytest.param("GPT-4.1-mini-2025-04-14", "gpt-4.1-mini", id="a date with dashes, in capitals"),
    ],
)
def test_a_version_costs_what_its_model_costs(model: str, row: str) -> None:
    assert listed(model) is LISTINGS[row]


@pytest.mark.parametrize("model", ["gpt-4.1-mini-audio", "my-codestral", "", "qwen2.5-coder-0.5b"])
def test_a_model_that_is_only_called_alike_has_no_price(model: str) -> None:
    assert listed(model) is None


def test_every_row_says_when_and_where_it_was_read() -> None:
    assert [name for name, row in LISTINGS.items() if not (row.captured and row.source)] == []


@pytest.mark.parametrize(
    "preset", ["codestral", "mistral", "deepseek", "inception", "openai", "groq", "openrouter", "moonshot"]
)
def test_a_presets_own_model_has_a_price(preset: str) -> None:
    assert listed(PRESETS[preset].model)


@pytest.mark.parametrize("preset", ["dashscope", "siliconflow", "zhipu"])
def test_a_vendor_that_bills_in_yuan_has_prices_in_yuan(preset: str) -> None:
    row = listed(PRESETS[preset].model, preset)
    assert row is not None
    assert row.price.currency == "CNY"


def test_the_same_model_has_the_price_of_its_vendor() -> None:
    here, elsewhere = listed("qwen3-coder-flash", "dashscope"), listed("qwen3-coder-flash", "dashscope-intl")
    assert here is not None
    assert elsewhere is None
    assert listed("codestral-latest", "dashscope") is LISTINGS["codestral-latest"]


def test_every_row_of_a_vendor_says_when_and_where_it_was_read() -> None:
    rows = [row for rows in PRESET_LISTINGS.values() for row in rows.values()]
    assert all(row.captured and row.source for row in rows)
