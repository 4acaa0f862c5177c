"""Behind a gateway's name for a model, the setting to write is found and proposed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from llm_lsp.cli.main import group
from llm_lsp.config.settings import LocalConfig
from llm_lsp.local.local_models import LocalEndpoint, LocalModels, LocalPaths
from llm_lsp.local.model_store import ModelStore
from llm_lsp.local.server_connection import ServerConnection
from tests.cli.model_api import ModelApi, model_api

REAL = "qwen2.5-coder-0.5b"
PROPOSAL = 'house-coder can fill in the middle: put fim = "qwen" under [providers.team]'


def filling(path: str, body: dict[str, object]) -> tuple[str, int]:
    """Fill as a Qwen model does, and count its tokens."""
    prompt = str(body.get("prompt", body.get("messages")))
    n_marks = sum(prompt.count(mark) for mark in ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"))
    if not n_marks:
        return "one', 'two'", len(prompt) // 3
    is_told = prompt.startswith("<|fim_prefix|>") and prompt.endswith("<|fim_middle|>")
    wanted = '"turquoise"' if "turquoise" in prompt else "walrus_length"
    return wanted if is_told else "?", n_marks + (len(prompt) - 14 * n_marks) // 3


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, [*arguments], input="\n")


@pytest.fixture
def api(home: Path) -> Iterator[ModelApi]:
    with model_api() as api:
        api.model = filling
        yield api


def add(api: ModelApi, kind: str, *more: str) -> Result:
    return run(
        "provider", "add", "team", "--api", kind, "--base-url", api.url, "--model", "house-coder", *more
    )


def test_adding_a_gateways_model_proposes_its_template(api: ModelApi) -> None:
    assert PROPOSAL in add(api, "openai-completions").stdout


def test_the_first_model_that_a_server_lists_is_asked_too(api: ModelApi) -> None:
    api.models = ("house-coder",)
    result = run("provider", "add", "team", "--api", "openai-completions", "--base-url", api.url)

    assert PROPOSAL in result.stdout


def test_doctor_proposes_it_as_well(api: ModelApi) -> None:
    add(api, "openai-completions", "--no-test", "--use")

    assert PROPOSAL in run("doctor").stdout


def test_an_api_for_dialogues_with_raw_prompts_beside_is_found_too(api: ModelApi) -> None:
    assert (
        'put api = "openai-completions" and fim = "qwen" under [providers.team]'
        in add(api, "openai-chat").stdout
    )


@pytest.mark.parametrize("fim", ["none", "qwen"])
def test_what_the_settings_say_is_not_looked_into(api: ModelApi, fim: str) -> None:
    assert "can fill in the middle" not in add(api, "openai-completions", "--fim", fim).stdout


def test_a_name_that_tells_its_family_is_not_looked_into(api: ModelApi) -> None:
    result = run(
        "provider", "add", "team", "--api", "openai-completions", "--base-url", api.url,
        "--model", "team/starcoder2-3b",
    )  # fmt: skip

    assert "can fill in the middle" not in result.stdout


def test_a_model_that_fills_with_no_template_is_said_to(api: ModelApi) -> None:
    api.model = lambda path, body: ("and so on", 30)

    result = add(api, "openai-completions")

    assert "house-coder fills in the middle with no known template" in result.stdout
    assert result.exit_code == 0


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEndpoint]:
    """The small model that fills in the middle, if it is on this machine."""
    folder = LocalPaths.default().models
    here = next((model for model in ModelStore(folder).here() if model.name == REAL), None)
    if here is None:
        pytest.skip(f"{REAL} is not here: llm-lsp model pull {REAL}")
    models = LocalModels(LocalPaths(folder, tmp_path_factory.mktemp("state")))
    state = asyncio.run(models.servers.join(models.options(here, LocalConfig()), lambda line: None))
    yield models.endpoint(state)
    models.servers.stop(state)


@pytest.mark.slow
@pytest.mark.real_model
def test_a_real_model_behind_a_name_of_the_house_is_found(
    api: ModelApi, real: LocalEndpoint, home: Path
) -> None:
    def renamed(path: str, body: dict[str, object]) -> tuple[str, int]:
        sent = json.dumps(body | {"model": real.model, "stream": False})
        connection = ServerConnection(0, real.socket, 240)
        connection.request("POST", path, sent, {"Authorization": f"Bearer {real.key.reveal()}"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer["choices"][0]["text"], answer["usage"]["prompt_tokens"]

    api.model = renamed
    add(api, "openai-completions", "--no-test")
    own = home / "home" / "config.toml"
    own.write_text(own.read_text() + "timeout_s = 240\n")  # The machine may be busy.

    assert PROPOSAL in run("provider", "test", "team").stdout
