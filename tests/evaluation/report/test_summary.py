"""What many results come to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llm_lsp.evaluation.report.html_page import page
from llm_lsp.evaluation.report.number_format import COLUMNS, cells, sentence
from llm_lsp.evaluation.report.results import HoleCost, HoleResult, ResultFile
from llm_lsp.evaluation.report.scoring import NOTHING, Score
from llm_lsp.evaluation.report.summary import EvaluationReport, interval

NAMES = {"a 1": "a", "b 1": "b"}
RIGHT = Score(exact=True, similarity=1.0, first_line=True, syntax=True)
NEAR = Score(exact=False, similarity=0.5, first_line=False, syntax=False)


def result(
    variant: str, hole: str, score: Score = RIGHT, *, kind: str = "line", language: str = "python"
) -> HoleResult:
    answer = "" if score is NOTHING else "<b>answer</b>"
    cost = HoleCost("m", 100, 10, money=0.002, currency="EUR", first_s=0.1, whole_s=0.5)
    return HoleResult(
        variant, hole, "a.py:1:1", language, kind, "body", "expected", answer, "", False, score, cost
    )


def failure(variant: str, hole: str) -> HoleResult:
    return HoleResult(
        variant, hole, "a.py:1:1", "python", "line", "body", "x", "", "no key", True, NOTHING, HoleCost()
    )


def report(*results: HoleResult) -> EvaluationReport:
    return EvaluationReport("project", NAMES, results, [])


def test_shares_count_what_was_asked_and_failures_apart() -> None:
    row = report(
        result("a 1", "1"), result("a 1", "2", NEAR), result("a 1", "3", NOTHING), failure("a 1", "4")
    ).rows[0]

    assert (row.holes, row.failed) == (3, 1)
    assert (row.exact, row.empty, row.syntax) == pytest.approx((1 / 3, 1 / 3, 1 / 2))
    assert row.similarity == pytest.approx(0.5)
    assert (row.first_s, row.whole_s, row.input_tokens) == (0.1, 0.5, 100)
    assert row.money == pytest.approx(0.002)
    assert "2.00 EUR" in cells(row)


def test_money_is_unknown_where_one_price_is() -> None:
    unknown = replace(result("a 1", "2"), cost=HoleCost("m", 100, 10))

    assert report(result("a 1", "1"), unknown).rows[0].money is None


def test_rows_stand_by_language_and_kind_with_variants_side_by_side() -> None:
    results = [
        result(variant, f"{kind} {language}", kind=kind, language=language)
        for variant in NAMES
        for kind in ("line", "block")
        for language in ("python", "go")
    ]

    places = [(row.language, row.kind, row.variant) for row in report(*results).rows]

    assert places[:4] == [
        ("all", "all", "a"),
        ("all", "all", "b"),
        ("all", "line", "a"),
        ("all", "line", "b"),
    ]
    assert ("go", "block", "b") in places
    assert len(places) == 2 * (3 + 2 * 3)


def test_one_language_is_not_told_twice() -> None:
    assert {row.language for row in report(result("a 1", "1")).rows} == {"all"}


def test_variants_are_compared_on_the_holes_that_both_filled() -> None:
    (duel,) = report(
        *(result("a 1", "1", NEAR), result("a 1", "2"), result("a 1", "3"), result("a 1", "4")),
        *(result("b 1", "1"), result("b 1", "2", NEAR), result("b 1", "3"), failure("b 1", "4")),
    ).duels

    assert (duel.better, duel.worse, duel.same) == (1, 1, 1)
    assert duel.similarity_gain == pytest.approx(0.0)
    assert "b against a: better for 1 holes" in sentence(duel, "a")


@pytest.mark.parametrize(
    ("share", "count", "low", "high"),
    # Wilson 1927's own method; figures by R's binom.confint(methods = "wilson").
    [(0.5, 10, 0.237, 0.763), (0.0, 10, 0.0, 0.278), (1.0, 10, 0.722, 1.0), (0.0, 0, 0.0, 1.0)],
)
def test_a_share_of_few_is_uncertain(share: float, count: int, low: float, high: float) -> None:
    assert interval(share, count) == pytest.approx((low, high), abs=0.001)


def test_nothing_measured_is_no_error() -> None:
    assert report().rows == []
    assert cells(report(failure("a 1", "1")).rows[0])[0] == "0"
    assert "project" in page(report())


def test_each_column_has_a_cell() -> None:
    assert len(cells(report(result("a 1", "1")).rows[0])) == len(COLUMNS)


def test_the_page_loads_nothing_and_shows_code_as_text() -> None:
    text = page(report(result("a 1", "1", NEAR), result("b 1", "1")))

    assert "&lt;b&gt;answer&lt;/b&gt;" in text
    assert "<b>answer" not in text
    assert [word for word in ("http", "src=", "url(", "<script", "@import") if word in text] == []
    assert text.count("<svg") == 3


def test_results_are_kept_and_read_again(tmp_path: Path) -> None:
    file = ResultFile(tmp_path / "results.jsonl")
    file.add(result("a 1", "1"))
    with file.path.open("ab") as half:
        half.write(b'{"variant": "a 1", "ho')
    file.add(result("a 1", "2", NOTHING))
    file.add(failure("a 1", "3"))

    assert file.read() == {("a 1", "1"): result("a 1", "1"), ("a 1", "2"): result("a 1", "2", NOTHING)}
    json.loads(file.path.read_text().split("\n")[1])


def test_no_results_are_no_error(tmp_path: Path) -> None:
    file = ResultFile(tmp_path / "results.jsonl")
    file.clear()

    assert file.read() == {}
