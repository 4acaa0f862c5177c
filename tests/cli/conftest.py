"""What the tests of commands share: a machine with no settings of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest

from llm_lsp.cli.files import settings_files as settings
from tests.cli.files.keyrings import MemoryKeyring


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for the machine: a home and a current folder without settings, and no policy."""
    monkeypatch.setattr(settings, "user_config_folder", lambda: tmp_path / "home")
    monkeypatch.setattr(settings, "user_data_folder", lambda: tmp_path / "data")
    monkeypatch.setattr(settings, "user_state_folder", lambda: tmp_path / "state")
    monkeypatch.setattr(settings, "policy_folder", lambda: tmp_path / "etc")
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    """Put a keyring in the place of the system's."""
    before = keyring.get_keyring()
    memory = MemoryKeyring()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)
