"""Log-probabilities as the APIs send them, and what does not count as such; the text is the same in all cases."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from llm_lsp.config.settings import Api, ProviderConfig
from llm_lsp.core.generation import Chunk, Token
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.errors import BadRequestError
from llm_lsp.providers.http.provider import HttpProvider
from llm_lsp.providers.provider_factory import make_provider
from tests.providers.standin import DONE, Peer, Received, Script, serve, sse

RAW, FIM = RawPrompt("x"), FimPrompt("x", "", "")
CHAT = ChatPrompt((("user", "x"),), fills=True)
Entry = tuple[str, object]


def connect(url: str, api: Api = "openai-completions", *, asks: bool = True) -> HttpProvider:
    return make_provider(ProviderConfig("it", api, f"{url}/v1", "m", ask_logprobs=asks), None)


async def read(provider: HttpProvider, prompt: Prompt = RAW) -> tuple[str, list[Token]]:
    chunks: Sequence[Chunk] = [chunk async for chunk in provider.stream(prompt)]
    return "".join(chunk.text for chunk in chunks), [token for chunk in chunks for token in chunk.tokens]


def event(text: str, *entries: Entry) -> bytes:
    """Return an event of the completions API."""
    tokens, values = [token for token, _ in entries], [value for _, value in entries]
    told = {"tokens": tokens, "token_logprobs": values} if entries else None
    return sse({"choices": [{"index": 0, "text": text, "logprobs": told}]})


def says(*events: bytes, kind: str = "text/event-stream") -> Script:
    async def script(received: Received, peer: Peer) -> None:
        await peer.stream(*events, kind=kind)
        await peer.end()

    return script


def chat(text: str, value: float, **more: object) -> bytes:
    entries = [{"token": text, "logprob": value, **more}]
    return sse({"choices": [{"delta": {"content": text}, "logprobs": {"content": entries}}]})


def line(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


STOP = sse({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}) + DONE
FORMS = [
    pytest.param("openai-completions", RAW, event("a", ("a", -0.5)) + event(" b", (" b", -1)) + STOP, {"logprobs": 1}, id="completions"),
    pytest.param(
        "openai-completions", RAW, event("a b", ("a", -0.5), (" b", -1)) + STOP, {"logprobs": 1}, id="several tokens in an event",
    ),
    pytest.param("openai-chat", CHAT, chat("a", -0.5) + chat(" b", -1) + DONE, {"logprobs": True}, id="chat"),
    pytest.param(
        "llamacpp-infill", FIM,
        sse({"content": "a", "stop": False, "completion_probabilities": [{"id": 1, "token": "a", "bytes": [97], "logprob": -0.5, "top_logprobs": []}]})
        + sse({"content": "", "stop": False, "completion_probabilities": [{"token": " b", "bytes": [32, 98], "logprob": -1}]})
        + sse({"content": " b", "stop": True, "stop_type": "eos"}),
        {"n_probs": 1}, id="llama.cpp, and text that is held back as a stop string",
    ),
    pytest.param(
        "ollama", RAW,
        line(response="a", done=False, logprobs=[{"token": "a", "logprob": -0.5}])
        + line(response=" b", done=False, logprobs=[{"token": " b", "logprob": -1, "bytes": [32, 98]}]) + line(response="", done=True),
        {"logprobs": True}, id="ollama",
    ),
    pytest.param(
        "tgi", RAW,
        sse({"token": {"text": "a", "logprob": -0.5, "special": False}})
        + sse({"token": {"text": " b", "logprob": -1, "special": False}})
        + sse({"token": {"text": "</s>", "logprob": -2, "special": True}, "generated_text": "a b"}),
        {}, id="tgi",
    ),
    pytest.param(
        "gemini", CHAT,
        sse({"candidates": [{"content": {"parts": [{"text": "a b"}]}, "finishReason": "STOP",
             "logprobsResult": {"chosenCandidates": [{"token": "a", "logProbability": -0.5}, {"token": " b", "logProbability": -1}]}}]}),
        {"generationConfig": {"maxOutputTokens": 128, "temperature": 0.0, "responseLogprobs": True}}, id="gemini",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("api", "prompt", "body", "asked"), FORMS)
async def test_each_api_is_asked_in_its_own_way(
    api: Api, prompt: Prompt, body: bytes, asked: dict[str, object]
) -> None:
    async with serve(says(body)) as standin:
        provider, silent = connect(standin.url, api), connect(standin.url, api, asks=False)
        assert await read(provider, prompt) == ("a b", [Token("a", -0.5), Token(" b", -1.0)])
        assert standin.received[0].json.items() >= asked.items()
        assert await read(silent, prompt) == ("a b", [])
        assert not {"logprobs", "n_probs"} & standin.received[1].json.keys()
        await provider.aclose()
        await silent.aclose()


async def test_a_question_is_asked_without() -> None:
    async with serve(says(chat("a", -0.5), DONE)) as standin:
        provider = connect(standin.url, "openai-chat")
        assert await read(provider, replace(CHAT, fills=False)) == ("a", [])
        assert "logprobs" not in standin.received[0].json
        await provider.aclose()


async def test_a_character_divided_among_tokens_is_one_token() -> None:
    first, last = "中".encode()[:2], "中".encode()[2:]
    parts = [
        sse(
            {
                "content": "",
                "completion_probabilities": [{"token": "\ufffd", "bytes": [*first], "logprob": -1}],
            }
        ),
        sse(
            {
                "content": "中",
                "completion_probabilities": [{"token": "\ufffd", "bytes": [*last], "logprob": -2}],
            }
        ),
        sse({"content": "", "stop": True}),
    ]
    async with serve(says(*parts)) as standin:
        provider = connect(standin.url, "llamacpp-infill")
        assert await read(provider, FIM) == ("中", [Token("中", -3.0)])
        await provider.aclose()


UNUSABLE = [
    pytest.param([event("a b")], id="none"),
    pytest.param([event("a", ("c", -1)), event(" b", (" d", -1))], id="other tokens"),
    pytest.param([event("a b", ("<|im_start|>", -1), ("a", -1), (" b", -1))], id="a template's tokens in front"),
    pytest.param([event("a b", ("token_id:64", -1), ("token_id:65", -1))], id="numbers of tokens"),
    pytest.param([event("a b", ("a", -1))], id="too few tokens"),
    pytest.param([event("a b", (" b", -1))], id="only the last token"),
    pytest.param([event("a", ("a", -1)), event(" b")], id="none for a piece"),
    pytest.param([event("a b", ("a", -math.inf), (" b", -1))], id="minus infinity"),
    pytest.param([event("a b", ("a", math.nan), (" b", -1))], id="NaN"),
    pytest.param([event("a b", ("a", 0.5), (" b", -1))], id="a probability"),
    pytest.param([event("a b", ("a", None), (" b", "-1"))], id="no numbers"),
    pytest.param([event("a b", ("a", True), (" b", -1))], id="a truth value"),
    pytest.param([sse({"choices": [{"text": "a b", "logprobs": {"tokens": ["a", " b"], "token_logprobs": [-1]}}]})], id="too few values"),
    pytest.param([sse({"choices": [{"text": "a b", "logprobs": {"tokens": 7, "token_logprobs": {}}}]})], id="other shapes"),
    pytest.param([sse({"choices": [{"text": "a b", "logprobs": [[-1, -1]]}]})], id="a list"),
    pytest.param([sse({"choices": [{"text": "a b", "logprobs": {"content": [[], "a", {"token": ["a"]}]}}]})], id="a list of anything"),
]  # fmt: skip


@pytest.mark.parametrize("events", UNUSABLE)
async def test_what_cannot_be_used_counts_as_none_and_is_not_asked_for_again(events: list[bytes]) -> None:
    async with serve(says(*events, STOP)) as standin:
        provider = connect(standin.url)
        text, tokens = await read(provider)
        assert text == "a b"
        assert "".join(token.text for token in tokens) in ("", "a")
        assert await read(provider) == ("a b", [])
        assert ["logprobs" in received.json for received in standin.received] == [True, False]
        await provider.aclose()


REFUSALS = [
    pytest.param(400, {"error": {"message": "Unsupported parameter", "param": "logprobs"}}, id="its name as a parameter"),
    pytest.param(400, {"error": {"message": "'logprobs' is not supported with this model."}}, id="its name in a sentence"),
    pytest.param(403, {"error": {"message": "You are not allowed to request logprobs from this model"}}, id="forbidden"),
    pytest.param(422, {"detail": [{"loc": ["body", "logprobs"], "type": "extra_forbidden", "msg": "Extra inputs are not permitted"}]}, id="pydantic"),
    pytest.param(400, {"error": {"code": 400, "message": "Logprobs is not supported for the current model.", "status": "INVALID_ARGUMENT"}}, id="Google"),
    pytest.param(400, {"error": {"message": "bad request"}}, id="no reason"),
    pytest.param(400, "invalid", id="no object"),
]  # fmt: skip


@pytest.mark.parametrize("api", ["openai-completions", "gemini"])
@pytest.mark.parametrize(("status", "body"), REFUSALS)
async def test_a_refusal_is_met_by_asking_without_once(api: Api, status: int, body: object) -> None:
    said = sse({"choices": [{"text": "a"}]}) + STOP
    if api == "gemini":
        said = sse({"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]})

    async def refuses(received: Received, peer: Peer) -> None:
        if b"ogprobs" in received.body:
            await peer.json(body, status)
        else:
            await says(said)(received, peer)

    async with serve(refuses) as standin:
        provider = connect(standin.url, api)
        prompt = CHAT if api == "gemini" else RAW
        assert [await read(provider, prompt) for _ in range(2)] == [("a", []), ("a", [])]
        assert [b"ogprobs" in received.body for received in standin.received] == [True, False, False]
        await provider.aclose()


async def test_a_refusal_for_another_reason_does_not_end_log_probabilities_that_worked() -> None:
    n_calls = 0

    async def script(received: Received, peer: Peer) -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 2:
            await peer.json({"error": {"message": "bad request"}}, 400)
        else:
            await says(event("a", ("a", -1)), STOP)(received, peer)

    async with serve(script) as standin:
        provider = connect(standin.url)
        assert await read(provider) == ("a", [Token("a", -1.0)])
        with pytest.raises(BadRequestError):
            await read(provider)
        assert await read(provider) == ("a", [Token("a", -1.0)])
        await provider.aclose()
