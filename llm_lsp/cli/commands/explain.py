"""`llm-lsp explain`: show how the last requests were answered, stage by stage."""

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

# Seconds between two reads of the usage store; a server writes its records within 2 s.
LOOK_S = 0.5


@click.command()
@click.option(
    "-n",
    "--last",
    type=click.IntRange(1, 500),
    default=1,
    show_default=True,
    help="Number of requests to show.",
)
@click.option(
    "--follow", is_flag=True, help="Keep printing new requests as editors make them, until interrupted."
)
@click.option("--edits", is_flag=True, help="Show requests for next edits, too.")
@json_option
def command(last: int, follow: bool, edits: bool, as_json: bool) -> None:
    """Explain why the last requests of any editor showed something or nothing, and what they cost.

    Lists the stages in order, each with its time. Document text is never stored, so none is shown.
    """
    reader = UsageReader(books_file())
    newest = _print(reader.asked(last=last, with_edits=edits), as_json=as_json)
    if newest == 0 and not follow:
        raise click.ClickException("no requests recorded yet")
    while follow:
        time.sleep(LOOK_S)
        newest = _print(reader.asked(after=newest, last=500, with_edits=edits), as_json=as_json) or newest


def _print(requests: list[RequestSummary], *, as_json: bool) -> int:
    """Print requests, oldest first; return the id of the newest, or 0 if there are none."""
    for asked in requests:
        if as_json:
            show_json(_as_mapping(asked), indent=None)
            continue
        when = datetime.fromtimestamp(asked.at).astimezone().strftime("%H:%M:%S")
        first, *stages = explain(asked.trace, asked.call)
        show_line(f"{when}  {first}", bold=True)
        for stage in filter(None, stages):
            show_line(f"  {stage}")
    return requests[-1].number if requests else 0


def _as_mapping(asked: RequestSummary) -> dict[str, object]:
    return {
        "at": asked.at,
        **asdict(asked.trace),
        "call": asdict(asked.call) if asked.call else None,
    }
