"""Whatever goes wrong, no log has the key, the code or the answer, at any level."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

pytest.register_assert_rewrite("tests.faults.upstream")

from tests.faults.upstream import ANSWER, BUFFER, KEY  # noqa: E402 - after it is made known


@pytest.fixture(autouse=True)
def _nothing_private_in_any_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    for canary in (KEY, BUFFER.strip(), ANSWER):
        assert canary not in caplog.text
