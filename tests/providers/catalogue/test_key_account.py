"""What is seen of a key and its account: answers built by hand after the vendors' documents."""

import json
from collections.abc import Callable

import httpx
import pytest

from llm_lsp.core.privacy.secret import Secret
from llm_lsp.providers.catalogue.key_account import KeyAccount, broad_rights, limits_left, look_at_account
from llm_lsp.providers.catalogue.presets import preset_config
from llm_lsp.providers.discovery import local_probe as probe

MANAGES = "this is a management key, which can create keys: create an ordinary one instead"
BALANCE = {"is_available": True, "balance_infos": [{"currency": "CNY", "total_balance": "110.00"}, {"currency": "USD", "total_balance": "2.00"}]}  # fmt: skip
ANSWERS = [
    pytest.param("openrouter", "/api/v1/key", {"data": {"limit": 5, "limit_remaining": 4.898, "is_management_key": False}},
                 KeyAccount(left="4.90 of 5.00 USD of this key's limit"), id="OpenRouter"),
    pytest.param("openrouter", "/api/v1/key", {"data": {"limit": 5, "limit_remaining": 0}},
                 KeyAccount(left="0.00 of 5.00 USD of this key's limit", is_spent=True), id="OpenRouter, spent"),
    pytest.param("openrouter", "/api/v1/key", {"data": {"limit": None, "limit_remaining": None, "is_provisioning_key": True}},
                 KeyAccount(MANAGES, "this key has no spending limit: set one"), id="OpenRouter, without limit"),
    pytest.param("deepseek", "/user/balance", BALANCE, KeyAccount(left="110.00 CNY and 2.00 USD"), id="DeepSeek"),
    pytest.param("deepseek-chat", "/user/balance", {"is_available": False, "balance_infos": []}, KeyAccount(is_spent=True), id="DeepSeek, spent"),
    pytest.param("siliconflow", "/v1/user/info", {"data": {"totalBalance": "88.88"}}, KeyAccount(left="88.88 CNY"), id="SiliconFlow"),
    pytest.param("moonshot-cn", "/v1/users/me/balance", {"data": {"available_balance": 49.589}}, KeyAccount(left="49.59 CNY"), id="Moonshot"),
    pytest.param("moonshot", "/v1/users/me/balance", {"data": {"available_balance": -0.5}}, KeyAccount(left="-0.50 USD", is_spent=True), id="Moonshot, in debt"),
    pytest.param("moonshot", "/v1/users/me/balance", {"data": "?"}, KeyAccount(), id="nonsense says nothing"),
]  # fmt: skip

Answer = Callable[[httpx.Request], httpx.Response]


def answering(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    monkeypatch.setattr(probe, "open_transport", lambda *_: httpx.MockTransport(answer))


@pytest.mark.parametrize(("name", "path", "body", "found"), ANSWERS)
async def test_an_account_is_read(
    name: str, path: str, body: object, found: KeyAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(body).encode()))

    answering(monkeypatch, answer)
    config = preset_config(name)
    assert await look_at_account(config, Secret("k")) == found
    (request,) = asked
    assert (request.url.host, request.url.path) == (httpx.URL(config.base_url).host, path)
    assert request.headers["authorization"] == "Bearer k"


async def test_an_api_that_says_nothing_of_accounts_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    answering(monkeypatch, answer)
    assert await look_at_account(preset_config("openai"), Secret("sk-proj-x")) == KeyAccount()


async def test_a_refusal_is_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, lambda request: httpx.Response(403, stream=httpx.ByteStream(b"{}")))
    assert await look_at_account(preset_config("deepseek"), Secret("k")) == KeyAccount()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("sk-admin-x", "admin key"), ("sk-ant-admin01-x", "admin key"), ("ghp_x", "models:read"), ("gho_x", "models:read"),
        ("sk-proj-x", ""), ("sk-ant-api03-x", ""), ("github_pat_x", ""),
    ],
)  # fmt: skip
def test_a_key_with_more_rights_than_needed_is_told_by_its_beginning(key: str, words: str) -> None:
    clause = broad_rights(Secret(key))
    assert words in clause if words else clause == ""
    assert key not in clause


LIMITS = [
    pytest.param({"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59", "x-ratelimit-limit-tokens": "150000", "x-ratelimit-remaining-tokens": "149984"},
                 "59 of 60 requests left, 149984 of 150000 tokens left", id="OpenAI"),
    pytest.param({"anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49"}, "49 of 50 requests left", id="Anthropic"),
    pytest.param({"x-ratelimit-limit-requests": "-1", "x-ratelimit-remaining-requests": "-1"}, "", id="Azure without limit"),
    pytest.param({"x-ratelimit-limit-tokens": "0", "x-ratelimit-remaining-tokens": "0"}, "", id="a limit of nothing"),
    pytest.param({}, "", id="no limits"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "clause"), LIMITS)
def test_limits_are_read_from_headers(headers: dict[str, str], clause: str) -> None:
    assert limits_left(httpx.Headers(headers)) == clause
