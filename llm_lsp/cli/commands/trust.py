"""`llm-lsp trust`: allow a folder's settings file to set what the editor's settings may set."""

from __future__ import annotations

from pathlib import Path

import click

from llm_lsp.cli.files.settings_files import (
    TRUSTED_FILES,
    WORKSPACE_FILE,
    read_folder_file,
    read_settings,
    user_config_folder,
)
from llm_lsp.cli.files.trusted_files import TrustedFiles
from llm_lsp.cli.terminal.console import say, show_json, show_line
from llm_lsp.cli.terminal.options import json_option
from llm_lsp.errors import ConfigError


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option("--revoke", is_flag=True, help="Stop trusting the folder.")
@json_option
def command(folder: Path | None, revoke: bool, as_json: bool) -> None:
    """Trust the settings file (.llm-lsp.toml) of FOLDER as it is now; without FOLDER, list the trusted files.

    A trusted file may choose among the providers you enabled, and set whatever your editor's settings may set.
    It can never decide where code is sent, which key is used, or what is run.
    Trust ends when the file changes.
    """
    trusted = TrustedFiles(user_config_folder() / TRUSTED_FILES)
    if folder is None and revoke:
        raise click.UsageError("name a FOLDER, as in: llm-lsp trust . --revoke")
    if folder is None:
        _list(trusted, as_json=as_json)
    elif revoke:
        _revoke(trusted, folder / WORKSPACE_FILE, as_json=as_json)
    else:
        _trust(trusted, folder, as_json=as_json)


def _list(trusted: TrustedFiles, *, as_json: bool) -> None:
    rows = [
        {"path": name, "trusted": trusted.holds(Path(name), read_folder_file(Path(name)).data)}
        for name in trusted.paths
    ]
    if as_json:
        show_json(rows)
        return
    if not rows:
        say("no folder is trusted")
    for row in rows:
        show_line(f"{row['path']}{'' if row['trusted'] else ' (changed since, no longer trusted)'}")


def _revoke(trusted: TrustedFiles, path: Path, *, as_json: bool) -> None:
    was_trusted = trusted.remove(path)
    if as_json:
        show_json({"path": str(path), "trusted": False}, indent=None)
    else:
        show_line(f"{path} is no longer trusted" if was_trusted else f"{path} was not trusted")


def _trust(trusted: TrustedFiles, folder: Path, *, as_json: bool) -> None:
    path = folder / WORKSPACE_FILE
    found = read_folder_file(path)
    if not found.exists:
        raise ConfigError(f"{path} does not exist; a folder without a settings file needs no trust")
    if found.fault:
        raise ConfigError(f"{path}: {found.fault}")
    trusted.add(path, found.data)
    problems = read_settings(folders=[folder]).resolve().problems
    unused = [problem.message for problem in problems if problem.source == str(path)]
    if as_json:
        show_json({"path": str(path), "trusted": True, "not_used": unused})
        return
    show_line(found.data.decode("utf-8-sig").rstrip())
    say(f"{path} is trusted until it changes")
    for message in unused:
        say(f"not used: {message}")
