"""`llm-lsp provider`: list, add, test and remove model APIs."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path
from typing import get_args

import click

from llm_lsp.cli.files.settings_files import read_settings, user_file
from llm_lsp.cli.files.user_file import UserFile
from llm_lsp.cli.terminal.checklist import as_json as checks_as_json
from llm_lsp.cli.terminal.checklist import has_failed, print_checks
from llm_lsp.cli.terminal.console import say, show_json
from llm_lsp.cli.terminal.options import config_option, json_option, new_config_option
from llm_lsp.cli.terminal.table import print_table
from llm_lsp.config.parse import nearest
from llm_lsp.config.settings import AUTO, LOCAL, Api, Config, ProviderConfig
from llm_lsp.config.settings_layers import Resolved, SettingsStack, by_source
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.privacy.addresses import is_loopback
from llm_lsp.core.privacy.secret import clean_key
from llm_lsp.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One provider in the list."""

    name: str
    state: str
    """"in use", "enabled", or "" for a preset that nobody enabled."""
    api: str
    address: str
    model: str
    key: str


@click.group()
def command() -> None:
    """List, add, test and remove model APIs.

    A remote API is used only after `add` wrote it into your own settings file, or you did.
    """


@command.command("list")
@config_option
@json_option
def show(config_file: Path | None, as_json: bool) -> None:
    """Print the providers that are enabled, and the presets that `add` knows by name."""
    resolved = read_settings(config_file, [Path.cwd()]).resolve()
    for problem in by_source(resolved.problems):
        say(f"{problem.source}: {problem.message}")
    found = rows(resolved.config)
    if as_json:
        show_json([asdict(row) for row in found])
        return
    print_table([field.name for field in fields(ProviderRow)], [astuple(row) for row in found])


@command.command()
@click.argument("name")
@click.option("--api", type=click.Choice(get_args(Api)), help="Wire dialect; a preset knows its own.")
@click.option("--base-url", metavar="URL", help="Address of the API; a preset knows its own.")
@click.option("--model", help="Name of the model.")
@click.option(
    "--fim",
    help="How the middle is filled: a template family, native, chat or none; else by the model's name.",
)
@click.option("--key-env", metavar="VAR", help="Read the key from this variable, and ask for none.")
@click.option(
    "--key-command", metavar="CMD", help="Read the key from this command's first line, as 'pass show mine'."
)
@click.option("--price-input", type=float, metavar="N", help="Price of a million tokens that are read.")
@click.option("--price-output", type=float, metavar="N", help="Price of a million tokens that are written.")
@click.option(
    "--price-cached", type=float, metavar="N", help="Price of a million tokens from the API's cache."
)
@click.option("--price-currency", metavar="CUR", help="What the prices are in, as CNY; USD if not given.")
@click.option(
    "--allow-http", is_flag=True, help="Allow http:// to another machine: all on the way can read it."
)
@click.option("--use/--no-use", default=None, help="Use it from now on; by default if none is chosen yet.")
@click.option("--test/--no-test", "tests", default=True, help="Ask it a few short questions at the end.")
@new_config_option
def add(
    name: str, tests: bool, use: bool | None, config_file: Path | None, **given: str | float | None
) -> None:
    """Enable NAME, a preset or a name of your own, in your settings file, and prove that it works.

    The key is asked for without echo, or read from standard input, and kept in the system's keyring, bound to the
    address. With --key-env it is read from a variable, with --key-command from a password manager. No key is ever
    an argument or in a file. It is used once it has passed its test.
    """
    file = UserFile(config_file or user_file())
    file.put_provider(name, _table(given))
    provider = checked(file, name)
    if not given["key_env"] and (variable := keep_key(provider)):
        file.put_provider(name, {"api_key_env": variable})
    file.save()
    say(f"{file.path}: {name} is enabled")
    tell_note(name)
    chooses = file.choice != name and (use or (use is None and file.choice == AUTO))
    if tests and not run_checks(Config(provider=name, providers={name: checked(file, name)})):
        if chooses:
            say(
                f"it failed its test and is not used: run `llm-lsp provider add {name}` again, "
                f"or with --use --no-test to use it all the same"
            )
        raise SystemExit(1)
    if chooses:
        file.choose(name)
        file.save()
        say(f"{file.path}: {name} is used")


def _table(given: Mapping[str, str | float | None]) -> dict[str, object]:
    """Return the settings that the options give."""
    table: dict[str, object] = {
        _SETTINGS[option]: value
        for option, value in given.items()
        if value is not None and value is not False
    }
    if command := given["key_command"]:
        # Backslashes are part of a path on Windows.
        table["api_key_command"] = shlex.split(str(command), posix=os.name != "nt")
    return table


@command.command()
@click.argument("name", required=False)
@config_option
@json_option
def test(name: str | None, config_file: Path | None, as_json: bool) -> None:
    """Ask NAME, or the provider in use, a few short questions: does it stream, stop, count and cancel?

    Takes five calls of at most 48 tokens.
    """
    resolved = read_settings(config_file, [Path.cwd()]).resolve()
    if not run_checks(chosen(resolved, name) if name else resolved.config, as_json=as_json):
        raise SystemExit(1)


