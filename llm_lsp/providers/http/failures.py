"""Converts every upstream failure into one of our errors, with a one-line message.

What a server says is only used to find the cause, and never shown: it may contain the key or document text.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_lsp.core.privacy.addresses import is_loopback
from llm_lsp.errors import (
    AuthError,
    BadRequestError,
    BlockedError,
    BrokenStreamError,
    ContextTooLongError,
    MoneyError,
    NotFoundError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    SlowError,
    TlsError,
    UnreachableError,
)
from llm_lsp.providers.dialects.json_shapes import as_int, as_list, as_map, as_text
from llm_lsp.providers.http.refused_fields import is_about_logprobs, refused_field
from llm_lsp.providers.http.retry_after import wait_s

if TYPE_CHECKING:
    from datetime import datetime

    from httpx import Headers


@dataclass(frozen=True, slots=True)
class FailureSource:
    """What a message names as the source of a failure."""

    provider: str
    host: str
    """With the port, unless it is the scheme's default."""
    model: str = ""
    key_remedy: str = ""
    """What to do about the key, as an imperative."""


def classify(status: int, body: object) -> type[ProviderError]:
    """Return the kind of failure for a status and an error object; the table below has the references."""
    words = _words(body)
    if status in (402, 429) and _BUSY.search(words):
        return OverloadedError
    if status in (400, 402, 403, 429, 434) and _MONEY.search(words):
        return MoneyError
    if status in _REFUSALS and _BLOCKED.search(words):
        return BlockedError
    if (status in _REFUSALS and _is_too_long(status, body, words)) or _OVER_RATE.search(words):
        return ContextTooLongError
    if status in (400, 404) and _KEY.search(words):
        return AuthError
    if status == 403 and is_about_logprobs(refused_field(body)):
        return BadRequestError  # OpenAI, for a model that may not be asked for them
    if status in _KINDS:
        return _KINDS[status]
    return OverloadedError if status >= 500 else BadRequestError


def from_status(
    where: FailureSource, status: int, headers: Headers, body: object, now: datetime
) -> ProviderError:
    """Return the error for an unsuccessful status."""
    if 300 <= status < 400:
        # The target comes from the server and could contain the key or document text, so it is not shown.
        return NotFoundError(
            f"{where.host} redirects to another address ({status}): set base_url of {where.provider} to the final one"
        )
    error = _error(where, classify(status, body), status, body, wait_s(headers, body, now))
    # OpenAI's and Anthropic's own statement on retries takes precedence over a client's rules.
    error.should_retry = {"true": True, "false": False}.get(headers.get("x-should-retry", ""))
    return error


def from_reply(where: FailureSource, status: int, body: object) -> ProviderError:
    """Return the error for a refused probe request."""
    return _error(where, classify(status, body), status, body, None)


def from_error_object(where: FailureSource, exc: ErrorObject) -> ProviderError:
    """Return the error for an error object in a stream that started normally."""
    status = exc.status or 500
    return _error(where, classify(status, exc.body), status, exc.body, None)


def from_exception(where: FailureSource, exc: Exception) -> ProviderError:
    """Return the error for an exception of the HTTP library."""
    import httpx

    match exc:
        case httpx.ConnectTimeout():
            return UnreachableError(
                f"{where.host} does not answer: check the network and base_url of {where.provider}"
            )
        case httpx.ProxyError():
            return UnreachableError(
                f"the proxy refuses connections to {where.host}: check HTTPS_PROXY and NO_PROXY"
            )
        case httpx.ConnectError():
            return _unconnected(where, exc)
        case httpx.LocalProtocolError():
            return BadRequestError(
                f"a request header for {where.host} is invalid: check the key and headers of {where.provider}"
            )
        case httpx.TimeoutException():
            return SlowError(f"{where.host} does not accept the request: it may be overloaded")
        case _:
            return BrokenStreamError(
                f"the connection to {where.host} was interrupted ({type(exc).__name__}): try again"
            )


