"""The terminal as the engine's client: messages and progress go to standard error."""

from __future__ import annotations

import json
import sys

import click

from llm_lsp.core.text.invisible_chars import visible
from llm_lsp.engine.client.interface import Level, Progress, Status

COLOURS = {"error": "red", "warning": "yellow", "info": None}


class ConsoleClient:
    """Prints messages and progress, one line each; a message is not repeated directly after itself."""

    name = "console"
    has_inline = True
    offers_models = False

    def __init__(self) -> None:
        self._last = ""
        self._asked = "the model"
        self.shown: set[str] = set()

    def show(self, level: Level, text: str) -> None:
        self.shown.add(text)
        click.secho(f"{level}: {visible(text)}", err=True, fg=COLOURS[level])

    def progress(self, progress: Progress) -> None:
        if progress.message and progress.message != self._last:
            click.secho(visible(progress.message), err=True, dim=True)
        self._last = progress.message

    def status(self, status: Status) -> None:
        """Remember only which provider is asked: a command prints its own result."""
        if status.model:
            self._asked = f"{status.model} of {status.provider}"

    def say_whom(self, seconds: float = 0.0) -> None:
        """Print which provider has not answered yet, and after how many seconds."""
        since = f", {seconds:.0f} s" if seconds >= 1 else ""
        click.secho(f"waiting for {visible(self._asked)}{since}", err=True, dim=True)


def write(text: str) -> None:
    """Print text from elsewhere at once; escapes control characters on a terminal, but not into a pipe."""
    click.echo(visible(text) if sys.stdout.isatty() else text, nl=False)
    sys.stdout.flush()


def show_line(text: str = "", *, bold: bool = False) -> None:
    """Print a line, or several, with control characters escaped: names in it may come from others."""
    click.secho(visible(text), bold=bold or None)


def show_json(value: object, *, indent: int | None = 2) -> None:
    """Print JSON in pure ASCII, which every terminal can show."""
    click.echo(json.dumps(value, indent=indent))


def say(line: str, *, dim: bool = False, fg: str | None = None) -> None:
    """Print a line of progress to standard error, escaped like in `show_line`."""
    click.secho(visible(line), err=True, dim=dim or None, fg=fg)
