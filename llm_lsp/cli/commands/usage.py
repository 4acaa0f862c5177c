"""`llm-lsp usage`: show costs, calls and accepted suggestions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path

import click

from llm_lsp.cli.audit_report import show_audit_files
from llm_lsp.cli.files.settings_files import books_file, read_settings
from llm_lsp.cli.terminal.console import show_json, show_line
from llm_lsp.cli.terminal.options import config_option, json_option
from llm_lsp.cli.terminal.table import GAP, print_table, width
from llm_lsp.core.text.invisible_chars import visible
from llm_lsp.core.usage.budget import BudgetLimits, SpentTotals, most_used
from llm_lsp.core.usage.request_trace import cost_words
from llm_lsp.engine.usage.budget_guard import limits_of
from llm_lsp.usage_store.reader import By, UsageReader, days_back
from llm_lsp.usage_store.usage_figures import UsageFigures

GROUPS: tuple[By, ...] = ("day", "model", "language", "project")
DAYS = 30
# Width of the longest bar in terminal cells, and the smallest width at which a bar is still readable.
MOST_BAR, LEAST_BAR = 30, 6
# Width of a column in cells, with its gap. Columns that do not fit the terminal are left out, from the right.
COLUMN_CELLS = 12
COLUMNS = ("cost", "tokens", "calls", "accepted", "per 100 keys", "no call", "first ms", "kept per 1k")


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--days", type=click.IntRange(1, 100), default=DAYS, show_default=True, help="Number of days to show."
)
@click.option("--since", metavar="DATE", help="First day to show, such as 2026-11-01, instead of --days.")
@click.option("--by", type=click.Choice(GROUPS), multiple=True, help="Group by this only; can be repeated.")
@config_option
@json_option
def command(
    files: tuple[Path, ...],
    days: int,
    since: str | None,
    by: tuple[By, ...],
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Show what calls cost, how often one was needed, and how many suggestions were accepted.

    Days are in this machine's time zone. Costs are converted to the budget's currency if [budget.exchange] has the
    rates. Token counts of calls that were closed early are estimates.

    With FILES, show instead the sums of several machines' audit files.
    """
    now = time.time()
    first = _day(since) if since else days_back(now, days)
    if files:
        show_audit_files(files, first, as_json=as_json)
        return
    limits = limits_of(read_settings(config_file).resolve().config.budget)
    reader = UsageReader(books_file())
    total = _figures(reader, first, "all", limits).get("all", UsageFigures())
    groups = {each: _figures(reader, first, each, limits) for each in by or GROUPS}
    spent = reader.spent(now)
    if as_json:
        show_json(_as_mapping(first, total, groups, spent))
    else:
        _show(first, total, groups, _budget_line(limits, spent))


def _figures(reader: UsageReader, first: str, by: By, limits: BudgetLimits) -> dict[str, UsageFigures]:
    """Return the figures of each group, with money in the budget's currency."""
    found = reader.figures(first, by)
    for figures in found.values():
        figures.money = limits.total(figures.money)
    return found


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise click.BadParameter("write the date as 2026-11-01", param_hint="--since") from None


def _as_mapping(
    first: str, total: UsageFigures, groups: Mapping[By, Mapping[str, UsageFigures]], spent: SpentTotals
) -> dict[str, object]:
    by = {name: {key: each.as_mapping() for key, each in rows.items()} for name, rows in groups.items()}
    return {"since": first, "total": total.as_mapping(), "by": by, "spent": asdict(spent)}


def _budget_line(limits: BudgetLimits, spent: SpentTotals) -> str:
    use = most_used(limits, spent)
    return f"Budget: {use.words} spent." if use else ""


def _show(
    first: str, total: UsageFigures, groups: Mapping[By, Mapping[str, UsageFigures]], budget: str
) -> None:
    if _is_empty(total):
        # Requests that made no call have rows too, all of them zero.
        groups = {}
    for line in filter(None, (*_summary(first, total), budget)):
        show_line(line)
    for name, rows in groups.items():
        if rows:
            show_line()
            _show_group(name, rows)


def _summary(first: str, total: UsageFigures) -> list[str]:
    if _is_empty(total):
        return [f"Since {first}: no keystrokes, calls or suggestions."]
    lines = [
        f"Since {first}: {_money(total)} for {total.calls:,} calls, {total.read:,} tokens read and "
        f"{total.written:,} written{_about(total)}.",
        f"{total.keystrokes:,} keystrokes, {_number(total.calls_per_100_keystrokes)} calls per 100 keystrokes; "
        f"{_percent(total.share_without_call)} of the answers needed no call.",
        f"{total.suggestions:,} suggestions were shown long enough to read, {_percent(total.acceptance)} accepted; "
        f"{total.kept_chars:,} of {total.used_chars:,} accepted characters are still in the text.",
    ]
    if total.unpriced:
        lines.append(
            f"{total.unpriced:,} calls have no known price: set price_input and price_output of their provider."
        )
    return lines


def _is_empty(total: UsageFigures) -> bool:
    return not (total.calls or total.keystrokes or total.suggestions)


def _show_group(name: By, rows: Mapping[str, UsageFigures]) -> None:
    names = {key: visible(key) or "(none)" for key in rows}
    room = width() - max(len(name), *map(len, names.values())) - GAP
    n_columns = max(1, min(len(COLUMNS), room // COLUMN_CELLS))
    bar_cells = min(MOST_BAR, room - n_columns * COLUMN_CELLS - GAP)
    sizes = _sizes(rows)
    cells = [
        (
            names[key],
            _bar(bar_cells * sizes[key]) if bar_cells >= LEAST_BAR else "",
            *_cells(each)[:n_columns],
        )
        for key, each in rows.items()
    ]
    print_table((name, "", *COLUMNS[:n_columns]), cells, COLUMNS, f"by {name}")


def _sizes(rows: Mapping[str, UsageFigures]) -> dict[str, float]:
    """Return each row's share of the largest: of the costs if there are any, else of the tokens (local models
    cost nothing).
    """
    sizes = {key: _in_one(each) or 0.0 for key, each in rows.items()}
    if not any(sizes.values()):
        sizes = {key: float(each.tokens) for key, each in rows.items()}
    most = max(sizes.values()) or 1.0
    return {key: size / most for key, size in sizes.items()}


def _cells(each: UsageFigures) -> tuple[str, ...]:
    """Return the values of COLUMNS."""
    return (
        _money(each),
        f"{each.tokens:,}",
        f"{each.calls:,}",
        _percent(each.acceptance),
        _number(each.calls_per_100_keystrokes),
        _percent(each.share_without_call),
        _number(each.first_ms),
        _number(each.kept_per_1000_tokens),
    )


def _bar(cells: float) -> str:
    """Draw a bar in eighths of a cell."""
    eighths = round(cells * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _in_one(each: UsageFigures) -> float | None:
    """Return the cost if it is in a single currency, else None: bars of different currencies cannot be compared."""
    return next(iter(each.money.values())) if len(each.money) == 1 else None


def _money(each: UsageFigures) -> str:
    if each.money:
        return " + ".join(
            f"{cost:,.3f} {currency}" if cost >= 0.01 else cost_words(cost, currency)
            for currency, cost in each.money.items()
        )
    return "unknown" if each.unpriced else "nothing" if each.calls else "–"


def _about(total: UsageFigures) -> str:
    return f" (estimated for {total.estimated / total.calls:.0%} of the calls)" if total.estimated else ""


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
