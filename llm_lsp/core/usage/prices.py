"""Computes what a call costs: prices by model, as data, and the sum over its tokens.

Prices change, so the user's own settings override them, and `llm-lsp usage` reports unknown ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from llm_lsp.core.generation import Usage
from llm_lsp.core.provider_profile import Price

PER = 1_000_000
"""Number of tokens that a price is for."""
FREE = Price(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class PriceListing:
    """One row of the table: a price, and where and when it was published."""

    price: Price
    captured: str
    source: str


def cost_of(usage: Usage, price: Price) -> float:
    """Return the cost of a call's tokens; counts that the API did not report are 0.

    Cached and cache-written tokens are part of the input, reasoning is part of the output.
    """
    cached, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
    plain = max(0, (usage.input_tokens or 0) - cached - written)
    parts = (
        (plain, price.input),
        (cached, price.input if price.cached is None else price.cached),
        (written, price.input if price.written is None else price.written),
        (usage.output_tokens or 0, price.output),
    )
    return sum(tokens * each for tokens, each in parts) / PER


def listed(model: str, preset: str = "") -> PriceListing | None:
    """Find a model's row by its name, or by that of the model whose dated version it is.

    A preset's own rows come first: the same model costs something else there, in another currency.
    """
    name = model.lower()
    for rows in (PRESET_LISTINGS.get(preset, {}), LISTINGS):
        if row := rows.get(name) or rows.get(_DATE.sub("", name)):
            return row
    return None


# Suffixes of versions that cost the same as the model: "-20251001", "-2025-10-01", "-2508", "-001".
_DATE = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2}|\d{3,4})$")

_GENAI = "genai-prices 0.2.3"
_BOTH = "genai-prices 0.2.3 and litellm's model_prices_and_context_window.json"
_LITELLM = "litellm's model_prices_and_context_window.json"
_DAY, _LATER = "2026-11-22", "2026-12-01"

# For models with higher prices for long prompts, the lower price: our prompts are short.
LISTINGS: Mapping[str, PriceListing] = {
    "gpt-6-luna": PriceListing(Price(0.10, 0.50, 0.01, 0.125), _DAY, _BOTH),
    "gpt-5.6-luna": PriceListing(Price(0.20, 1.20, 0.02, 0.25), _DAY, _BOTH),
    "gpt-5-nano": PriceListing(Price(0.05, 0.40, 0.005), _DAY, _GENAI),
    "gpt-4.1-nano": PriceListing(Price(0.10, 0.40, 0.025), _DAY, _GENAI),
    "gpt-4.1-mini": PriceListing(Price(0.40, 1.60, 0.10), _DAY, _GENAI),
    "gpt-4o-mini": PriceListing(Price(0.15, 0.60, 0.075), _DAY, _GENAI),
    "claude-haiku-5-5": PriceListing(Price(0.10, 0.50, 0.01, 0.125), _DAY, _BOTH),
    "claude-haiku-4-5": PriceListing(Price(1.00, 5.00, 0.10, 1.25), _DAY, _BOTH),
    "claude-sonnet-4-5": PriceListing(Price(3.00, 15.00, 0.30, 3.75), _DAY, _GENAI),
    "gemini-3.5-flash-lite": PriceListing(Price(0.30, 2.50, 0.03), _DAY, _BOTH),
    "gemini-3.1-flash-lite": PriceListing(Price(0.25, 1.50, 0.025), _DAY, _BOTH),
    "gemini-2.5-flash": PriceListing(Price(0.30, 2.50, 0.03), _DAY, _GENAI),
    "gemini-2.5-flash-lite": PriceListing(Price(0.10, 0.40, 0.01), _DAY, _GENAI),
    "codestral-latest": PriceListing(Price(0.30, 0.90, 0.03), _DAY, _BOTH),
    "codestral": PriceListing(Price(0.30, 0.90, 0.03), _DAY, _BOTH),
    "mistralai/codestral": PriceListing(Price(0.30, 0.90, 0.03), _DAY, _LITELLM),
    "devstral-small-latest": PriceListing(Price(0.10, 0.30), _DAY, _GENAI),
    "mistral-small-latest": PriceListing(Price(0.15, 0.60, 0.015), _DAY, _GENAI),
    # The peak price, an upper bound: half of it off peak.
    "deepseek-flash": PriceListing(Price(0.30, 1.20, 0.006), _DAY, _LITELLM),
    "deepseek-v4-flash": PriceListing(Price(0.30, 1.20, 0.006), _DAY, _LITELLM),
    "deepseek-v4-pro": PriceListing(Price(1.32, 3.96, 0.044), _DAY, _LITELLM),
    "openai/gpt-oss-20b": PriceListing(Price(0.075, 0.30, 0.0375), _DAY, _LITELLM),
    "qwen/qwen3.8-27b": PriceListing(Price(0.80, 4.00), _LATER, _GENAI),
    "kimi-k2.6": PriceListing(Price(0.95, 4.00, 0.16), _LATER, _GENAI),
    "kimi-k2.7-code-highspeed": PriceListing(Price(1.90, 8.00, 0.38), _DAY, _BOTH),
    "mercury-edit-2": PriceListing(Price(0.25, 0.75, 0.025), _DAY, _LITELLM),
    "qwen/qwen3-coder-flash": PriceListing(Price(0.52, 0.975, 0.104), _DAY, _LITELLM),
    "glm-4.5-air": PriceListing(Price(0.11, 0.276, 0.022), _DAY, _GENAI),
}

_BAILIAN = "https://help.aliyun.com/zh/model-studio/qwen-coder"
_BAILIAN_TURBO = "https://help.aliyun.com/zh/model-studio/qwen-coder-turbo"
_SILICONFLOW = "https://huasheng.ai/insights/siliconflow-api-guide"
_BIGMODEL = "https://docs.bigmodel.cn/cn/guide/start/pricing.md"


def _yuan(read: float, written: float, source: str, cached: float | None = None) -> PriceListing:
    return PriceListing(Price(read, written, cached, currency="CNY"), _LATER, source)


# Of vendors that bill in CNY, by preset; list prices, without discounts for a time.
PRESET_LISTINGS: Mapping[str, Mapping[str, PriceListing]] = {
    "dashscope": {
        "qwen-coder-turbo": _yuan(2.0, 6.0, _BAILIAN_TURBO),
        "qwen-coder-turbo-latest": _yuan(2.0, 6.0, _BAILIAN_TURBO),
        "qwen3-coder-flash": _yuan(1.0, 4.0, _BAILIAN),
    },
    "siliconflow": {
        "qwen/qwen2.5-coder-7b-instruct": _yuan(0.0, 0.0, _SILICONFLOW),
        "qwen/qwen3-8b": _yuan(0.0, 0.0, _SILICONFLOW),
        "deepseek-ai/deepseek-v3": _yuan(2.0, 8.0, _SILICONFLOW),
        "deepseek-ai/deepseek-v3.1": _yuan(2.0, 8.0, _SILICONFLOW),
    },
    "zhipu": {
        "glm-5.3": _yuan(8.0, 28.0, _BIGMODEL, 2.0),
        "glm-5.3-flash": _yuan(0.8, 2.8, _BIGMODEL, 0.23),
        "glm-4.7-flash": _yuan(0.0, 0.0, _LITELLM),
    },
}
