from __future__ import annotations

import pytest

from llm_lsp.core.generation import Usage

BELIEVED = [
    pytest.param(Usage(100, 10, 90, 5, 8), Usage(100, 10, 90, 5, 8), id="all of it"),
    pytest.param(Usage(), Usage(), id="nothing"),
    pytest.param(Usage(1001, 10), Usage(None, 10), id="more read than was sent"),
    pytest.param(Usage(100, 129), Usage(100), id="more written than was allowed"),
    pytest.param(Usage(100, 10, 101), Usage(100, 10), id="more cached than was read"),
    pytest.param(Usage(100, 10, 60, 60), Usage(100, 10), id="more cached and taken in than was read"),
    pytest.param(Usage(100, 10, None, None, 11), Usage(100, 10), id="more thought than was written"),
    pytest.param(Usage(None, None, 1001, None, 129), Usage(), id="parts of unknown counts"),
]


@pytest.mark.parametrize(("told", "believed"), BELIEVED)
def test_a_count_that_cannot_be_is_not_believed(told: Usage, believed: Usage) -> None:
    assert told.within(1000, 128) == believed
