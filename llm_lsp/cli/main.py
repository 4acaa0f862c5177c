"""The command group; a command's module is imported only when the command is run."""

from __future__ import annotations

import logging
import sys
from importlib import import_module

import click

from llm_lsp import __version__
from llm_lsp.cli.terminal.streams import safe_streams
from llm_lsp.errors import LlmLspError
from llm_lsp.system import provide_home

COMMANDS = {
    "server": ("llm_lsp.cli.commands.server", "Run the language server on standard input and output."),
    "doctor": ("llm_lsp.cli.commands.doctor", "Show which settings and provider are used, and test them."),
    "complete": ("llm_lsp.cli.commands.complete", "Print the completion at a position in a file."),
    "ask": ("llm_lsp.cli.commands.ask", "Answer a question about code."),
    "eval": (
        "llm_lsp.cli.commands.eval",
        "Measure completion quality on a repository, for models or settings side by side.",
    ),
    "explain": ("llm_lsp.cli.commands.explain", "Explain how the last requests were answered."),
    "usage": ("llm_lsp.cli.commands.usage", "Show costs, calls and accepted suggestions."),
    "provider": ("llm_lsp.cli.commands.provider", "List, add, test and remove model APIs."),
    "model": ("llm_lsp.cli.commands.model", "Download, list, run and remove models on this machine."),
    "editor": ("llm_lsp.cli.commands.editor", "Print or install an editor's configuration."),
    "trust": ("llm_lsp.cli.commands.trust", "Let a folder's settings file choose among your providers."),
    "config": ("llm_lsp.cli.commands.config", "Show the settings, their files and their schema."),
}


class LazyGroup(click.Group):
    """A group that lists commands by name and help text, and imports a command only to run it.

    The server has to answer `initialize` before anything else is imported.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; an LlmLspError becomes one line on standard error, and exit status 1.

        Control characters in the message, such as in a file's or model's name, are escaped for the terminal.
        """
        try:
            return super().invoke(ctx)
        except LlmLspError as exc:
            raise click.ClickException(_visible(str(exc))) from exc
        except click.ClickException as exc:
            exc.message = _visible(exc.message)  # type: ignore[misc] # a new exception would lose its context and status
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="llm-lsp")
@click.pass_context
def group(ctx: click.Context) -> None:
    """Bring code completion from any model into any editor."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _visible(message: str) -> str:
    # Imported here: the server starts without it.
    from llm_lsp.core.text.invisible_chars import visible

    return visible(message)


def main() -> None:
    """Run the command line.

    Editors start the bare program, or pass `--stdio`: if standard input is not a terminal, run the server.
    """
    with safe_streams():
        provide_home()
        arguments = sys.argv[1:]
        names_a_command = arguments and not arguments[0].startswith("-")
        asks_for_help = not {"-h", "--help", "--version"}.isdisjoint(arguments)
        if not names_a_command and not asks_for_help and ("--stdio" in arguments or not sys.stdin.isatty()):
            arguments = ["server", *arguments]
        # Commands report problems in their own messages; only the server logs.
        logging.getLogger("llm_lsp").addHandler(logging.NullHandler())
        group(arguments, prog_name="llm-lsp")
