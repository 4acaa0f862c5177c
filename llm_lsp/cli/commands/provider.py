"""`llm-lsp provider`: list, add, test and remove model APIs."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

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
from llm_lsp.core.privacy.secret import GivenKey, Secret, clean_key
from llm_lsp.errors import ConfigError

if TYPE_CHECKING:
    from llm_lsp.cli.files.api_keys import GivenKeys


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """One row of `provider list`."""

    name: str
    state: str
    """"in use", "enabled", or "" for a preset that is not enabled."""
    api: str
    address: str
    model: str
    key: str


@click.group()
def command() -> None:
    """List, add, test and remove model APIs.

    A remote API is used only after you enable it, with `add` or in your own settings file.
    """


@command.command("list")
@config_option
@json_option
def show(config_file: Path | None, as_json: bool) -> None:
    """Print the enabled providers, and the presets that `add` accepts by name."""
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
@click.option("--api", type=click.Choice(get_args(Api)), help="Wire format; presets set it.")
@click.option("--base-url", metavar="URL", help="Address of the API; presets set it.")
@click.option("--model", help="Name of the model.")
@click.option(
    "--fim",
    help="Fill-in-the-middle format: a template family, native, chat or none; by default chosen by the model's name.",
)
@click.option(
    "--key-env", metavar="VAR", help="Read the key from this environment variable instead of asking."
)
@click.option(
    "--key-command",
    metavar="CMD",
    help="Read the key from the first line this command prints, such as 'pass show mine'.",
)
@click.option("--price-input", type=float, metavar="N", help="Price per million input tokens.")
@click.option("--price-output", type=float, metavar="N", help="Price per million output tokens.")
@click.option(
    "--price-cached",
    type=float,
    metavar="N",
    help="Price per million input tokens read from the API's cache.",
)
@click.option("--price-currency", metavar="CUR", help="Currency of the prices, such as CNY; by default USD.")
@click.option("--allow-http", is_flag=True, help="Allow unencrypted http:// to another machine.")
@click.option(
    "--use/--no-use",
    default=None,
    help="Use this provider from now on; by default only if none is chosen yet.",
)
@click.option(
    "--kept-by-editor",
    is_flag=True,
    help="Without a keyring on this system, use the key for the test only: an editor keeps it for its server.",
)
@click.option("--test/--no-test", "tests", default=True, help="Test the provider with a few short questions.")
@new_config_option
def add(
    name: str,
    tests: bool,
    use: bool | None,
    kept_by_editor: bool,
    config_file: Path | None,
    **given: str | float | None,
) -> None:
    """Enable NAME, a preset or a name of your own, in your settings file, and test that it works.

    The key is asked for without echo, or read from standard input, and stored in the system's keyring together with
    the API's address, so that it is never sent elsewhere. With --key-env it is read from an environment variable,
    with --key-command from a password manager. A key is never an argument, and never written to a file.
    The provider is used once it has passed its test.
    """
    file = UserFile(config_file or user_file())
    was_there = name in file.providers
    file.put_provider(name, _table(given))
    key = None
    if not given["key_env"]:
        key, variable = new_key(checked(file, name), kept_by_editor=kept_by_editor)
        if variable:
            file.put_provider(name, {"api_key_env": variable})
    provider = checked(file, name)
    works = not tests or run_checks(
        Config(provider=name, providers={name: provider}), held=_held(provider, key)
    )
    if not works and was_there:
        say(f"its test failed: {name} stays as it was, with its key")
        raise SystemExit(1)
    if key is not None:
        store(provider, key)
    file.save()
    say(f"{file.path}: {name} is enabled")
    tell_note(name)
    chooses = file.choice != name and (use or (use is None and file.choice == AUTO))
    if chooses and works:
        file.choose(name)
        file.save()
        say(f"{file.path}: {name} is now used")
    elif chooses:
        say(
            f"its test failed, so it is not used: run `llm-lsp provider add {name}` again, "
            f"or use it anyway with --use --no-test"
        )
    if not works:
        raise SystemExit(1)


def _held(provider: ProviderConfig, key: Secret | None) -> GivenKeys:
    from llm_lsp.cli.files.api_keys import GivenKeys

    held = GivenKeys()
    held.put([GivenKey(provider.name, provider.base_url, key)] if key else [])
    return held


def _table(given: Mapping[str, str | float | None]) -> dict[str, object]:
    """Return the settings that the options give."""
    table: dict[str, object] = {
        _SETTINGS[option]: value
        for option, value in given.items()
        if value is not None and value is not False
    }
    if command := given["key_command"]:
        # Windows paths contain backslashes; POSIX rules would take them as escapes.
        table["api_key_command"] = shlex.split(str(command), posix=os.name != "nt")
    return table


@command.command()
@click.argument("name", required=False)
@config_option
@json_option
def test(name: str | None, config_file: Path | None, as_json: bool) -> None:
    """Test NAME, or the provider in use: does it stream, stop, count tokens and cancel?

    Makes five calls of at most 48 tokens.
    """
    resolved = read_settings(config_file, [Path.cwd()]).resolve()
    if not run_checks(chosen(resolved, name) if name else resolved.config, as_json=as_json):
        raise SystemExit(1)


@command.command()
@click.argument("name")
@new_config_option
def remove(name: str, config_file: Path | None) -> None:
    """Remove NAME from your settings file, and its key from the keyring."""
    from llm_lsp.cli.files.api_keys import delete_key

    file = UserFile(config_file or user_file())
    provider = stack_of(file).resolve().config.providers.get(name)
    if not file.remove_provider(name):
        raise ConfigError(f'{file.path} has no provider "{name}"{nearest(name, file.providers)}')
    file.save()
    had_key = provider is not None and not is_loopback(provider.base_url) and delete_key(provider)
    say(f"{file.path}: {name} removed{', and its key' if had_key else ''}")


_OWN_PROVIDER = ": set them with --api and --base-url, or use a name from `llm-lsp provider list`"

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
    """Return the enabled providers, the one in use first, then the remaining presets."""
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
    """Return a provider as the edited file would define it; raises ConfigError if it could not be used."""
    from llm_lsp.providers.catalogue.presets import PRESETS

    resolved = stack_of(file).resolve()
    # Problems elsewhere in the file do not matter here.
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
    """Return settings that consist of the edited file alone."""
    from llm_lsp.providers.catalogue.presets import PRESET_CONFIGS

    return SettingsStack(PRESET_CONFIGS).with_layer(SettingsSource.USER_FILE, file.settings, str(file.path))


def new_key(provider: ProviderConfig, *, kept_by_editor: bool = False) -> tuple[Secret | None, str]:
    """Ask for the key, unless one is known; return it, and the environment variable to write into the file, or ""."""
    from llm_lsp.cli.files import api_keys as keys

    if provider.api_key_command or is_loopback(provider.base_url):
        return None, ""
    if provider.api_key_env and os.environ.get(provider.api_key_env):
        say(f"using the key in {provider.api_key_env}")
        return None, ""
    if keys.has_keyring() or kept_by_editor:
        key = ask_key(provider.name)
        return (clean_key(key) if key else None), ""
    variable = provider.api_key_env or _variable(provider.name)
    say(
        f"this system has no keyring: put the key into the environment variable {variable}, choose another "
        "variable with --key-env, or a command that prints the key with --key-command"
    )
    return None, variable


def store(provider: ProviderConfig, key: Secret) -> None:
    """Store a key in the system's keyring; without one, an editor keeps it."""
    from llm_lsp.cli.files import api_keys as keys

    if keys.has_keyring():
        keys.store_key(provider, key)
    else:
        say("this system has no keyring: the editor keeps the key")


