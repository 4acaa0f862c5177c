"""Each dialect as tables: what a prompt becomes, and what an event means."""

from dataclasses import replace
from typing import get_args

import pytest

from llm_lsp.config.settings import Api
from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.generation import Chunk, Finish, PromptProgress, Usage
from llm_lsp.core.json import Json
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.errors import ProviderError
from llm_lsp.providers.dialects.dialect import Settings, load_dialect, merged

STOPS = ("a", "b", "c", "d", "e")
RAW = RawPrompt("<P>x<S>y<M>", STOPS, 64)
FIM = FimPrompt("before\n", "  cur", "\nafter", (Snippet("b.py", "B = 1"),), STOPS, 64)
CHAT = ChatPrompt((("system", "fill"), ("user", "x")), ("\n",), 64)
MESSAGES = [{"role": "system", "content": "fill"}, {"role": "user", "content": "x"}]
PREFILLED = ChatPrompt((("user", "x"), ("assistant", "y")))
PLAIN = Settings("m")

REQUESTS = [
    pytest.param(
        "openai-completions", RAW, PLAIN, "/completions",
        {"model": "m", "prompt": "<P>x<S>y<M>", "max_tokens": 64, "temperature": 0.0, "stop": ["a", "b", "c", "d"], "stream": True},
        id="completions: a raw prompt has no suffix field at all, and four stops",
    ),
    pytest.param(
        "openai-completions", FIM, Settings("m", max_stops=16, ask_usage=True), "/completions",
        {"model": "m", "prompt": "before\n  cur", "suffix": "\nafter", "max_tokens": 64, "temperature": 0.0,
         "stop": ["a", "b", "c", "d", "e"], "stream": True, "stream_options": {"include_usage": True}},
        id="completions: a native suffix, more stops, usage asked for",
    ),
    pytest.param(
        "openai-completions", RawPrompt("x"), Settings("", temperature=None, stream=False, ask_usage=True), "/completions",
        {"prompt": "x", "max_tokens": 128, "stream": False},
        id="completions: what is not known is left out",
    ),
    pytest.param(
        "openai-chat", CHAT, Settings("m", max_tokens_field="max_completion_tokens", extra_body={"reasoning_effort": "none"}),
        "/chat/completions",
        {"model": "m", "messages": [{"role": "system", "content": "fill"}, {"role": "user", "content": "x"}],
         "max_completion_tokens": 64, "temperature": 0.0, "stop": ["\n"], "stream": True, "reasoning_effort": "none"},
        id="chat: messages, and the field that newer models want",
    ),
    pytest.param(
        "mistral-fim", FIM, PLAIN, "/fim/completions",
        {"model": "m", "prompt": "before\n  cur", "suffix": "\nafter", "max_tokens": 64, "temperature": 0.0,
         "stop": ["a", "b", "c", "d"], "stream": True},
        id="mistral",
    ),
    pytest.param(
        "llamacpp-infill", FIM, Settings("", max_stops=None), "/infill",
        {"return_progress": True, "input_prefix": "before\n", "input_suffix": "\nafter", "input_extra": [{"filename": "b.py", "text": "B = 1"}],
         "prompt": "  cur", "n_predict": 64, "stream": True, "cache_prompt": True, "temperature": 0.0, "stop": list(STOPS)},
        id="llama.cpp: the current line stands after the middle token",
    ),
    pytest.param(
        "llamacpp-infill", RAW, Settings("m", max_stops=None), "/completion",
        {"return_progress": True, "model": "m", "prompt": "<P>x<S>y<M>", "n_predict": 64, "stream": True, "cache_prompt": True, "temperature": 0.0,
         "stop": list(STOPS)},
        id="llama.cpp: raw",
    ),
    pytest.param(
        "ollama", FIM, Settings("m", max_stops=None, extra_body={"keep_alive": "30m", "options": {"top_k": 1}}), "/api/generate",
        {"model": "m", "prompt": "before\n  cur", "suffix": "\nafter", "stream": True, "think": False, "keep_alive": "30m",
         "options": {"num_predict": 64, "temperature": 0.0, "stop": list(STOPS), "top_k": 1}},
        id="ollama: options are merged, thinking is off, num_ctx is left alone",
    ),
    pytest.param(
        "ollama", RAW, Settings("m", max_stops=None), "/api/generate",
        {"model": "m", "prompt": "<P>x<S>y<M>", "raw": True, "stream": True, "think": False,
         "options": {"num_predict": 64, "temperature": 0.0, "stop": list(STOPS)}},
        id="ollama: raw",
    ),
    pytest.param(
        "ollama", CHAT, Settings("m", max_stops=None), "/api/chat",
        {"model": "m", "messages": MESSAGES, "stream": True, "think": False,
         "options": {"num_predict": 64, "temperature": 0.0, "stop": ["\n"]}},
        id="ollama: a dialogue",
    ),
    pytest.param(
        "ollama", replace(CHAT, thinks=True), Settings("m", temperature=None), "/api/chat",
        {"model": "m", "messages": MESSAGES, "stream": True, "options": {"num_predict": 64, "stop": ["\n"]}},
        id="ollama: a dialogue that may think",
    ),
    pytest.param(
        "llamacpp-infill", CHAT, PLAIN, "/v1/chat/completions",
        {"return_progress": True, "model": "m", "messages": MESSAGES, "max_tokens": 64, "temperature": 0.0, "stop": ["\n"], "stream": True},
        id="llama.cpp: a dialogue",
    ),
    pytest.param(
        "openai-completions", CHAT, Settings("m", thinking_off={"thinking": {"type": "disabled"}}), "/chat/completions",
        {"model": "m", "messages": MESSAGES, "max_tokens": 64, "temperature": 0.0, "stop": ["\n"], "stream": True,
         "thinking": {"type": "disabled"}},
        id="completions: a dialogue, without thoughts",
    ),
    pytest.param(
        "openai-chat", replace(CHAT, thinks=True), Settings("m", thinking_off={"thinking": {"type": "disabled"}}), "/chat/completions",
        {"model": "m", "messages": MESSAGES, "max_tokens": 64, "temperature": 0.0, "stop": ["\n"], "stream": True},
        id="chat: thoughts are not turned off where they are wanted",
    ),
    pytest.param(
        "openai-completions", RAW, Settings("m", max_stops=0, thinking_off={"thinking": {"type": "disabled"}}), "/completions",
        {"model": "m", "prompt": "<P>x<S>y<M>", "max_tokens": 64, "temperature": 0.0, "stream": True},
        id="completions: only a dialogue thinks, and no stop strings where none are taken",
    ),
    pytest.param(
        "mistral-fim", PREFILLED, Settings("m", prefill="prefix"), "/chat/completions",
        {"model": "m", "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y", "prefix": True}],
         "max_tokens": 128, "temperature": 0.0, "stream": True},
        id="mistral: a dialogue with the beginning of its answer, which is marked",
    ),
    pytest.param(
        "openai-chat", PREFILLED, Settings("m", stream=False, extra_body={"stream_options": {"include_obfuscation": False}}),
        "/chat/completions",
        {"model": "m", "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}],
         "max_tokens": 128, "temperature": 0.0, "stream": False},
        id="chat: a whole answer has no options of a stream",
    ),
    pytest.param(
        "openai-chat", PREFILLED, Settings("m", prefill="plain"), "/chat/completions",
        {"model": "m", "messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}],
         "max_tokens": 128, "temperature": 0.0, "stream": True},
        id="chat: a beginning that needs no mark",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("api", "prompt", "settings", "path", "body"), REQUESTS)
