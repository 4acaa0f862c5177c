"""Anthropic's messages: hand-built streams after its documentation; no live API was asked."""

import pytest

from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.json import Json
from llm_lsp.core.prompt.prompts import ChatPrompt
from llm_lsp.errors import BrokenStreamError, ProviderError
from llm_lsp.providers.dialects.dialect import Settings, load_dialect
from tests.providers.dialects.streams import read, sse, text_of

CACHED = {"cache_control": {"type": "ephemeral"}}
START: dict[str, object] = {
    "type": "message_start",
    "message": {
        "role": "assistant", "content": [], "stop_reason": None,
        "usage": {"input_tokens": 20, "cache_read_input_tokens": 700, "cache_creation_input_tokens": 5, "output_tokens": 1},
    },
}  # fmt: skip


def block(kind: str, idx: int = 0, **fields: object) -> dict[str, object]:
    return {"type": f"content_block_{kind}", "index": idx, **fields}


def delta(kind: str, idx: int = 0, **fields: object) -> dict[str, object]:
    return block("delta", idx, delta={"type": kind, **fields})


def end(reason: str, n_tokens: int = 9) -> list[dict[str, object]]:
    closing: dict[str, object] = {
        "type": "message_delta",
        "delta": {"stop_reason": reason},
        "usage": {"output_tokens": n_tokens},
    }
    return [closing, {"type": "message_stop"}]


def request_body(prompt: ChatPrompt, settings: Settings) -> Json:
    request = load_dialect("anthropic").request(prompt, settings)
    assert request.path == "/v1/messages"
    return request.body


def test_a_dialogue_becomes_a_request_whose_static_part_is_cached() -> None:
    prompt = ChatPrompt(
        (("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c")), ("</fill>", "\n"), 64
    )
    settings = Settings(
        "m", temperature=None, max_stops=None, thinking_off={"thinking": {"type": "disabled"}}
    )
    assert request_body(prompt, settings) == {
        "model": "m",
        "system": [{"type": "text", "text": "s"}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "b"} | CACHED]},
            {"role": "user", "content": [{"type": "text", "text": "c"}]},
        ],
        "max_tokens": 64,
        "stream": True,
        "stop_sequences": ["</fill>"],
        "thinking": {"type": "disabled"},
    }


def test_the_rules_alone_are_cached_where_there_are_no_examples() -> None:
    body = request_body(ChatPrompt((("system", "s"), ("user", "a"))), Settings("m", temperature=0.2))
    assert body["system"] == [{"type": "text", "text": "s"} | CACHED]
    assert body["temperature"] == 0.2
    assert "stop_sequences" not in body


def test_a_question_alone_has_nothing_to_cache() -> None:
    body = request_body(ChatPrompt((("user", "a"),)), Settings("m"))
    assert "system" not in body
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "a"}]}]


def test_every_request_names_the_version() -> None:
    assert load_dialect("anthropic").headers == {"anthropic-version": "2023-06-01"}


class TestStream:
    """A stream of named events, without an end mark."""

    def test_text_comes_as_it_is_written_and_all_tokens_are_counted(self) -> None:
        events: list[dict[str, object]] = [
            START, {"type": "ping"},
            block("start", 0, content_block={"type": "text", "text": ""}),
            delta("text_delta", text="return "), delta("text_delta", text="x"), block("stop", 0),
            *end("end_turn"),
        ]  # fmt: skip
        chunks = read("anthropic", sse(events, named=True))
        assert [chunk.text for chunk in chunks] == ["return ", "x", ""]
        assert chunks[-1] == Chunk("", Finish.STOP, Usage(725, 9, 700, 5))

    def test_who_stops_reading_knows_the_prompts_tokens_and_not_the_answers(self) -> None:
        chunks = read("anthropic", sse([START, delta("text_delta", text="x"), *end("end_turn")]))
        assert chunks[0] == Chunk("x", None, Usage(725, None, 700, 5))

    def test_thoughts_are_left_out_wherever_they_stand(self) -> None:
        events = [
            START,
            block("start", 0, content_block={"type": "thinking", "thinking": ""}),
            delta("thinking_delta", thinking="hm"), delta("signature_delta", signature="abc"), block("stop", 0),
            block("start", 1, content_block={"type": "text", "text": "a"}),
            delta("text_delta", 1, text="b"), *end("stop_sequence"),
        ]  # fmt: skip
        assert text_of(read("anthropic", sse(events, named=True))) == "ab"

    @pytest.mark.parametrize(
        ("reason", "finish"),
        [
            ("end_turn", Finish.STOP), ("stop_sequence", Finish.STOP), ("tool_use", Finish.STOP),
            ("max_tokens", Finish.LENGTH), ("refusal", Finish.LENGTH), ("model_context_window_exceeded", Finish.LENGTH),
        ],
    )  # fmt: skip
    def test_the_reason_for_its_end_is_read(self, reason: str, finish: Finish) -> None:
        chunks = read("anthropic", sse([START, delta("text_delta", text="x"), *end(reason)]))
        assert chunks[-1].finish is finish

    def test_a_stream_that_breaks_off_is_truncated(self) -> None:
        chunks = read("anthropic", sse([START, delta("text_delta", text="x")]))
        assert chunks[-1].finish is Finish.TRUNCATED

    def test_a_stream_that_breaks_off_before_any_text_is_an_error(self) -> None:
        with pytest.raises(BrokenStreamError):
            read("anthropic", sse([START]))

    def test_an_error_in_the_stream_is_raised(self) -> None:
        error: dict[str, object] = {"type": "error", "error": {"type": "overloaded_error", "message": "m"}}
        with pytest.raises(ProviderError):
            read("anthropic", sse([START, delta("text_delta", text="x"), error], named=True))

    def test_a_kind_of_event_that_is_new_is_passed_over(self) -> None:
        chunks = read(
            "anthropic", sse([START, {"type": "new"}, delta("text_delta", text="x"), *end("end_turn")])
        )
        assert text_of(chunks) == "x"


def test_an_answer_that_is_not_streamed_is_read() -> None:
    whole: Json = {
        "type": "message", "stop_reason": "max_tokens", "usage": {"input_tokens": 20, "output_tokens": 9},
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "x"}],
    }  # fmt: skip
    assert load_dialect("anthropic").chunk(whole) == Chunk("x", Finish.LENGTH, Usage(20, 9), thinks=True)
