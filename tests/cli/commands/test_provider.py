"""`llm-lsp provider` writes the user's file, keeps the key where it belongs, and proves the rest."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from click.testing import CliRunner, Result
from keyring.backends import fail

from llm_lsp.cli.commands import provider
from llm_lsp.cli.files import api_keys as keys
from llm_lsp.cli.files.user_file import UserFile
from llm_lsp.cli.main import group
from llm_lsp.config.settings import Config
from tests.cli.files.keyrings import MemoryKeyring
from tests.cli.model_api import ModelApi, model_api

KEY = "sk-CANARY-0123456789"
CODESTRAL = ("llm-lsp", "codestral https://codestral.mistral.ai")


@pytest.fixture(autouse=True)
def machine(home: Path, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CODESTRAL_API_KEY", raising=False)


@pytest.fixture
def api() -> Iterator[ModelApi]:
    with model_api() as api:
        yield api


@pytest.fixture
def own(home: Path) -> Path:
    return home / "home" / "config.toml"


def run(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(group, ["provider", *arguments], input=stdin)


def written(path: Path) -> dict[str, object]:
    return tomllib.loads(path.read_text("utf-8"))


class TestAdd:
    """One command and a key are all that a preset needs."""

    def test_a_preset_is_enabled_used_and_its_key_kept(self, own: Path, ring: MemoryKeyring) -> None:
        result = run("add", "codestral", "--no-test", stdin=f" {KEY}\n")
        assert result.exit_code == 0
        assert written(own) == {"provider": "codestral", "providers": {"codestral": {}}}
        assert ring.kept == {CODESTRAL: KEY}

    def test_what_is_worth_knowing_of_a_preset_is_told(self) -> None:
        assert "needs its own keys, not those of mistral" in run("add", "codestral", "--no-test").stderr

    def test_an_api_with_an_address_of_ones_own_takes_the_rest_from_its_preset(self, own: Path) -> None:
        url = "https://me.openai.azure.com/openai/v1"
        result = run("add", "azure", "--base-url", url, "--model", "mine", "--no-test", stdin=f"{KEY}\n")
        assert result.exit_code == 0
        config = provider.stack_of(UserFile(own)).resolve().config.providers["azure"]
        assert (config.api, config.fim, config.api_key_env) == ("openai-chat", "chat", "AZURE_OPENAI_API_KEY")

    def test_the_key_is_nowhere_but_in_the_keyring(self, own: Path) -> None:
        result = run("add", "codestral", "--no-test", stdin=f"{KEY}\n")
        assert KEY not in result.output + own.read_text()

    def test_the_terminals_question_does_not_echo(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[bool] = []

        def prompt(text: str, *, hide_input: bool, **_: object) -> str:
            asked.append(hide_input)
            return KEY

        monkeypatch.setattr("click.prompt", prompt)
        monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda self: True})())
        assert provider.ask_key("codestral") == KEY
        assert asked == [True]

    def test_a_named_variable_is_written_and_no_key_asked_for(self, own: Path, ring: MemoryKeyring) -> None:
        assert run("add", "codestral", "--no-test", "--key-env", "MY_KEY").exit_code == 0
        assert written(own)["providers"] == {"codestral": {"api_key_env": "MY_KEY"}}
        assert ring.kept == {}

    def test_a_command_that_prints_the_key_is_written_word_by_word(
        self, own: Path, ring: MemoryKeyring
    ) -> None:
        result = run("add", "codestral", "--no-test", "--key-command", "pass show 'my keys/codestral'")
        assert result.exit_code == 0
        assert written(own)["providers"] == {
            "codestral": {"api_key_command": ["pass", "show", "my keys/codestral"]}
        }
        assert ring.kept == {}

    def test_prices_and_the_template_are_written(self, own: Path) -> None:
        prices = ("--price-input", "0", "--price-output", "2.5", "--price-currency", "CNY")
        assert run("add", "vllm", "--no-test", "--fim", "qwen", *prices).exit_code == 0
        assert written(own)["providers"] == {
            "vllm": {"fim": "qwen", "price_input": 0.0, "price_output": 2.5, "price_currency": "CNY"}
        }

    def test_a_provider_that_fails_its_test_does_not_replace_the_one_that_works(self, own: Path) -> None:
        run("add", "ollama", "--no-test")
        address = ("--api", "openai-completions", "--base-url", "http://127.0.0.1:9/v1", "--model", "m")
        result = run("add", "mine", *address, "--use")
        assert result.exit_code == 1
        assert "its test failed, so it is not used" in result.stderr
        assert written(own)["provider"] == "ollama"
        run("add", "mine", *address, "--use", "--no-test")
        assert written(own)["provider"] == "mine"

    def test_new_settings_that_fail_their_test_leave_a_provider_and_its_key_as_they_were(
        self, own: Path, ring: MemoryKeyring
    ) -> None:
        address = ("--api", "openai-completions", "--base-url", "https://models.invalid/v1", "--model", "m")
        run("add", "mine", *address, "--use", "--no-test", stdin=f"{KEY}\n")
        before, kept = own.read_text(), dict(ring.kept)

        result = run("add", "mine", *address, "--model", "other", stdin="sk-another-key\n")

        assert result.exit_code == 1
        assert "mine stays as it was" in result.stderr
        assert (own.read_text(), ring.kept) == (before, kept)

    @pytest.mark.parametrize("has_keyring", [True, False])
    def test_without_a_keyring_an_editor_keeps_the_key(
        self, own: Path, ring: MemoryKeyring, has_keyring: bool
    ) -> None:
        if not has_keyring:
            keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call] # keyring's backends are untyped
        result = run("add", "codestral", "--kept-by-editor", "--no-test", stdin=f"{KEY}\n")

        assert result.exit_code == 0
        assert written(own) == {"provider": "codestral", "providers": {"codestral": {}}}
        assert ring.kept == ({CODESTRAL: KEY} if has_keyring else {})
        assert ("the editor keeps the key" in result.stderr) is not has_keyring
        assert KEY not in result.output + own.read_text()

    def test_the_ways_to_give_a_key_are_named(self) -> None:
        keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call] # keyring's backends are untyped
        told = run("add", "codestral", "--no-test").stderr
        assert all(way in told for way in ("CODESTRAL_API_KEY", "--key-env", "--key-command"))

    def test_a_key_that_is_in_the_environment_is_not_asked_for(
        self, own: Path, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CODESTRAL_API_KEY", KEY)
        result = run("add", "codestral", "--no-test", stdin="other\n")
        assert "using the key in CODESTRAL_API_KEY" in result.stderr
        assert ring.kept == {}

    def test_without_a_keyring_a_variable_is_named(self, own: Path) -> None:
        keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call] # keyring's backends are untyped
        result = run("add", "my-api", "--api", "openai-chat", "--base-url", "https://x.example", "--no-test")
        assert "put the key into the environment variable MY_API_API_KEY" in result.stderr
        assert written(own)["providers"] == {
            "my-api": {"api": "openai-chat", "base_url": "https://x.example", "api_key_env": "MY_API_API_KEY"}
        }

    def test_a_bad_key_writes_nothing(self, own: Path, ring: MemoryKeyring) -> None:
        result = run("add", "codestral", "--no-test", stdin=f"{KEY} {KEY}\n")
        assert result.exit_code == 1
        assert KEY not in result.output
        assert not own.exists()
        assert ring.kept == {}

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            pytest.param(["codstral"], 'needs api and base_url, did you mean "codestral"?', id="a slip"),
            pytest.param(["qqq"], "set them with --api and --base-url", id="a name of the user's own"),
            pytest.param(
                ["azure"],
                "azure needs base_url: set base_url to https://RESOURCE",
                id="an address of one's own",
            ),
            pytest.param(["a/b"], "must be a name made of letters", id="no name"),
            pytest.param(["auto"], "is reserved", id="a reserved name"),
            pytest.param(
                ["x", "--api", "ollama", "--base-url", "ftp://x"], "must be an http or https", id="address"
            ),
            pytest.param(["x", "--api", "ollama", "--base-url", "http://x"], "use https://", id="readable"),
            pytest.param(["vllm", "--fim", "qwn"], 'did you mean "qwen"?', id="a template"),
            pytest.param(
                ["codestral", "--key-env", "sk-key"], "never the key itself", id="a key as a variable"
            ),
        ],
    )
    def test_what_could_not_be_used_is_not_written(
        self, own: Path, arguments: list[str], message: str
    ) -> None:
        result = run("add", *arguments, "--no-test")
        assert result.exit_code == 1
        assert message in result.stderr
        assert result.stderr.count("\n") == 1
        assert not own.exists()

    def test_a_second_provider_is_used_only_when_asked(self, own: Path) -> None:
        run("add", "ollama", "--no-test")
        run("add", "vllm", "--no-test")
        assert written(own)["provider"] == "ollama"
        run("add", "vllm", "--no-test", "--use")
        assert written(own)["provider"] == "vllm"

    def test_it_proves_that_it_works(self, api: ModelApi) -> None:
        result = run(
            "add", "mine", "--api", "openai-completions", "--base-url", api.url, "--model", "qwen2.5-coder"
        )
        assert result.exit_code == 0, result.output
        assert "ok    fills the middle" in result.stdout

    def test_a_failed_proof_is_told_and_the_file_stays(self, own: Path) -> None:
        with model_api(status=401) as api:
            result = run("add", "mine", "--api", "openai-completions", "--base-url", api.url, "--model", "m")
        assert result.exit_code == 1
        assert "ok    reached" in result.stdout
        assert "fail  key accepted" in result.stdout
        assert own.exists()


class TestTest:
    """`test` asks the living API."""

    @pytest.fixture(autouse=True)
    def enabled(self, own: Path, api: ModelApi) -> None:
        run(
            "add",
            "mine",
            "--api",
            "openai-completions",
            "--base-url",
            api.url,
            "--model",
            "qwen",
            "--no-test",
        )

    def test_the_provider_in_use_is_the_default(self, api: ModelApi) -> None:
        result = run("test", "--json")
        checks = {check["name"]: check["verdict"] for check in json.loads(result.stdout)}
        assert result.exit_code == 0
        assert {*checks.values()} == {"ok", "note"}

    @pytest.mark.parametrize(
        ("status", "step"),
        [(401, "key accepted"), (404, "model there"), (402, "answers"), (500, "answers")],
    )
    def test_the_step_that_failed_is_named(self, api: ModelApi, status: int, step: str) -> None:
        api.status = status
        result = run("test", "mine", "--json")
        assert result.exit_code == 1
        assert [check["name"] for check in json.loads(result.stdout) if check["verdict"] == "fail"] == [step]

    def test_a_server_that_is_not_there(self) -> None:
        run("add", "gone", "--api", "openai-completions", "--base-url", "http://127.0.0.1:9/v1", "--no-test")
        result = run("test", "gone")
        assert result.exit_code == 1
        assert "fail  reached" in result.stdout

    @pytest.mark.parametrize(
        ("name", "remedy"),
        [("codestral", "run `llm-lsp provider add codestral`"), ("x", "see `llm-lsp provider list`")],
    )
    def test_what_is_not_enabled_is_not_asked(self, name: str, remedy: str) -> None:
        result = run("test", name)
        assert result.exit_code == 1
        assert remedy in result.stderr

    def test_a_remote_provider_without_its_key_is_not_called(self) -> None:
        run("add", "codestral", "--no-test")
        result = run("test", "codestral")
        assert result.exit_code == 1
        assert "codestral has no key: set the environment variable CODESTRAL_API_KEY" in result.stdout


class TestRemove:
    """`remove` leaves nothing behind."""

    def test_table_choice_and_key_go(self, own: Path, ring: MemoryKeyring) -> None:
        run("add", "codestral", "--no-test", stdin=f"{KEY}\n")
        result = run("remove", "codestral")
        assert result.exit_code == 0
        assert "and its key" in result.stderr
        assert ring.kept == {}
        assert Config() == provider.stack_of(UserFile(own)).resolve().config

    def test_what_is_not_there_is_an_error(self) -> None:
        run("add", "codestral", "--no-test")
        result = run("remove", "codestrl")
        assert result.exit_code == 1
        assert 'has no provider "codestrl", did you mean "codestral"?' in result.stderr


def test_list_shows_the_used_one_first_and_every_preset(own: Path) -> None:
    run("add", "ollama", "--no-test")
    run("add", "codestral", "--no-test", "--use")
    found = json.loads(run("list", "--json").stdout)
    assert [(row["name"], row["state"]) for row in found[:2]] == [
        ("codestral", "in use"),
        ("ollama", "enabled"),
    ]
    assert found[0]["key"] == "keyring or variable CODESTRAL_API_KEY"
    assert len({row["name"] for row in found}) == len(found) > 10
    assert "codestral.mistral.ai" in run("list").stdout


def test_no_command_takes_a_key_as_an_argument() -> None:
    options = {
        option for command in provider.command.commands.values() for p in command.params for option in p.opts
    }
    assert not {option for option in options if "key" in option} - {"--key-env", "--key-command"}
    assert keys.SERVICE == "llm-lsp"
