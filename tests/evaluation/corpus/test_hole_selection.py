"""Holes are drawn fairly and the same way each time."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from llm_lsp.core.text.text import Text
from llm_lsp.evaluation.corpus.hole_selection import CorpusFile, Hole, draw

MODULE = """\
import os
import sys


def first(path):
    with open(path, "rb") as file:
        data = file.read(100)
        return parse(data, strict=True)


def second(path, size):
    found = first(path)
    return found[:size]
"""
PATHS = [f"package/module_{idx}.py" for idx in range(8)]


def read(path: str) -> CorpusFile | None:
    return CorpusFile(path, "python", Text.of(MODULE.replace("parse", f"parse_{path[-4]}")))


def drawn(count: int, seed: int = 1, paths: list[str] = PATHS) -> list[Hole]:
    return list(islice(draw(paths, read, seed), count))


def test_the_same_seed_draws_the_same_holes_whatever_the_order_of_the_files() -> None:
    ids = [hole.id for hole in drawn(24)]

    assert [hole.id for hole in drawn(24, paths=PATHS[::-1])] == ids
    assert [hole.id for hole in drawn(24, seed=2)] != ids


def test_more_holes_begin_with_the_same_ones() -> None:
    assert [hole.id for hole in drawn(24)][:9] == [hole.id for hole in drawn(9)]


def test_kinds_come_in_turn_and_files_before_any_comes_again() -> None:
    holes = drawn(24)

    assert Counter(hole.cut.kind for hole in holes) == {"line": 8, "span": 8, "block": 8}
    assert len({hole.source.path for hole in holes if hole.cut.kind == "block"}) == 8


def test_no_hole_comes_twice_and_a_small_repository_ends() -> None:
    holes = drawn(10_000, paths=PATHS[:2])

    assert len(holes) < 10_000
    assert len({hole.id for hole in holes}) == len(holes)


def test_what_is_missing_and_the_document_make_the_file() -> None:
    for hole in drawn(24):
        text = hole.document("file:///x.py").text

        assert str(text.edit(hole.cut.start, hole.cut.start, hole.missing)) == str(hole.source.text)


def test_files_that_cannot_be_read_have_no_holes() -> None:
    assert list(draw(PATHS, lambda path: None, 1)) == []
