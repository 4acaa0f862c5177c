"""The workflows, which run elsewhere, are checked here: their schema, and what is known to be unsafe in them."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = Path(sysconfig.get_path("scripts"))
LINTERS = {
    "schema": ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
    "safety": ["zizmor", "--offline", "--no-progress"],
}


@pytest.mark.parametrize("linter", LINTERS.values(), ids=LINTERS.keys())
def test_no_linter_finds_fault_with_a_workflow(linter: list[str]) -> None:
    program, *arguments = linter
    done = subprocess.run(
        [SCRIPTS / program, *arguments, *WORKFLOWS], capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_workflows() -> None:
    assert {path.stem for path in WORKFLOWS} >= {"ci", "release"}
