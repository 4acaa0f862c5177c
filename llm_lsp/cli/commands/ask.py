"""`llm-lsp ask`: answer a question about code, printed as the model writes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from llm_lsp.cli.commands.complete import chosen, refuse_unknown
from llm_lsp.cli.completion_target import read_part
from llm_lsp.cli.files.settings_files import read_settings
from llm_lsp.cli.running_engine import running
from llm_lsp.cli.terminal.console import ConsoleClient, say, show_json, show_line, write
from llm_lsp.cli.terminal.options import config_option, json_option
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.chat.dialogue import ANSWER_TOKENS, ChatQuestion


@click.command(context_settings={"ignore_unknown_options": True})  # `-:3` is an argument, not an option
@click.argument("question")
@click.argument("place", metavar="[FILE[:FIRST[-LAST]]]", required=False)
@click.option(
    "--new", "is_new", is_flag=True, help="Start a new conversation: forget the earlier ones in this folder."
)
@click.option("--language", default="", help="LSP language identifier; by default taken from the file name.")
@click.option("--provider", default="", help="Ask this provider instead of the configured one.")
@config_option
@json_option
def command(
    question: str,
    place: str | None,
    is_new: bool,
    language: str,
    provider: str,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Answer QUESTION, optionally about FILE or some of its lines.

    FILE "-" reads standard input. Earlier questions and answers in this folder are sent along with the question.
    """
    if not question.strip():
        raise click.UsageError("the question is empty")
    stack = read_settings(config_file, [Path.cwd()])
    if provider:
        stack = stack.with_layer(SettingsSource.COMMAND_LINE, chosen(provider))
        refuse_unknown(stack, provider)
    document, lines = read_part(place, language) if place else (None, None)
    inquiry = ChatQuestion(question, document, lines, is_new=is_new)
    asyncio.run(print_json(stack, inquiry) if as_json else print_answer(stack, inquiry))


async def print_json(stack: SettingsStack, inquiry: ChatQuestion) -> None:
    """Print the whole answer as JSON; raises LlmLspError if there is none."""
    async with running(stack, ConsoleClient()) as engine:
        reply = await engine.ask(inquiry)
        show_json({"text": reply.text, "whole": reply.is_whole}, indent=None)


async def print_answer(stack: SettingsStack, inquiry: ChatQuestion) -> None:
    """Print the answer as it arrives; raises LlmLspError if there is none."""
    async with running(stack, ConsoleClient()) as engine:
        reply = await engine.ask(inquiry, write)
        show_line()
    if not reply.is_whole:
        say(f"the answer was cut at {ANSWER_TOKENS} tokens", dim=True)
