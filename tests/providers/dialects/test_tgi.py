"""Text Generation Inference: hand-built streams after its sources; no live server was asked."""

import pytest

from llm_lsp.core.generation import Chunk, Finish, Usage
from llm_lsp.core.json import Json
from llm_lsp.core.prompt.prompts import ChatPrompt, RawPrompt
from llm_lsp.errors import ProviderError
from llm_lsp.providers.dialects.dialect import Settings, load_dialect
from tests.providers.dialects.streams import read, sse, text_of

RAW = RawPrompt("<P>x<S>y<M>", ("a", "b", "c", "d", "e"), 64)
DETAILS = {"finish_reason": "length", "generated_tokens": 3, "input_length": 20}
LIKELIEST = {"max_new_tokens": 64, "return_full_text": False, "details": True, "do_sample": False, "stop": ["a", "b", "c", "d"]}  # fmt: skip


def token(
    text: str, *, special: bool = False, whole: str | None = None, details: Json | None = None
) -> dict[str, object]:
    about = {"id": 1, "text": text, "logprob": -0.1, "special": special}
    return {"index": 1, "token": about, "generated_text": whole, "details": details}


def test_a_raw_prompt_asks_for_the_likeliest_tokens() -> None:
    request = load_dialect("tgi").request(RAW, Settings("m"))
    assert request.path == "/generate_stream"
    assert request.body == {"inputs": "<P>x<S>y<M>", "parameters": LIKELIEST}


def test_a_temperature_is_sent_only_above_zero() -> None:
    body = load_dialect("tgi").request(RawPrompt("x"), Settings("m", temperature=0.2, stream=False))
    assert body.path == "/generate"
    assert body.body == {
        "inputs": "x",
        "parameters": {"max_new_tokens": 128, "return_full_text": False, "details": True, "do_sample": True, "temperature": 0.2},
    }  # fmt: skip


def test_a_dialogue_goes_to_the_twin() -> None:
    assert (
        load_dialect("tgi").request(ChatPrompt((("user", "x"),)), Settings("m")).path
        == "/v1/chat/completions"
    )


class TestStream:
    """One event a token; the last one has the whole text again."""

    def test_text_comes_as_it_is_written_and_is_counted(self) -> None:
        events = [token("return "), token("x", whole="return x", details=DETAILS)]
        assert read("tgi", sse(events)) == [
            Chunk("return "),
            Chunk("x", None, Usage(20, 3)),
            Chunk("", Finish.LENGTH, Usage(20, 3)),
        ]

    def test_special_tokens_are_no_text(self) -> None:
        end = DETAILS | {"finish_reason": "eos_token"}
        chunks = read("tgi", sse([token("x"), token("</s>", special=True, whole="x", details=end)]))
        assert text_of(chunks) == "x"
        assert chunks[-1].finish is Finish.STOP

    def test_a_stream_that_breaks_off_is_truncated(self) -> None:
        assert read("tgi", sse([token("x")]))[-1].finish is Finish.TRUNCATED

    def test_an_error_in_the_stream_is_raised(self) -> None:
        error: dict[str, object] = {"error": "Request failed during generation", "error_type": "generation"}
        with pytest.raises(ProviderError):
            read("tgi", sse([token("x"), error]))


def test_an_answer_that_is_not_streamed_is_read() -> None:
    whole: Json = {"generated_text": "x", "details": DETAILS}
    assert load_dialect("tgi").chunk(whole) == Chunk("x", Finish.LENGTH, Usage(20, 3))
