"""The sums of several machines' audit files, as `usage FILES` prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from llm_lsp.cli.terminal.console import say, show_json, show_line
from llm_lsp.cli.terminal.table import print_table
from llm_lsp.usage_store.audit_file import AuditFigures, sum_files

COLUMNS = ("calls", "failed", "read", "cached", "written")


def show_audit_files(files: Sequence[Path], first: str, *, as_json: bool) -> None:
    """Print the calls from a day (UTC) on; raises BooksError if a file cannot be read."""
    sums = sum_files(files, first)
    if sums.unreadable:
        say(f"lines that are not counted, because they are no lines of an audit file: {sums.unreadable:,}")
    if as_json:
        by = {name: {key: each.as_mapping() for key, each in rows.items()} for name, rows in sums.by.items()}
        counts = {"files": len(files), "unreadable_lines": sums.unreadable}
        show_json({"since": first, **counts, "total": sums.total.as_mapping(), "by": by})
        return
    show_line(
        f"Since {first}: {sums.total.calls:,} calls, {sums.total.tokens['read']:,} tokens read and "
        f"{sums.total.tokens['written']:,} written; {sums.total.failed:,} calls failed."
    )
    for name, rows in sums.by.items():
        if rows:
            show_line()
            _show_group(name, rows)


def _show_group(name: str, rows: Mapping[str, AuditFigures]) -> None:
    cells = [(key, *_cells(each)) for key, each in sorted(rows.items())]
    print_table((name, *COLUMNS), cells, COLUMNS, f"by {name}")


def _cells(each: AuditFigures) -> tuple[str, ...]:
    tokens = (each.tokens[kind] for kind in ("read", "cached", "written"))
    return tuple(f"{value:,}" for value in (each.calls, each.failed, *tokens))
