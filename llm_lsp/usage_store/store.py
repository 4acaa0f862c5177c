"""The database of the usage store, shared by all processes of a user.

All methods block and are called in a thread. The journal mode is TRUNCATE with full sync. Write-ahead logging can
corrupt the file in SQLite 3.7.0 to 3.51.2 (https://sqlite.org/wal.html#walresetbug), which most Python versions
include, and does not work on network file systems. See ADR 21.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock

from llm_lsp.core.usage.budget import local_day
from llm_lsp.core.usage.record_batch import RecordBatch
from llm_lsp.core.usage.records import CallRecord, SuggestionRecord
from llm_lsp.errors import BooksError
from llm_lsp.system import make_private, private_folder
from llm_lsp.usage_store import schema

# Seconds that a write waits for other processes, in its thread. SQLite's locking is not fair: with six processes that
# write constantly, one waited more than 2 s (measured); with real editors it takes milliseconds.
BUSY_S = 10.0
# How many requests are kept for `explain`.
TRACES = 500
# Days that single calls are kept: a quarter of a year. A user who types all day makes 9,000 a day, 150 bytes each.
KEEP_DAYS = 100
# SQLite's error codes for a file that it cannot read.
CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class SqliteUsageStore:
    """One process's access to the database. The methods may be called from any thread, and raise BooksError."""

    def __init__(self, path: Path, may_begin_anew: Callable[[], bool] = lambda: True) -> None:
        """`may_begin_anew` returns whether an unreadable file may be moved aside and replaced."""
        self._path = path
        self._may_begin_anew = may_begin_anew
        self._session = os.urandom(6).hex()
        self._lock = Lock()
        self._open: sqlite3.Connection | None = None

    def write(self, batch: RecordBatch) -> None:
        """Write all rows of a batch, or none."""
        with self._transaction() as connection:
            day = local_day(batch.at)
            for call in batch.calls:
                self._put_call(connection, call)
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

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                connection = self._connection()
                connection.execute(f"PRAGMA busy_timeout = {round(BUSY_S * 1000)}")
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
            # Created first, so that the file is private from the start; the journal gets the same mode.
            make_private(self._path)
            connection = sqlite3.connect(
                self._path, BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=16
            )
            try:
                _prepare(connection, self._path)
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
        """Move an unreadable file aside, and start a new one."""
        if _is_sound(self._path) or not self._may_begin_anew():
            return  # another process has replaced it already, or only this file has the amounts spent
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        with contextlib.suppress(OSError):
            self._path.rename(self._path.with_name(f"{self._path.name}.corrupt-{stamp}"))
            self._path.with_name(f"{self._path.name}-journal").unlink(missing_ok=True)

    def _put_call(self, connection: sqlite3.Connection, call: CallRecord) -> None:
        day = local_day(call.at)
        old = connection.execute(schema.OLD_CALL, (self._session, call.number)).fetchone()
        if old is not None:
            was_on, currency, cost, tokens, free = old
            # A call that was reserved yesterday is settled on yesterday's account.
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


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Configure a connection, and create the tables of a new file."""
    connection.execute("PRAGMA journal_mode = TRUNCATE").fetchone()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection)
    if version == 0:
        for statement in schema.TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
    connection.commit()
    if version > schema.VERSION:
        raise BooksError(f"{path} was written by a newer llm-lsp: update llm-lsp")
    oldest = (datetime.now(UTC).date() - timedelta(days=KEEP_DAYS)).isoformat()
    for statement in schema.DROP_OLD:
        connection.execute(statement, (oldest,))


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _is_corrupt(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    # The low byte is the primary error code: https://sqlite.org/rescode.html.
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
