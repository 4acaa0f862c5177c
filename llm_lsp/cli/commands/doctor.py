"""`llm-lsp doctor`: show which settings and provider would be used and why, and test that they work."""

from __future__ import annotations

import asyncio
import json
import math
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import click

from llm_lsp import __version__
from llm_lsp.cli.account_report import age_checks
from llm_lsp.cli.commands.config import settings_shown
from llm_lsp.cli.files.settings_files import read_settings
from llm_lsp.cli.terminal.checklist import Check, has_failed, print_checks
from llm_lsp.cli.terminal.checklist import as_json as checks_as_json
from llm_lsp.cli.terminal.console import say, show_json
from llm_lsp.cli.terminal.options import config_option, json_option
from llm_lsp.config.settings import AUTO, EDIT_MODEL, Config
from llm_lsp.config.settings_layers import Resolved, SettingsStack, by_source
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.engine.models.routing import Routing
from llm_lsp.errors import LlmLspError

GIB = 1 << 30
# Time limits in seconds: per call, and for all providers together. The user is watching; `provider test` waits longer.
# A call writes at most 48 tokens: about 5 s on a slow machine, and reading the prompt may take as long again.
CALL_S, WHOLE_S = 10.0, 20.0
# Seconds until the provider in use writes its first text: a cold model on a busy machine is slow, but not broken.
FIRST_S = 90.0


@click.command()
@config_option
@click.option("--offline", is_flag=True, help="Check settings and installed models only; send no request.")
@json_option
def command(config_file: Path | None, offline: bool, as_json: bool) -> None:
    """Show which settings and provider would be used, where they come from, and whether they work.

    Reads the settings as a server started in the current folder would; settings that an editor sends are not
    included. Asks the model five short questions. This takes at most 20 seconds, or 90 if a cold model or a
    busy machine is slow to write its first word. The exit status is 1 if any check fails; each failed check
    says how to fix it.
    """
    stack = read_settings(config_file, [Path.cwd()])
    resolved = stack.resolve()
    checks = [about(), *settings_checks(stack, resolved), *local_checks(resolved.config)]
    checks += asyncio.run(provider_checks(resolved, offline=offline))
    checks.insert(0, verdict(checks, resolved, offline=offline))
    if as_json:
        report = {
            "ok": not has_failed(checks),
            "checks": checks_as_json(checks),
            "settings": settings_shown(resolved),
        }
        show_json(report)
    else:
        print_checks(checks)
    if has_failed(checks):
        raise SystemExit(1)


def verdict(checks: list[Check], resolved: Resolved, *, offline: bool) -> Check:
    """Return the overall result: whether completion works."""
    failed = [check for check in checks if check.verdict == "fail"]
    n_warnings = sum(check.verdict == "warn" for check in checks)
    if failed:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return Check("verdict", "fail", f"{failed[0].name}: {failed[0].text}{more}")
    warnings = f"; {n_warnings} warning{'s' * (n_warnings > 1)} below" if n_warnings else ""
    if not resolved.config.enabled:
        return Check("verdict", "warn", f"completion is switched off{warnings}")
    if offline:
        return Check("verdict", "note", f"the settings are valid; no model was asked{warnings}")
    provider = next((check.text for check in checks if check.name == "provider"), resolved.config.provider)
    first_s = next((check.seconds for check in checks if check.name == "answers"), None)
    return Check("verdict", "ok", f"completion works: {provider}{warnings}", first_s)


def about() -> Check:
    """Return the versions and system to quote in a bug report."""
    system = f"{platform.system()} {platform.machine()}"
    return Check("llm-lsp", "note", f"{__version__}, Python {platform.python_version()}, {system}")


def settings_checks(stack: SettingsStack, resolved: Resolved, now: float | None = None) -> list[Check]:
    """Return the settings files in use and their age, the settings that differ from the defaults, and any problems.

    Lists the settings of the provider in use only: other providers do not explain the current behaviour.
    """
    now = time.time() if now is None else now
    others = tuple(
        f"providers.{name}." for name in resolved.config.providers if name != resolved.config.provider
    )
    checks = [
        Check("settings from", "note", f"{layer.label}{_age(layer.label, now)}")
        for layer in stack.layers
        if layer.settings
    ]
    policies = {layer.label for layer in stack.layers if layer.source is SettingsSource.POLICY_FILE}
    checks += [
        Check(
            "locked" if entry["from"] in policies else "setting",
            "note",
            f"{name} = {json.dumps(entry['value'], ensure_ascii=False)} ({entry['from']})",
        )
        for name, entry in settings_shown(resolved).items()
        if entry["from"] != "default" and not name.startswith(others)
    ]
    checks += [
        Check("setting", "fail", f"{problem.source}: {problem.message}")
        for problem in by_source(resolved.problems)
    ]
    if resolved.config.audit.file:
        checks.append(_audit_check(Path(resolved.config.audit.file).expanduser()))
    if not resolved.config.enabled:
        checks.append(
            Check("enabled", "warn", f"completions are switched off ({resolved.origins['enabled']})")
        )
    return checks


