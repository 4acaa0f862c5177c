"""A list of checks and their results, for a terminal or a script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from llm_lsp.core.text.invisible_chars import visible

Verdict = Literal["ok", "warn", "fail", "note"]
"""Good; works but costs something; does not work; only told."""

STYLES: Mapping[Verdict, str] = {"ok": "green", "warn": "yellow", "fail": "bold red", "note": "dim"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    text: str
    """One line: what was found, and where it failed the remedy."""
    seconds: float | None = None
    """Where a time was measured."""


def has_failed(checks: Iterable[Check]) -> bool:
    """Whether one of them failed."""
    return any(check.verdict == "fail" for check in checks)


def print_checks(checks: Iterable[Check]) -> None:
    """Print a line each, never broken, so that `grep` finds the whole."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for check in checks:
        time = f" ({check.seconds * 1000:.0f} ms)" if check.seconds is not None else ""
        mark = f"{check.verdict:5} ", STYLES[check.verdict]
        line = Text.assemble(mark, f"{check.name:17} {visible(check.text)}", (time, "dim"))
        console.print(line, soft_wrap=True)


def as_json(checks: Iterable[Check]) -> list[dict[str, object]]:
    """Return the checks as scripts read them."""
    return [asdict(check) for check in checks]
