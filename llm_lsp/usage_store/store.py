"""The file of the books, shared by every process of a user; knows rows and sums, not what they mean.

Everything here blocks and is called in a thread. The journal is SQLite's oldest way, TRUNCATE with a full sync:
write-ahead logging can corrupt a file in SQLite 3.7.0 to 3.51.2 (https://sqlite.org/wal.html#walresetbug), which
most Pythons carry, and fails in network homes. See docs/adr/0021.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock

from llm_lsp.core.usage.budget import SpentTotals, local_day
from llm_lsp.core.usage.record_batch import RecordBatch
from llm_lsp.core.usage.records import CallRecord, SuggestionRecord
from llm_lsp.errors import BooksError
from llm_lsp.system import private_folder
from llm_lsp.usage_store import schema
from llm_lsp.usage_store import spent_snapshot as snapshot

# Seconds that writing waits for other processes, in its thread. SQLite's queue is not fair: with six that write without
# a pause one waited more than 2 s (measured); as editors write it is milliseconds.
BUSY_S = 10.0
# Seconds that a call waits for its reservation, before the budget is judged by what is known here.
RESERVE_S = 2.0
# Requests whose way is kept for `explain`.
TRACES = 500
# Days that single calls are kept: a quarter. A user who types all day makes 9,000 calls, of 150 bytes each.
KEEP_DAYS = 100
# A clock that was set back must not open a day again whose budget was spent; but one that was once wrong by
# years must not hold the budget for years.
MOST_AHEAD = timedelta(days=2)
# What SQLite says of a file that it cannot read.
CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class SqliteUsageStore:
    """One process's way into the books; its methods may be called from any thread, and raise BooksError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._snapshot = path.with_name("spent.json")
        self._session = os.urandom(6).hex()
        self._lock = Lock()
        self._open: sqlite3.Connection | None = None

    def write(self, batch: RecordBatch) -> SpentTotals:
        """Write rows, all or none, and give what all processes have spent."""
        with self._transaction(BUSY_S) as connection:
            day = _day_of(connection, batch.at)
            for call in batch.calls:
                self._put_call(connection, call, day)
            connection.executemany(schema.PUT_SUGGESTION, (self._values(each) for each in batch.suggestions))
            connection.executemany(
                schema.ADD_COUNT,
                (
                    (day, each.provider, each.model, each.language, each.project, what, n)
                    for (each, what), n in batch.counts.items()
                ),
            )
            if batch.traces:
                rows = (
                    (self._session, row.trace.request, row.at, row.call, row.trace.to_json())
                    for row in batch.traces
                )
                connection.executemany(schema.PUT_TRACE, rows)
                connection.execute(schema.TRIM_TRACES, (TRACES,))
            return schema.spent(connection, day)

    def reserve(self, call: CallRecord, allows: Callable[[SpentTotals], bool]) -> tuple[bool, SpentTotals]:
        """Write a call with the most it can cost, if what was spent until now allows it; and give what was spent.

        No other process comes in between.
        """
        with self._transaction(RESERVE_S) as connection:
            day = _day_of(connection, call.at)
            allowed = allows(schema.spent(connection, day))
            if allowed:
                self._put_call(connection, call, day)
            spent = schema.spent(connection, day)
        snapshot.save(self._snapshot, spent)
        return allowed, spent

    def close(self) -> None:
        """Close the file; it is opened again at the next use."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    @contextmanager
    def _transaction(self, busy_s: float) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                connection = self._connection()
                connection.execute(f"PRAGMA busy_timeout = {round(busy_s * 1000)}")
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.rollback()
                    raise
                connection.commit()
            except (sqlite3.Error, OSError) as exc:
                self._drop()
                if isinstance(exc, sqlite3.Error) and _is_corrupt(exc):
                    self._set_aside()
                raise BooksError(f"{self._path} cannot be written: {_cause(exc)}") from exc

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            private_folder(self._path.parent)
            # So that no moment exists at which others can read it; the journal takes the file's mode.
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = sqlite3.connect(
                self._path, BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=16
            )
            try:
                _prepare(connection, self._path, snapshot.load(self._snapshot))
            except BaseException:
                connection.close()
                raise
            self._open = connection
        return self._open

    def _drop(self) -> None:
        if self._open is not None:
            with contextlib.suppress(sqlite3.Error):
                self._open.close()
            self._open = None

    def _set_aside(self) -> None:
        """Begin a new file beside one that cannot be read, which is kept."""
        if _is_sound(self._path):
            return  # Another process has begun new ones already.
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        with contextlib.suppress(OSError):
            self._path.rename(self._path.with_name(f"{self._path.name}.corrupt-{stamp}"))
            self._path.with_name(f"{self._path.name}-journal").unlink(missing_ok=True)

    def _put_call(self, connection: sqlite3.Connection, call: CallRecord, day: str) -> None:
        old = connection.execute(schema.OLD_CALL, (self._session, call.number)).fetchone()
        if old is not None:
            was_on, currency, cost, tokens, free = old
            # What was reserved yesterday is settled there.
            day = was_on
            if not free:
                connection.execute(schema.ADD_DAILY, (day, currency, -cost, -tokens))
        usage, subject = call.usage, call.subject
        connection.execute(
            schema.PUT_CALL,
            (
                self._session,
                call.number,
                call.at,
                day,
                subject.provider,
                subject.model,
                subject.language,
                subject.project,
                call.trigger,
                call.outcome,
                usage.input_tokens or 0,
                usage.cached_tokens or 0,
                usage.cache_write_tokens or 0,
                usage.output_tokens or 0,
                usage.reasoning_tokens or 0,
                call.estimated,
                call.cost,
                call.currency,
                call.free,
                call.first_s,
                call.whole_s,
            ),
        )
        if not call.free:
            connection.execute(schema.ADD_DAILY, (day, call.currency, call.cost or 0.0, call.tokens))

    def _values(self, row: SuggestionRecord) -> tuple[object, ...]:
        subject = row.subject
        return (
            self._session,
            row.id,
            row.at,
            local_day(row.at),
            subject.provider,
            subject.model,
            subject.language,
            subject.project,
            row.chars,
            row.shown_s,
            row.fate,
            row.used_chars,
            *row.kept_chars,
        )


def _prepare(connection: sqlite3.Connection, path: Path, spent: SpentTotals | None) -> None:
    """Set a connection up; new books begin with what is known to be spent."""
    connection.execute("PRAGMA journal_mode = TRUNCATE").fetchone()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection)
    if version == 0:
        for statement in schema.TABLES.split(";"):
            connection.execute(statement)
        # In the same transaction: books without it would count as whole at the next start.
        _restore(connection, spent)
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
    connection.commit()
    if version > schema.VERSION:
        raise BooksError(f"{path} was written by a newer llm-lsp: update this one")
    oldest = (datetime.now(UTC).date() - timedelta(days=KEEP_DAYS)).isoformat()
    for statement in schema.DROP_OLD:
        connection.execute(statement, (oldest,))


def _restore(connection: sqlite3.Connection, spent: SpentTotals | None) -> None:
    """Write what is known to be spent into new books: a budget outlives a file that was lost."""
    if spent is None:
        return
    first = f"{spent.day[:7]}-01"
    earlier = spent.tokens_this_month - spent.tokens_today
    for currency, cost in spent.money_this_month.items():
        today = spent.money_today.get(currency, 0.0)
        connection.execute(schema.ADD_DAILY, (spent.day, currency, today, spent.tokens_today))
        connection.execute(schema.ADD_DAILY, (first, currency, cost - today, earlier))
        # Tokens are kept beside money, and counted once.
        spent, earlier = replace(spent, tokens_today=0), 0


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _day_of(connection: sqlite3.Connection, at: float) -> str:
    """Return the day that is spent from: today, or the newest that was, if the clock or the time zone was set back."""
    today = local_day(at)
    latest = date.fromisoformat(today) + MOST_AHEAD
    (newest,) = connection.execute(schema.NEWEST_DAY, (latest.isoformat(),)).fetchone()
    return max(today, newest or "")


def _is_corrupt(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    # The low byte is the primary code: https://sqlite.org/rescode.html.
    return code is not None and code & 0xFF in CORRUPT


def _is_sound(path: Path) -> bool:
    try:
        connection = sqlite3.connect(path, BUSY_S)
        try:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
        finally:
            connection.close()
    except sqlite3.Error:
        return False


def _cause(error: sqlite3.Error | OSError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