def _age(file: str, now: float) -> str:
    """Return when a settings file was last changed, in words; "" if that cannot be told."""
    try:
        age_s = max(0.0, now - Path(file).stat().st_mtime)
    except (OSError, ValueError):
        return ""
    for unit_s, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if (n := int(age_s / unit_s)) >= 1:
            return f", changed {n:,} {unit}{'s' * (n > 1)} ago"
    return ", changed just now"


def _audit_check(file: Path) -> Check:
    """Check whether the audit file can be written, without creating it."""
    if file.exists() and not file.is_file():
        return Check("audit", "fail", f"{file} is not a regular file")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        return Check("audit", "fail", f"{file} cannot be written by this user; remote calls are not recorded")
    return Check("audit", "ok", f"remote calls are recorded in {file}")


def local_checks(config: Config) -> list[Check]:
    """Check which models are installed, whether this machine can run them, and whether the configured one
    exists.
    """
    from llm_lsp.local.local_models import LocalPaths
    from llm_lsp.local.model_store import ModelStore

    models = ModelStore(LocalPaths.default().models).here()
    names = ", ".join(f"{model.name} ({model.size_bytes / GIB:.1f} GiB)" for model in models)
    checks = [Check("local models", "note", names)] if models else []
    if config.local.model != AUTO:
        checks.append(_chosen_model(config))
    elif not models:
        checks.append(Check("local model", "note", "none installed; `llm-lsp model pull` downloads one"))
    if find_spec("xllamacpp") is None:
        from llm_lsp.local.server_process import missing_server

        checks.append(Check("local model", "note", missing_server()))
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
    """Return which provider is used and why, and test it."""
    from llm_lsp.cli.provider_check import prove
    from llm_lsp.providers.conformance import Bounds

    config = resolved.config
    checks = [Check("choice", "note", f'provider = "{config.provider}" ({resolved.origins["provider"]})')]
    if config.provider == AUTO:
        checks += await discovery_checks()
    checks += _key_checks(config)
    checks += age_checks(config, date.today())
    now = asyncio.get_running_loop().time()
    bounds = Bounds(CALL_S, now + WHOLE_S, now + FIRST_S)
    if not offline:
        checks += await prove(config, say, bounds)
    # A model for next edits that no setting names is optional: it is used if one is served.
    also = Routing.of(config, ()).names() - {config.provider, EDIT_MODEL}
    bounds = replace(bounds, first_until=-math.inf)
    for name in sorted(also):
        other = replace(config, provider=name)
        proof = [] if offline else await prove(other, say, bounds)
        checks.append(_in_one_line(name, [*_key_checks(other), *proof]))
    if spare := sorted(config.providers.keys() - also - {config.provider}):
        checks.append(Check("not used", "note", f"{', '.join(spare)}; see `llm-lsp provider list`"))
    return checks


def _in_one_line(name: str, checks: list[Check]) -> Check:
    """Summarize the checks of a provider that is used only by routes or as a fallback."""
    where = f"{name}, used by routes or as a fallback"
    for bad in ("fail", "warn"):
        found = [check for check in checks if check.verdict == bad]
        if found:
            more = f" (and {len(found) - 1} more: `llm-lsp provider test {name}`)" if len(found) > 1 else ""
            return Check("also used", found[0].verdict, f"{where}: {found[0].name}: {found[0].text}{more}")
    first_s = next((check.seconds for check in checks if check.name == "answers"), None)
    works = any(check.verdict == "ok" for check in checks)
    return Check("also used", "ok" if works else "note", f"{where}{': works' if works else ''}", first_s)


async def discovery_checks() -> list[Check]:
    """Return the model servers found on this machine, and why each may or may not be used."""
    from llm_lsp.providers.discovery.discover import discover

    found = await discover()
    checks = [Check("found", "note", str(finding)) for finding in found.findings]
    if not checks:
        checks.append(Check("found", "note", "no other program's model server is running"))
    if found.chosen is None:
        checks.append(
            Check("choice", "note", "the model configured in `[local]`, since no running server may be used")
        )
    return checks


def _key_checks(config: Config) -> Iterator[Check]:
    from llm_lsp.cli.files.api_keys import describe_key, has_keyring, is_in_reach

    provider = config.providers.get(config.provider)
    if provider is not None:
        hidden = (
            "" if is_in_reach(provider) or has_keyring() else "; a key that VS Code keeps cannot be seen here"
        )
        yield Check("key", "note", f"{describe_key(provider)}{hidden}")
