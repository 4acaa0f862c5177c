"""`llm-lsp usage` and `llm-lsp explain` read what a server wrote."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from llm_lsp.cli.main import group
from llm_lsp.core.usage.record_batch import RecordBatch
from llm_lsp.core.usage.records import SuggestionRecord
from llm_lsp.core.usage.request_log import LogEntry
from llm_lsp.core.usage.request_trace import RequestTrace, TraceRow
from llm_lsp.usage_store.store import SqliteUsageStore
from tests.usage_store.rows import SUBJECT, a_call

LOCAL = replace(SUBJECT, provider="local", model="small\x1b[31m", project="")
TRACE = RequestTrace(
    7, "automatic", "inline", SUBJECT, (LogEntry("cache", "nothing is known", 0.1),), 212.4, 23
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, arguments)


@pytest.fixture
def books(home: Path) -> SqliteUsageStore:
    """Books of one day: two calls that cost, one that did not, and what came of them."""
    now = time.time()
    store = SqliteUsageStore(home / "data" / "usage.db")
    store.write(
        RecordBatch(
            now,
            (
                a_call(1, 0.25, at=now, tokens=(900, 100)),
                a_call(2, 0.5, at=now, tokens=(900, 100), outcome="failed"),
                a_call(3, 0.0, at=now, tokens=(500, 0), subject=LOCAL, free=True),
            ),
            (
                SuggestionRecord("1.1", now, SUBJECT, 20, 0.2, "accepted", 20, (20, 10, None)),
                SuggestionRecord("1.2", now, SUBJECT, 20, 2.0, "dismissed"),
                SuggestionRecord("1.3", now, SUBJECT, 20, 0.2, "dismissed"),
                SuggestionRecord("1.4", now, SUBJECT, 20, 0.9, "typed through"),
            ),
            {
                (SUBJECT, "keystrokes"): 200,
                (SUBJECT, "called"): 1,
                (SUBJECT, "joined"): 1,
                (SUBJECT, "known"): 2,
                (SUBJECT, "nothing: DELETING"): 5,
            },
            (
                TraceRow(now, 1, TRACE),
                TraceRow(now, None, replace(TRACE, request=8)),
            ),
        )
    )
    store.close()
    return store


def test_usage_says_what_was_spent_and_what_came_of_it(books: SqliteUsageStore) -> None:
    result = run("usage")

    assert result.exit_code == 0
    assert "0.750 USD for 3 calls, 2,300 tokens read and 200 written." in result.stdout
    assert "200 keystrokes, 1.5 calls per 100 keystrokes; 75% of the answers needed no call." in result.stdout
    assert (
        "3 suggestions were shown long enough to read, 33% accepted; 10 of 20 accepted characters are still in the text."
        in result.stdout
    )
    assert [line.strip() for line in result.stdout.splitlines() if line.strip().startswith("by ")] == [
        "by day",
        "by model",
        "by language",
        "by project",
    ]


def test_its_json_has_every_figure(books: SqliteUsageStore) -> None:
    usage = json.loads(run("usage", "--by", "model", "--json").stdout)

    assert list(usage["by"]) == ["model"]
    assert usage["by"]["model"]["codestral codestral-latest"] == {
        "calls": 2,
        "tokens": {"read": 1800, "cached": 0, "written": 200},
        "money": {"USD": 0.75},
        "calls_estimated": 0,
        "calls_unpriced": 0,
        "calls_failed": 1,
        "keystrokes": 200,
        "calls_per_100_keystrokes": 1.0,
        "answers": {"known": 2, "joined": 1, "called": 1},
        "share_without_call": 0.75,
        "first_ms": 200.0,
        "suggestions": 3,
        "accepted": 1,
        "typed_through": 1,
        "acceptance": 0.3333,
        "used_chars": 20,
        "kept_chars": 10,
        "kept_per_1000_tokens": 5.0,
        "nothing": {"DELETING": 5},
    }
    assert usage["spent"]["tokens_today"] == 2000


def test_a_models_name_cannot_steer_the_terminal(books: SqliteUsageStore) -> None:
    assert "\x1b" not in run("usage", "--by", "model").stdout


def test_a_narrow_terminal_gets_the_first_columns_whole(
    books: SqliteUsageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    out = run("usage", "--by", "model").stdout

    assert "0.750 USD" in out
    assert "…" not in out
    assert "kept per 1k" not in out


def test_what_was_before_is_left_out(books: SqliteUsageStore) -> None:
    usage = json.loads(run("usage", "--since", "2999-01-01", "--json").stdout)

    assert usage["total"]["calls"] == 0


def test_the_budget_of_the_settings_is_shown(books: SqliteUsageStore, home: Path) -> None:
    (home / "home").mkdir()
    (home / "home" / "config.toml").write_text("[budget]\nper_day = 3.0\n")

    assert "Budget: 0.75 of today's 3.00 USD spent." in run("usage").stdout


def test_totals_are_in_the_budgets_currency(books: SqliteUsageStore, home: Path) -> None:
    (home / "home").mkdir()
    (home / "home" / "config.toml").write_text(
        '[budget]\ncurrency = "CNY"\nexchange = { USD = 8.0 }\nper_day = 60.0\n'
    )
    usage = json.loads(run("usage", "--by", "model", "--json").stdout)

    assert "6.000 CNY for 3 calls" in run("usage").stdout
    assert usage["total"]["money"] == {"CNY": 6.0}
    assert usage["by"]["model"]["codestral codestral-latest"]["money"] == {"CNY": 6.0}


def test_a_day_must_be_one(books: SqliteUsageStore) -> None:
    result = run("usage", "--since", "yesterday")

    assert result.exit_code == 2
    assert "write the date as 2026-11-01" in result.stderr


@pytest.mark.parametrize("command", ["usage", "explain"])
def test_without_books_there_is_one_clear_message(home: Path, command: str) -> None:
    result = run(command)

    assert (result.exit_code, result.stderr) == (
        1,
        "Error: nothing is recorded yet: recording starts with the first completion\n",
    )
    assert not (home / "data").exists()


def test_explain_tells_the_last_requests_way(books: SqliteUsageStore) -> None:
    lines = run("explain", "-n", "2").stdout.splitlines()

    assert lines[0].endswith(
        "While you typed in python (web), ghost text of 23 characters was shown after 212 ms."
    )
    assert lines[3].split("|")[1:4] == [" earlier answers ", " 0.1 ms ", " nothing is known "]
    assert "codestral codestral-latest: 900 tokens read, 100 written" in lines[4]
    assert len(lines) == 9


def test_explain_as_json_has_the_call(books: SqliteUsageStore) -> None:
    first, second = map(json.loads, run("explain", "-n", "2", "--json").stdout.splitlines())

    assert (first["request"], first["call"]["cost"]) == (7, 0.25)
    assert (second["request"], second["call"]) == (8, None)


def test_follow_tells_each_request_once(
    books: SqliteUsageStore, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    def look(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            row = TraceRow(time.time(), None, replace(TRACE, shown_chars=None, reason="snoozed"))
            books.write(RecordBatch(time.time(), traces=(row,)))
        if looks == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr("llm_lsp.cli.commands.explain.time.sleep", look)
    out = run("explain", "--follow").stdout

    assert [line[10:] for line in out.splitlines() if line[:2].isdigit()] == [
        "While you typed in python (web), ghost text of 23 characters was shown after 212 ms.",
        "While you typed in python (web), nothing was shown after 212 ms: snoozed.",
    ]
    books.close()


def test_without_anything_to_tell_there_is_one_line(home: Path) -> None:
    SqliteUsageStore(home / "data" / "usage.db").write(
        RecordBatch(time.time(), counts={(SUBJECT, "NO_PROVIDER"): 1})
    )

    lines = run("usage").stdout.splitlines()

    assert len(lines) == 1
    assert lines[0].endswith("no keystrokes, calls or suggestions.")
