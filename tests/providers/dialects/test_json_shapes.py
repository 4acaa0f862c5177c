"""What is read out of JSON of any shape."""

from __future__ import annotations

import pytest

from llm_lsp.providers.dialects.json_shapes import MAX_COUNT, as_int


@pytest.mark.parametrize(
    ("value", "count"),
    [
        pytest.param(7, 7, id="a count"),
        pytest.param(MAX_COUNT, MAX_COUNT, id="the largest"),
        pytest.param(10**30, None, id="more than any book takes"),
        pytest.param(-1, None, id="less than nothing"),
        pytest.param(True, None, id="a switch"),
        pytest.param("7", None, id="a text"),
    ],
)
def test_a_count_is_a_whole_number_that_can_be_written_down(value: object, count: int | None) -> None:
    assert as_int(value) == count
