"""What can go wrong for a team: its shipped settings, its keys, its gateway."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from llm_lsp.cli.files import settings_files
from llm_lsp.cli.files.api_keys import find_key
from llm_lsp.cli.files.settings_files import read_settings
from llm_lsp.config.settings import Config, ProviderConfig
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.errors import AuthError, ProviderError
from llm_lsp.providers.provider_factory import make_provider
from tests.providers.standin import Peer, Received, serve

CANARY = "sk-CANARY-0123456789"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(f"print('{CANARY}'); raise SystemExit(3)", id="fails"),
        pytest.param("print()", id="prints nothing"),
        pytest.param(f"print('Signed in as {CANARY}'); print('x')", id="two lines"),
        pytest.param(f'print(\'{{"access_token": "{CANARY}", "expires_in": 0}}\')', id="an expired token"),
    ],
)
async def test_fault_71_a_key_command_that_gives_no_key_is_one_line_without_its_output(code: str) -> None:
    command = (sys.executable, "-c", code)
    config = ProviderConfig("team", "openai-chat", "https://llm.team.example/v1", api_key_command=command)
    with pytest.raises(AuthError, match=r"team: the key command") as caught:
        await find_key(config)
    assert CANARY not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", ["provider = ", "[completion]\nlangages = ['go']\n", "completion = 3"])
def test_fault_72_a_broken_defaults_file_is_one_message_and_completion_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setattr(settings_files, "policy_folder", lambda: tmp_path)
    monkeypatch.setattr(settings_files, "user_config_folder", lambda: tmp_path / "home")
    (tmp_path / "defaults.toml").write_text(body)
    resolved = read_settings().resolve()
    assert len(resolved.problems) == 1
    assert resolved.config == Config()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            {"error": {"message": "no deployment", "type": "internal", "code": 500}}, id="an object"
        ),
        pytest.param({"error": "no deployment"}, id="a text"),
        pytest.param({"detail": "no deployment"}, id="no known field"),
        pytest.param({}, id="nothing"),
    ],
)
async def test_fault_73_a_gateways_error_with_status_200_is_an_error(body: dict[str, object]) -> None:
    async def script(received: Received, peer: Peer) -> None:
        await peer.json(body, 200)

    async with serve(script) as standin:
        config = ProviderConfig("team", "openai-completions", f"{standin.url}/v1", "m", fim="none")
        provider = make_provider(config, None)
        with pytest.raises(ProviderError) as caught:
            async for _ in provider.stream(RawPrompt("x = ")):
                pass
        await provider.aclose()
    assert "\n" not in str(caught.value)
