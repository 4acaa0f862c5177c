"""The books under real processes: sums, kills and a budget that all share; `benchmarks.books` has the figures."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.books import kills, many_writers, shared_budget

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
]

N_PROCESSES = 6


def test_the_sums_of_six_processes_are_exact(tmp_path: Path) -> None:
    written = many_writers(tmp_path / "usage.db", N_PROCESSES, n_rows=1800)

    assert (written["failed"], written["rows"], written["exact"]) == (0, 1800, True)


def test_no_kill_leaves_a_corrupt_file(tmp_path: Path) -> None:
    ends = kills(tmp_path / "usage.db", count=10)

    assert all(end.is_sound for end in ends)
    assert sum(end.found for end in ends) > 0


def test_a_shared_budget_is_passed_by_at_most_a_call_for_each_process(tmp_path: Path) -> None:
    spent = shared_budget(tmp_path / "usage.db", N_PROCESSES)

    # The last one may be refused: what it could cost, and not what it does, has to fit.
    assert 99 <= int(str(spent["calls"])) <= 100 + N_PROCESSES
