"""`llm-lsp explain`: how the last requests were answered, stage by stage."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import datetime

import click

from llm_lsp.cli.files.settings_files import books_file
from llm_lsp.cli.terminal.console import show_json, show_line
from llm_lsp.cli.terminal.options import json_option
from llm_lsp.core.usage.request_trace import explain
from llm_lsp.usage_store.reader import RequestSummary, UsageReader

# Seconds between two looks; a server writes what was asked within 2 s.
LOOK_S = 0.5


@click.command()
@click.option(
    "-n", "--last", type=click.IntRange(1, 500), default=1, show_default=True, help="How many requests."
)
@click.option(
    "--follow", is_flag=True, help="Go on with each request that an editor makes, until interrupted."
)
@json_option
def command(last: int, follow: bool, as_json: bool) -> None:
    """Say why something or nothing was shown for the last requests of any editor, and what it cost.

    Stages come in their order, each with its time. No text of any document is kept, so that none is shown.
    """
    reader = UsageReader(books_file())
    newest = _print(reader.asked(last=last), as_json=as_json)
    if newest == 0 and not follow:
        raise click.ClickException("nothing was asked yet")
    while follow:
        time.sleep(LOOK_S)
        newest = _print(reader.asked(after=newest, last=500), as_json=as_json) or newest


def _print(requests: list[RequestSummary], *, as_json: bool) -> int:
    """Print requests, the oldest first; give the number of the newest, 0 where there are none."""
    for asked in requests:
        if as_json:
            show_json(_as_mapping(asked), indent=None)
            continue
        when = datetime.fromtimestamp(asked.at).astimezone().strftime("%H:%M:%S")
        first, *stages = explain(asked.trace, asked.call)
        show_line(f"{when}  {first}", bold=True)
        for stage in stages:
            show_line(f"  {stage}")
    return requests[-1].number if requests else 0


def _as_mapping(asked: RequestSummary) -> dict[str, object]:
    return {
        "at": asked.at,
        **asdict(asked.trace),
        "call": asdict(asked.call) if asked.call else None,
    }
