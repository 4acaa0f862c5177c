"""Options that several commands take, with the same words; knows none of those commands."""

from __future__ import annotations

from pathlib import Path

import click

_CONFIG_HELP = "Use this settings file in place of your own."

# A file that is named and not there is a slip: with the defaults in its place, code might go elsewhere.
config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help=_CONFIG_HELP,
)
# One may be made here; and the server says in the editor what is not there.
new_config_option = click.option(
    "--config", "config_file", type=click.Path(path_type=Path), metavar="FILE", help=_CONFIG_HELP
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