def test_a_prompt_becomes_a_request(
    api: Api, prompt: Prompt, settings: Settings, path: str, body: Json
) -> None:
    request = load_dialect(api).request(prompt, settings)
    assert (request.path, request.body) == (path, body)


@pytest.mark.parametrize(
    ("api", "prompt"),
    [
        ("openai-chat", RAW), ("openai-chat", FIM), ("mistral-fim", RAW), ("anthropic", RAW), ("anthropic", FIM),
        ("gemini", RAW), ("gemini", FIM), ("tgi", FIM),
    ],
)  # fmt: skip
def test_a_prompt_that_an_api_has_no_place_for_is_a_fault_of_ours(api: Api, prompt: Prompt) -> None:
    with pytest.raises(TypeError):
        load_dialect(api).request(prompt, PLAIN)


def choice(**fields: object) -> dict[str, object]:
    return {"choices": [{"index": 0, **fields}]}


OPENAI_USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 8}}

CHUNKS = [
    pytest.param("openai-completions", choice(text="x", finish_reason=None), Chunk("x"), id="completions: text"),
    pytest.param("openai-completions", choice(text="", finish_reason=""), None, id="completions: an empty reason is none"),
    pytest.param("openai-completions", choice(text="", finish_reason="length"), Chunk("", Finish.LENGTH), id="length"),
    pytest.param("openai-completions", choice(text="", finish_reason="eos"), Chunk("", Finish.STOP), id="any other reason"),
    pytest.param("openai-completions", choice(text="", finish_reason="error"), Chunk("", Finish.TRUNCATED), id="an error as reason"),
    pytest.param("openai-completions", {"choices": [], "usage": OPENAI_USAGE}, Chunk("", None, Usage(9, 4, 8)), id="usage alone"),
    pytest.param("openai-completions", {"choices": [], "usage": None}, None, id="Azure's first chunk"),
    pytest.param("openai-completions", choice(text="x", finish_reason="stop") | {"usage": {"prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 6}},
                 Chunk("x", Finish.STOP, Usage(9, 4, 6)), id="a whole answer, with DeepSeek's cache count"),
    pytest.param("openai-chat", choice(delta={"role": "assistant", "content": None}), None, id="chat: the role alone"),
    pytest.param("openai-chat", choice(delta={"content": "x"}), Chunk("x"), id="chat: text"),
    pytest.param("openai-chat", choice(delta={"reasoning_content": "hm"}), Chunk(thinks=True), id="chat: thoughts are left out"),
    pytest.param("openai-chat", choice(message={"content": "x"}, finish_reason="stop"), Chunk("x", Finish.STOP), id="chat: whole"),
    pytest.param("openai-chat", choice(text="", finish_reason="content_filter"), Chunk("", Finish.BLOCKED), id="chat: filtered"),
    pytest.param("openai-chat", choice(delta={"refusal": "I cannot"}), Chunk("", Finish.BLOCKED), id="chat: refused"),
    pytest.param("openai-chat", choice(delta={}, finish_reason="load"), Chunk("", Finish.LOADED), id="chat: only loaded"),
    pytest.param("ollama", {"response": "", "done": True, "done_reason": "load"}, Chunk("", Finish.LOADED, Usage()), id="ollama: only loaded"),
    pytest.param("openai-chat", {"choices": [], "usage": OPENAI_USAGE | {"completion_tokens_details": {"reasoning_tokens": 3},
                  "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 1}}},
                 Chunk("", None, Usage(9, 4, 8, 1, 3)), id="chat: thoughts and what the cache took in are counted"),
    pytest.param("openai-chat", choice(delta={}) | {"x_groq": {"usage": OPENAI_USAGE}}, Chunk("", None, Usage(9, 4, 8)), id="Groq's usage"),
    pytest.param("mistral-fim", choice(delta={"content": [{"type": "text", "text": "x"}, {"type": "thinking"}]}), Chunk("x", thinks=True), id="mistral: a list"),
    pytest.param("mistral-fim", choice(delta={"content": "x"}, finish_reason="stop"), Chunk("x", Finish.STOP), id="mistral: text"),
    pytest.param("llamacpp-infill", {"content": "x", "stop": False}, Chunk("x"), id="llama.cpp: text"),
    pytest.param("llamacpp-infill", {"content": "", "stop": False}, None, id="llama.cpp: nothing yet"),
    pytest.param("llamacpp-infill", {"content": "", "stop": False, "prompt_progress": {"total": 360, "cache": 100, "processed": 228, "time_ms": 1802}},
                 Chunk(pieces=0, progress=PromptProgress(360, 100, 228, 1.802)), id="llama.cpp: a part of the prompt is read"),
    pytest.param("llamacpp-infill", choice(delta={"role": "assistant", "content": None}) | {"prompt_progress": {"total": 9, "cache": 0, "processed": 9, "time_ms": 50}},
                 Chunk(pieces=0, progress=PromptProgress(9, 0, 9, 0.05)), id="llama.cpp: a dialogue is read"),
    pytest.param("llamacpp-infill", {"content": "", "stop": False, "prompt_progress": {"total": 9, "cache": 12, "processed": 9, "time_ms": 50}}, None,
                 id="llama.cpp: progress that cannot be"),
    pytest.param("llamacpp-infill", {"content": "x", "stop": False, "prompt_progress": "?"}, Chunk("x"), id="llama.cpp: progress that is nonsense"),
    pytest.param("llamacpp-infill", {"content": "", "stop": True, "stop_type": "limit", "tokens_evaluated": 9, "tokens_predicted": 4, "timings": {"cache_n": 8}},
                 Chunk("", Finish.LENGTH, Usage(9, 4, 8)), id="llama.cpp: the end"),
    pytest.param("llamacpp-infill", {"content": "x", "stop": True, "stopped_limit": True}, Chunk("x", Finish.LENGTH, Usage()), id="llama.cpp: older"),
    pytest.param("ollama", {"response": "x", "done": False}, Chunk("x"), id="ollama: text"),
    pytest.param("ollama", {"message": {"role": "assistant", "content": "x", "thinking": "hm"}, "done": False}, Chunk("x", thinks=True), id="ollama: a dialogue's text"),
    pytest.param("llamacpp-infill", choice(delta={"content": "x"}), Chunk("x"), id="llama.cpp: a dialogue's text"),
    pytest.param("tgi", choice(delta={"content": "x"}), Chunk("x"), id="TGI: a dialogue's text"),
    pytest.param("ollama", {"response": "", "thinking": "hm", "done": False}, Chunk(thinks=True), id="ollama: thoughts are left out"),
    pytest.param("ollama", {"response": "", "done": True, "done_reason": "length", "prompt_eval_count": 9, "eval_count": 4},
                 Chunk("", Finish.LENGTH, Usage(9, 4)), id="ollama: the end"),
    pytest.param("openai-completions", {"choices": "?", "usage": 3}, None, id="nonsense says nothing"),
    pytest.param("openai-completions", choice(text=3, delta=[1], message="x"), None, id="nonsense in a choice says nothing"),
    pytest.param("ollama", {"response": 7, "done": True, "eval_count": -1, "prompt_eval_count": True}, Chunk("", Finish.STOP, Usage()), id="nonsense is no count"),
]  # fmt: skip


@pytest.mark.parametrize(("api", "event", "chunk"), CHUNKS)
def test_an_event_becomes_a_chunk(api: Api, event: Json, chunk: Chunk | None) -> None:
    assert load_dialect(api).chunk(event) == chunk


@pytest.mark.parametrize("api", get_args(Api))
@pytest.mark.parametrize(
    "event", [{"error": {"message": "m"}}, {"error": "m"}, {"object": "error", "message": "m"}]
)
def test_an_error_object_is_raised(api: Api, event: Json) -> None:
    with pytest.raises(ProviderError):
        load_dialect(api).chunk(event)


def test_mappings_are_merged_in_depth_and_all_else_is_replaced() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"c": 3}, "d": [2], "e": 4}) == {
        "a": {"b": 1, "c": 3}, "d": [2], "e": 4,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("begins", "grammar"),
    [
        pytest.param(".appen", 'root ::= ".appen" [^\\x00]*', id="a half word"),
        pytest.param('"', 'root ::= "\\"" [^\\x00]*', id="a quote"),
        pytest.param("\\", 'root ::= "\\\\" [^\\x00]*', id="a backslash"),
        pytest.param("\t", 'root ::= "\\t" [^\\x00]*', id="a tab"),
    ],
)
def test_llamacpp_holds_an_answer_to_its_beginning(begins: str, grammar: str) -> None:
    prompt = RawPrompt("x", max_tokens=8, begins=begins)

    body = load_dialect("llamacpp-infill").request(prompt, Settings()).body

    assert body["grammar"] == grammar


def test_without_a_beginning_there_is_no_grammar() -> None:
    assert "grammar" not in load_dialect("llamacpp-infill").request(RawPrompt("x"), Settings()).body


@pytest.mark.parametrize(
    ("ours", "sent"), [pytest.param(0.0, 0.7, id="taken"), pytest.param(None, None, id="refused")]
)
def test_a_prompts_own_temperature_goes_where_one_is_taken(ours: float | None, sent: float | None) -> None:
    settings = Settings(temperature=ours)

    assert settings.heated(0.7).temperature == sent
    assert settings.heated(None) is settings
