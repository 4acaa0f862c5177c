"""Tests that a provider works, step by step."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_lsp.cli.account_report import account_checks, limit_checks, model_checks
from llm_lsp.cli.terminal.checklist import Check, Verdict, has_failed
from llm_lsp.config.settings import Config, ProviderConfig
from llm_lsp.core.privacy.redact import Redactor
from llm_lsp.core.provider_profile import Profile
from llm_lsp.errors import AuthError, LlmLspError, MoneyError, NotFoundError, ProviderError, UnreachableError
from llm_lsp.system import load_average

if TYPE_CHECKING:
    from llm_lsp.cli.files.api_keys import GivenKeys
    from llm_lsp.providers.base import Provider
    from llm_lsp.providers.conformance import Bounds, CheckResult

STEPS = ("reached", "key accepted", "model there")
# The step at which a call with this error failed; any other error is about the answer.
FAILED_STEP: Mapping[type[ProviderError], int] = {UnreachableError: 0, AuthError: 1, NotFoundError: 2}
# The only check that completion depends on; without the others it is slower, worse or more expensive.
VITAL = frozenset({"answers"})
# Seconds between two messages that the model has not answered yet.
WAITING_S = 5.0


async def prove(
    config: Config,
    report: Callable[[str], None],
    bounds: Bounds | None = None,
    given: GivenKeys | None = None,
) -> list[Check]:
    """Find the configured provider and test it, with a key that is `given`; an error becomes a failed step.

    May start the local model server; `report` receives progress messages. Without `bounds` there is no time limit.
    """
    from llm_lsp.cli.wiring import ModelFinder
    from llm_lsp.providers.conformance import UNBOUNDED

    bounds = bounds or UNBOUNDED
    if bounds.are_over:
        return [_too_late(config)]
    try:
        async with bounds.of_first():
            provider = await ModelFinder(Redactor(), given).find(config, report)
    except TimeoutError:
        return [_too_late(config)]
    except (UnreachableError, NotFoundError) as exc:
        return steps_to(exc)
    except LlmLspError as exc:
        return [Check("provider", "fail", str(exc))]
    profile = provider.profile
    # Seven answers of a busy server took six minutes.
    wait = "which can take minutes on a busy server" if bounds is UNBOUNDED else "this takes a moment"
    report(f"asking {profile.provider} a few short questions, {wait}")
    async with contextlib.aclosing(provider), _waiting(report, profile):
        asked = await ask(provider, bounds)
        limits = limit_checks(provider)
        if not has_failed(asked):
            asked += await template_checks(config, provider, report, bounds, given)
    account = await _account(config, bounds, given)
    return [_profile(provider), *model_checks(config), *asked, *limits, *account]


@contextlib.asynccontextmanager
async def _waiting(report: Callable[[str], None], profile: Profile) -> AsyncIterator[None]:
    """Report every few seconds that the model has not answered yet: a cold one takes long to read its first
    prompt.
    """

    async def tell() -> None:
        began = asyncio.get_running_loop().time()
        while True:
            await asyncio.sleep(WAITING_S)
            load = load_average() if profile.local else None
            at_load = "" if load is None else f", load {load:.1f}"
            report(
                f"still waiting for {profile.provider}, {asyncio.get_running_loop().time() - began:.0f} s{at_load}"
            )

    task = asyncio.create_task(tell())
    try:
        yield
    finally:
        task.cancel()


async def ask(provider: Provider, bounds: Bounds) -> list[Check]:
    """Ask a provider a few short questions, and return which steps passed."""
    from llm_lsp.providers.conformance import check_provider

    results = await check_provider(provider, bounds=bounds)
    if (cause := results[0].cause) is not None:
        return steps_to(cause)
    return [*_passed(len(STEPS)), *map(_check, results)]


async def template_checks(
    config: Config,
    provider: Provider,
    report: Callable[[str], None],
    bounds: Bounds,
    given: GivenKeys | None = None,
) -> list[Check]:
    """Find the fill-in-the-middle template of a model with an unknown name, and propose the setting."""
    from llm_lsp.providers.provider_factory import is_template_unknown

    name, profile = config.provider, provider.profile
    settings = config.providers.get(name)
    if settings is None or not is_template_unknown(replace(settings, model=profile.model)):
        return []
    report(f"finding out how {profile.model} fills in the middle")
    try:
        async with bounds.of_rest():
            fim = await _template(config, settings, provider, report, given)
    except TimeoutError:
        remedy = f"`llm-lsp provider test {name}` finds it"
        return [
            Check("fim", "warn", f"the fill-in-the-middle template of {profile.model} is unknown: {remedy}")
        ]
    except LlmLspError:
        return []  # the API accepts only chats
    if fim is None:
        return [Check("fim", "note", f"{profile.model} fills in the middle with no known template")]
    lines = [f'fim = "{fim}"']
    if settings.api != "openai-completions":
        lines.insert(0, 'api = "openai-completions"')
    return [
        Check(
            "fim",
            "warn",
            f"{profile.model} can fill in the middle: put {' and '.join(lines)} under [providers.{name}]",
        )
    ]


async def _template(
    config: Config,
    settings: ProviderConfig,
    provider: Provider,
    report: Callable[[str], None],
    given: GivenKeys | None,
) -> str | None:
    from llm_lsp.cli.wiring import ModelFinder
    from llm_lsp.providers.template_probe import find_template

    if settings.api == "openai-completions":
        return await find_template(provider, report)
    raw = replace(settings, api="openai-completions", fim="none", model=provider.profile.model)
    beside = replace(config, providers={**config.providers, config.provider: raw})
    async with contextlib.aclosing(await ModelFinder(Redactor(), given).find(beside, report)) as other:
        return await find_template(other, report)


async def _account(config: Config, bounds: Bounds, given: GivenKeys | None) -> list[Check]:
    try:
        async with bounds.of_rest():
            return await account_checks(config, given)
    except TimeoutError:
        return [Check("key", "note", "the API did not report the key's permissions and balance in time")]


def steps_to(error: ProviderError) -> list[Check]:
    """Return the steps before an error as passed, and the one it stopped as failed."""
    for kind, step in FAILED_STEP.items():
        if isinstance(error, kind):
            return [*_passed(step), Check(STEPS[step], "fail", str(error))]
    # An account without credit implies that the key was accepted.
    return [*_passed(2 if isinstance(error, MoneyError) else 1), Check("answers", "fail", str(error))]


def _passed(steps: int) -> list[Check]:
    return [Check(step, "ok", "yes") for step in STEPS[:steps]]


def _check(result: CheckResult) -> Check:
    if result.ok is None:
        return Check(result.name, "note", result.detail)
    bad: Verdict = "fail" if result.name in VITAL else "warn"
    return Check(result.name, "ok" if result.ok else bad, result.detail, result.seconds)


def _too_late(config: Config) -> Check:
    name = config.provider
    return Check(
        "provider",
        "fail",
        f"the test of {name} did not finish in time; `llm-lsp provider test {name}` has no time limit",
    )


def _profile(provider: Provider) -> Check:
    profile = provider.profile
    where = "on this machine" if profile.local else "remote"
    facts = f"{profile.provider}, model {profile.model or 'of the server'}, {where}, fim {profile.fim}"
    return Check("provider", "note", f"{facts}, {profile.context_tokens} tokens of context")
