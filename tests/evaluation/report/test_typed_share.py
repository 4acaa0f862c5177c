from __future__ import annotations

import pytest

from llm_lsp.evaluation.report.results import HoleCost, HoleResult
from llm_lsp.evaluation.report.scoring import score
from llm_lsp.evaluation.report.typed_share import typed_shares


def result(expected: str, answer: str, money: float | None = 0.01, *, failed: bool = False) -> HoleResult:
    return HoleResult(
        variant="k", hole=expected, place="a.py:1:1", language="python", kind="line", spot="body", expected=expected,
        answer=answer, reason="", failed=failed, score=score(expected, answer), cost=HoleCost(money=money, currency="USD"),
    )  # fmt: skip


def test_a_line_is_typed_if_the_completion_begins_with_it() -> None:
    results = [result("abcdef", "abcdef\nmore"), result("gh", "gx"), result("ij", "", failed=True)]

    (share,) = typed_shares(results, {"k": "mine"}, 100)

    assert (share.share, share.lines, share.added_lines) == (0.75, 2, 100)
    assert share.money == pytest.approx(1.0)
    assert (
        share.sentence
        == "mine would have typed 75 % of the 100 added lines, for 1.00 USD (2 of them measured)"
    )


def test_without_a_price_there_is_no_cost() -> None:
    (share,) = typed_shares([result("ab", "ab", None)], {"k": "mine"}, 1)

    assert share.money is None
    assert share.sentence == "mine would have typed 100 % of the 1 added lines (1 of them measured)"


def test_a_variant_that_could_not_be_asked_has_no_share() -> None:
    assert typed_shares([result("ab", "", failed=True)], {"k": "mine"}, 1) == []
