"""What the README promises is what is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_ci_runs_the_test_command_of_the_readme() -> None:
    [command] = re.findall(r"^python3 -m venv .*pytest$", README, re.MULTILINE)

    assert f'tests="{command}"' in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_file_to_try_is_where_the_readme_says() -> None:
    [(name, line)] = re.findall(r"llm-lsp complete (\S+):(\d+)$", README, re.MULTILINE)

    assert (ROOT / name).read_text(encoding="utf-8").splitlines()[int(line) - 1].strip() == "return"