class ErrorObject(ProviderError):
    """An error object instead of an answer; the stream turns it into an error for the user."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__("the API sent an error", status=status)
        self.body = body


def raise_error_object(data: Mapping[str, object]) -> None:
    """Raise ErrorObject if an event is an error: `{"error": …}`, or the flat form of vLLM and Mistral."""
    error = data.get("error")
    if error or data.get("object") == "error":
        raise ErrorObject(_status_in(as_map(error) or data), data)


# Searched in lower-case types, codes and messages of OpenAI, Anthropic, Zhipu (1113, 1261), Baidu, Moonshot, Alibaba.
_MONEY = re.compile(
    r"insufficient[_ ](quota|balance|credit|fund)|credit[_ ]balance|enforced_spend_limit|billing_|\b1113\b"
    r"|exceeded_current_quota|payment_required|arrearage|spend(ing)? limit"
)
# The API is overloaded, rather than its user over a limit: TGI, Moonshot, Zhipu (1305, 1312), OpenRouter.
_BUSY = re.compile(r"overloaded|\b13(05|12)\b|in_flight_budget")
# OpenAI, Azure, Anthropic, OpenRouter, DeepSeek ("Content Exists Risk"), Alibaba, Zhipu (1301).
_BLOCKED = re.compile(
    r"content[_ ]?filter|content[_ ]management|responsible_?ai|data_?inspection|content exists risk|\b1301\b"
    r"|content_policy|content policy|safety (system|policy|filter|setting)|blocked by|moderation|flagged|inappropriate content"
    r"|sensitive (content|information|words)|prohibited_content"
)
# Codes: OpenAI, llama.cpp, Baidu, Zhipu. Then words, of a length and of what is too much of it.
_TOO_LONG_CODE = re.compile(
    r"exceed_context_size|context_(length|window)_exceed|context_length_error|tokens_too_long|string_above_max_length"
    r"|\b1261\b|prompt_too_long|input_too_long|request_too_large|context_overflow"
)
_SUBJECT = (
    r"(?:context|prompt|inputs?|tokens?|seq(?:uence)?|max_seq_len|max_model_len|conversation|messages?)"
)
_EXCESS = (
    r"(?:exceed|greater than|longer than|larger than|more than|less than|at most|over (?:the|its)|<=?|>|too (?:long|large|many|big)"
    r"|cannot be|not enough|overflow|limit of)"
)
_TOO_LONG = re.compile(
    rf"\b{_SUBJECT}\b.{{0,120}}{_EXCESS}|{_EXCESS}.{{0,80}}\b{_SUBJECT}\b|context[_ ](?:length|window|size)"
    r"|range of input length|max(?:imum)? input characters|max_(?:seq|model|input|prompt|total)_(?:len|length|tokens)|must be at least \d, got -\d"
    r"|reduce (?:the length|your prompt|the prompt)|shorter (?:input|prompt)|tokens to keep|maximum (?:input|prompt) length"
    r"|(?:input|prompt|request|content) (?:is )?too (?:long|large)"
)
# OpenAI's and Groq's rate limits, for a request that no wait makes small enough.
_OVER_RATE = re.compile(r"request too large for|tokens must be reduced")
# The limit of the answer is over the model's, whatever the prompt.
_OWN_LIMIT = re.compile(r"max_(?:completion_|new_|output_)?tokens\b.{0,60}\bat most \d+ completion")
# Number fields: llama.cpp's first, and what others call the same.
_SENT = frozenset(
    ("nprompttokens", "prompttokens", "inputtokens", "requestedtokens", "promptlength", "inputlength")
)
_ROOM = frozenset(
    (
        "nctx",
        "contextlength",
        "maxcontextlength",
        "contextwindow",
        "maxmodellen",
        "maxseqlen",
        "maxinputtokens",
    )
)
_REFUSALS = (400, 403, 413, 422, 424, 451, 500, 503)
# The second is LiteLLM's answer to any key but its master key, if it has no database of others.
_KEY = re.compile(r"api[_ -]?key|no_db_connection")
_NO_INSERT = re.compile(r"insert|infill|suffix")
_LOADING = re.compile(r"loading")

_KINDS: dict[int, type[ProviderError]] = {
    401: AuthError,
    402: MoneyError,
    403: AuthError,
    404: NotFoundError,
    405: NotFoundError,
    408: OverloadedError,
    409: OverloadedError,  # locked by another request, as the vendors' own clients interpret it
    413: ContextTooLongError,
    424: OverloadedError,  # TGI and Groq: their backend failed
    429: RateLimitError,
    498: OverloadedError,  # Groq's flex tier is full
    499: OverloadedError,  # Ollama gave up on the request
    501: BadRequestError,  # llama.cpp: not supported by this model
}


def _is_too_long(status: int, body: object, words: str) -> bool:
    """Check whether a prompt is refused for its length: by code, then by numbers, then by words."""
    if status == 413 or _TOO_LONG_CODE.search(words):
        return True
    numbers = dict(_numbers(body))
    sent = max((count for name, count in numbers.items() if name in _SENT), default=0)
    room = min((count for name, count in numbers.items() if name in _ROOM), default=sent)
    if sent > room:
        return True
    if refused_field(body) or _OWN_LIMIT.search(words):
        return False
    return _TOO_LONG.search(words) is not None


def _numbers(value: object) -> Iterator[tuple[str, int]]:
    for name, item in as_map(value).items():
        if (count := as_int(item)) is not None:
            yield name.lower().replace("_", ""), count
        yield from _numbers(item)


def _error(
    where: FailureSource, kind: type[ProviderError], status: int, body: object, asked_s: float | None
) -> ProviderError:
    if kind is RateLimitError:
        wait = f"wait {asked_s:.0f} s" if asked_s else "type slower, or raise the account's limit"
        return RateLimitError(f"{where.host}: too many requests ({status}): {wait}", asked_s, status=status)
    error = kind(_LINES[kind](where, status, _words(body)), asked_s, status=status)
    if kind is BadRequestError and isinstance(error, BadRequestError):
        error.field = refused_field(body)
    return error


def _auth(where: FailureSource, status: int, words: str) -> str:
    return f"{where.host} refused the key ({status}): {where.key_remedy}"


def _money(where: FailureSource, status: int, words: str) -> str:
    return f"{where.host}: the account has no credit left or is over its limit ({status}): top it up, or choose another provider"


def _overloaded(where: FailureSource, status: int, words: str) -> str:
    if _LOADING.search(words):
        return f"{where.host} is still loading its model ({status}): try again in a moment"
    return f"{where.host} is busy or has an internal error ({status}): try again in a moment"


def _bad_request(where: FailureSource, status: int, words: str) -> str:
    if _NO_INSERT.search(words):
        return f'{where.host}: {_model(where)} does not accept text after the cursor ({status}): change fim of {where.provider}, for example to "none"'
    return f"{where.host} refused the request ({status}): check model, fim and extra_body of {where.provider}"


def _blocked(where: FailureSource, status: int, words: str) -> str:
    return f"a content filter of {where.host} blocked the prompt ({status}): exclude this file, or choose another provider"


def _too_long(where: FailureSource, status: int, words: str) -> str:
    return f"{where.host}: the prompt exceeds the context window of {_model(where)} ({status}): lower context_tokens of {where.provider}"


def _not_found(where: FailureSource, status: int, words: str) -> str:
    return f"{where.host} does not know {_model(where)} or the address ({status}): check model and base_url of {where.provider}"


_LINES = {
    AuthError: _auth,
    MoneyError: _money,
    OverloadedError: _overloaded,
    BadRequestError: _bad_request,
    BlockedError: _blocked,
    ContextTooLongError: _too_long,
    NotFoundError: _not_found,
}


def _model(where: FailureSource) -> str:
    return f"the model {where.model}" if where.model else "the model"


def _words(body: object) -> str:
    """Return the text of an error object in lower case, only for finding the cause."""
    return " ".join(_strings(body)).lower()


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str | int):
        yield str(value)
    for item in as_map(value).values():
        yield from _strings(item)
    for item in as_list(value):
        yield from _strings(item)


def _status_in(error: Mapping[str, object]) -> int:
    """Return the status that an error object in a stream implies by number or type; 500 if none."""
    for value in (error.get("code"), error.get("status"), error.get("status_code")):
        number = as_int(int(value) if isinstance(value, str) and value.isdecimal() else value)
        if number is not None and 400 <= number < 600:
            return number
    kind = " ".join(as_text(error.get(name)) for name in ("type", "code", "error_type")).lower()
    return next((status for word, status in _STATUS_BY_TYPE.items() if word in kind), 500)


# By a word in its type or code; the numbers are Zhipu's codes, throttling and arrearage Alibaba's.
_STATUS_BY_TYPE = {
    "insufficient_quota": 429,
    "billing": 402,
    "rate_limit": 429,
    "exceed_context_size": 400,
    "context_length": 400,
    "authentication": 401,
    "permission": 403,
    "not_found": 404,
    "invalid_request": 400,
    "not_supported": 501,
    "unavailable": 503,
    "overloaded": 529,
    "too_large": 413,
    "validation": 422,
    "content_filter": 400,
    "data_inspection": 400,
    "throttling": 429,
    "arrearage": 400,
    "1113": 429,
    "1211": 404,
    "1261": 400,
    "1302": 429,
    "1303": 429,
    "1305": 503,
}


def _unconnected(where: FailureSource, exc: Exception) -> UnreachableError:
    for cause in _causes(exc):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TlsError(
                f"{where.host} has an untrusted certificate: for a company's own authority, set SSL_CERT_FILE"
            )
        if isinstance(cause, ssl.SSLError):
            return TlsError(
                f"{where.host} does not support a secure TLS version: check base_url of {where.provider}"
            )
        if isinstance(cause, socket.gaierror):
            return UnreachableError(
                f"the host name {where.host} is unknown: check the network and base_url of {where.provider}"
            )
        if isinstance(cause, ConnectionRefusedError | FileNotFoundError):
            return UnreachableError(_refused(where))
    return UnreachableError(
        f"no connection to {where.host}: check the network and base_url of {where.provider}"
    )


def _refused(where: FailureSource) -> str:
    """Describe what refused the connection: the server or a proxy, which is never used for this machine."""
    if is_loopback(f"http://{where.host}"):
        return f"nothing listens at {where.host}: start the server, or check base_url of {where.provider}"
    return (
        f"nothing listens at {where.host}, or at the proxy in between: "
        f"check that it is running, HTTPS_PROXY, and base_url of {where.provider}"
    )


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes, and the members of groups, innermost last."""
    yield exc
    if isinstance(exc, BaseExceptionGroup):
        for part in exc.exceptions:
            yield from _causes(part)
    following = exc.__cause__ or exc.__context__
    if following is not None:
        yield from _causes(following)
