"""Progress bars: drawn on a terminal, printed as a line per tenth elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from llm_lsp.cli.terminal.console import say

Advance = Callable[[int, int], None]


@contextmanager
def download_bar(name: str) -> Iterator[Advance]:
    """Show a download's progress on standard error; yields a function of the bytes done and the total."""
    if not sys.stderr.isatty():
        yield Lines(name)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=None, visible=False)
        yield lambda done, total: progress.update(task, completed=done, total=total or None, visible=True)


@contextmanager
def counting_bar(name: str, total: int) -> Iterator[Callable[[], None]]:
    """Show on standard error how many of `total` are done; yields a function that counts one more."""
    if not sys.stderr.isatty():
        yield CountedLines(name, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(name, total=total)
        yield lambda: progress.advance(task)


class CountedLines:
    """Prints a line for each tenth of the total."""

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._done = 0

    def __call__(self) -> None:
        before, self._done = self._done, self._done + 1
        if self._done * 10 // self._total > before * 10 // self._total:
            say(f"{self._name}: {self._done} of {self._total}")


class Lines:
    """Prints a line for each tenth of a download."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tenths = 0

    def __call__(self, done: int, total: int) -> None:
        tenths = done * 10 // total if total else 0
        if tenths > self._tenths:
            self._tenths = tenths
            say(f"{self._name}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")
