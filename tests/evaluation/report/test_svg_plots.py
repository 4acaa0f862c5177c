"""Plots are well-formed pictures with what they are of inside."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from llm_lsp.evaluation.report.svg_plots import LEFT, RIGHT, WIDTH, PlotBar, curves, shares


def test_a_bar_is_as_long_as_its_share() -> None:
    picture = ElementTree.fromstring(
        shares([PlotBar("a < b", 0.25, 0.1, 0.5, 0), PlotBar("c", 1.0, 1.0, 1.0, 1)])
    )

    whole = WIDTH - LEFT - RIGHT
    assert [float(bar.attrib["width"]) for bar in picture.iter("rect")] == [whole / 4, whole]
    assert "a < b" in [text.text for text in picture.iter("text")]


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"one": [1.0, 2.0, 4.0], "other": []}, id="one without values"),
        pytest.param({"one": [0.0]}, id="no time at all"),
        pytest.param({}, id="nothing"),
    ],
)
def test_a_curve_ends_at_the_top(values: dict[str, list[float]]) -> None:
    picture = ElementTree.fromstring(curves(values, "s"))

    lines = [line.attrib["points"].split() for line in picture.iter("polyline")]
    assert len(lines) == len(values)
    for points, some in zip(lines, values.values(), strict=True):
        heights = [float(point.partition(",")[2]) for point in points]
        assert len(points) == 1 + 2 * len(some)
        assert heights == sorted(heights, reverse=True)
