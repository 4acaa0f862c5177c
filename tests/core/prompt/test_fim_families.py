from __future__ import annotations

import re

import pytest

from llm_lsp.core.prompt.fim_families import FAMILIES, FimFamily, bare_name, family_named, family_of


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("qwen2.5-coder-0.5b", "qwen-small"),
        ("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen-small"),
        ("qwen2.5-coder:0.5b-base-q4_K_M", "qwen-small"),
        ("qwen/qwen-2.5-coder-0.5b", "qwen-small"),
        ("granite-code:34b", "granite3"),
        ("codellama:34b", None),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", "qwen"),
        ("hf.co/bartowski/Qwen2.5-Coder-7B-Q8_0-GGUF:latest", "qwen"),
        ("qwen2.5-coder:1.5b-base-q4_K_M", "qwen"),
        ("Qwen3-Coder-30B-A3B-Instruct-UD-Q4_K_XL.gguf", "qwen"),
        ("/models/qwen2.5-coder-3b-q8_0.gguf", "qwen"),
        ("C:\\models\\qwen2.5-coder-3b-q8_0.gguf", "qwen"),
        ("mercury-coder-small", "qwen"),
        ("qwen3.5", None),
        ("codeqwen1.5-7b", "starcoder"),
        ("codellama:7b-code", "codellama"),
        ("CodeLlama-34b-hf", None),
        ("codellama-7b-python", None),
        ("starcoder", "starcoder"),
        ("bigcode/starcoderbase-1b", "starcoder"),
        ("bigcode/starcoder2-3b", "starcoder2"),
        ("santacoder", "santacoder"),
        ("deepseek-ai/deepseek-coder-1.3b-base", "deepseek"),
        ("DeepSeek-Coder-V2-Lite-Base", "deepseek"),
        ("codestral-22b-v0.1", "codestral"),
        ("mamba-codestral-7b", None),
        ("codegemma-2b", "codegemma"),
        ("granite-3.3-8b-base", "granite3"),
        ("granite-code:3b", "granite3"),
        ("granite-4.0-h-small", "granite4"),
        ("JetBrains/Mellum-4b-base", "mellum"),
        ("stable-code-3b", "stable-code"),
        ("seed-coder-8b-base", "seed-coder"),
        ("glm-4.5-air", "glm"),
        ("codegeex4-all-9b", "codegeex4"),
        ("falcon-h1-tiny-coder-90m", "falcon-h1-tiny-coder"),
        ("smollm2-135m", None),
        ("yi-coder-1.5b", None),
        ("opencoder-1.5b", None),
        ("gpt-4.1-mini", None),
        ("", None),
    ],
)
def test_a_model_is_known_by_its_name(model: str, family: str | None) -> None:
    assert family_of(model) == family


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("hf.co/me/Qwen2.5-Coder-7B-Q8_0-GGUF:latest", "qwen2.5-coder-7b"),
        ("model-7b-iq2_xxs.gguf", "model-7b"),
        ("model-7b-awq-int4", "model-7b"),
        ("plain", "plain"),
        ("qwen2.5-coder:0.5b-base-q4_K_M", "qwen2.5-coder-0.5b"),
    ],
)
def test_what_is_no_part_of_a_name_is_stripped(model: str, name: str) -> None:
    assert bare_name(model) == name


def test_a_family_is_found_by_its_own_name() -> None:
    assert all(family_named(family.name) is family for family in FAMILIES)
    assert family_named("native") is None


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
class TestEveryFamily:
    def test_its_marks_are_tokens_that_are_escaped(self, family: FimFamily) -> None:
        for mark in (family.prefix, family.suffix, family.middle.removesuffix("<|assistant|>\n")):
            assert not mark or mark.strip() in family.tokens

    def test_its_first_stop_is_one_that_fits_an_api_that_takes_four(self, family: FimFamily) -> None:
        assert family.stops
        assert len(set(family.stops)) == len(family.stops)
        assert all(stop.strip() for stop in family.stops)

    def test_its_pattern_is_lower_case(self, family: FimFamily) -> None:
        assert re.compile(family.pattern)
        assert family.pattern == family.pattern.lower()
