"""`llm-lsp trust`: let a folder's settings file do what the editor's settings may."""

from __future__ import annotations

from pathlib import Path

import click

from llm_lsp.cli.settings import TRUSTED_FILES, WORKSPACE_FILE, read_file, read_settings, user_config_folder
from llm_lsp.cli.trusted import TrustedFiles
from llm_lsp.core.unsafe import visible
from llm_lsp.errors import ConfigError


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option("--revoke", is_flag=True, help="Trust it no longer.")
def command(folder: Path | None, revoke: bool) -> None:
    """Trust the settings file (.llm-lsp.toml) of FOLDER as it is now; without FOLDER list what is trusted.

    It may then choose among the providers that you enabled, and set what your editor's settings may set.
    It can never say where code is sent, with which key, or what is run.
    Once it changes it is a stranger's again.
    """
    trusted = TrustedFiles(user_config_folder() / TRUSTED_FILES)
    if folder is None and revoke:
        raise click.UsageError("name a FOLDER, as in: llm-lsp trust . --revoke")
    if folder is None:
        if not trusted.paths:
            click.echo("no folder is trusted", err=True)
        for name in trusted.paths:
            click.echo(name)
        return
    path = folder / WORKSPACE_FILE
    if revoke:
        click.echo(f"{path} is trusted no longer" if trusted.remove(path) else f"{path} was not trusted")
        return
    found = read_file(path)
    if not found.exists or found.fault:
        raise ConfigError(f"{path} {found.fault or 'is not there'}")
    trusted.add(path, found.data)
    click.echo(visible(found.data.decode("utf-8-sig").rstrip()))
    click.echo(f"{path} is trusted as long as it says this", err=True)
    for problem in read_settings(folders=[folder]).resolve().problems:
        if problem.source == str(path):
            click.echo(visible(f"not used: {problem.message}"), err=True)
