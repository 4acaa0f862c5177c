"""`llm-lsp complete`: print the completion at a position in a file, as the model writes."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import click

from llm_lsp.cli.completion_target import CompletionTarget, read_batch, read_target
from llm_lsp.cli.files.settings_files import read_settings
from llm_lsp.cli.running_engine import running
from llm_lsp.cli.terminal.console import ConsoleClient, show_json, show_line, write
from llm_lsp.cli.terminal.options import config_option
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.request import Completion, CompletionRequest, Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.engine.engine import CompletionEngine
from llm_lsp.errors import ConfigError

# Seconds without output before the command names the provider it waits for. A local model that is busy with other
# requests answers when it is free; there is no deadline.
SILENT_S = 2.0
# Seconds between two such lines: a cold model may read its first prompt for a minute.
SILENT_AGAIN_S = 5.0


@click.command(context_settings={"ignore_unknown_options": True})  # `-:3` is an argument, not an option
@click.argument("place", metavar="FILE[:LINE[:COLUMN]]", required=False)
@click.option("--language", default="", help="LSP language identifier; by default taken from the file name.")
@click.option("--provider", default="", help="Use this provider instead of the configured one.")
@config_option
@click.option(
    "--batch",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Complete every position listed in a JSON Lines file; print one JSON line for each.",
)
@click.option(
    "--show-prompt", is_flag=True, help="Print what would be sent to the model, without sending it."
)
@click.option(
    "--next-edit",
    is_flag=True,
    help="Print the next edit that follows from your changes to FILE since its last commit, as a diff.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON object with the text and the range it replaces."
)
def command(
    place: str | None,
    language: str,
    provider: str,
    config_file: Path | None,
    batch: Path | None,
    show_prompt: bool,
    next_edit: bool,
    as_json: bool,
) -> None:
    """Print a completion of FILE at LINE and COLUMN, as the model writes it.

    Lines and columns count from 1; a column counts characters. Without COLUMN, complete at the end of the line;
    without LINE, at the end of the file. FILE "-" reads standard input.

    Each line of a --batch file is {"place": "FILE:LINE:COLUMN"}, or {"text": …, "language": …, "line": …,
    "column": …}.
    """
    if (place is None) == (batch is None):
        raise click.UsageError("give either a FILE or --batch")
    if show_prompt and batch is not None:
        raise click.UsageError("--show-prompt needs a FILE and cannot be combined with --batch")
    stack = read_settings(config_file, [Path.cwd()])
    if provider:
        stack = stack.with_layer(SettingsSource.COMMAND_LINE, chosen(provider))
        refuse_unknown(stack, provider)
    if next_edit:
        from llm_lsp.cli.print_next_edit import print_next_edit

        if place is None:
            raise click.UsageError("--next-edit needs a FILE")
        print_next_edit(stack, read_target(place, language), show_prompt=show_prompt, as_json=as_json)
    elif batch is not None:
        asyncio.run(complete_batch(stack, list(read_batch(batch))))
    elif place is not None and show_prompt:
        asyncio.run(print_question(stack, read_target(place, language), as_json=as_json))
    elif place is not None:
        asyncio.run(complete_one(stack, read_target(place, language), CompletionPrinter(as_json=as_json)))


async def complete_one(stack: SettingsStack, target: CompletionTarget, printer: CompletionPrinter) -> None:
    """Print one completion; raises click.ClickException if there is none."""
    client = ConsoleClient()
    async with running(stack, client) as engine:
        silence = asyncio.create_task(_tell_wait(client))
        request = await request_at(engine, target)

        def show(text: str) -> None:
            silence.cancel()
            printer.show(text)

        result = await engine.complete(request, show)
        silence.cancel()
        if isinstance(result, Completion):
            # Before the engine closes, so that a message about unsaved usage records starts on its own line.
            printer.finish(result)
    if isinstance(result, Skip):
        raise refusal(result, client)


async def _tell_wait(client: ConsoleClient) -> None:
    """Print again and again what the command waits for."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(SILENT_S)
    client.say_whom()
    while True:
        await asyncio.sleep(SILENT_AGAIN_S)
        client.say_whom(loop.time() - began)


