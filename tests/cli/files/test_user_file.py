"""A program's change to the user's file looks like its owner's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llm_lsp.cli.files.user_file import UserFile
from llm_lsp.errors import ConfigError

WRITTEN = """\
# Mine.
provider = "old"   # for now

[completion]
menu = "never" # no popups

[providers.old]
# The first one.
base_url = "http://localhost:1"
api = "ollama"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder" / "config.toml"


def edited(path: Path, text: str) -> UserFile:
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    return UserFile(path)


def test_a_new_file_is_private(path: Path) -> None:
    file = UserFile(path)
    file.put_provider("codestral", {})
    file.choose("codestral")
    file.save()
    assert path.read_text() == 'provider = "codestral"\n\n[providers.codestral]\n'
    assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o600


def test_comments_and_order_stay(path: Path) -> None:
    file = edited(path, WRITTEN)
    file.put_provider("new", {"api": "openai-chat", "base_url": "https://x.example"})
    file.choose("new")
    file.save()
    assert path.read_text() == WRITTEN.replace('"old"   #', '"new"   #') + (
        '\n[providers.new]\napi = "openai-chat"\nbase_url = "https://x.example"\n'
    )


def test_a_providers_other_settings_stay(path: Path) -> None:
    file = edited(path, WRITTEN)
    file.put_provider("old", {"base_url": "http://localhost:2"})
    file.save()
    assert path.read_text() == WRITTEN.replace(":1", ":2")


def test_removing_takes_the_choice_along(path: Path) -> None:
    file = edited(path, WRITTEN)
    assert file.remove_provider("old")
    assert not file.remove_provider("old")
    file.save()
    assert "old" not in path.read_text()
    assert '[completion]\nmenu = "never" # no popups' in path.read_text()


@pytest.mark.skipif(os.name != "posix", reason="POSIX links and modes")
def test_a_link_stays_a_link_and_the_mode_stays(path: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("")
    real.chmod(0o644)
    path.parent.mkdir()
    path.symlink_to(real)
    file = UserFile(path)
    file.choose("auto")
    file.save()
    assert path.is_symlink()
    assert real.read_text() == 'provider = "auto"\n'
    assert real.stat().st_mode & 0o777 == 0o644


def test_a_broken_file_is_not_touched(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"at line 1.*fix it first"):
        edited(path, "enabled = \n")
    assert path.read_text() == "enabled = \n"
