"""Where holes are cut: at imports, in bodies, in arguments, over blocks, and never in what is no code."""

from __future__ import annotations

from random import Random

import pytest

from llm_lsp.core.text.text import Text
from llm_lsp.evaluation.corpus.hole_places import KINDS, CutPoint, Kind, Spot, cuts

PYTHON = '''\
import os
from pathlib import Path  # a trailing comment


def size_of(folder):
    """Return the size.

    print("no code") in here
    """
    total = 0
    for entry in os.scandir(folder):
        total += entry.stat().st_size

    return total
'''
TYPESCRIPT = """\
import { Item } from "./item";

/* total(
   items) */
export function total(items: Item[]): number {
  let sum = 0;
  for (const item of items) {
    sum += price(item.id, item.count);
    log(sum);
  }
  return sum;
}
"""
SOURCES = {"python": PYTHON, "typescript": TYPESCRIPT}


def found(language: str, kind: Kind, spot: Spot, seed: int = 1) -> list[CutPoint]:
    return list(cuts(Text.of(SOURCES[language]), language, kind, spot, Random(seed)))


def missing(language: str, kind: Kind, spot: Spot, seed: int = 1) -> list[str]:
    text = Text.of(SOURCES[language])
    return [text.slice(cut.start, cut.end) for cut in found(language, kind, spot, seed)]


@pytest.mark.parametrize(
    ("language", "lines"),
    [pytest.param("python", [0, 1], id="python"), pytest.param("typescript", [0], id="typescript")],
)
def test_imports_are_cut_in_import_lines(language: str, lines: list[int]) -> None:
    assert [cut.start.line for cut in found(language, "line", "import")] == lines


def test_a_line_is_cut_to_its_end_without_its_comment() -> None:
    assert all("from pathlib import Path".endswith(text) for text in missing("python", "line", "import")[1:])


def test_documentation_and_comments_are_no_code() -> None:
    texts = [text for kind in KINDS for seed in range(5) for text in missing("python", kind, "body", seed)]
    texts += [text for seed in range(5) for text in missing("typescript", "line", "argument", seed)]

    assert [text for text in texts if "no code" in text or "Tell" in text or "items) *" in text] == []


def test_a_span_in_an_argument_leaves_the_closing_bracket() -> None:
    assert "item.id, item.count" in missing("typescript", "span", "argument")


def test_a_line_in_an_argument_takes_the_rest_of_the_line() -> None:
    assert "item.id, item.count);" in missing("typescript", "line", "argument")


@pytest.mark.parametrize(
    ("language", "block"),
    [
        pytest.param(
            "python",
            "total = 0\n    for entry in os.scandir(folder):\n        total += entry.stat().st_size\n\n    return total",
            id="by indentation, after its documentation",
        ),
        pytest.param("typescript", "sum += price(item.id, item.count);\n    log(sum);", id="by braces"),
    ],
)
def test_a_block_is_cut_between_its_opener_and_its_end(language: str, block: str) -> None:
    assert block in missing(language, "block", "body")


def test_what_is_cut_is_worth_asking_for() -> None:
    texts = [
        text
        for language in SOURCES
        for kind in KINDS
        for spot in ("import", "body", "argument")
        for seed in range(5)
        for text in missing(language, kind, spot, seed)
    ]

    assert texts
    assert [text for text in texts if len(text.strip()) < 4] == []


def test_a_line_without_end_is_left_alone() -> None:
    minified = Text.of("f(" + "a," * 500_000 + ")\n")

    assert [*cuts(minified, "javascript", "line", "argument", Random(1))] == []
