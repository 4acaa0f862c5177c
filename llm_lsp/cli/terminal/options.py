"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

_CONFIG_HELP = "Use this settings file instead of your own."

# A missing file is an error: with the defaults instead, code might go to the wrong provider.
config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help=_CONFIG_HELP,
)
# The file may be missing: `config init` creates it, and the server reports it in the editor.
new_config_option = click.option(
    "--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help=_CONFIG_HELP
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
