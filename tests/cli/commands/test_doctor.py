"""`llm-lsp doctor` says what would be used and why, and fails where it would not work."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from llm_lsp.cli import provider_check as proof
from llm_lsp.cli.commands import doctor
from llm_lsp.cli.main import group
from llm_lsp.cli.terminal.checklist import Check
from llm_lsp.cli.wiring import ModelFinder
from llm_lsp.config.settings import Config
from llm_lsp.local.local_models import LocalPaths
from llm_lsp.providers import conformance
from llm_lsp.providers.conformance import Bounds
from llm_lsp.providers.discovery import discover
from llm_lsp.providers.discovery.discover import Discovery, Finding
from llm_lsp.providers.discovery.recognition import ServerVerdict
from tests.cli.model_api import ModelApi, model_api
from tests.doubles import ScriptedProvider

KEY = "sk-CANARY-0123456789"
REFUSED = Finding("Ollama", 11434, ServerVerdict("x:cloud runs in a cloud"))


@pytest.fixture(autouse=True)
def machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for a machine with one server that may not be used, and no model."""

    async def found() -> Discovery:
        return Discovery((REFUSED,), None)

    monkeypatch.setattr(discover, "discover", found)
    monkeypatch.setattr(LocalPaths, "default", lambda: LocalPaths(home / "models", home / "state"))
    (home / "home").mkdir()


@pytest.fixture
def api() -> Iterator[ModelApi]:
    with model_api() as api:
        yield api


@pytest.fixture
def own(home: Path, api: ModelApi, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINE_KEY", KEY)
    path = home / "home" / "config.toml"
    path.write_text(
        f'provider = "mine"\n[providers.mine]\napi = "openai-completions"\nbase_url = "{api.url}"\n'
        'model = "qwen2.5-coder"\napi_key_env = "MINE_KEY"\n'
    )
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["doctor", *arguments])


def test_a_provider_that_works_is_proven(own: Path, api: ModelApi) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("ok    verdict           completion works: mine, model qwen2.5-coder")
    for line in (
        f"note  settings from     {own}",
        f'note  setting           providers.mine.model = "qwen2.5-coder" ({own})',
        f'note  choice            provider = "mine" ({own})',
        "note  key               variable MINE_KEY",
        "ok    key accepted      yes",
        "ok    fills the middle",
    ):
        assert line in result.stdout
    assert set(api.keys) == {f"Bearer {KEY}"}


def test_who_is_asked_is_told_before_the_wait(own: Path, api: ModelApi) -> None:
    assert "asking mine a few short questions" in run("--json").stderr


def test_the_probes_time_to_first_token_is_told(own: Path) -> None:
    checks = {check["name"]: check for check in json.loads(run("--json").stdout)["checks"]}
    assert checks["answers"]["seconds"] > 0


def test_it_does_not_wait_for_ever(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "WHOLE_S", 0.0)
    result = run()
    assert result.exit_code == 1
    assert (
        "fail  provider          the test of mine did not finish in time; `llm-lsp provider test mine` has no"
        in result.stdout
    )


@pytest.mark.parametrize("fallbacks", [0, 13])
def test_it_stays_short_with_many_providers(own: Path, api: ModelApi, fallbacks: int) -> None:
    names = [f"other{number}" for number in range(13)]
    chain = f"fallback = {json.dumps(names[:fallbacks])}\n"
    tables = (
        f'[providers.{name}]\napi = "openai-completions"\nbase_url = "{api.url}"\nmodel = "m"\n'
        'max_tokens = 64\ntimeout_s = 5\n[providers.NAME.headers]\nx = "y"\n'.replace("NAME", name)
        for name in names
    )
    own.write_text(own.read_text() + chain + "".join(tables))

    lines = run().stdout.splitlines()

    assert len(lines) <= 40
    assert not any("providers.other" in line for line in lines)
    assert any("other12" in line for line in lines)


def test_a_model_that_writes_late_is_slow_and_not_broken(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "SLOW_S", 0.0)
    result = run()

    assert result.exit_code == 0
    assert "warn  speed             slow: first text after" in result.stdout
    assert result.stdout.startswith("ok    verdict")


@pytest.mark.parametrize(
    ("age_s", "words"),
    [(0, "changed just now"), (3_700, "changed 1 hour ago"), (200_000, "changed 2 days ago")],
)
def test_each_settings_file_is_listed_with_its_age(home: Path, own: Path, age_s: int, words: str) -> None:
    shipped = home / "etc" / "defaults.toml"
    shipped.parent.mkdir()
    shipped.write_text("[usage]\nsave = false\n")
    os.utime(shipped, (time.time() - age_s,) * 2)

    lines = run("--offline").stdout.splitlines()

    assert f"note  settings from     {shipped}, {words}" in lines
    assert f"note  settings from     {own}, changed just now" in lines
    assert f"note  setting           usage.save = false ({shipped})" in lines


