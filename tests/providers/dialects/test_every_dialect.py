"""Each dialect over a connection to a stand-in: a completion streamed, counted, cancelled and refused.

The answers are built by hand after the vendors' documents and sources; llama.cpp's are also asked of the real
server, in test_real_dialects.py.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import pytest

from llm_lsp.config.settings import Api, ProviderConfig
from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.errors import (
    AuthError,
    BadRequestError,
    ContextTooLongError,
    MoneyError,
    NotFoundError,
    OverloadedError,
    ProviderError,
    RateLimitError,
)
from llm_lsp.providers.provider_factory import make_provider
from tests.providers.standin import DONE, Peer, Received, Script, serve, sse

CANARY = "sk-canary-0123456789"
RAW = RawPrompt("buffer-canary")
FIM = FimPrompt("buffer-canary\n", "", "")
CHAT = ChatPrompt((("user", "buffer-canary"),))


@dataclass(frozen=True)
class Case:
    """What a dialect's answer looks like: "ab" in two events, then its end."""

    prompt: Prompt
    path: str
    first: bytes
    rest: bytes
    usage: Usage
    kind: str = "text/event-stream"


def openai(text: str, finish: str | None = None) -> bytes:
    return sse(
        {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}], "usage": None}
    )


def completions(text: str, finish: str | None = None) -> bytes:
    return sse({"choices": [{"index": 0, "text": text, "finish_reason": finish}]})


