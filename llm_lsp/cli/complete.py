"""`llm-lsp complete`: one completion of a file at a place, printed as it is written."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from llm_lsp.cli.console import ConsoleClient
from llm_lsp.cli.settings import read_settings
from llm_lsp.config.stack import SettingsStack
from llm_lsp.config.trust import Source
from llm_lsp.core.extensions import language_for_path
from llm_lsp.core.text import Text
from llm_lsp.core.types import Completion, CompletionRequest, Document, Point, Skip, Trigger
from llm_lsp.errors import ConfigError

TARGET = re.compile(r"(?P<file>.+?)(?::(?P<line>\d+))?(?::(?P<column>\d+))?$")


@dataclass(frozen=True, slots=True)
class Target:
    """What to complete: a document, and a point in it."""

    document: Document
    point: Point


@click.command(context_settings={"ignore_unknown_options": True})  # `-:3` is a place
@click.argument("place", metavar="FILE[:LINE[:COLUMN]]")
@click.option("--language", default="", help="LSP language identifier; by default from the file's name.")
@click.option("--provider", default="", help="Use this provider in place of the settings' one.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Settings file in place of the user's.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object with the text and what it replaces."
)
def command(place: str, language: str, provider: str, config_file: Path | None, as_json: bool) -> None:
    """Print a completion of FILE at LINE and COLUMN, as it is written.

    Lines and columns count from 1; a column counts characters. Without a column the end of the line is
    meant, without a line the end of the file. FILE "-" reads standard input.
    """
    target = read_target(place, language)
    stack = read_settings(config_file, [Path.cwd()])
    if provider:
        stack = stack.with_layer(Source.COMMAND_LINE, {"provider": provider})
        refuse_unknown(stack, provider)
    printer, client = Printer(quiet=as_json), ConsoleClient()
    result = asyncio.run(complete(stack, target, printer, client))
    if isinstance(result, Skip):
        detail = f": {result.detail}" if result.detail and result.detail not in client.shown else ""
        raise click.ClickException(f"no completion, {result.reason.value}{detail}")
    if as_json:
        click.echo(json.dumps(as_mapping(result)))
    else:
        printer.finish(result.text)


def refuse_unknown(stack: SettingsStack, provider: str) -> None:
    """Raise ConfigError unless a provider named by hand is the one that would be used.

    Else the text might go to another one than was meant.
    """
    resolved = stack.resolve()
    if resolved.config.provider != provider:
        about = [problem.message for problem in resolved.problems if f'"{provider}"' in problem.message]
        raise ConfigError(about[0] if about else f"{provider} cannot be used; see llm-lsp provider list")


def as_mapping(result: Completion) -> dict[str, object]:
    """Give a completion as scripts read it; lines and columns count from 1."""
    start, end = ([point.line + 1, point.column + 1] for point in (result.start, result.end))
    return {"text": result.text, "start": start, "end": end}


def read_target(place: str, language: str) -> Target:
    """Read what FILE[:LINE[:COLUMN]] names; raises click.ClickException where it cannot be read."""
    match = TARGET.fullmatch(place)
    name = match["file"] if match else place
    line, column = (int(match[key]) if match and match[key] else None for key in ("line", "column"))
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as exc:
        hint = "; a place is written FILE:LINE:COLUMN" if ":" in name else ""
        raise click.ClickException(f"cannot read {name}: {exc.strerror}{hint}") from exc
    text = Text.of(raw.decode("utf-8", "replace"))
    uri = "untitled:stdin" if name == "-" else Path(name).resolve().as_uri()
    document = Document(uri, language or language_for_path(name), 1, text)
    return Target(document, point_of(text, line, column))


def point_of(text: Text, line: int | None, column: int | None) -> Point:
    """Give the point of a line and column that count from 1; raises click.ClickException past the text's end."""
    if line is None:
        return text.end
    if not 1 <= line <= text.line_count:
        raise click.ClickException(f"there is no line {line}: the file has {text.line_count}")
    length = len(text.line(line - 1))
    if column is not None and not 1 <= column <= length + 1:
        raise click.ClickException(
            f"there is no column {column} on line {line}: its end is column {length + 1}"
        )
    return Point(line - 1, length if column is None else column - 1)


async def complete(
    stack: SettingsStack, target: Target, printer: Printer, client: ConsoleClient
) -> Completion | Skip:
    """Ask once, by hand, and wait for the model as long as it works."""
    from llm_lsp.cli.wiring import build_engine

    engine = build_engine(stack, client)
    try:
        engine.open(target.document)
        await engine.ready(target.document)
        request = CompletionRequest(
            engine.next_id(), target.document, target.point, Trigger.MANUAL, "command", engine.now()
        )
        return await engine.complete(request, printer.show)
    finally:
        await engine.aclose()


class Printer:
    """Prints a text while it grows, up to its last word: what stands behind may still be cut off."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._printed = ""

    def show(self, text: str) -> None:
        """Print what is new and certain."""
        certain = re.match(r"(?s).*\w", text)
        if certain and not self._quiet and certain[0].startswith(self._printed):
            self._print(certain[0])

    def finish(self, text: str) -> None:
        """Print the rest, and end the line; what turned out otherwise is printed anew on a line of its own."""
        if not text.startswith(self._printed):
            click.echo()
            self._printed = ""
        self._print(text)
        click.echo()

    def _print(self, text: str) -> None:
        click.echo(text.removeprefix(self._printed), nl=False)
        sys.stdout.flush()
        self._printed = text