def test_no_output_holds_the_key(own: Path, api: ModelApi) -> None:
    output = run().output + run("--json").output
    api.status = 401
    assert KEY not in output + run().output


def test_json_is_the_whole_report(own: Path) -> None:
    report = json.loads(run("--json").stdout)
    assert report["ok"] is True
    assert report["settings"]["provider"] == {"value": "mine", "from": str(own)}


def test_a_wrong_setting_fails_and_names_the_right_one(own: Path) -> None:
    own.write_text(own.read_text() + '[completion]\nmenu = "nevr"\n')
    result = run("--offline")
    assert result.exit_code == 1
    assert "fail  setting" in result.stdout
    assert 'did you mean "never"?' in result.stdout


def test_offline_asks_no_model(own: Path, api: ModelApi) -> None:
    assert run("--offline").exit_code == 0
    assert api.keys == []


def test_a_refused_key_fails_with_its_remedy(own: Path, api: ModelApi) -> None:
    api.status = 403
    result = run()
    assert result.exit_code == 1
    assert "fail  key accepted" in result.stdout
    assert "MINE_KEY" in result.stdout


def test_automatic_choice_says_why_a_server_is_not_used() -> None:
    result = run("--offline")
    assert "Ollama on port 11434: x:cloud runs in a cloud" in result.stdout
    assert "the model configured in `[local]`" in result.stdout


def test_a_machine_without_a_model_fails_with_the_two_remedies() -> None:
    result = run()
    assert result.exit_code == 1
    assert "llm-lsp model pull" in result.stdout
    assert "llm-lsp provider add" in result.stdout


def test_a_switched_off_completion_is_told(home: Path) -> None:
    (home / "project" / ".llm-lsp.toml").write_text("enabled = false")
    result = run("--offline")
    assert "warn  enabled           completions are switched off" in result.stdout
    assert str(home / "project" / ".llm-lsp.toml") in result.stdout


def test_whoever_else_may_be_asked_is_proven_too(own: Path, api: ModelApi) -> None:
    spare = '[providers.spare]\napi = "openai-completions"\nbase_url = "http://127.0.0.1:9"\nmodel = "m"\n'
    route = '[[routes]]\ntrigger = "manual"\nprovider = "spare"\n'
    own.write_text(own.read_text("utf-8") + spare + route, "utf-8")
    result = run()
    assert result.exit_code == 1
    assert (
        "fail  also used         spare, used by routes or as a fallback: reached: nothing listens"
        in result.output
    )
    assert result.stdout.startswith("fail  verdict           also used: spare")
    assert json.loads(run("--json").stdout)["settings"]["routes"]["value"][0]["provider"] == "spare"


def test_what_a_policy_decides_is_shown_as_locked(home: Path) -> None:
    (home / "etc").mkdir(exist_ok=True)
    (home / "etc" / "policy.toml").write_text(
        '[privacy]\nremote = false\nexclude = ["legal/"]\n[budget]\ntokens_per_day = 1000\n'
    )
    lines = run("--offline").output.splitlines()
    locked = [line.split("locked")[1].strip() for line in lines if " locked " in line]

    place = home / "etc" / "policy.toml"
    assert locked == [
        f'privacy.exclude = ["legal/"] ({place})',
        f"privacy.remote = false ({place})",
        f"budget.tokens_per_day = 1000 ({place})",
    ]


def test_a_model_that_takes_long_to_load_is_not_waited_for(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def load(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(ModelFinder, "find", load)
    monkeypatch.setattr(doctor, "WHOLE_S", 0.05)
    monkeypatch.setattr(doctor, "FIRST_S", 0.05)
    result = run()
    assert result.exit_code == 1
    assert "the test of auto did not finish in time" in result.stdout


async def test_an_account_that_takes_long_to_tell_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def find(*_: object) -> ScriptedProvider:
        return ScriptedProvider()

    async def asked(*_: object) -> list[Check]:
        return []

    async def tell(*_: object) -> list[Check]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(ModelFinder, "find", find)
    monkeypatch.setattr(proof, "ask", asked)
    monkeypatch.setattr(proof, "account_checks", tell)
    checks = await proof.prove(Config(), print, Bounds(until=asyncio.get_running_loop().time() + 0.1))

    assert (checks[-1].name, checks[-1].verdict) == ("key", "note")
    assert "balance in time" in checks[-1].text
