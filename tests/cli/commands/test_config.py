"""`llm-lsp config` shows what holds and where it came from, and never overwrites."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from llm_lsp.cli.main import group


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["config", *arguments])


@pytest.fixture
def own(home: Path) -> Path:
    path = home / "home" / "config.toml"
    path.parent.mkdir()
    path.write_text(
        '[providers."team.a"]\napi = "ollama"\nbase_url = "https://a.example"\nheaders.token = "sk-CANARY"\n'
    )
    return path


def test_show_names_every_settings_origin(home: Path, own: Path) -> None:
    (home / "project" / ".llm-lsp.toml").write_text("enabled = false")
    result = run("show")
    assert result.exit_code == 0
    lines = dict(line.split("  # ") for line in result.stdout.splitlines())
    origins = {line.strip(): origin for line, origin in lines.items()}
    assert origins["enabled = false"] == str(home / "project" / ".llm-lsp.toml")
    assert origins['providers.team.a.api = "ollama"'] == str(own)
    assert origins['completion.menu = "auto"'] == "default"


def test_show_as_json(own: Path) -> None:
    shown = json.loads(run("show", "--json").stdout)
    assert shown["providers.team.a.base_url"] == {"value": "https://a.example", "from": str(own)}
    assert shown["completion.languages"] == {"value": [], "from": "default"}


def test_show_hides_headers(own: Path) -> None:
    assert "CANARY" not in run("show").output + run("show", "--json").output


def test_show_reports_problems_and_fails(own: Path) -> None:
    own.write_text("enabeld = true")
    result = run("show")
    assert result.exit_code == 1
    assert f'{own}: unknown setting "enabeld", did you mean "enabled"?' in result.stderr


def test_path_is_for_scripts(home: Path) -> None:
    assert run("path").stdout == f"{home / 'home' / 'config.toml'}\n"


def test_path_all_says_what_is_there(own: Path) -> None:
    assert [line.split()[:2] for line in run("path", "--all").stdout.splitlines()] == [
        ["defaults", "absent"],
        ["user", "there"],
        ["workspace", "absent"],
        ["policy", "absent"],
    ]


def test_schema_prints_a_schema() -> None:
    Draft202012Validator.check_schema(json.loads(run("schema").stdout))


def test_init_writes_a_private_file_once(home: Path) -> None:
    path = home / "home" / "config.toml"
    assert run("init").exit_code == 0
    text = path.read_text("utf-8")
    assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o600

    again = run("init")
    assert again.exit_code == 1
    assert again.stderr == f"Error: {path} already exists and was left unchanged\n"
    assert path.read_text("utf-8") == text


def test_init_in_a_place_that_cannot_be_is_one_line(home: Path) -> None:
    (home / "home").write_text("a file in the folder's place")
    result = run("init")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
