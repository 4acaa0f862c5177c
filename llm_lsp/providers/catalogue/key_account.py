"""Checks an API key: permissions beyond what completion needs, and the credit left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.addresses import origin_of
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.providers.catalogue.presets import preset_of
from llm_lsp.providers.dialects.json_shapes import as_int, as_list, as_map, as_text
from llm_lsp.providers.provider_factory import header_fields

# Seconds for the request.
TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class KeyAccount:
    """What was found; an empty text means that nothing is known."""

    rights: str = ""
    """What the key may do beyond completion, and what to do about it."""
    left: str = ""
    """The money that may still be spent."""
    is_spent: bool = False
    """Whether nothing is left."""


async def look_at_account(config: ProviderConfig, key: Secret) -> KeyAccount:
    """Check a key, asking the API if it reports the remaining credit; the key is sent to its own origin only."""
    preset = preset_of(config)
    question = _QUESTIONS.get(preset.name) if preset else None
    rights = broad_rights(key)
    if question is None:
        return KeyAccount(rights)
    from llm_lsp.providers.discovery.local_probe import ProbeConversation

    origin = str(origin_of(config.base_url))
    async with ProbeConversation(origin, TIMEOUT_S, header_fields(config, key), config.ca_file) as ask:
        reply = await ask.get(question.path)
    found = question.read(reply.body) if reply.status == 200 else KeyAccount()
    return KeyAccount(rights or found.rights, found.left, found.is_spent)


def broad_rights(key: Secret) -> str:
    """Return which permissions beyond completion a key has, judging by its prefix; "" if none are known."""
    text = key.reveal()
    return next((clause for start, clause in _BROAD.items() if text.startswith(start)), "")


def limits_left(headers: Mapping[str, str]) -> str:
    """Describe the rate limits in an answer's headers; "" if there are none.

    Understands OpenAI's names, which most APIs copy, and Anthropic's. Azure reports a limit below 1 for "no limit".
    """
    return ", ".join(_limits(headers))


def _limits(headers: Mapping[str, str]) -> Iterator[str]:
    for what in ("requests", "tokens"):
        for name in (f"x-ratelimit-{{}}-{what}", f"anthropic-ratelimit-{what}-{{}}"):
            left, limit = headers.get(name.format("remaining"), ""), headers.get(name.format("limit"), "")
            if left.isdecimal() and limit.isdecimal() and int(limit) > 0:
                yield f"{left} of {limit} {what} left"


# https://platform.openai.com/docs/api-reference/admin-api-keys, https://docs.anthropic.com/en/api/administration-api,
# https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
_BROAD: Mapping[str, str] = {
    "sk-admin-": "this is an admin key for the whole organisation: create a project key instead",
    "sk-ant-admin": "this is an admin key for the whole organisation: create a workspace key instead",
    "ghp_": "this is a classic token, which also gives access to repositories: create a fine-grained one with models:read",
    "gho_": "this is an OAuth token, which may also give access to repositories: create a fine-grained one with models:read",
}


@dataclass(frozen=True, slots=True)
class _Question:
    path: str
    read: Callable[[Mapping[str, object]], KeyAccount]


def _openrouter(body: Mapping[str, object]) -> KeyAccount:
    data = as_map(body.get("data"))
    manages = data.get("is_management_key") is True or data.get("is_provisioning_key") is True
    rights = (
        "this is a management key, which can create keys: create an ordinary one instead" if manages else ""
    )
    left, limit = _amount(data.get("limit_remaining")), _amount(data.get("limit"))
    if left is None or limit is None:
        return KeyAccount(rights, "this key has no spending limit: set one")
    return KeyAccount(rights, f"{left:.2f} of {limit:.2f} USD of this key's limit", left <= 0)


def _deepseek(body: Mapping[str, object]) -> KeyAccount:
    balances = [
        f"{as_text(each.get('total_balance'))} {as_text(each.get('currency'))}"
        for each in map(as_map, as_list(body.get("balance_infos")))
    ]
    return KeyAccount(left=" and ".join(balances), is_spent=body.get("is_available") is False)


def _siliconflow(body: Mapping[str, object]) -> KeyAccount:
    return _balance(as_map(body.get("data")).get("totalBalance"), "CNY")


def _moonshot(currency: str) -> Callable[[Mapping[str, object]], KeyAccount]:
    return lambda body: _balance(as_map(body.get("data")).get("available_balance"), currency)


def _balance(value: object, currency: str) -> KeyAccount:
    amount = _amount(value)
    return (
        KeyAccount() if amount is None else KeyAccount(left=f"{amount:.2f} {currency}", is_spent=amount <= 0)
    )


def _amount(value: object) -> float | None:
    """Parse an amount of money, which some APIs send as text."""
    if isinstance(value, float) or as_int(value) is not None:
        return float(str(value))
    try:
        return float(as_text(value))
    except ValueError:
        return None


# By preset. https://openrouter.ai/docs/api/api-reference/api-keys/get-current-key,
# https://api-docs.deepseek.com/api/get-user-balance,
# https://docs.siliconflow.cn/en/api-reference/userinfo/get-user-info, https://platform.moonshot.ai/docs/api/balance
_QUESTIONS: Mapping[str, _Question] = {
    "openrouter": _Question("/api/v1/key", _openrouter),
    "openrouter-chat": _Question("/api/v1/key", _openrouter),
    "deepseek": _Question("/user/balance", _deepseek),
    "deepseek-chat": _Question("/user/balance", _deepseek),
    "siliconflow": _Question("/v1/user/info", _siliconflow),
    "moonshot": _Question("/v1/users/me/balance", _moonshot("USD")),
    "moonshot-cn": _Question("/v1/users/me/balance", _moonshot("CNY")),
}
