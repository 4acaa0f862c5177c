"""Automatic calls are bounded."""

from __future__ import annotations

from llm_lsp.engine.models.rate_limit import BURST, RateLimit


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    limit = RateLimit(90)
    for _ in range(int(BURST)):
        assert limit.allows(0.0)
        limit.count(0.0)

    assert not limit.allows(0.1)
    assert limit.allows(1.0)
