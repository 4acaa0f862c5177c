"""Finds the field that an API refuses, and builds requests without it.

Names are compared without case and underscores: `maxOutputTokens` is `max_output_tokens`. Only optional fields
that tune an answer are omitted, never the prompt, nor fields that control who may store or see it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from llm_lsp.core.json import Json
from llm_lsp.providers.dialects.json_shapes import as_list, as_map, decode

# Requests work without these fields too, with a different length or delay, or no token count.
_TUNING = frozenset(
    name.replace("_", "")
    for name in (
        "stop", "stop_sequences", "stream", "stream_options", "temperature", "top_p", "top_k", "min_p", "seed", "max_tokens",
        "max_completion_tokens", "max_new_tokens", "max_output_tokens", "reasoning_effort", "reasoning", "include_reasoning",
        "chat_template_kwargs", "enable_thinking", "output_config", "thinking", "thinking_config", "think", "verbosity",
        "prediction", "prompt_cache_key", "prompt_cache_options", "prompt_cache_breakpoint", "user", "session_id", "cache_control", "cache_prompt", "frequency_penalty", "presence_penalty",
        "repeat_penalty", "logprobs", "top_logprobs", "n_probs", "response_logprobs", "response_format", "parallel_tool_calls", "service_tier", "n", "grammar", "details",
    )
)  # fmt: skip
# All names of the fields that ask for log-probabilities, which are refused together.
LOGPROB_FIELDS = frozenset(("logprobs", "toplogprobs", "nprobs", "responselogprobs"))
# Different names for the same limit; a request must have one of them.
_OTHER_NAME = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
# OpenAI ("Unsupported parameter", "Unrecognized request argument"), Anthropic ("is deprecated for this model", "Extra
# inputs are not permitted"), vLLM and Mistral (pydantic's words), Groq ("property … is unsupported"), Go's and Rust's
# decoders ("unknown field"), Gemini ("Unknown name", "Cannot find field"), Cohere ("is not a valid field"). A value
# that no model of an API takes is refused so, too: "only the default (1) value is supported".
_NOT_TAKEN = re.compile(
    r"un(?:supported|recognized|known|expected|permitted)|not (?:be )?(?:supported|permitted|allowed|accepted|available"
    r"|valid|implemented|recognized|compatible)|(?:isn't|doesn't|does not|cannot|can't|can not|must not|may not) (?:be )?"
    r"(?:support(?:ed)?|allow(?:ed)?|accept(?:ed)?|use[d]?|set|recognize|take|stream|include|contain|provided|specified)"
    r"|deprecated|extra[_ ](?:forbidden|inputs|fields?|parameters?)|additional propert|invalid[_ ](?:parameter|argument|field)"
    r"|cannot find|no longer|only the default|only .{1,30} (?:is|are) (?:supported|allowed)|not a valid|strictly positive"
    r"|array too long|too many stop|at most \d+ stop|must be verified|remove the|removed|disabled"
    r"|not expected|cannot both|must be 1\b"
)
# Where an error object names a field, in the shapes of OpenAI, Azure, pydantic, Google, ASP.NET and JSON:API.
_NAMES_FIELD = (
    "param",
    "parameter",
    "field",
    "fieldname",
    "argument",
    "property",
    "pointer",
    "path",
    "key",
    "name",
)
# The text after these phrases names fields that are accepted instead.
_INSTEAD = re.compile(
    r"expected one of|did you mean|instead use|\buse ['\"`]|supported (?:fields|parameters|values)|allowed values"
)
_QUOTED = re.compile(
    r"(?:field|argument|parameter|param|name|property|key|input|option)s?[^'\"`\w]{0,30}['\"`]([\w.\[\]]{1,60})['\"`]"
    r"|['\"`]([\w.\[\]]{1,60})['\"`]"
)
_WORD = re.compile(r"[\w.]+")
# Characters of an error that are read.
MAX_WORDS_CHARS = 4000


def refused_field(body: object) -> str:
    """Return the optional field that an error reports as unsupported, as spelled there; "" if there is none."""
    words = " ".join(_texts(body))[:MAX_WORDS_CHARS]
    named = [name for name in _structured(body) if name]
    if not _NOT_TAKEN.search(words.lower()):
        return ""
    if named:
        # The error names the field explicitly, so do not guess from its words.
        return next((last for name in named if is_tuning(last := _last(name))), "")
    told = _before_instead(words)
    quoted = [_last(match[1] or match[2]) for match in _QUOTED.finditer(told)]
    if found := next((name for name in quoted if is_tuning(name)), ""):
        return found
    spoken = [_last(word) for word in _WORD.findall(told)]
    spoken = ["stream" if word.lower() in ("streaming", "streamed", "streams") else word for word in spoken]
    return next((word for word in spoken if is_tuning(word) and len(word) > 1), "")


def is_tuning(name: str) -> bool:
    """Check whether a field is optional."""
    return _plain(name) in _TUNING


def without_fields(body: Json, refused: frozenset[str]) -> Json:
    """Return a request without the refused fields; a refused limit gets its other name, unless that is refused
    too.
    """
    if not refused:
        return body
    result: dict[str, object] = {}
    for name, value in body.items():
        plain = _plain(name)
        if plain not in refused:
            result[name] = (
                {k: v for k, v in value.items() if _plain(k) not in refused}
                if isinstance(value, Mapping)
                else value
            )
        elif plain == "stream":
            result[name] = False
        elif (other := _OTHER_NAME.get(name)) and _plain(other) not in refused:
            result[other] = value
    if "stream" in refused:
        result.pop("stream_options", None)
    return result


def sent_field(body: Json, name: str) -> str:
    """Return a field's plain name if a request has it, at its top or one level below; else ""."""
    plain = _plain(name)
    names = {_plain(key) for key in body}
    for value in body.values():
        names |= {_plain(key) for key in as_map(value)}
    if plain in LOGPROB_FIELDS and names & LOGPROB_FIELDS:
        return plain  # Gemini calls `responseLogprobs` Logprobs
    is_on = plain != "stream" or body.get("stream") is True
    return plain if plain in names and is_on else ""


