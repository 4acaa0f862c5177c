from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from llm_lsp.cli.main import group

READERS = [
    ["doctor", "--offline"],
    ["complete", "-"],
    ["ask", "why"],
    ["eval", "."],
    ["usage"],
    ["config", "show"],
    ["provider", "list"],
    ["provider", "test"],
]


@pytest.mark.parametrize("command", READERS, ids=" ".join)
def test_a_settings_file_that_is_named_and_not_there_ends_the_command(
    command: list[str], tmp_path: Path
) -> None:
    result = CliRunner().invoke(group, [*command, "--config", str(tmp_path / "typo.toml")])

    assert result.exit_code == 2
    assert "typo.toml' does not exist" in " ".join(result.stderr.split())
    assert not result.stdout


@pytest.mark.parametrize("command", [["complete", "-"], ["ask", "why"]], ids=" ".join)
def test_a_provider_that_is_unknown_is_answered_with_where_they_are(command: list[str], home: Path) -> None:
    result = CliRunner().invoke(group, [*command, "--provider", "nobody"])

    assert result.exit_code == 1
    assert result.stderr == 'Error: unknown provider "nobody"; see `llm-lsp provider list`\n'
