"""Every preset is documented, with what its row says; first-class ones on a page that shows how to make a key."""

import re
from pathlib import Path

import pytest

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.providers.catalogue.presets import PRESETS, Preset

DOCS = Path(__file__).parents[3] / "docs"
PAGES = {
    "openai": ("openai", "azure"),
    "anthropic": ("anthropic",),
    "gemini": ("gemini",),
    "mistral": ("codestral", "mistral"),
    "deepseek": ("deepseek", "deepseek-chat"),
    "qwen": ("dashscope", "dashscope-intl"),
    "qianfan": ("qianfan",),
    "openrouter": ("openrouter", "openrouter-chat"),
    "ollama": ("ollama",),
    "llamacpp": ("llamacpp",),
    "vllm": ("vllm", "sglang"),
    "lmstudio": ("lmstudio",),
}
FIRST_CLASS = [pytest.param(page, name, id=name) for page, names in PAGES.items() for name in names]


def page_of(name: str) -> str:
    return (DOCS / "providers" / f"{name}.md").read_text("utf-8")


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_every_preset_is_named_on_the_page_of_all(preset: Preset) -> None:
    assert f"`{preset.name}`" in (DOCS / "providers.md").read_text("utf-8")


@pytest.mark.parametrize(("page", "name"), FIRST_CLASS)
def test_a_page_says_what_the_preset_does(page: str, name: str) -> None:
    text, preset = page_of(page), PRESETS[name]
    assert f"llm-lsp provider add {name}" in text
    assert preset.model in text
    assert preset.key_env in text


@pytest.mark.parametrize("page", [page for page in PAGES if page != "ollama"])
def test_a_page_shows_how_to_make_a_key_for_completion_alone(page: str) -> None:
    assert re.search("^## (Make a restricted key|Protect it with a key)$", page_of(page), re.MULTILINE)


def test_every_page_is_listed_and_every_listed_page_is_there() -> None:
    there = {path.stem for path in (DOCS / "providers").glob("*.md")}
    listed = set(re.findall(r"\(providers/(\w+)\.md\)", (DOCS / "providers.md").read_text("utf-8")))
    assert there == listed == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_only_settings_that_there_are(page: str) -> None:
    known = set(ProviderConfig.__dataclass_fields__)
    blocks = re.findall(r"```toml\n\[providers\.[\w-]+\]\n(.*?)```", page_of(page), re.DOTALL)
    named = {line.split(" = ")[0] for block in blocks for line in block.strip().splitlines()}
    assert named <= known
