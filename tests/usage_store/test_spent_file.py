"""What was spent is remembered beside the books, and each of the two stands in for the other."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from llm_lsp.core.usage.budget import SpentTotals
from llm_lsp.core.usage.record_batch import RecordBatch
from llm_lsp.errors import BooksError
from llm_lsp.system import locked_file
from llm_lsp.usage_store import schema, spent_file
from llm_lsp.usage_store.usage_files import UsageFiles
from tests.usage_store.rows import DAY_S, NOON, a_call

posix = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has neither modes nor pipes that are files"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "usage.db"


def spent_of(path: Path) -> Path:
    return path.with_name("spent.json")


def below(limit: float) -> Callable[[SpentTotals], bool]:
    return lambda spent: spent.money_today.get("USD", 0.0) < limit


def spend(path: Path, cost: float = 2.0) -> None:
    """Make a call as a process does that ends after it."""
    process = UsageFiles(path)
    assert process.reserve(a_call(1, 2 * cost, outcome="reserved"), below(99)).is_recorded
    process.settle(NOON, [a_call(1, cost)])
    process.write(RecordBatch(NOON, (a_call(1, cost),)))
    process.close()


def found(path: Path, at: float = NOON) -> dict[str, float]:
    return dict(UsageFiles(path).settle(at, ()).spent.money_today)


def test_what_others_reserved_counts(path: Path) -> None:
    one, other = UsageFiles(path), UsageFiles(path)

    first = one.reserve(a_call(1, 1.5, outcome="reserved"), below(1))
    second = other.reserve(a_call(1, 1.5, outcome="reserved"), below(1))

    assert (first.is_allowed, second.is_allowed) == (True, False)
    assert second.spent == first.spent == SpentTotals("2026-11-22", {"USD": 1.5}, {"USD": 1.5}, 110, 110)


def test_what_is_settled_takes_the_place_of_what_was_reserved(path: Path) -> None:
    process = UsageFiles(path)
    process.reserve(a_call(1, 5.0, tokens=(100, 500), outcome="reserved"), below(1))

    settled = process.settle(NOON, [a_call(1, 0.5)]).spent
    again = process.settle(NOON, [a_call(1, 0.5)]).spent

    assert settled == again == SpentTotals("2026-11-22", {"USD": 0.5}, {"USD": 0.5}, 110, 110)


def test_a_file_that_is_deleted_during_a_call_leaves_no_credit(path: Path) -> None:
    process = UsageFiles(path)
    process.reserve(a_call(1, 5.0, outcome="reserved"), below(9))
    _remove(spent_of(path))
    process.settle(NOON, [a_call(1, 0.5)])

    assert UsageFiles(path).settle(NOON, ()).spent == SpentTotals(
        "2026-11-22", {"USD": 0.0}, {"USD": 0.0}, 0, 0
    )


def test_a_reservation_settles_what_has_ended_first(path: Path) -> None:
    process = UsageFiles(path)
    process.reserve(a_call(1, 5.0, outcome="reserved"), below(1))

    answer = process.reserve(a_call(2, 5.0, outcome="reserved"), below(1), [a_call(1, 0.5)])

    assert (answer.is_allowed, answer.spent.money_today) == (True, {"USD": 5.5})


def test_a_reservation_that_comes_after_its_settlement_counts_nothing(path: Path) -> None:
    process = UsageFiles(path)
    process.settle(NOON, [a_call(1, 0.5)])

    answer = process.reserve(a_call(1, 5.0, outcome="reserved"), below(0.1))

    assert (answer.is_allowed, answer.spent.money_today) == (True, {"USD": 0.5})


def test_a_process_that_is_killed_leaves_the_most_that_its_call_can_cost(path: Path) -> None:
    UsageFiles(path).reserve(a_call(1, 2.0, outcome="reserved"), below(1))

    assert found(path) == {"USD": 2.0}


def test_a_call_over_midnight_counts_on_the_day_it_was_reserved(path: Path) -> None:
    process, midnight = UsageFiles(path), NOON + DAY_S / 2
    process.reserve(a_call(1, 0.5, at=midnight - 1), below(1))

    spent = process.settle(midnight + 1, [a_call(1, 0.2, at=midnight - 1)]).spent

    assert (spent.money_today, spent.money_this_month) == ({}, {"USD": 0.2})


@posix
def test_nobody_else_can_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        spend(path)
    finally:
        os.umask(before)

    assert stat.S_IMODE(spent_of(path).stat().st_mode) == 0o600


def test_it_is_written_in_place_and_needs_no_more_room_later(path: Path) -> None:
    process = UsageFiles(path)
    process.settle(NOON, [a_call(1, 0.1)])
    first = spent_of(path).stat()
    process.settle(NOON, [a_call(number, 12345.678) for number in range(2, 50)])
    last = spent_of(path).stat()

    assert (first.st_ino, first.st_size) == (last.st_ino, last.st_size)


def _remove(path: Path) -> None:
    path.unlink()


def _corrupt(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _sql(statement: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as books:
            books.execute(statement)
            books.commit()

    return change


BOOKS = [
    pytest.param(_remove, id="removed"),
    pytest.param(_corrupt, id="corrupt"),
    pytest.param(_sql(f"PRAGMA user_version = {schema.VERSION + 1}"), id="of a newer version"),
    pytest.param(_sql("DROP TABLE daily"), id="a missing table"),
    pytest.param(_folder, id="a folder in its place"),
    pytest.param(_pipe, id="a pipe in its place", marks=posix),
]
# That table says nothing of sums.
HARMED = [*BOOKS, pytest.param(_sql("DROP TABLE calls"), id="another missing table")]


@pytest.mark.parametrize("harm", HARMED)
def test_without_the_books_it_goes_on_at_every_start(harm: Callable[[Path], None], path: Path) -> None:
    spend(path)
    harm(path)

    answers = [UsageFiles(path).reserve(a_call(1, 2.0, outcome="reserved"), below(6)) for _ in range(4)]

    assert [answer.is_allowed for answer in answers] == [True, True, False, False]


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _words(path: Path) -> None:
    path.write_text("[]")


FILES = [
    pytest.param(_remove, id="removed"),
    pytest.param(_empty, id="empty"),
    pytest.param(_words, id="another JSON"),
    pytest.param(_corrupt, id="corrupt"),
    pytest.param(lambda path: path.write_text('{"day": 7}'), id="no day"),
    pytest.param(lambda path: path.write_text(GOOD.replace("4.0", "NaN")), id="no number"),
    pytest.param(lambda path: path.write_text(GOOD.replace("4.0", "-40.0")), id="less than nothing spent"),
    pytest.param(lambda path: path.write_text(GOOD.replace(": 1", ": -1e9")), id="less than no tokens"),
    pytest.param(lambda path: path.write_text(GOOD.replace("2026-11-22", "2026-99-99")), id="no date"),
    pytest.param(_folder, id="a folder in its place"),
    pytest.param(_pipe, id="a pipe in its place", marks=posix),
]
GOOD = (
    '{"day": "2026-11-22", "money_today": {"USD": 4.0}, "money_this_month": {"USD": 4.0}, '
    '"tokens_today": 1, "tokens_this_month": 1}'
)


@pytest.mark.parametrize("harm", FILES)
def test_without_it_the_books_say_what_was_spent(harm: Callable[[Path], object], path: Path) -> None:
    spend(path)
    harm(spent_of(path))

    assert found(path) == {"USD": 2.0}


@pytest.mark.parametrize("harm", FILES[1:])
@pytest.mark.parametrize("harm_books", BOOKS[1:])
def test_with_neither_nothing_is_allowed_at_any_start(
    harm: Callable[[Path], object], harm_books: Callable[[Path], None], path: Path
) -> None:
    spend(path)
    harm(spent_of(path))
    harm_books(path)

    for _ in range(3):
        process = UsageFiles(path)
        with pytest.raises(BooksError):
            process.reserve(a_call(1, 1.0), below(99))
        # Writing rows must not make new books that say that nothing was spent.
        with contextlib.suppress(BooksError):
            process.write(RecordBatch(NOON, (a_call(),)))
        process.close()


def test_the_one_that_knows_of_more_counts(path: Path) -> None:
    spend(path)
    old = spent_of(path).read_bytes()
    spend(path)
    spent_of(path).write_bytes(old)

    assert found(path) == {"USD": 4.0}


def test_new_files_begin_with_nothing_spent(path: Path) -> None:
    assert found(path) == {}


def test_a_folder_that_cannot_be_made_is_no_new_budget(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")

    with pytest.raises(BooksError, match=r"spent\.json cannot be written"):
        found(tmp_path / "data" / "usage.db")


def test_one_that_another_process_holds_is_waited_for_for_a_moment(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend(path)
    monkeypatch.setattr(spent_file, "WAIT_S", 0.01)
    with locked_file(spent_of(path), 1.0), pytest.raises(BooksError, match="another process has locked it"):
        found(path)

    assert found(path) == {"USD": 2.0}


def test_locked_books_do_not_matter(path: Path) -> None:
    spend(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert found(path) == {"USD": 2.0}


def test_locked_books_that_alone_know_what_was_spent_allow_nothing(path: Path) -> None:
    spend(path)
    spent_of(path).unlink()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(BooksError, match="locked"):
            found(path)


@pytest.mark.parametrize("days", [-400, -31, -10, -3, -1], ids=str)
def test_a_clock_that_is_set_back_opens_no_spent_day_at_the_next_start(days: int, path: Path) -> None:
    spend(path)
    set_back = NOON + days * DAY_S

    assert [found(path, set_back) for _ in range(2)] == [{"USD": 2.0}] * 2
    assert found(path) == {"USD": 2.0}


def test_a_clock_that_was_set_back_for_long_opens_no_spent_day_when_it_is_set_right(path: Path) -> None:
    spend(path)
    assert [found(path, NOON + days * DAY_S) for days in (-400, -399, -398)] == [{"USD": 2.0}, {}, {}]

    assert found(path) == {"USD": 2.0}
