"""Whatever goes wrong, no log at any level and no file has the key, the code or the answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.faults.upstream", "tests.faults.machine")

from tests.faults.canary import found_below, found_in  # noqa: E402 - after they are made known


@pytest.fixture(autouse=True)
def _nothing_private_is_left(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert found_in(caplog.text) == []
    assert found_below(tmp_path) == []
