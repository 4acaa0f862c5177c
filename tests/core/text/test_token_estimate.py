"""Tokens are estimated by script, and the estimate is put right by what APIs report."""

from __future__ import annotations

import pytest

from llm_lsp.core.text.token_estimate import TokenRate, estimate_tokens


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        pytest.param("", 0, 0, id="nothing"),
        pytest.param("return math.sqrt(x)", 4, 8, id="code"),
        pytest.param("计算两点之间的距离", 6, 9, id="Chinese"),
        pytest.param("\ud800", 0.5, 1, id="half an emoji"),
    ],
)
def test_tokens_are_estimated(text: str, least: float, most: float) -> None:
    assert least <= estimate_tokens(text) <= most


def test_reports_put_the_rate_right_in_steps() -> None:
    rate = TokenRate()
    used = []
    for _ in range(40):
        rate = rate.learned(1000, 1500)
        used.append(rate.in_use)

    assert rate.in_use == pytest.approx(1.5, abs=0.11)
    # A window that is cut anew after every report would leave nothing in the model server's cache.
    assert len(set(used)) < 8
    assert rate.budget(1500) == pytest.approx(1000, rel=0.08)


@pytest.mark.parametrize(
    ("estimated", "reported"),
    [
        pytest.param(1000, None, id="nothing reported"),
        pytest.param(20, 200, id="a prompt that is mostly template"),
    ],
)
def test_what_says_nothing_teaches_nothing(estimated: float, reported: int | None) -> None:
    assert TokenRate().learned(estimated, reported) == TokenRate()


def test_an_absurd_report_is_not_believed() -> None:
    rate = TokenRate()
    for _ in range(100):
        rate = rate.learned(1000, 1_000_000)

    assert rate.in_use <= 2.5
