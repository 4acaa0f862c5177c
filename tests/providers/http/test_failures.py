"""Each way to fail becomes one kind of error, with one line that shows nothing of what the server said."""

import socket
import ssl
from datetime import UTC, datetime

import httpx
import pytest

from llm_lsp import errors
from llm_lsp.providers.http.failures import (
    ErrorObject,
    FailureSource,
    from_error_object,
    from_exception,
    from_status,
    raise_error_object,
)

WHERE = FailureSource("mine", "api.example", "coder-7b", "set MINE_API_KEY to a valid one")
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
CANARY = "sk-canary-0123456789"


def error(message: str = "", **fields: object) -> dict[str, object]:
    return {"error": {"message": f"{message} {CANARY}", **fields}}


STATUSES = [
    pytest.param(401, None, errors.AuthError, "set MINE_API_KEY", id="401"),
    pytest.param(403, None, errors.AuthError, "refused the key", id="403"),
    pytest.param(400, error("Incorrect API key provided"), errors.AuthError, "key", id="400 about the key"),
    pytest.param(400, error(type="no_db_connection"), errors.AuthError, "key", id="LiteLLM without database"),
    pytest.param(402, None, errors.MoneyError, "credit", id="402"),
    pytest.param(429, error(code="insufficient_quota"), errors.MoneyError, "credit", id="OpenAI's quota"),
    pytest.param(429, error(code="1113"), errors.MoneyError, "credit", id="Zhipu's arrears"),
    pytest.param(429, error(type="exceeded_current_quota_error"), errors.MoneyError, "credit", id="Moonshot's quota"),
    pytest.param(400, error(code="Arrearage"), errors.MoneyError, "credit", id="Alibaba's arrears"),
    pytest.param(429, error(code="rate_limit_exceeded"), errors.RateLimitError, "too many", id="429"),
    pytest.param(429, error(code="1302"), errors.RateLimitError, "too many", id="Zhipu's rate"),
    pytest.param(400, error(type="exceed_context_size_error"), errors.ContextTooLongError, "coder-7b", id="llama.cpp's window"),
    pytest.param(400, error(code="context_length_exceeded"), errors.ContextTooLongError, "context_tokens", id="OpenAI's window"),
    pytest.param(400, error("maximum context length is 4096 tokens"), errors.ContextTooLongError, "window", id="vLLM's window"),
    pytest.param(403, error("Input is too long"), errors.ContextTooLongError, "window", id="Together's window"),
    pytest.param(422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 128 `max_new_tokens`", "error_type": "validation"}, errors.ContextTooLongError, "window", id="TGI's sum"),
    pytest.param(422, {"error": "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000", "error_type": "validation"}, errors.ContextTooLongError, "window", id="TGI's inputs"),
    pytest.param(400, {"object": "error", "message": "The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that `max_model_len` is no smaller than the number of text tokens.", "type": "BadRequestError", "param": None, "code": 400}, errors.ContextTooLongError, "window", id="vLLM's model length"),
    pytest.param(400, {"object": "error", "message": "max_tokens must be at least 1, got -904.", "type": "BadRequestError", "code": 400}, errors.ContextTooLongError, "window", id="vLLM's room for an answer"),
    pytest.param(400, error("'max_tokens' or 'max_completion_tokens' is too large: 128. This model's maximum context length is 4096 tokens and your request has 4090 input tokens", param="max_tokens"), errors.ContextTooLongError, "window", id="vLLM's limit"),
    pytest.param(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."}}, errors.ContextTooLongError, "window", id="Gemini's window"),
    pytest.param(400, {"code": 20015, "message": "length of prompt_tokens (5000) must be less than max_seq_len (4096).", "data": None}, errors.ContextTooLongError, "window", id="SiliconFlow's window"),
    pytest.param(400, error("<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]", code="invalid_parameter_error"), errors.ContextTooLongError, "window", id="DashScope's window"),
    pytest.param(400, {"detail": "Prompt length 5000 is greater than max_seq_len 4096"}, errors.ContextTooLongError, "window", id="TabbyAPI's window"),
    pytest.param(503, {"detail": "Context length 9000 is greater than max_seq_len 8192"}, errors.ContextTooLongError, "window", id="TabbyAPI's other status"),
    pytest.param(400, {"error": "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough."}, errors.ContextTooLongError, "window", id="LM Studio's window"),
    pytest.param(400, {"error": "The number of tokens to keep from the initial prompt is greater than the context length."}, errors.ContextTooLongError, "window", id="LM Studio's other words"),
    pytest.param(400, {"error": "the input length exceeds the context length"}, errors.ContextTooLongError, "window", id="Ollama's window"),
    pytest.param(400, error("Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length"), errors.ContextTooLongError, "window", id="Mistral's window"),
    pytest.param(400, error("prompt is too long: 210000 tokens > 200000 maximum"), errors.ContextTooLongError, "window", id="Anthropic's window"),
    pytest.param(400, error("Your request exceeded model token limit: 8192"), errors.ContextTooLongError, "window", id="Moonshot's window"),
    pytest.param(400, error("too many tokens: total number of tokens in the prompt cannot exceed 4081"), errors.ContextTooLongError, "window", id="Cohere's window"),
    pytest.param(429, error("Request too large for m on tokens per min (TPM): Limit 6000, Requested 8000", code="rate_limit_exceeded"), errors.ContextTooLongError, "window", id="more than a minute's tokens"),
    pytest.param(400, error("max_tokens is too large: 5000. This model supports at most 4096 completion tokens", param="max_tokens"), errors.BadRequestError, "refused the request", id="an answer's limit is no prompt"),
    pytest.param(400, {"error_code": 336007, "error_msg": "the max input characters is 20000"}, errors.ContextTooLongError, "window", id="Baidu's characters"),
    pytest.param(400, {"error": {"code": 400, "n_prompt_tokens": 5000, "n_ctx": 4096}}, errors.ContextTooLongError, "window", id="numbers alone"),
    pytest.param(400, error("Invalid 'stop': array too long. Expected an array with maximum length 4", param="stop"), errors.BadRequestError, "refused the request", id="too many stops are no long prompt"),
    pytest.param(400, {"error": {"code": "content_filter", "message": "The response was filtered", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, errors.BlockedError, "content filter", id="Azure's filter"),
    pytest.param(400, error("Content Exists Risk"), errors.BlockedError, "content filter", id="DeepSeek's filter"),
    pytest.param(400, error(code="data_inspection_failed"), errors.BlockedError, "content filter", id="Alibaba's filter"),
    pytest.param(403, error("Your chosen model requires moderation and your input was flagged"), errors.BlockedError, "content filter", id="OpenRouter's moderation"),
    pytest.param(400, error(code="1301"), errors.BlockedError, "content filter", id="Zhipu's filter"),
    pytest.param(400, {"error": "m does not support insert"}, errors.BadRequestError, "after the cursor", id="Ollama without insert"),
    pytest.param(501, error("Infill is not supported by this model"), errors.BadRequestError, "after the cursor", id="llama.cpp without infill"),
    pytest.param(400, error("suffix is not currently supported"), errors.BadRequestError, "after the cursor", id="vLLM and a suffix"),
    pytest.param(422, {"detail": [{"loc": ["body"], "msg": CANARY}]}, errors.BadRequestError, "extra_body", id="Mistral's validation"),
    pytest.param(413, None, errors.ContextTooLongError, "window", id="413"),
    pytest.param(404, {"error": 'model "m" not found, try pulling it first'}, errors.NotFoundError, "coder-7b", id="404"),
    pytest.param(405, None, errors.NotFoundError, "base_url", id="405"),
    pytest.param(503, error("Loading model"), errors.OverloadedError, "still loading", id="llama.cpp loading"),
    pytest.param(503, {"error": "server busy, please try again"}, errors.OverloadedError, "busy", id="Ollama's queue"),
    pytest.param(500, None, errors.OverloadedError, "500", id="500"),
    pytest.param(502, CANARY, errors.OverloadedError, "502", id="502"),
    pytest.param(529, None, errors.OverloadedError, "529", id="529"),
    pytest.param(498, None, errors.OverloadedError, "498", id="Groq's flex tier"),
    pytest.param(424, {"error": "Request failed during generation", "error_type": "generation"}, errors.OverloadedError, "424", id="TGI's generation"),
    pytest.param(429, {"error": "Model is overloaded", "error_type": "overloaded"}, errors.OverloadedError, "busy", id="TGI's queue"),
    pytest.param(429, error(type="engine_overloaded_error"), errors.OverloadedError, "busy", id="Moonshot is full"),
    pytest.param(429, error(code="1305"), errors.OverloadedError, "busy", id="Zhipu is full"),
    pytest.param(402, error(code="in_flight_budget_exhausted"), errors.OverloadedError, "busy", id="OpenRouter's calls under way"),
    pytest.param(418, None, errors.BadRequestError, "418", id="any other"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "words"), STATUSES)
def test_a_status_becomes_one_line(
    status: int, body: object, kind: type[errors.ProviderError], words: str
) -> None:
    found = from_status(WHERE, status, httpx.Headers(), body, NOW)
    assert type(found) is kind
    assert words in str(found)
    check_line(found)


def check_line(found: errors.ProviderError) -> None:
    line = str(found)
    assert "api.example" in line
    assert "\n" not in line
    assert not line.endswith(".")
    assert CANARY not in line


@pytest.mark.parametrize(("said", "meant"), [("true", True), ("false", False), ("perhaps", None)])
def test_what_an_api_says_of_another_try_goes_with_the_error(said: str, meant: bool | None) -> None:
    assert from_status(WHERE, 500, httpx.Headers({"x-should-retry": said}), None, NOW).should_retry is meant


def test_the_wait_that_an_api_asks_for_goes_with_the_error() -> None:
    for status in (429, 503):
        found = from_status(WHERE, status, httpx.Headers({"retry-after": "7"}), None, NOW)
        assert (found.retry_after_s, found.status) == (7, status)


FIELDS = [
    pytest.param(400, error("Unsupported parameter", param="temperature"), "temperature", id="OpenAI"),
    pytest.param(400, error("Unsupported value: 'none' is not supported", param="reasoning_effort"), "reasoning_effort", id="OpenAI's value"),
    pytest.param(400, error("Unrecognized request argument supplied: stream_options"), "stream_options", id="OpenAI's argument"),
    pytest.param(400, error("`temperature` is deprecated for this model"), "temperature", id="Anthropic"),
    pytest.param(400, error("stop_sequences: Extra inputs are not permitted"), "stop_sequences", id="a longer name"),
    pytest.param(422, {"detail": [{"loc": ["body", "stop"], "type": "extra_forbidden"}]}, "stop", id="Mistral"),
    pytest.param(400, error("Unsupported parameter", param="messages"), "", id="a field that is needed"),
    pytest.param(400, error("Unsupported: provider", param="provider"), "", id="a field that says who may see the code"),
    pytest.param(400, error("temperature must be below 2"), "", id="a value out of range"),
    pytest.param(400, None, "", id="nothing said"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "field"), FIELDS)
def test_a_refused_field_that_only_tunes_is_found(status: int, body: object, field: str) -> None:
    found = from_status(WHERE, status, httpx.Headers(), body, NOW)
    assert isinstance(found, errors.BadRequestError)
    assert found.field == field


OBJECTS = [
    pytest.param(
        {"error": {"code": 503, "message": "Loading model"}}, errors.OverloadedError, id="llama.cpp"
    ),
    pytest.param({"error": {"code": "429", "message": "x"}}, errors.RateLimitError, id="a status as text"),
    pytest.param({"error": {"type": "insufficient_quota"}}, errors.MoneyError, id="OpenAI's type"),
    pytest.param({"error": {"type": "invalid_request_error"}}, errors.BadRequestError, id="vLLM's type"),
    pytest.param({"object": "error", "code": 404, "message": "x"}, errors.NotFoundError, id="flat"),
    pytest.param(
        {"error": "an error was encountered while running the model"}, errors.OverloadedError, id="Ollama"
    ),
    pytest.param(
        {"type": "error", "error": {"type": "overloaded_error"}},
        errors.OverloadedError,
        id="Anthropic is full",
    ),
    pytest.param(
        {"type": "error", "error": {"type": "billing_error"}}, errors.MoneyError, id="Anthropic's bill"
    ),
    pytest.param(
        {"type": "error", "error": {"type": "rate_limit_error"}}, errors.RateLimitError, id="Anthropic's rate"
    ),
    pytest.param(
        {"type": "error", "error": {"type": "request_too_large"}},
        errors.ContextTooLongError,
        id="Anthropic's size",
    ),
    pytest.param(
        {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, errors.RateLimitError, id="Gemini's rate"
    ),
    pytest.param({"error": "x", "error_type": "validation"}, errors.BadRequestError, id="TGI's validation"),
    pytest.param({"error": {"code": "1113"}}, errors.MoneyError, id="Zhipu's arrears"),
    pytest.param({"error": {"code": "1302"}}, errors.RateLimitError, id="Zhipu's rate"),
    pytest.param({"error": {"code": "Throttling.User"}}, errors.RateLimitError, id="Alibaba's rate"),
    pytest.param({"error": {"code": 42}}, errors.OverloadedError, id="a code that is no status"),
]


@pytest.mark.parametrize(("event", "kind"), OBJECTS)
def test_an_error_object_in_a_stream_becomes_one_line(
    event: dict[str, object], kind: type[errors.ProviderError]
) -> None:
    with pytest.raises(ErrorObject) as caught:
        raise_error_object(event)
    found = from_error_object(WHERE, caught.value)
    assert type(found) is kind
    check_line(found)


@pytest.mark.parametrize(
    "event", [{}, {"error": None}, {"error": ""}, {"error": {}}, {"object": "chat.completion.chunk"}]
)
def test_an_event_without_an_error_passes(event: dict[str, object]) -> None:
    raise_error_object(event)


def connect_error(cause: BaseException) -> httpx.ConnectError:
    exc = httpx.ConnectError(CANARY)
    exc.__cause__ = OSError("all attempts failed")
    exc.__cause__.__cause__ = ExceptionGroup("attempts", [cause]) if isinstance(cause, Exception) else cause
    return exc


EXCEPTIONS = [
    pytest.param(connect_error(ConnectionRefusedError()), errors.UnreachableError, "nothing listens", id="refused"),
    pytest.param(connect_error(socket.gaierror()), errors.UnreachableError, "is unknown", id="unknown name"),
    pytest.param(connect_error(ssl.SSLCertVerificationError()), errors.TlsError, "SSL_CERT_FILE", id="certificate"),
    pytest.param(connect_error(ssl.SSLError()), errors.TlsError, "TLS", id="no TLS"),
    pytest.param(connect_error(OSError()), errors.UnreachableError, "check the network", id="anything else"),
    pytest.param(httpx.ConnectTimeout(CANARY), errors.UnreachableError, "does not answer", id="no answer"),
    pytest.param(httpx.ProxyError(CANARY), errors.UnreachableError, "proxy", id="proxy"),
    pytest.param(httpx.WriteTimeout(CANARY), errors.SlowError, "overloaded", id="body not taken"),
    pytest.param(httpx.LocalProtocolError(f"Illegal header value b'{CANARY}'"), errors.BadRequestError, "header", id="header"),
    pytest.param(httpx.RemoteProtocolError(CANARY), errors.BrokenStreamError, "interrupted", id="no HTTP"),
    pytest.param(httpx.ReadError(CANARY), errors.BrokenStreamError, "interrupted", id="reset"),
    pytest.param(UnicodeError(CANARY), errors.BrokenStreamError, "UnicodeError", id="a surprise"),
]  # fmt: skip


@pytest.mark.parametrize(("exc", "kind", "words"), EXCEPTIONS)
def test_an_exception_of_the_library_becomes_one_line(
    exc: Exception, kind: type[errors.ProviderError], words: str
) -> None:
    found = from_exception(WHERE, exc)
    assert type(found) is kind
    assert words in str(found)
    check_line(found)


@pytest.mark.parametrize(
    ("host", "remedy"),
    [
        pytest.param("127.0.0.1:8080", "start the server", id="this machine"),
        pytest.param("[::1]:8080", "start the server", id="this machine by IPv6"),
        pytest.param("api.example.com", "HTTPS_PROXY", id="another, perhaps through a proxy"),
    ],
)
def test_who_refuses_is_started_here_and_looked_for_on_the_way_elsewhere(host: str, remedy: str) -> None:
    found = from_exception(FailureSource("mine", host), connect_error(ConnectionRefusedError()))
    assert remedy in str(found)
