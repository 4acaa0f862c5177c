"""What can be seen of a key and its account: rights that it does not need, and the credit left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.privacy.addresses import origin_of
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.providers.catalogue.presets import preset_of
from llm_lsp.providers.dialects.json_shapes import as_int, as_list, as_map, as_text
from llm_lsp.providers.provider_factory import header_fields

# Seconds for the one question.
TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class KeyAccount:
    """What was found out; an empty clause says nothing."""

    rights: str = ""
    """What the key may do beside completion, and the remedy."""
    left: str = ""
    """What may still be spent."""
    is_spent: bool = False
    """Nothing is left."""


async def look_at_account(config: ProviderConfig, key: Secret) -> KeyAccount:
    """Look at a key, and ask the API where it says what is left; the key goes to its own origin alone."""
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
    """Return which rights beyond completion a key has, by its prefix; "" if none is known."""
    text = key.reveal()
    return next((clause for start, clause in _BROAD.items() if text.startswith(start)), "")


def limits_left(headers: Mapping[str, str]) -> str:
    """Read the rate limits that came with an answer, as a clause; "" if the API says none.

    OpenAI's names, which most copy, and Anthropic's. A limit below one is Azure's way to say that there is none.
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
    "sk-admin-": "it is an admin key, which manages the whole organisation: make one for a project",
    "sk-ant-admin": "it is an admin key, which manages the whole organisation: make one for a workspace",
    "ghp_": "it is a classic token, which opens repositories too: make a fine-grained one with models:read",
    "gho_": "it is an OAuth token, which may open repositories too: make a fine-grained one with models:read",
}


@dataclass(frozen=True, slots=True)
class _Question:
    path: str
    read: Callable[[Mapping[str, object]], KeyAccount]


def _openrouter(body: Mapping[str, object]) -> KeyAccount:
    data = as_map(body.get("data"))
    manages = data.get("is_management_key") is True or data.get("is_provisioning_key") is True
    rights = "it is a management key, which makes other keys: make an ordinary one" if manages else ""
    left, limit = _amount(data.get("limit_remaining")), _amount(data.get("limit"))
    if left is None or limit is None:
        return KeyAccount(rights, "no limit of its own: set one for this key")
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
    """Read money, which some write as text."""
    if isinstance(value, float) or as_int(value) is not None:
        return float(str(value))
    try:
        return float(as_text(value))
    except ValueError:
        return None


# By preset. https://openrouter.ai/docs/api/api-reference/api-keys/get-current-key,
# https://api-docs.deepseek.com/api/get-user-balance, https://docs.siliconflow.cn/en/api-reference/userinfo/get-user-info,
# https://platform.moonshot.ai/docs/api/balance
_QUESTIONS: Mapping[str, _Question] = {
    "openrouter": _Question("/api/v1/key", _openrouter),
    "deepseek": _Question("/user/balance", _deepseek),
    "deepseek-chat": _Question("/user/balance", _deepseek),
    "siliconflow": _Question("/v1/user/info", _siliconflow),
    "moonshot": _Question("/v1/users/me/balance", _moonshot("USD")),
    "moonshot-cn": _Question("/v1/users/me/balance", _moonshot("CNY")),
}
