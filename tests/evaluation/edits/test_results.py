from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from llm_lsp.evaluation.edits.judgement import JudgedEdit
from llm_lsp.evaluation.edits.number_format import COLUMNS, CURVE_COLUMNS, cells, curve_cells
from llm_lsp.evaluation.edits.page import page
from llm_lsp.evaluation.edits.results import EditReport, EditResult, row
from llm_lsp.evaluation.report.results import HoleCost
from llm_lsp.evaluation.report.summary import ALL


def edit(
    confidence: float = 0.9,
    *,
    exact: bool = True,
    distance: int | None = 0,
    kind: str = "repeat",
    reverts: bool = False,
) -> JudgedEdit:
    return JudgedEdit(kind, confidence, distance, exact, float(exact), reverts, 5 if exact else 0)


def result(*edits: JudgedEdit, is_open: bool = True, half: bool = False, language: str = "go") -> EditResult:
    cost = HoleCost(money=0.0, whole_s=0.002)
    return EditResult("id", "a.go", language, "down", half, is_open, edits, cost)


OPEN = [result(edit()), result(edit(exact=False, distance=30)), result(edit(0.3), edit(0.7)), result()]
FINISHED = [result(is_open=False), result(edit(exact=False, distance=None, reverts=True), is_open=False)]


def test_precision_counts_what_is_shown_in_finished_files() -> None:
    found = row(ALL, ALL, [*OPEN, *FINISHED], 0.5)

    assert (found.open, found.finished, found.shown) == (4, 2, 4)
    assert (found.coverage, found.right, found.precision) == (0.75, 0.5, 0.5)
    assert (found.inside, found.near, found.around) == (0.5, 0.5, 0.5)
    assert (found.quiet, found.reversal, found.keys_saved) == (0.5, 0.25, 10)
    assert (found.median_s, found.p95_s, found.money) == (0.002, 0.002, 0.0)


def test_the_first_edit_that_is_certain_enough_is_shown() -> None:
    third = OPEN[2]

    assert third.shown(0.5) is third.edits[1]
    assert third.shown(0.2) is third.edits[0]
    assert third.shown(0.8) is None


def test_a_kind_counts_only_where_it_is_the_one_shown() -> None:
    both = result(edit(kind="rename"), edit(kind="repeat"))

    assert row(ALL, "rename", [both], 0.5).shown == 1
    assert row(ALL, "repeat", [both], 0.5).shown == 0


def test_nothing_measured_is_no_error() -> None:
    found = row(ALL, ALL, [], 0.5)

    assert (found.shown, found.precision, found.quiet) == (0, 0.0, 0.0)


@pytest.fixture
def report() -> EditReport:
    half = result(edit(), half=True)
    return EditReport(
        "a < b", 3, 1, 0.5, [*OPEN, *FINISHED, half, result(edit(kind="rename"), language="rust")]
    )


def test_a_report_sums_up_by_kind_order_and_language_and_half_typed_states_apart(report: EditReport) -> None:
    groups = [(each.group, each.kind, each.open + each.finished) for each in report.rows]

    assert groups == [
        (ALL, ALL, 7),
        (ALL, "rename", 7),
        (ALL, "repeat", 7),
        ("order down", ALL, 7),
        ("language go", ALL, 6),
        ("language rust", ALL, 1),
        ("half typed", ALL, 1),
    ]
    assert all(len(cells(each)) == len(COLUMNS) for each in report.rows)


def test_the_curve_falls_in_coverage_and_rises_in_silence(report: EditReport) -> None:
    curve = report.curve

    assert [point.coverage for point in curve] == sorted((point.coverage for point in curve), reverse=True)
    assert [point.quiet for point in curve] == sorted(point.quiet for point in curve)
    assert all(len(curve_cells(point)) == len(CURVE_COLUMNS) for point in curve)


def test_scripts_read_all_of_it_without_the_code(report: EditReport) -> None:
    read = json.loads(json.dumps(report.as_mapping()))

    assert set(read) == {"repository", "commits", "seed", "threshold", "rows", "curve", "states"}
    assert len(read["states"]) == 8
    assert set(read["states"][0]["edits"][0]) == set(JudgedEdit.__dataclass_fields__)


def test_the_page_is_whole_and_loads_nothing(report: EditReport) -> None:
    text = page(report)

    ElementTree.fromstring(text.removeprefix("<!doctype html>").replace('<meta charset="utf-8">', ""))
    assert "a &lt; b" in text
    assert "src=" not in text and "href=" not in text
