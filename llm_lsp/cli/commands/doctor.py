"""`llm-lsp doctor`: what would be used, from where, why, and does it work."""

from __future__ import annotations

import asyncio
import json
import platform
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import click

from llm_lsp import __version__
from llm_lsp.cli.commands.config import settings_shown
from llm_lsp.cli.files.settings_files import read_settings
from llm_lsp.cli.terminal.checklist import Check, as_json, has_failed, print_checks
from llm_lsp.cli.terminal.console import say
from llm_lsp.cli.terminal.options import config_option, json_option
from llm_lsp.config.settings import AUTO, Config
from llm_lsp.config.settings_layers import Resolved, SettingsStack, by_source
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.engine.models.routing import Routing
from llm_lsp.errors import LlmLspError

GIB = 1 << 30
# Seconds for one call, and for asking all providers: who runs this waits and looks on. `provider test` has the patience.
# A call is 48 tokens at most, which a slow machine writes in 5, and its prompt, which may take as long there.
CALL_S, WHOLE_S = 10.0, 20.0


@click.command()
@config_option
@click.option("--offline", is_flag=True, help="Look at settings and models only; ask no model.")
@json_option
def command(config_file: Path | None, offline: bool, as_json: bool) -> None:
    """Say what would be used, from where and why, and prove that it works.

    Reads the settings as a server would in the current folder; what an editor sends is not known here.
    Asks the model five short questions, and waits 20 seconds for all of it at most. The exit status is 1 where
    something failed, and each failure names its remedy.
    """
    stack = read_settings(config_file, [Path.cwd()])
    resolved = stack.resolve()
    report = DoctorReport(quiet=as_json)
    report.add([about(), *settings_checks(stack, resolved)])
    report.add(local_checks(resolved.config))
    report.add(asyncio.run(provider_checks(resolved, offline=offline)))
    if as_json:
        click.echo(json.dumps(report.as_mapping(resolved), indent=2, ensure_ascii=False))
    if has_failed(report.checks):
        raise SystemExit(1)


class DoctorReport:
    """Prints checks as they come, since the last ones may wait for a model to load."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.checks: list[Check] = []

    def add(self, checks: list[Check]) -> None:
        """Take some checks, and print them."""
        self.checks += checks
        if not self._quiet:
            print_checks(checks)

    def as_mapping(self, resolved: Resolved) -> dict[str, object]:
        """Give all of it as scripts read it."""
        ok = not has_failed(self.checks)
        return {"ok": ok, "checks": as_json(self.checks), "settings": settings_shown(resolved)}


def about() -> Check:
    """Say what runs, for a report to others."""
    system = f"{platform.system()} {platform.machine()}"
    return Check("llm-lsp", "note", f"{__version__}, Python {platform.python_version()}, {system}")


def settings_checks(stack: SettingsStack, resolved: Resolved) -> list[Check]:
    """Say which settings hold that are no defaults, where they came from, and what is wrong."""
    checks = [Check("settings from", "note", layer.label) for layer in stack.layers if layer.settings]
    policies = {layer.label for layer in stack.layers if layer.source is SettingsSource.POLICY_FILE}
    checks += [
        Check(
            "locked" if entry["from"] in policies else "setting",
            "note",
            f"{name} = {json.dumps(entry['value'], ensure_ascii=False)} ({entry['from']})",
        )
        for name, entry in settings_shown(resolved).items()
        if entry["from"] != "default"
    ]
    checks += [
        Check("setting", "fail", f"{problem.source}: {problem.message}")
        for problem in by_source(resolved.problems)
    ]
    if not resolved.config.enabled:
        checks.append(
            Check("enabled", "warn", f"completions are switched off ({resolved.origins['enabled']})")
        )
    return checks


def local_checks(config: Config) -> list[Check]:
    """Say which models are on this machine, whether it can run them, and whether the chosen one is among them."""
    from llm_lsp.local.local_models import LocalPaths
    from llm_lsp.local.model_store import ModelStore

    models = ModelStore(LocalPaths.default().models).here()
    checks = [
        Check("local model", "note", f"{model.name}, {model.size_bytes / GIB:.1f} GiB, {model.path}")
        for model in models
    ]
    if config.local.model != AUTO:
        checks.append(_chosen_model(config))
    elif not models:
        checks.append(Check("local model", "note", "none here, `llm-lsp model pull` fetches one"))
    if find_spec("xllamacpp") is None:
        checks.append(Check("local model", "note", "none can run here before `pip install 'llm-lsp[local]'`"))
    return checks


def _chosen_model(config: Config) -> Check:
    from llm_lsp.local.local_models import LocalPaths
    from llm_lsp.local.model_store import ModelStore

    try:
        model = ModelStore(LocalPaths.default().models).find(config.local.model)
    except LlmLspError as exc:
        return Check("chosen model", "fail", str(exc))
    return Check("chosen model", "ok", f"{model.name}, {model.path}")


async def provider_checks(resolved: Resolved, *, offline: bool) -> list[Check]:
    """Say which provider is used and why, and prove it."""
    from llm_lsp.cli.provider_check import prove
    from llm_lsp.providers.conformance import Bounds

    config = resolved.config
    checks = [Check("choice", "note", f'provider = "{config.provider}" ({resolved.origins["provider"]})')]
    if config.provider == AUTO:
        checks += await discovery_checks()
    checks += _key_checks(config)
    bounds = Bounds(CALL_S, asyncio.get_running_loop().time() + WHOLE_S)
    if not offline:
        checks += await prove(config, say, bounds)
    for name in sorted(Routing.of(config, ()).names() - {config.provider}):
        checks.append(Check("also used", "note", f"{name}, by routes or as a fallback"))
        other = replace(config, provider=name)
        checks += _key_checks(other)
        if not offline:
            checks += await prove(other, say, bounds)
    return checks


async def discovery_checks() -> list[Check]:
    """Say which model servers run on this machine, and why each may be used or not."""
    from llm_lsp.providers.discovery.discover import discover

    found = await discover()
    checks = [Check("found", "note", str(finding)) for finding in found.findings]
    if not checks:
        checks.append(Check("found", "note", "no model server of another program runs here"))
    if found.chosen is None:
        checks.append(Check("choice", "note", "the model of `[local]`, since no other server may be used"))
    return checks


def _key_checks(config: Config) -> Iterator[Check]:
    from llm_lsp.cli.files.api_keys import describe_key

    provider = config.providers.get(config.provider)
    if provider is not None:
        yield Check("key", "note", describe_key(provider))
