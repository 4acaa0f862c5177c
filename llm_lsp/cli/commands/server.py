"""`llm-lsp server`: the language server on standard input and output."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from llm_lsp.cli.terminal.options import new_config_option
from llm_lsp.engine.client.interface import Client, Engine

LEVELS = ("debug", "info", "warning", "error")


@click.command()
@click.option(
    "--stdio",
    is_flag=True,
    help="Accepted for compatibility; the server always uses standard input and output.",
)
@new_config_option
@click.option(
    "--log-file",
    type=click.Path(path_type=Path),
    help="Write the log to this file instead of standard error.",
)
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    default="warning",
    show_default=True,
    help="Lowest level that is logged.",
)
def command(stdio: bool, config_file: Path | None, log_file: Path | None, log_level: str) -> None:
    """Speak LSP on standard input and output.

    Opens no network port. The log holds times, names and sizes, never a key or document text.
    """
    if sys.stdin.isatty():
        click.echo(
            "llm-lsp: this is the language server, which an editor starts; see llm-lsp editor --list",
            err=True,
        )
    _set_up_log(log_file, log_level)
    from llm_lsp.lsp.stdio import run

    def build(client: Client) -> Engine:
        # Imported only after `initialize` is answered, so that it does not delay the answer.
        from llm_lsp.cli.files.live_settings import LiveSettings
        from llm_lsp.cli.wiring import build_engine

        live = LiveSettings(config_file)
        return build_engine(live.read(), client, live=live)

    run(build)


def _set_up_log(file: Path | None, level: str) -> None:
    from llm_lsp.cli.files.log_file import set_up_log

    try:
        set_up_log(file, level)
    except OSError as exc:
        from llm_lsp.core.text.invisible_chars import visible

        set_up_log(None, level)
        logging.getLogger(__name__).warning(
            "cannot log to %s: %s; logging to standard error", visible(str(file)), exc.strerror
        )
