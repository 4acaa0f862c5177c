"""Automatic calls are bounded."""

from __future__ import annotations

import pytest

from llm_lsp.engine.limits import BURST, DEFAULT_QUIET_S, MAX_QUIET_S, RateLimit


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    limit = RateLimit(90)
    for _ in range(int(BURST)):
        assert limit.allows(0.0)
        limit.count(0.0)

    assert not limit.allows(0.1)
    assert limit.allows(1.0)


@pytest.mark.parametrize(
    ("retry_after_s", "quiet_s"),
    [
        pytest.param(30.0, 30.0, id="as long as the API says"),
        pytest.param(None, DEFAULT_QUIET_S, id="where it says nothing"),
        pytest.param(1e309, MAX_QUIET_S, id="not for ever"),
        pytest.param(-1.0, 0.0, id="never backwards"),
    ],
)
def test_a_refusal_is_obeyed(retry_after_s: float | None, quiet_s: float) -> None:
    limit = RateLimit(90)
    limit.refused(100.0, retry_after_s)

    assert not limit.allows(100.0 + quiet_s - 0.01)
    assert limit.allows(100.0 + quiet_s)
