"""What the tests of commands share: a machine with no settings of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_lsp.cli import settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for the machine: a home and a current folder without settings, and no policy."""
    monkeypatch.setattr(settings, "user_config_folder", lambda: tmp_path / "home")
    monkeypatch.setattr(settings, "policy_folder", lambda: tmp_path / "etc")
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path
