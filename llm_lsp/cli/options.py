"""Options that several commands take, with the same words; knows none of those commands."""

from __future__ import annotations

from pathlib import Path

import click

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Use this settings file in place of your own.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
