"""The file of the books: sums over processes, and what is left when things go wrong."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from llm_lsp.core.usage.budget import SpentTotals
from llm_lsp.core.usage.record_batch import RecordBatch
from llm_lsp.core.usage.records import SuggestionRecord
from llm_lsp.core.usage.request_trace import TraceRow
from llm_lsp.errors import BooksError
from llm_lsp.usage_store import schema, store
from llm_lsp.usage_store.reader import UsageReader
from llm_lsp.usage_store.store import SqliteUsageStore
from tests.usage_store.rows import DAY_S, NOON, SUBJECT, a_call, a_trace


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "usage.db"


CORRUPT = b"no database at all, but long enough to be looked at" * 100


def sums(path: Path) -> SpentTotals:
    spent = UsageReader(path).sums("2026-11-22")
    assert spent is not None
    return spent


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_calls_add_up_over_stores(path: Path) -> None:
    one, other = SqliteUsageStore(path), SqliteUsageStore(path)
    one.write(RecordBatch(NOON, (a_call(1, 0.5), a_call(2, 0.25))))

    other.write(RecordBatch(NOON, (a_call(1, 1.0),)))

    assert sums(path) == SpentTotals("2026-11-22", {"USD": 1.75}, {"USD": 1.75}, 330, 330)
    one.close()
    other.close()


def test_a_later_row_of_a_call_takes_the_place_of_the_earlier(path: Path) -> None:
    books = SqliteUsageStore(path)
    books.write(RecordBatch(NOON, (a_call(1, 5.0, tokens=(100, 500), outcome="reserved"),)))

    books.write(RecordBatch(NOON, (a_call(1, 0.5),)))

    assert (sums(path).money_today, sums(path).tokens_today) == ({"USD": 0.5}, 110)
    assert rows(path, "SELECT outcome, cost FROM calls") == [("complete", 0.5)]
    books.close()


def test_free_calls_count_against_nothing(path: Path) -> None:
    books = SqliteUsageStore(path)

    books.write(RecordBatch(NOON, (a_call(1, 0.0, free=True),)))

    assert (sums(path).tokens_today, sums(path).money_today) == (0, {})
    assert rows(path, "SELECT count(*) FROM calls") == [(1,)]
    books.close()


def test_a_month_is_the_sum_of_its_days(path: Path) -> None:
    books = SqliteUsageStore(path)
    books.write(RecordBatch(NOON - 30 * DAY_S, (a_call(1, 9.0, at=NOON - 30 * DAY_S),)))
    books.write(RecordBatch(NOON - DAY_S, (a_call(2, 1.0, at=NOON - DAY_S),)))

    books.write(RecordBatch(NOON, (a_call(3, 0.5),)))

    assert (sums(path).money_today, sums(path).money_this_month) == ({"USD": 0.5}, {"USD": 1.5})
    books.close()


def test_a_call_over_midnight_is_of_the_day_it_began(path: Path) -> None:
    books, midnight = SqliteUsageStore(path), NOON + DAY_S / 2
    books.write(RecordBatch(midnight + 1, (a_call(1, 0.2, at=midnight - 1),)))
    books.close()

    assert sums(path).money_today == {"USD": 0.2}


def test_counts_add_up_and_traces_are_a_ring(path: Path) -> None:
    books = SqliteUsageStore(path)
    traces = tuple(TraceRow(NOON, None, a_trace(number)) for number in range(store.TRACES + 20))
    for _ in range(2):
        books.write(RecordBatch(NOON, counts={(SUBJECT, "keystrokes"): 7}, traces=traces))

    assert rows(path, "SELECT what, n FROM counts") == [("keystrokes", 14)]
    assert rows(path, "SELECT count(*), max(request) FROM traces") == [(store.TRACES, store.TRACES + 19)]
    books.close()


def test_a_suggestion_has_one_row(path: Path) -> None:
    books = SqliteUsageStore(path)
    row = SuggestionRecord("4.7", NOON, SUBJECT, 20, 1.5, "accepted", 20)
    kept = SuggestionRecord("4.7", NOON, SUBJECT, 20, 1.5, "accepted", 20, (18, None, None))
    books.write(RecordBatch(NOON, suggestions=(row,)))
    books.write(RecordBatch(NOON, suggestions=(kept,)))

    assert rows(path, "SELECT fate, used, kept_30, kept_120 FROM suggestions") == [("accepted", 20, 18, None)]
    books.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_nobody_else_can_read_the_file(path: Path) -> None:
    before = os.umask(0o022)
    try:
        books = SqliteUsageStore(path)
        books.write(RecordBatch(NOON, (a_call(),)))
        books.close()
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_corrupt_file_is_set_aside(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(CORRUPT)

    with pytest.raises(BooksError):
        SqliteUsageStore(path).write(RecordBatch(NOON))
    fresh = SqliteUsageStore(path)
    fresh.write(RecordBatch(NOON, (a_call(),)))

    assert [each.read_bytes() for each in path.parent.glob("*.corrupt-*")] == [CORRUPT]
    fresh.close()


def test_a_corrupt_file_stays_where_nothing_else_says_what_was_spent(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(CORRUPT)

    for _ in range(2):
        with pytest.raises(BooksError):
            SqliteUsageStore(path, lambda: False).write(RecordBatch(NOON))

    assert path.read_bytes() == CORRUPT


def test_a_newer_file_is_left_alone(path: Path) -> None:
    SqliteUsageStore(path).write(RecordBatch(NOON))
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()

    with pytest.raises(BooksError, match="newer"):
        SqliteUsageStore(path).write(RecordBatch(NOON, (a_call(),)))

    assert rows(path, "SELECT count(*) FROM calls") == [(0,)]


def test_a_locked_file_loses_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUSY_S", 0.01)
    books = SqliteUsageStore(path)
    books.write(RecordBatch(NOON))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(BooksError, match="locked"):
        books.write(RecordBatch(NOON, (a_call(),)))
    other.execute("ROLLBACK")
    other.close()

    books.write(RecordBatch(NOON, (a_call(),)))
    assert sums(path).tokens_today == 110
    books.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes that are files")
def test_a_pipe_in_its_place_is_not_waited_for(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)

    with pytest.raises(BooksError, match="not a regular file"):
        SqliteUsageStore(path).write(RecordBatch(NOON))


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")

    with pytest.raises(BooksError, match=r"usage\.db cannot be written"):
        SqliteUsageStore(tmp_path / "data" / "usage.db").write(RecordBatch(NOON))


def test_old_calls_are_dropped_and_their_days_stay(path: Path) -> None:
    old = NOON - 400 * DAY_S
    books = SqliteUsageStore(path)
    books.write(RecordBatch(old, (a_call(1, 4.0, at=old),)))
    books.close()

    again = SqliteUsageStore(path)
    again.write(RecordBatch(NOON))

    assert rows(path, "SELECT count(*) FROM calls") == [(0,)]
    assert rows(path, "SELECT day, cost FROM daily") == [("2025-10-18", 4.0)]
    again.close()