def is_about_logprobs(name: str) -> bool:
    """Check whether a field asks for log-probabilities."""
    return _plain(name) in LOGPROB_FIELDS


def asks_logprobs(body: Json) -> bool:
    """Check whether a request asks for log-probabilities, at its top or one level below."""
    return sent_field(body, "logprobs") != ""


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _last(name: str) -> str:
    """Return the last part of a path: `body.stop` and `generationConfig.stopSequences[0]` are about what stands
    there.
    """
    parts = [part for part in re.split(r"[./\[\]]+", name) if part and not part.isdigit()]
    return parts[-1] if parts else ""


def _before_instead(words: str) -> str:
    found = _INSTEAD.search(words.lower())
    return words[: found.start()] if found else words


def _structured(value: object) -> Iterator[str]:
    """Yield the fields that an error object names by its structure."""
    for name, item in as_map(value).items():
        plain = _plain(name)
        if plain in _NAMES_FIELD and isinstance(item, str) and "@" not in item:
            yield item
        elif plain == "loc":
            yield ".".join(str(part) for part in as_list(item))
        elif plain == "errors" and isinstance(item, Mapping):
            yield from (str(key) for key in item)
            yield from _structured(item)
        elif isinstance(item, str) and item.lstrip()[:1] in ("{", "["):
            yield from _structured(_decoded(item))
        else:
            yield from _structured(item)
    for item in as_list(value):
        yield from _structured(item)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in as_map(value).values():
        yield from _texts(item)
    for item in as_list(value):
        yield from _texts(item)


def _decoded(text: str) -> object:
    """Decode JSON that a gateway has put into a string."""
    try:
        return decode(text.encode("utf-8", "replace"))
    except ValueError:
        return None