async def print_question(stack: SettingsStack, target: CompletionTarget, *, as_json: bool) -> None:
    """Print what would be sent; raises click.ClickException if nothing would be."""
    from llm_lsp.cli.show_prompt import print_plain, question_mapping

    client = ConsoleClient()
    async with running(stack, client) as engine:
        question = engine.question(await request_at(engine, target))
    if isinstance(question, Skip):
        raise refusal(question, client)
    if as_json:
        show_json(question_mapping(question), indent=None)
    else:
        print_plain(question)


def refusal(skip: Skip, client: ConsoleClient) -> click.ClickException:
    """Return the error for a request without completion; leaves out a detail that the client has already
    printed.
    """
    detail = f": {skip.detail}" if skip.detail and skip.detail not in client.shown else ""
    return click.ClickException(f"no completion, {skip.reason.value}{detail}")


async def complete_batch(stack: SettingsStack, targets: list[CompletionTarget]) -> None:
    """Print a JSON line for each target, in order; exits with 1 if any has no completion."""
    is_whole = True
    async with running(stack, ConsoleClient()) as engine:
        for target in targets:
            result = await ask(engine, target)
            is_whole = is_whole and isinstance(result, Completion)
            show_json(as_mapping(result), indent=None)
    if not is_whole:
        raise click.exceptions.Exit(1)


async def ask(engine: CompletionEngine, target: CompletionTarget) -> Completion | Skip:
    """Make one manual request, without a deadline."""
    return await engine.complete(await request_at(engine, target))


async def request_at(engine: CompletionEngine, target: CompletionTarget) -> CompletionRequest:
    """Open a target's document, wait until its model and context are ready, and return the request."""
    engine.open(target.document)
    await engine.ready(target.document)
    await engine.prepare(target.document, target.point)
    number, now = engine.next_id(), engine.now()
    return CompletionRequest(number, target.document, target.point, Trigger.MANUAL, "command", now)


def chosen(provider: object) -> dict[str, object]:
    """Return settings that use this provider for every language."""
    return {"provider": provider, "routes": []}


def refuse_unknown(stack: SettingsStack, provider: str) -> None:
    """Raise ConfigError unless the settings resolve to the provider that the command line named.

    Otherwise the code could be sent to a provider that the user did not mean.
    """
    resolved = stack.resolve()
    if resolved.config.provider != provider:
        about = [problem.message for problem in resolved.problems if f'"{provider}"' in problem.message]
        raise ConfigError(
            f"{about[0] if about else f'{provider} cannot be used'}; see `llm-lsp provider list`"
        )


def as_mapping(result: Completion | Skip) -> dict[str, object]:
    """Return a result as JSON fields; lines and columns count from 1."""
    if isinstance(result, Skip):
        return {"skip": result.reason.name.lower(), "detail": result.detail or result.reason.value}
    start, end = ([point.line + 1, point.column + 1] for point in (result.start, result.end))
    return {"text": result.text, "start": start, "end": end}


class CompletionPrinter:
    """Prints a growing text up to its last complete word: filters may still cut what follows."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._printed = ""

    def show(self, text: str) -> None:
        """Print the new part that can no longer change."""
        certain = re.match(r"(?s).*\w", text)
        if certain and not self._as_json and certain[0].startswith(self._printed):
            self._print(certain[0])

    def finish(self, result: Completion) -> None:
        """Print the rest and end the line; if the final text differs from what was printed, print it again in
        full.
        """
        if self._as_json:
            show_json(as_mapping(result), indent=None)
            return
        text = result.text
        if not text.startswith(self._printed):
            show_line()
            self._printed = ""
        self._print(text)
        show_line()

    def _print(self, text: str) -> None:
        write(text.removeprefix(self._printed))
        self._printed = text
