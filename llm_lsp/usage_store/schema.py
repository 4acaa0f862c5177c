"""The usage store's tables and queries, as SQL."""

from __future__ import annotations

import sqlite3

from llm_lsp.core.usage.acceptance import READ_S
from llm_lsp.core.usage.budget import SpentTotals

VERSION = 1
"""Stored in the file as `user_version`; a file with a higher one was written by a newer llm-lsp."""

# `daily` holds the sums of `calls` by day, updated in the same transactions: a budget needs them before each call, and
# a user who types all day makes 250,000 calls a month.
TABLES = """
CREATE TABLE calls (
    session TEXT, number INTEGER, at REAL, day TEXT,
    provider TEXT, model TEXT, language TEXT, project TEXT, trigger TEXT, outcome TEXT,
    input INTEGER, cached INTEGER, written INTEGER, output INTEGER, reasoning INTEGER, estimated INTEGER,
    cost REAL, currency TEXT, free INTEGER, first_s REAL, whole_s REAL,
    PRIMARY KEY (session, number)
) WITHOUT ROWID;
CREATE INDEX calls_by_day ON calls (day);
CREATE TABLE daily (
    day TEXT, currency TEXT, cost REAL, tokens INTEGER,
    PRIMARY KEY (day, currency)
) WITHOUT ROWID;
CREATE TABLE suggestions (
    session TEXT, id TEXT, at REAL, day TEXT,
    provider TEXT, model TEXT, language TEXT, project TEXT,
    chars INTEGER, shown_s REAL, fate TEXT, used INTEGER, kept_30 INTEGER, kept_120 INTEGER, kept_300 INTEGER,
    PRIMARY KEY (session, id)
) WITHOUT ROWID;
CREATE INDEX suggestions_by_day ON suggestions (day);
CREATE TABLE counts (
    day TEXT, provider TEXT, model TEXT, language TEXT, project TEXT, what TEXT, n INTEGER,
    PRIMARY KEY (day, provider, model, language, project, what)
) WITHOUT ROWID;
CREATE TABLE traces (
    number INTEGER PRIMARY KEY, session TEXT, request INTEGER, at REAL, call INTEGER, body TEXT
);
"""

PUT_CALL = f"INSERT OR REPLACE INTO calls VALUES ({', '.join('?' * 21)})"
PUT_SUGGESTION = f"INSERT OR REPLACE INTO suggestions VALUES ({', '.join('?' * 15)})"
ADD_COUNT = """
INSERT INTO counts VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET n = n + excluded.n
"""
ADD_DAILY = """
INSERT INTO daily VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET cost = cost + excluded.cost, tokens = tokens + excluded.tokens
"""
PUT_TRACE = "INSERT INTO traces (session, request, at, call, body) VALUES (?, ?, ?, ?, ?)"
OLD_CALL = "SELECT day, currency, coalesce(cost, 0), input + output, free FROM calls WHERE session = ? AND number = ?"
NEWEST_DAY = "SELECT max(day) FROM daily"
SPENT = "SELECT day, currency, cost, tokens FROM daily WHERE day >= ? AND day <= ?"
TRIM_TRACES = "DELETE FROM traces WHERE number <= (SELECT max(number) FROM traces) - ?"
DROP_OLD = ("DELETE FROM calls WHERE day < ?", "DELETE FROM suggestions WHERE day < ?")

# Queries of the reader; `key` is one of its own expressions, never user input.
FIGURES_OF_CALLS = """
SELECT {key}, currency, coalesce(sum(cost), 0), sum(cost IS NULL), count(*), sum(input), sum(cached),
    sum(output), sum(estimated), sum(outcome = 'failed')
FROM calls WHERE day >= ? GROUP BY 1, 2
"""
FIRST_TIMES = "SELECT {key}, first_s FROM calls WHERE day >= ? AND first_s IS NOT NULL"
FIGURES_OF_OFFERS = f"""
SELECT {{key}}, sum(shown_s >= {READ_S} OR used > 0), sum(used > 0), sum(fate = 'typed through'), sum(used),
    sum(CASE WHEN used > 0 THEN coalesce(kept_300, kept_120, kept_30, used) ELSE 0 END)
FROM suggestions WHERE day >= ? GROUP BY 1
"""
FIGURES_OF_COUNTS = "SELECT {key}, what, sum(n) FROM counts WHERE day >= ? GROUP BY 1, 2"
# The bodies are JSON as RequestTrace.to_json writes it; a quotation mark inside a value is escaped there.
TRACES = """
SELECT number, session, at, call, body FROM traces
WHERE number > ? AND (? OR body NOT LIKE '%,"face":"edit",%') ORDER BY number DESC LIMIT ?
"""
CALL = """
SELECT number, at, provider, model, language, project, trigger, outcome, input, cached, written, output,
    reasoning, estimated, cost, currency, free, first_s, whole_s
FROM calls WHERE session = ? AND number = ?
"""


def spent(connection: sqlite3.Connection, day: str) -> SpentTotals:
    """Return the amounts spent on a day and in its month."""
    today: dict[str, float] = {}
    month: dict[str, float] = {}
    tokens_today = tokens_this_month = 0
    for row_day, currency, cost, tokens in connection.execute(SPENT, (f"{day[:7]}-01", day)):
        month[currency] = month.get(currency, 0.0) + cost
        tokens_this_month += tokens
        if row_day == day:
            today[currency] = cost
            tokens_today += tokens
    return SpentTotals(day, today, month, tokens_today, tokens_this_month)
