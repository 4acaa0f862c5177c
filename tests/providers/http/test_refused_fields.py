"""A refusal leads to the field that it is about, in whichever shape an API writes it."""

from __future__ import annotations

import json

import pytest

from llm_lsp.providers.http.refused_fields import refused_field, sent_field, without_fields

SHAPES = [
    pytest.param({"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "param": "max_tokens", "code": "unsupported_parameter"}}, "max_tokens", id="OpenAI's limit"),
    pytest.param({"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "param": None}}, "max_tokens", id="without param"),
    pytest.param({"error": {"message": "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.", "param": "temperature", "code": "unsupported_value"}}, "temperature", id="OpenAI's value"),
    pytest.param({"error": {"message": "Your organization must be verified to stream this model.", "param": "stream", "code": "unsupported_value"}}, "stream", id="OpenAI's streams"),
    pytest.param({"error": {"message": "Invalid 'stop': array too long. Expected an array with maximum length 4", "param": "stop"}}, "stop", id="too many stops"),
    pytest.param({"detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"], "msg": "Extra inputs are not permitted"}]}, "max_completion_tokens", id="pydantic"),
    pytest.param({"object": "error", "message": {"detail": [{"loc": ["body", "stream_options"], "type": "extra_forbidden"}]}}, "stream_options", id="Mistral"),
    pytest.param({"object": "error", "message": "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted'}]"}, "stream_options", id="vLLM's text of a list"),
    pytest.param({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "Invalid JSON payload received. Unknown name \"stopSequences\" at 'generation_config': Cannot find field."}}, "stopSequences", id="Gemini"),
    pytest.param({"error": {"status": "INVALID_ARGUMENT", "message": "Request contains an invalid argument: not supported", "details": [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "generationConfig.thinkingConfig", "description": "not supported"}]}]}}, "thinkingConfig", id="Google's violations"),
    pytest.param({"type": "error", "error": {"type": "invalid_request_error", "message": "stop_sequences: Extra inputs are not permitted"}}, "stop_sequences", id="Anthropic"),
    pytest.param({"message": "json: unknown field \"stream_options\""}, "stream_options", id="Go"),
    pytest.param({"error": "Failed to deserialize the JSON body into the target type: unknown field `stream_options`, expected one of `model`, `messages`, `stop`, `temperature`"}, "stream_options", id="Rust"),
    pytest.param({"message": "invalid request: parameter temperature is not a valid field"}, "temperature", id="Cohere"),
    pytest.param({"title": "One or more validation errors occurred.", "status": 400, "errors": {"Temperature": ["The field is not supported."]}}, "Temperature", id="ASP.NET"),
    pytest.param({"errors": [{"source": {"pointer": "/data/attributes/temperature"}, "detail": "is not allowed"}]}, "temperature", id="JSON:API"),
    pytest.param({"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": json.dumps({"error": {"message": "Unsupported parameter", "param": "temperature"}})}}}, "temperature", id="JSON in a string"),
    pytest.param("This model does not support the parameter stop.", "stop", id="plain text"),
    pytest.param("Additional properties are not allowed ('stream_options' was unexpected)", "stream_options", id="JSON schema"),
    pytest.param({"error": {"message": "property 'reasoning_effort' is unsupported"}}, "reasoning_effort", id="Groq"),
    pytest.param({"error": "`temperature` must be strictly positive", "error_type": "validation"}, "temperature", id="TGI"),
    pytest.param({"error": {"message": "litellm.UnsupportedParamsError: o1 does not support parameters: {'temperature': 0.0}, for model=o1. To drop these, set drop_params=True"}}, "temperature", id="LiteLLM"),
    pytest.param({"error": {"message": "Streaming is not supported for this model", "param": "stream"}}, "stream", id="streaming"),
    pytest.param({"error": {"message": "Streaming is not supported"}}, "stream", id="streaming in words alone"),
    pytest.param({"error": {"message": "Streaming responses are disabled for this deployment"}}, "stream", id="disabled"),
    pytest.param({"error": {"message": "The property 'stop' is not expected here"}}, "stop", id="not expected"),
    pytest.param({"error": {"message": "temperature must be 1 for this model"}}, "temperature", id="one value alone"),
    pytest.param({"error": {"message": "model is not supported", "param": "model"}}, "", id="a field that is needed"),
    pytest.param({"error": {"message": "The prompt cannot be empty; temperature is 0"}}, "", id="nothing is refused"),
    pytest.param(None, "", id="nothing said"),
    pytest.param([], "", id="an empty list"),
    pytest.param({"error": {"error": {"error": {}}}}, "", id="empty objects"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "field"), SHAPES)
def test_the_field_is_found_in_every_shape(body: object, field: str) -> None:
    assert refused_field(body) == field


def test_a_limit_goes_by_its_other_name() -> None:
    body = {"model": "m", "max_tokens": 5}

    assert without_fields(body, frozenset({"maxtokens"})) == {"model": "m", "max_completion_tokens": 5}
    assert without_fields(body, frozenset({"maxtokens", "maxcompletiontokens"})) == {"model": "m"}


def test_fields_one_level_below_are_left_out() -> None:
    body = {"contents": [], "generationConfig": {"stopSequences": ["a"], "maxOutputTokens": 5}}

    assert sent_field(body, "stop_sequences") == "stopsequences"
    assert without_fields(body, frozenset({"stopsequences"}))["generationConfig"] == {"maxOutputTokens": 5}


def test_without_streams_their_options_go_too() -> None:
    body = {"stream": True, "stream_options": {"include_usage": True}}

    assert without_fields(body, frozenset({"stream"})) == {"stream": False}
    assert sent_field({"stream": False}, "stream") == ""