@command.command()
@click.argument("name")
@new_config_option
def remove(name: str, config_file: Path | None) -> None:
    """Take NAME out of your settings file, and its key out of the keyring."""
    from llm_lsp.cli.files.api_keys import delete_key

    file = UserFile(config_file or user_file())
    provider = stack_of(file).resolve().config.providers.get(name)
    if not file.remove_provider(name):
        raise ConfigError(f'{file.path} names no provider "{name}"{nearest(name, file.providers)}')
    file.save()
    had_key = provider is not None and not is_loopback(provider.base_url) and delete_key(provider)
    say(f"{file.path}: {name} is removed{', and its key' if had_key else ''}")


_OWN_PROVIDER = ": give them by --api and --base-url, or take a name of `llm-lsp provider list`"

# Option -> setting.
_SETTINGS: Mapping[str, str] = {
    "api": "api",
    "base_url": "base_url",
    "model": "model",
    "fim": "fim",
    "key_env": "api_key_env",
    "key_command": "api_key_command",
    "price_input": "price_input",
    "price_output": "price_output",
    "price_cached": "price_cached",
    "price_currency": "price_currency",
    "allow_http": "allow_http",
}


def rows(config: Config) -> list[ProviderRow]:
    """Give the enabled providers, the used one first, then the other presets."""
    from llm_lsp.cli.files.api_keys import describe_key
    from llm_lsp.providers.catalogue.presets import PRESET_CONFIGS

    enabled = sorted(config.providers.values(), key=lambda provider: provider.name != config.provider)
    others = [preset for name, preset in PRESET_CONFIGS.items() if name not in config.providers]
    found = []
    for provider in [*enabled, *others]:
        state = "enabled" if provider.name in config.providers else ""
        state = "in use" if provider.name == config.provider else state
        key = describe_key(provider) if state else provider.api_key_env
        found.append(ProviderRow(provider.name, state, provider.api, provider.base_url, provider.model, key))
    return found


def checked(file: UserFile, name: str) -> ProviderConfig:
    """Give a provider as the file would have it; raises ConfigError where it could not be used."""
    from llm_lsp.providers.catalogue.presets import PRESETS

    resolved = stack_of(file).resolve()
    # Other things may be wrong in the file: they are not in the way.
    marks = (f"providers.{name} ", f"providers.{name}.", f"providers.{name}:", f'"{name}"')
    about = [
        problem.message for problem in resolved.problems if any(mark in problem.message for mark in marks)
    ]
    if about:
        preset = PRESETS.get(name)
        hint = f": {preset.note}" if preset else nearest(name, PRESETS) or _OWN_PROVIDER
        raise ConfigError(f"{about[0]}{hint if ' needs ' in about[0] else ''}")
    return resolved.config.providers[name]


def stack_of(file: UserFile) -> SettingsStack:
    """Give the settings as the file would have them, alone."""
    from llm_lsp.providers.catalogue.presets import PRESET_CONFIGS

    return SettingsStack(PRESET_CONFIGS).with_layer(SettingsSource.USER_FILE, file.settings, str(file.path))


def keep_key(provider: ProviderConfig) -> str:
    """Ask for the key and keep it, unless it is known; gives the variable to write into the file, or ""."""
    from llm_lsp.cli.files import api_keys as keys

    if provider.api_key_command or is_loopback(provider.base_url):
        return ""
    if provider.api_key_env and os.environ.get(provider.api_key_env):
        say(f"using the key in {provider.api_key_env}")
        return ""
    if keys.has_keyring():
        key = ask_key(provider.name)
        if key:
            keys.store_key(provider, clean_key(key))
        return ""
    variable = provider.api_key_env or _variable(provider.name)
    say(
        f"this system has no keyring: put the key into the variable {variable}, name another with --key-env, "
        "or a command that prints it with --key-command"
    )
    return variable


def tell_note(name: str) -> None:
    """Print what is worth knowing of a preset; nothing for a name of the user's own."""
    from llm_lsp.providers.catalogue.presets import PRESETS

    preset = PRESETS.get(name)
    if preset and preset.note:
        say(f"{name}: {preset.note}")


def ask_key(name: str) -> str:
    """Ask on the terminal without echo, or read a line where there is none; "" where the user has no key."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    say(
        "The key is kept in the system's keyring. To read it from a variable or a command instead, leave it empty "
        "and add --key-env or --key-command."
    )
    answer = click.prompt(
        f"API key of {name} (nothing: no key)", hide_input=True, default="", show_default=False
    )
    return str(answer).strip()


def chosen(resolved: Resolved, name: str) -> Config:
    """Give the settings with another provider chosen; raises ConfigError where it is not enabled."""
    from llm_lsp.providers.catalogue.presets import PRESET_CONFIGS

    config = resolved.config
    if name in config.providers or name in (AUTO, LOCAL):
        return replace(config, provider=name)
    preset = PRESET_CONFIGS.get(name)
    if preset and is_loopback(preset.base_url):
        return replace(config, provider=name, providers={**config.providers, name: preset})
    remedy = f"run `llm-lsp provider add {name}`" if preset else "see `llm-lsp provider list`"
    raise ConfigError(f'provider "{name}" is not enabled, {remedy}')


def run_checks(config: Config, *, as_json: bool = False) -> bool:
    """Prove a provider and print how; return whether it works."""
    from llm_lsp.cli.provider_check import prove

    checks = asyncio.run(prove(config, say))
    if as_json:
        show_json(checks_as_json(checks))
    else:
        print_checks(checks)
    return not has_failed(checks)


def _variable(name: str) -> str:
    """Make a variable's name for a provider's key."""
    return "".join(char if char.isalnum() else "_" for char in name.upper()) + "_API_KEY"
