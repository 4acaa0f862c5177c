"""Reads the usage store: figures grouped by day, model, language or project, and the last requests."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from llm_lsp.core.generation import Usage
from llm_lsp.core.usage.budget import SpentTotals, local_day
from llm_lsp.core.usage.records import CallRecord, Subject
from llm_lsp.core.usage.request_trace import RequestTrace
from llm_lsp.errors import BooksError
from llm_lsp.usage_store import schema
from llm_lsp.usage_store.usage_figures import UsageFigures

By = Literal["day", "model", "language", "project", "all"]
"""How figures are grouped."""

KEYS: Mapping[By, str] = {
    "day": "day",
    "model": "trim(provider || ' ' || model)",
    "language": "language",
    "project": "project",
    "all": "'all'",
}


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """One request and how it was answered."""

    number: int
    """Increases with every request, across all processes."""
    at: float
    trace: RequestTrace
    call: CallRecord | None


class UsageReader:
    """Reads the usage store; raises BooksError if it does not exist or cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def figures(self, since: str, by: By) -> dict[str, UsageFigures]:
        """Return the figures from a day on, such as "2026-11-22", by group, in the groups' order."""
        found: dict[str, UsageFigures] = defaultdict(UsageFigures)
        with self._connection() as connection:
            for key, *values in connection.execute(schema.FIGURES_OF_CALLS.format(key=KEYS[by]), (since,)):
                found[key].add_calls(*values)
            for key, first_s in connection.execute(schema.FIRST_TIMES.format(key=KEYS[by]), (since,)):
                found[key].first_s.append(first_s)
            for key, *values in connection.execute(schema.FIGURES_OF_OFFERS.format(key=KEYS[by]), (since,)):
                found[key].add_suggestions(*values)
            for key, what, n in connection.execute(schema.FIGURES_OF_COUNTS.format(key=KEYS[by]), (since,)):
                found[key].counts[what] = found[key].counts.get(what, 0) + n
        return dict(sorted(found.items()))

    def sums(self, day: str, *, newest: bool = False) -> SpentTotals | None:
        """Return the amounts spent on a day, or on the newest recorded day if later; None if nothing is
        recorded yet.

        Waits for no other process. Raises BooksError if the file cannot be read.
        """
        try:
            if not self._path.exists():
                return None
            is_plain = self._path.is_file()
        except OSError as exc:
            raise BooksError(f"{self._path} cannot be read: {exc.strerror}") from exc
        if not is_plain:
            raise BooksError(f"{self._path} cannot be read: it is not a regular file")
        with self._connection(busy_s=0.0) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > schema.VERSION:
                raise BooksError(f"{self._path} was written by a newer llm-lsp: update llm-lsp")
            if version == 0:
                return None
            (latest,) = connection.execute(schema.NEWEST_DAY).fetchone()
            return schema.spent(connection, max(day, latest or "") if newest else day)

    def spent(self, now: float) -> SpentTotals:
        """Return the amounts spent today and this month."""
        with self._connection() as connection:
            return schema.spent(connection, local_day(now))

    def asked(self, after: int = 0, last: int = 1, *, with_edits: bool = False) -> list[RequestSummary]:
        """Return at most `last` of the newest requests whose number is greater than `after`.

        Requests for next edits, which clients make at every pause, are left out unless they are wanted.
        """
        with self._connection() as connection:
            rows = connection.execute(schema.TRACES, (after, with_edits, last)).fetchall()
            return [self._asked(connection, row) for row in reversed(rows)]

    def _asked(
        self, connection: sqlite3.Connection, row: tuple[int, str, float, int | None, str]
    ) -> RequestSummary:
        number, session, at, call, body = row
        found = connection.execute(schema.CALL, (session, call)).fetchone() if call is not None else None
        return RequestSummary(number, at, RequestTrace.from_json(body), _call(found) if found else None)

    @contextmanager
    def _connection(self, busy_s: float = 5.0) -> Iterator[sqlite3.Connection]:
        if not self._path.exists():
            raise BooksError("nothing is recorded yet: recording starts with the first completion")
        try:
            # Not "mode=ro": a reader must be able to roll back the journal of a killed process.
            connection = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=rw", busy_s, uri=True)
            try:
                yield connection
            finally:
                connection.close()
        except sqlite3.Error as exc:
            raise BooksError(f"{self._path} cannot be read: {exc}") from exc


def days_back(now: float, days: int) -> str:
    """Return the first of the last `days` days, which include today."""
    return (date.fromisoformat(local_day(now)) - timedelta(days=days - 1)).isoformat()


def _call(row: tuple[Any, ...]) -> CallRecord:
    number, at, provider, model, language, project, trigger, outcome, *figures = row
    read, cached, to_cache, written, reasoning, estimated, cost, currency, free, first_s, whole_s = figures
    subject = Subject(provider, model, language, project)
    usage = Usage(read, written, cached, to_cache, reasoning)
    ended = (bool(free), outcome, first_s, whole_s)
    return CallRecord(number, at, subject, trigger, usage, bool(estimated), cost, currency, *ended)
