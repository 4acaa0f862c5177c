"""Keys are found where their user keeps them, and only for the origin that they were given for."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backends import fail

from llm_lsp.cli.files import key_commands
from llm_lsp.cli.files.api_keys import (
    GivenKeys,
    delete_key,
    describe_key,
    find_key,
    has_keyring,
    secret_values,
    store_key,
)
from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.secret import GivenKey, Secret
from llm_lsp.errors import AuthError, ConfigError, LlmLspError
from llm_lsp.system import is_alive
from tests.cli.files.keyrings import MemoryKeyring
from tests.loop_time import put_forward

CANARY = "sk-CANARY-0123456789"
REMOTE = ProviderConfig("team", "openai-chat", "https://llm.team.example/v1", api_key_env="TEAM_KEY")
HERE = ProviderConfig("here", "ollama", "http://127.0.0.1:11434")


@pytest.fixture(autouse=True)
def variable(ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEAM_KEY", raising=False)


def command(code: str) -> ProviderConfig:
    return replace(REMOTE, api_key_env="", api_key_command=(sys.executable, "-c", code))


async def test_a_variable_is_stripped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", f" {CANARY}\n")
    assert await find_key(REMOTE) == Secret(CANARY)


async def test_the_first_line_of_a_commands_output_is_the_key() -> None:
    assert await find_key(command(f"print('{CANARY}'); print('user: me')")) == Secret(CANARY)


async def test_a_keyring_keeps_a_key() -> None:
    store_key(REMOTE, Secret(CANARY))
    assert await find_key(REMOTE) == Secret(CANARY)
    assert delete_key(REMOTE)
    assert not delete_key(REMOTE)


@pytest.mark.parametrize(
    "url",
    [
        "https://llm.team.example.evil.tld/v1",
        "https://llm.team.example:8443/v1",
        "http://llm.team.example/v1",
        "https://evil.tld/llm.team.example",
    ],
)
async def test_a_key_stays_with_its_origin(url: str) -> None:
    store_key(REMOTE, Secret(CANARY))
    assert await find_key(replace(REMOTE, base_url=url, api_key_env="")) is None


async def test_a_key_stays_with_its_origin_over_all_its_paths() -> None:
    store_key(REMOTE, Secret(CANARY))
    assert await find_key(replace(REMOTE, base_url="https://llm.team.example/v2")) == Secret(CANARY)


async def test_a_server_on_this_machine_needs_no_key(ring: MemoryKeyring) -> None:
    ring.kept["llm-lsp", "here http://127.0.0.1:11434"] = CANARY
    assert await find_key(HERE) is None


async def test_a_missing_key_is_one_line_with_the_remedy() -> None:
    with pytest.raises(
        AuthError,
        match=r"team has no key: set the environment variable TEAM_KEY or `api_key_command`, or run `llm-lsp provider add",
    ):
        await find_key(REMOTE)


async def test_a_remote_provider_that_names_no_key_goes_without() -> None:
    assert await find_key(replace(REMOTE, api_key_env="")) is None


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param(f"print('{CANARY}'); raise SystemExit(3)", "failed with status 3", id="fails"),
        pytest.param("pass", "printed nothing", id="prints nothing"),
        pytest.param(f"print('{CANARY} x')", "blanks", id="no key"),
        pytest.param(
            f"print('Hello {CANARY}'); print('x')", "printed 2 lines, and the first", id="two lines"
        ),
        pytest.param(f"print('{CANARY}' * 9999)", "printed more than 64 KiB", id="prints without end"),
    ],
)
async def test_a_commands_failure_names_it_and_shows_nothing(code: str, message: str) -> None:
    with pytest.raises(LlmLspError, match=message) as caught:
        await find_key(command(code))
    assert str(caught.value).startswith("team: ")
    assert CANARY not in str(caught.value)


async def test_a_command_that_is_not_there_is_one_line() -> None:
    with pytest.raises(AuthError, match="nowhere cannot be run"):
        await find_key(replace(REMOTE, api_key_command=("/nowhere",)))


async def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_commands, "COMMAND_TIMEOUT_S", 0.05)
    with pytest.raises(AuthError, match="did not finish"):
        await find_key(command("import time; time.sleep(60)"))


async def test_what_a_command_that_hangs_has_started_is_ended_with_it(tmp_path: Path) -> None:
    started = tmp_path / "started"
    child = f"import os, time; open({str(started)!r}, 'w').write(str(os.getpid()) + ' '); time.sleep(600)"
    finding = asyncio.create_task(
        find_key(command(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"))
    )
    await until(lambda: started.exists() and started.read_text().endswith(" "))
    put_forward(key_commands.COMMAND_TIMEOUT_S)
    with pytest.raises(AuthError, match="did not finish"):
        await finding
    await until(lambda: not is_alive(int(started.read_text())))


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - another process does it
        await asyncio.sleep(0.01)


async def test_a_bad_key_in_a_variable_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_KEY", f"{CANARY}\nX: y")
    with pytest.raises(ConfigError) as caught:
        await find_key(REMOTE)
    assert CANARY not in str(caught.value)


def test_a_system_without_a_keyring_is_known() -> None:
    assert has_keyring()
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call] # keyring's backends are untyped
    assert not has_keyring()


async def test_without_a_keyring_a_key_is_simply_missing() -> None:
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call] # keyring's backends are untyped
    with pytest.raises(AuthError):
        await find_key(REMOTE)
    with pytest.raises(ConfigError):
        store_key(REMOTE, Secret(CANARY))


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (REMOTE, "keyring or variable TEAM_KEY"),
        (replace(REMOTE, api_key_env=""), "keyring, if it has one"),
        (replace(REMOTE, api_key_command=("pass", "show", "x")), "command pass"),
        (HERE, "none needed"),
    ],
)
def test_where_a_key_comes_from_is_told_without_it(config: ProviderConfig, text: str) -> None:
    assert describe_key(config) == text


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("/abcDEF12+ghi/3456", id="begins as a path does"),
        pytest.param("https://hooks.example/T0/kq83hfnv02ls84jdkq20", id="an address with a secret part"),
        pytest.param("postgres://app:pw@db/x", id="an address with a password"),
        pytest.param("correct horse battery staple", id="words"),
    ],
)
def test_the_value_of_a_secret_variable_is_one_to_hide(value: str) -> None:
    assert [*secret_values({"DB_PASS": value, "EDITOR": "/usr/bin/editor-of-mine"})] == [value]


def test_paths_and_plain_addresses_are_no_secrets_whatever_their_variable(tmp_path: Path) -> None:
    key_file = tmp_path / "token-1"
    key_file.touch()
    names = {"TOKEN_FILE": str(key_file), "AUTH_URL": "https://sso.example/oauth2", "PWD": "/somewhere/else1"}
    assert [*secret_values(names)] == []


def test_the_password_of_any_variables_address_is_one_to_hide() -> None:
    environ = {"DATABASE_URL": "postgres://app:kq83hf2v@db/x", "HOME": "/home/me", "PAGER": "less -R"}
    assert [*secret_values(environ)] == ["kq83hf2v"]


def test_a_password_that_an_address_escapes_is_one_to_hide_in_both_forms() -> None:
    assert [*secret_values({"CACHE_URL": "redis://:kq83%40f2v%2Fz@cache/0"})] == [
        "kq83%40f2v%2Fz",
        "kq83@f2v/z",
    ]


class TestGivenKeys:
    """A key that an editor keeps serves one provider of the user's own file, at its origin."""

    @pytest.fixture
    def given(self) -> GivenKeys:
        given = GivenKeys()
        given.put([GivenKey(REMOTE.name, REMOTE.base_url, Secret(CANARY))])
        return given

    async def test_it_is_used_where_nothing_else_names_one(
        self, given: GivenKeys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv(REMOTE.api_key_env, raising=False)
        assert await find_key(REMOTE, given) == Secret(CANARY)

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"base_url": "https://elsewhere.example/v1"}, id="another address"),
            pytest.param({"base_url": "http://llm.team.example/v1"}, id="unencrypted"),
            pytest.param({"base_url": "https://llm.team.example:8443/v1"}, id="another port"),
            pytest.param({"name": "other"}, id="another provider"),
            pytest.param({"unvouched": True}, id="a provider that the user's file does not have"),
        ],
    )
    async def test_it_goes_nowhere_else(
        self, given: GivenKeys, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv(REMOTE.api_key_env, raising=False)
        assert given.find(replace(REMOTE, **changes)) is None

    async def test_a_variable_of_the_environment_comes_first(
        self, given: GivenKeys, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(REMOTE.api_key_env, "sk-of-the-environment")
        assert await find_key(REMOTE, given) == Secret("sk-of-the-environment")

    @pytest.mark.parametrize("text", ["", "two words", "a\nline"])
    def test_what_is_no_key_is_left_out(self, text: str) -> None:
        given = GivenKeys()
        given.put([GivenKey(REMOTE.name, REMOTE.base_url, Secret(text))])
        assert given.find(REMOTE) is None
