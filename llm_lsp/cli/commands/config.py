"""`llm-lsp config`: show the settings, their files and their schema."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from llm_lsp.cli.files.settings_files import (
    WORKSPACE_FILE,
    defaults_file,
    policy_file,
    read_settings,
    user_file,
)
from llm_lsp.cli.terminal.console import say, show_json, show_line, write
from llm_lsp.cli.terminal.options import config_option, json_option, new_config_option
from llm_lsp.config.settings import Config
from llm_lsp.config.settings_layers import Resolved
from llm_lsp.errors import ConfigError

# Headers can carry an API key.
HIDDEN = "headers"


@click.group()
def command() -> None:
    """Show the settings, their files and their schema."""


@command.command()
@config_option
@json_option
def show(config_file: Path | None, as_json: bool) -> None:
    """Print every setting with its value and its source.

    Reads the current folder's workspace file; settings that an editor sends are not included.
    Problems go to standard error, and the exit status is then 1.
    """
    resolved = read_settings(config_file, [Path.cwd()]).resolve()
    shown = settings_shown(resolved)
    if as_json:
        show_json(shown)
    else:
        width = max(len(line) for line in _lines(shown))
        for line, origin in zip(_lines(shown), resolved.origins.values(), strict=True):
            show_line(f"{line:{min(width, 60)}}  # {origin}")
    for problem in resolved.problems:
        say(f"{problem.source}: {problem.message}")
    if resolved.problems:
        raise SystemExit(1)


@command.command()
@new_config_option
@click.option(
    "--all", "every", is_flag=True, help="Print every settings file that is read, and whether it exists."
)
def path(config_file: Path | None, every: bool) -> None:
    """Print the path of your settings file, whether or not it exists."""
    own = config_file or user_file()
    if not every:
        show_line(str(own))
        return
    workspace = Path.cwd() / WORKSPACE_FILE
    files = (
        ("defaults", defaults_file()),
        ("user", own),
        ("workspace", workspace),
        ("policy", policy_file()),
    )
    for name, place in files:
        show_line(f"{name:9}  {'there ' if place.exists() else 'absent'}  {place}")


@command.command()
def schema() -> None:
    """Print the JSON schema of a settings file."""
    from llm_lsp.config.reference import json_schema

    show_json(json_schema())


@command.command()
@new_config_option
def init(config_file: Path | None) -> None:
    """Write a settings file that explains every setting and sets none.

    An existing file is never overwritten.
    """
    from llm_lsp.config.reference import first_file

    target = config_file or user_file()
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as exc:
        if target.exists():
            raise ConfigError(f"{target} already exists and was left unchanged") from exc
        raise ConfigError(f"{target} cannot be written: {exc.strerror}") from exc
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(first_file())
    say(f"wrote {target}")


@command.command(hidden=True)
def docs() -> None:
    """Print docs/settings.md."""
    from llm_lsp.config.reference import settings_page

    write(settings_page())


def settings_shown(resolved: Resolved) -> Mapping[str, dict[str, object]]:
    """Return each setting's value and source; header values are hidden."""
    return {
        name: {"value": _value(resolved.config, name), "from": origin}
        for name, origin in resolved.origins.items()
    }


def _value(config: Config, dotted_name: str) -> object:
    """Return the value of a dotted setting; a provider's name may contain dots itself."""
    if not dotted_name.startswith("providers."):
        value: object = config
        for part in dotted_name.split("."):
            value = getattr(value, part)
        return [asdict(rule) for rule in config.routes] if value is config.routes else value
    name, _, setting = dotted_name.removeprefix("providers.").rpartition(".")
    value = getattr(config.providers[name], setting)
    return dict.fromkeys(value, "***") if setting == HIDDEN and isinstance(value, Mapping) else value


def _lines(shown: Mapping[str, dict[str, object]]) -> list[str]:
    return [f"{name} = {json.dumps(entry['value'], ensure_ascii=False)}" for name, entry in shown.items()]
