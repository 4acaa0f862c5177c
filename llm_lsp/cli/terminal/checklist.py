"""A list of checks and their results, for a terminal or a script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from llm_lsp.core.text.invisible_chars import visible

Verdict = Literal["ok", "warn", "fail", "note"]
"""Passed; works with a drawback; failed; information only."""

STYLES: Mapping[Verdict, str] = {"ok": "green", "warn": "yellow", "fail": "bold red", "note": "dim"}


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    name: str
    verdict: Verdict
    text: str
    """One line: what was found, and how to fix it if it failed."""
    seconds: float | None = None
    """Measured time, if any."""


def has_failed(checks: Iterable[Check]) -> bool:
    """Check whether any failed."""
    return any(check.verdict == "fail" for check in checks)


def print_checks(checks: Iterable[Check]) -> None:
    """Print one unwrapped line per check, so that `grep` finds all of it."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for check in checks:
        time = f" ({check.seconds * 1000:.0f} ms)" if check.seconds is not None else ""
        mark = f"{check.verdict:5} ", STYLES[check.verdict]
        line = Text.assemble(mark, f"{check.name:17} {visible(check.text)}", (time, "dim"))
        console.print(line, soft_wrap=True)


def as_json(checks: Iterable[Check]) -> list[dict[str, object]]:
    """Return the checks as JSON fields."""
    return [asdict(check) for check in checks]