def line(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def part(text: str, **fields: object) -> bytes:
    return sse(
        {
            "candidates": [{"content": {"parts": [{"text": text}]}, **fields}],
            "usageMetadata": {"promptTokenCount": 9},
        }
    )


OPENAI_USAGE = {
    "prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 2},
}  # fmt: skip
CASES: Mapping[Api, Case] = {
    "openai-completions": Case(
        RAW, "/v1/completions", completions("a"),
        completions("b", "stop") + sse({"choices": [], "usage": OPENAI_USAGE}) + DONE, Usage(9, 4, 8, None, 2),
    ),
    "openai-chat": Case(
        CHAT, "/v1/chat/completions", openai("a"),
        openai("b", "stop") + sse({"choices": [], "usage": OPENAI_USAGE}) + DONE, Usage(9, 4, 8, None, 2),
    ),
    "anthropic": Case(
        CHAT, "/v1/messages",
        sse({"type": "message_start", "message": {"usage": {"input_tokens": 1, "cache_read_input_tokens": 8}}})
        + sse({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}),
        sse({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "b"}})
        + sse({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}})
        + sse({"type": "message_stop"}),
        Usage(9, 4, 8),
    ),
    "gemini": Case(
        CHAT, "/v1/models/m:streamGenerateContent?alt=sse", part("a"),
        part("b") + sse({
            "candidates": [{"finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 2, "thoughtsTokenCount": 2, "cachedContentTokenCount": 8},
        }),
        Usage(9, 4, 8, None, 2),
    ),
    "mistral-fim": Case(
        FIM, "/v1/fim/completions", openai("a"),
        sse({"choices": [{"delta": {"content": "b"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}) + DONE,
        Usage(9, 4),
    ),
    "llamacpp-infill": Case(
        FIM, "/infill", sse({"content": "a", "stop": False}),
        sse({"content": "b", "stop": False})
        + sse({"content": "", "stop": True, "stop_type": "eos", "tokens_evaluated": 9, "tokens_predicted": 4, "timings": {"cache_n": 8}}),
        Usage(9, 4, 8),
    ),
    "ollama": Case(
        RAW, "/api/generate", line(response="a", done=False),
        line(response="b", done=False) + line(response="", done=True, done_reason="stop", prompt_eval_count=9, eval_count=4),
        Usage(9, 4), "application/x-ndjson",
    ),
    "tgi": Case(
        RAW, "/generate_stream", sse({"token": {"text": "a", "special": False}, "generated_text": None}),
        sse({"token": {"text": "b", "special": False}, "generated_text": "ab",
             "details": {"finish_reason": "eos_token", "generated_tokens": 4, "input_length": 9}}),
        Usage(9, 4),
    ),
}  # fmt: skip


def error(kind: str, code: object = None, message: str = "") -> dict[str, object]:
    return {"error": {"message": f"{message} {CANARY} buffer-canary", "type": kind, "code": code}}


def anthropic(kind: str) -> dict[str, object]:
    return {"type": "error", **error(kind), "request_id": "req_1"}


def google(code: int, status: str, message: str = "") -> dict[str, object]:
    return {"error": {"code": code, "status": status, "message": f"{message} {CANARY} buffer-canary"}}


def tgi(kind: str) -> dict[str, object]:
    return {"error": f"{CANARY} buffer-canary", "error_type": kind}


def flat(message: str) -> dict[str, object]:
    return {"error": f"{message} {CANARY} buffer-canary"}


Refusal = tuple[int, object, type[ProviderError]]
OPENAI_REFUSALS: tuple[Refusal, ...] = (
    (400, error("invalid_request_error"), BadRequestError),
    (400, error("invalid_request_error", "context_length_exceeded"), ContextTooLongError),
    (401, error("invalid_request_error", "invalid_api_key"), AuthError),
    (402, error("insufficient_balance"), MoneyError),
    (403, error("permission_error"), AuthError),
    (404, error("invalid_request_error", "model_not_found"), NotFoundError),
    (429, error("insufficient_quota", "insufficient_quota"), MoneyError),
    (429, error("requests", "rate_limit_exceeded"), RateLimitError),
    (500, error("server_error"), OverloadedError),
    (503, error("server_error", "server_is_overloaded"), OverloadedError),
)
REFUSALS: Mapping[Api, tuple[Refusal, ...]] = {
    "openai-completions": (*OPENAI_REFUSALS, (400, error("BadRequestError", 400, "suffix is not supported"), BadRequestError)),
    "openai-chat": (
        *OPENAI_REFUSALS,
        (413, error("invalid_request_error"), ContextTooLongError),
        (498, error("capacity_exceeded"), OverloadedError),
        (502, "<html>", OverloadedError),
        (504, None, OverloadedError),
        (524, None, OverloadedError),
    ),
    "anthropic": (
        (400, anthropic("invalid_request_error"), BadRequestError),
        (401, anthropic("authentication_error"), AuthError),
        (402, anthropic("billing_error"), MoneyError),
        (403, anthropic("permission_error"), AuthError),
        (404, anthropic("not_found_error"), NotFoundError),
        (413, anthropic("request_too_large"), ContextTooLongError),
        (429, anthropic("rate_limit_error"), RateLimitError),
        (429, {"type": "error", "error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}}, MoneyError),
        (500, anthropic("api_error"), OverloadedError),
        (504, anthropic("timeout_error"), OverloadedError),
        (529, anthropic("overloaded_error"), OverloadedError),
    ),
    "gemini": (
        (400, google(400, "INVALID_ARGUMENT"), BadRequestError),
        (400, google(400, "INVALID_ARGUMENT", "API key not valid"), AuthError),
        (402, google(402, "payment_required"), MoneyError),
        (403, google(403, "PERMISSION_DENIED"), AuthError),
        (404, google(404, "NOT_FOUND"), NotFoundError),
        (429, [google(429, "RESOURCE_EXHAUSTED")], RateLimitError),
        (499, google(499, "CANCELLED"), OverloadedError),
        (500, google(500, "INTERNAL"), OverloadedError),
        (503, google(503, "UNAVAILABLE"), OverloadedError),
    ),
    "mistral-fim": (
        (401, {"message": f"Unauthorized {CANARY}", "request_id": "1"}, AuthError),
        (402, {"object": "error", "message": CANARY, "type": "payment_required"}, MoneyError),
        (404, {"object": "error", "message": CANARY, "type": "invalid_model"}, NotFoundError),
        (422, {"detail": [{"loc": ["body", "stop"], "msg": CANARY, "type": "value_error"}]}, BadRequestError),
        (429, {"object": "error", "message": "Rate limit exceeded", "type": "rate_limited"}, RateLimitError),
        (503, {"object": "error", "message": CANARY}, OverloadedError),
    ),
    "llamacpp-infill": (
        (400, error("exceed_context_size_error", 400), ContextTooLongError),
        (401, error("authentication_error", 401), AuthError),
        (404, error("not_found_error", 404), NotFoundError),
        (500, error("server_error", 500), OverloadedError),
        (501, error("not_supported_error", 501, "Infill is not supported by this model"), BadRequestError),
        (503, error("unavailable_error", 503, "Loading model"), OverloadedError),
    ),
    "ollama": (
        (400, flat("m does not support insert"), BadRequestError),
        (401, flat("unauthorized"), AuthError),
        (404, flat('model "m" not found, try pulling it first'), NotFoundError),
        (429, flat("too many requests"), RateLimitError),
        (500, flat("llama runner process has terminated"), OverloadedError),
        (502, flat("cloud"), OverloadedError),
        (503, flat("server busy, please try again.  maximum pending requests exceeded"), OverloadedError),
    ),
    "tgi": (
        (401, None, AuthError),
        (422, tgi("validation"), BadRequestError),
        (424, tgi("generation"), OverloadedError),
        (429, tgi("overloaded"), OverloadedError),
        (500, tgi("incomplete_generation"), OverloadedError),
        (503, tgi("unhealthy"), OverloadedError),
    ),
}  # fmt: skip
EACH = pytest.mark.parametrize("api", get_args(Api))


async def read(api: Api, script: Script) -> tuple[list[Chunk], Received]:
    """Make one call; gives what came, and what was asked."""
    async with serve(script) as standin:
        provider = make_provider(ProviderConfig("it", api, f"{standin.url}/v1", "m"), Secret(CANARY))
        try:
            return [chunk async for chunk in provider.stream(CASES[api].prompt)], standin.received[0]
        finally:
            await provider.aclose()


@EACH
async def test_a_completion_is_streamed_and_counted(api: Api) -> None:
    case = CASES[api]

    async def script(received: Received, peer: Peer) -> None:
        await peer.stream(case.first, case.rest, kind=case.kind)
        await peer.end()

    chunks, received = await read(api, script)
    assert "".join(chunk.text for chunk in chunks) == "ab"
    # They may have come together.
    assert sum(chunk.pieces for chunk in chunks if chunk.text) == 2
    assert (chunks[-1].finish, chunks[-1].usage) == (Finish.STOP, case.usage)
    assert received.path == case.path
    assert [value for value in received.headers.values() if CANARY in value] in (
        [CANARY],
        [f"Bearer {CANARY}"],
    )


@EACH
async def test_a_cancelled_call_is_closed_at_the_server(api: Api) -> None:
    case = CASES[api]
    hung_up = asyncio.Event()

    async def script(received: Received, peer: Peer) -> None:
        if received.method == "POST":
            await peer.stream(case.first, kind=case.kind)
            await peer.hung_up()
            hung_up.set()
        else:
            await peer.whole(b"")

    async with serve(script) as standin:
        provider = make_provider(ProviderConfig("it", api, f"{standin.url}/v1", "m"), Secret(CANARY))
        stream = provider.stream(case.prompt)
        async for chunk in stream:
            assert chunk.text == "a"
            break
        stream.close()
        await hung_up.wait()
        await provider.aclose()


@pytest.mark.parametrize(
    ("api", "status", "body", "kind"),
    [
        pytest.param(api, *refusal, id=f"{api} {refusal[0]} {refusal[2].__name__}")
        for api, refusals in REFUSALS.items()
        for refusal in refusals
    ],
)
async def test_a_refusal_is_one_line_that_shows_nothing(
    api: Api, status: int, body: object, kind: type[ProviderError]
) -> None:
    async def script(received: Received, peer: Peer) -> None:
        await peer.json(body, status)

    with pytest.raises(ProviderError) as caught:
        await read(api, script)
    check_message(caught.value, kind)


@EACH
async def test_an_error_after_the_first_text_is_one_line_that_shows_nothing(api: Api) -> None:
    case = CASES[api]
    failure = {"error": {"code": 503, "type": "overloaded_error", "message": f"{CANARY} buffer-canary"}}

    async def script(received: Received, peer: Peer) -> None:
        event = line(**failure) if api == "ollama" else sse(failure)
        await peer.stream(case.first, event, kind=case.kind)
        await peer.end()

    with pytest.raises(ProviderError) as caught:
        await read(api, script)
    check_message(caught.value, OverloadedError)


def check_message(error: ProviderError, kind: type[ProviderError]) -> None:
    text = str(error)
    assert type(error) is kind
    assert "127.0.0.1" in text
    assert "\n" not in text
    assert CANARY not in text
    assert "buffer-canary" not in text
