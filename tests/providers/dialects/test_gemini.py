"""Google's API: hand-built streams after its documentation; no live API was asked."""

import json

import pytest

from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.prompt.prompts import ChatPrompt
from llm_lsp.errors import ProviderError
from llm_lsp.providers.dialects.dialect import Settings, load_dialect
from tests.providers.dialects.streams import read, sse, text_of

PROMPT = ChatPrompt((("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c")), ("</fill>",), 64)
OFF = {"generationConfig": {"thinkingConfig": {"thinkingLevel": "MINIMAL"}}}


def answer(*parts: dict[str, object], reason: str = "", **usage: int) -> dict[str, object]:
    candidate: dict[str, object] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 20, **usage}}


def test_a_dialogue_becomes_a_request_for_the_model_in_the_address() -> None:
    request = load_dialect("gemini").request(
        PROMPT, Settings("models/gemini-3.5-flash-lite", thinking_off=OFF)
    )
    assert request.path == "/models/gemini-3.5-flash-lite:streamGenerateContent?alt=sse"
    assert request.body == {
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "a"}]},
            {"role": "model", "parts": [{"text": "b"}]},
            {"role": "user", "parts": [{"text": "c"}]},
        ],
        "generationConfig": {
            "maxOutputTokens": 64, "temperature": 0.0, "stopSequences": ["</fill>"],
            "thinkingConfig": {"thinkingLevel": "MINIMAL"},
        },
    }  # fmt: skip


def test_a_models_name_cannot_lead_to_another_address() -> None:
    request = load_dialect("gemini").request(PROMPT, Settings("../x?key=1", temperature=None, stream=False))
    assert request.path == "/models/..%2Fx%3Fkey%3D1:generateContent"


class TestStream:
    """Each event looks like a whole answer; there is no end mark."""

    def test_text_comes_as_it_is_written_and_all_tokens_are_counted(self) -> None:
        events = [
            answer({"text": "return "}, cachedContentTokenCount=8),
            answer({"text": "x"}, candidatesTokenCount=3, cachedContentTokenCount=8),
            answer({"text": ""}, reason="STOP", candidatesTokenCount=4, thoughtsTokenCount=6, cachedContentTokenCount=8),
        ]  # fmt: skip
        chunks = read("gemini", sse(events))
        assert chunks == [
            Chunk("return ", None, Usage(20, None, 8)),
            Chunk("x", None, Usage(20, 3, 8)),
            Chunk("", Finish.STOP, Usage(20, 10, 8, reasoning_tokens=6)),
        ]

    def test_thoughts_and_their_signatures_are_left_out(self) -> None:
        events = [
            answer({"text": "hm", "thought": True}),
            answer({"text": "x"}, {"thoughtSignature": "abc"}, {"text": "y"}, reason="STOP"),
        ]
        assert text_of(read("gemini", sse(events))) == "xy"

    @pytest.mark.parametrize("reason", ["MAX_TOKENS", "RECITATION", "SAFETY", "PROHIBITED_CONTENT", "OTHER"])
    def test_an_end_that_is_not_the_models_may_be_within_a_line(self, reason: str) -> None:
        assert read("gemini", sse([answer({"text": "x"}), answer(reason=reason)]))[-1].finish is Finish.LENGTH

    def test_a_prompt_that_is_blocked_is_an_empty_answer(self) -> None:
        event: dict[str, object] = {
            "promptFeedback": {"blockReason": "SAFETY"},
            "usageMetadata": {"promptTokenCount": 20},
        }
        assert read("gemini", sse([event])) == [Chunk("", Finish.BLOCKED, Usage(20))]

    def test_a_stream_that_breaks_off_is_truncated(self) -> None:
        assert read("gemini", sse([answer({"text": "x"})]))[-1].finish is Finish.TRUNCATED

    def test_an_error_in_the_stream_is_raised(self) -> None:
        error: dict[str, object] = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "m"}}
        with pytest.raises(ProviderError):
            read("gemini", sse([answer({"text": "x"}), error]))

    def test_an_error_in_an_array_of_one_is_raised(self) -> None:
        error = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m"}}
        with pytest.raises(ProviderError):
            read("gemini", json.dumps([error]).encode())


def test_an_event_without_content_says_nothing() -> None:
    assert (
        load_dialect("gemini").chunk(
            {"candidates": [{"index": 0, "finishReason": "FINISH_REASON_UNSPECIFIED"}]}
        )
        is None
    )
