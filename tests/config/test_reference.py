"""The page, the schema and the first file say what the code does."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from jsonschema import Draft202012Validator

from llm_lsp.config.parse import parse
from llm_lsp.config.reference import entries, first_file, json_schema, sections, settings_page
from llm_lsp.config.settings import Api

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "settings.md"

EXAMPLE = """
enabled = true
provider = "auto"

[providers.mine]
api = "openai-completions"
base_url = "http://127.0.0.1:8012/v1"
model = "qwen2.5-coder-0.5b"
api_key_env = "MINE_API_KEY"
fim = "auto"
context_tokens = "auto"
max_tokens = 128
temperature = 0.0
local = "auto"
free = "auto"

fallback = ["local"]

[[routes]]
trigger = "manual"
provider = "strong"

[completion]
trigger = "auto"
languages = []
debounce_ms = "auto"
multiline = "auto"
menu = "auto"
menu_timeout_ms = 150

[privacy]
exclude = ["**/private/**"]
"""


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == settings_page(), "run `llm-lsp config docs > docs/settings.md`"


def test_the_page_on_providers_names_every_dialect() -> None:
    table = (DOCS / "providers.md").read_text("utf-8").partition("| `--api` | for |")[2].partition("\n\n")[0]
    named = set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE))
    assert named == set(get_args(Api))


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.name or "top")
def test_every_setting_is_explained(section: object) -> None:
    for entry in entries(section):  # type: ignore[arg-type] # parametrize loses the type
        assert len(entry.text) > 15, entry.key
        assert entry.default or entry.key in ("api", "base_url", "provider", "before", "answer")


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())
    json.dumps(json_schema())


def test_the_contracts_example_is_accepted_by_schema_and_parser() -> None:
    example = tomllib.loads(EXAMPLE)
    Draft202012Validator(json_schema()).validate(example)
    assert parse(example).faults == ()


@pytest.mark.parametrize(
    "slip",
    [
        "enabeld = true",
        "enabled = 1",
        "completion.debounce = 5",
        "completion.debounce_ms = 5001",
        "completion.debounce_ms = 'fast'",
        "completion.menu = 'nevr'",
        "completion.languages = 'go'",
        "providers.mine.api = 'openai'",
        "providers.mine.api_key_env = 'sk-secret'",
        "providers.mine.max_tokens = 0",
        "providers.mine.headers.a = 1",
        "providers.mine.name = 'x'",
        "providers.mine = 3",
        "providers.mine.fallback = 'local'",
        "routes = 'local'",
        "routes = [{trigger = 'manual'}]",
        "routes = [{provider = 'a', trigger = 'now'}]",
        "routes = [{provider = 'a', languages = ['go']}]",
    ],
)
def test_schema_and_parser_agree_on_what_is_wrong(slip: str) -> None:
    settings = tomllib.loads(slip)
    assert not Draft202012Validator(json_schema()).is_valid(settings)
    assert parse(settings).faults


class TestFirstFile:
    """The file that `config init` writes."""

    def test_it_sets_nothing(self) -> None:
        assert tomllib.loads(first_file()) == {}

    def test_its_lines_are_the_defaults_when_the_mark_is_taken_away(self) -> None:
        lines = re.sub(r"^# (?=\[|\w+ = [^.])", "", first_file(), flags=re.MULTILINE)
        parsed = parse(tomllib.loads(lines))
        # A rule of routes is nothing without its provider, an example without its texts: they have no default.
        assert sorted(parsed.faults) == [
            "[[chat.examples]] 1 needs before and answer",
            "[[routes]] 1 needs provider",
        ]
        settings = {path for path in parsed.values if path[-1] != "name"} - {
            ("routes",),
            ("chat", "examples"),
        }
        n_entries = sum(len(list(entries(each))) for each in sections() if not each.name.startswith("["))
        assert len(settings) == n_entries - 2