def tell_note(name: str) -> None:
    """Print a preset's note, if it has one."""
    from llm_lsp.providers.catalogue.presets import PRESETS

    preset = PRESETS.get(name)
    if preset and preset.note:
        say(f"{name}: {preset.note}")


def ask_key(name: str) -> str:
    """Ask for the key without echo, or read a line of standard input if it is no terminal; "" means no key."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    say(
        "The key is stored in the system's keyring. To read it from an environment variable or a command "
        "instead, leave it empty and use --key-env or --key-command."
    )
    answer = click.prompt(
        f"API key of {name} (empty: no key)", hide_input=True, default="", show_default=False
    )
    return str(answer).strip()


def chosen(resolved: Resolved, name: str) -> Config:
    """Return the settings with another provider chosen; raises ConfigError if it is not enabled."""
    from llm_lsp.providers.catalogue.presets import PRESET_CONFIGS

    config = resolved.config
    if name in config.providers or name in (AUTO, LOCAL):
        return replace(config, provider=name)
    preset = PRESET_CONFIGS.get(name)
    if preset and is_loopback(preset.base_url):
        return replace(config, provider=name, providers={**config.providers, name: preset})
    remedy = f"run `llm-lsp provider add {name}`" if preset else "see `llm-lsp provider list`"
    raise ConfigError(f'provider "{name}" is not enabled; {remedy}')


def run_checks(config: Config, *, as_json: bool = False, held: GivenKeys | None = None) -> bool:
    """Test a provider, with a key that is `held`, and print the results; return whether it works."""
    from llm_lsp.cli.provider_check import prove

    checks = asyncio.run(prove(config, say, given=held))
    if as_json:
        show_json(checks_as_json(checks))
    else:
        print_checks(checks)
    return not has_failed(checks)


def _variable(name: str) -> str:
    """Return the environment variable's name for a provider's key."""
    return "".join(char if char.isalnum() else "_" for char in name.upper()) + "_API_KEY"
