"""What the README promises is what is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from llm_lsp.cli.main import COMMANDS
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.providers.catalogue.presets import PRESET_CONFIGS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
PAGES = ("README.md", "README.zh-CN.md", "docs/zh-CN/first-steps.md")
INSTALL_PAGES = [
    *(ROOT / page for page in (*PAGES, "docs/local-models.md", "editor-configs/vscode/README.md")),
    *sorted((ROOT / "docs" / "editors").glob("*.md")),
]
_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    [command] = re.findall(r"^python3 -m venv .*pytest$", README, re.MULTILINE)

    assert f'tests="{command}"' in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_file_to_try_is_where_the_readme_says() -> None:
    [(name, line)] = re.findall(r"llm-lsp complete --provider local (\S+):(\d+)$", README, re.MULTILINE)

    assert (ROOT / name).read_text(encoding="utf-8").splitlines()[int(line) - 1].strip() == "return"


def test_both_languages_have_the_same_two_commands() -> None:
    assert blocks(CHINESE, "sh")[:2] == blocks(README, "sh")[:2]


@pytest.mark.parametrize("page", [README, CHINESE], ids=["English", "Chinese"])
def test_the_first_screen_has_the_picture_that_a_test_makes(page: str) -> None:
    [name] = re.findall(r"^!\[.+\]\((.+\.svg)\)$", "\n".join(page.splitlines()[:15]), re.MULTILINE)
    tests = (ROOT / "tests" / "editors" / "test_ghosts_end_to_end.py").read_text(encoding="utf-8")

    assert f'save(shown.screen, "{Path(name).stem}")' in tests
    assert ">sum(cart)<" in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", INSTALL_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_the_published_form_before_the_clones(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    published, clone = text.find("pipx install 'llm-lsp[local]'"), text.find("pipx install '.[local]'")

    assert 0 <= published < clone


@pytest.mark.parametrize("page", PAGES)
def test_the_settings_shown_are_good_ones(page: str) -> None:
    for text in blocks((ROOT / page).read_text(encoding="utf-8"), "toml"):
        stack = SettingsStack(PRESET_CONFIGS).with_layer(SettingsSource.USER_FILE, tomllib.loads(text))
        assert stack.resolve().problems == ()


@pytest.mark.parametrize(
    "page", [*PAGES, "docs/ask.md", "docs/context.md", "docs/prompts.md", "examples/README.md"]
)
def test_the_places_shown_are_in_the_examples(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    shown = re.findall(r"(examples/[\w/]+\.\w+):(\d+)(-\d+)?", text)

    assert shown
    for name, first, last in shown:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        # A place to complete is an unfinished `return`; a question is about several lines.
        assert (int(last[1:]) <= len(lines)) if last else (lines[int(first) - 1].strip() == "return")


@pytest.mark.parametrize("page", [*PAGES, "docs/ask.md"])
def test_the_commands_shown_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    shown = set(re.findall(r"(?:^|`|\$ |/)llm-lsp ([a-z]+)", text, re.MULTILINE))

    assert shown
    assert shown <= set(COMMANDS)


def blocks(page: str, language: str) -> list[str]:
    """Return a page's code blocks in a language."""
    return [match["text"] for match in _BLOCK.finditer(page) if match["language"] == language]
