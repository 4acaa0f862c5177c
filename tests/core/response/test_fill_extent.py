from __future__ import annotations

import pytest

from llm_lsp.core.response.fill_extent import MAX_DOUBTFUL, FillExtent


def kept(depth: int, next_depth: int | None, lines: list[tuple[int, bool]]) -> int | None:
    """Feed lines as (depth, opens), and say how many would be kept were the next line never to come."""
    hole = FillExtent(depth, next_depth, 4)
    for count, (line_depth, opens) in enumerate(lines, start=1):
        if count > 1 and hole.is_left(line_depth):
            break
        if count > 1 and hole.is_full(line_depth, belongs=False):
            hole.kept = count - 1
        if hole.take(line_depth, count, opens=opens):
            break
    return hole.kept


@pytest.mark.parametrize(
    ("depth", "next_depth", "lines", "expected"),
    [
        pytest.param(4, 4, [(4, False), (4, False)], 1, id="one statement where the code goes on as deep"),
        pytest.param(4, 4, [(4, True), (8, False), (4, False)], 2, id="one block where it does"),
        pytest.param(4, 8, [(4, True), (8, False)], 1, id="a header where its body stands there"),
        pytest.param(4, 12, [(4, True), (8, True), (12, False)], 2, id="as many headers as it is deep"),
        pytest.param(8, 4, [(8, False), (8, False), (4, False)], 2, id="the rest of a block"),
        pytest.param(4, None, [(4, False), (8, False), (4, False)], None, id="all, at the file's end"),
    ],
)
def test_a_hole_is_full_where_the_next_line_may_stand(
    depth: int, next_depth: int | None, lines: list[tuple[int, bool]], expected: int | None
) -> None:
    assert kept(depth, next_depth, lines) == expected


def test_the_next_line_is_waited_for_so_long_and_no_longer() -> None:
    hole = FillExtent(4, 4, 4)

    waits = [hole.take(4, count, opens=False) for count in range(1, MAX_DOUBTFUL + 2)]

    assert waits == [False] * MAX_DOUBTFUL + [True]


def test_a_hole_is_left_where_its_block_ends() -> None:
    assert [FillExtent(8, 4, 4).is_left(depth) for depth in (4, 0)] == [False, True]
    assert [FillExtent(8, None, 4).is_left(depth) for depth in (4, 0)] == [False, True]
