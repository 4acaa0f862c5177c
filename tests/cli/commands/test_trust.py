from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from llm_lsp.cli.files.settings_files import read_settings
from llm_lsp.cli.main import group

CHOOSES = '[completion]\nmenu = "always"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("llm_lsp.cli.files.settings_files.user_config_folder", lambda: tmp_path / "config")
    monkeypatch.setattr("llm_lsp.cli.commands.trust.user_config_folder", lambda: tmp_path / "config")
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["trust", *arguments])


def menu_of(folder: Path) -> str:
    return read_settings(folders=[folder]).resolve().config.completion.menu


def test_a_trusted_file_may_choose_until_it_changes(folder: Path) -> None:
    file = folder / ".llm-lsp.toml"
    file.write_text(CHOOSES)
    assert menu_of(folder) == "auto"

    assert run(str(folder)).exit_code == 0
    assert menu_of(folder) == "always"

    file.write_text(CHOOSES + "# changed\n")
    assert menu_of(folder) == "auto"


def test_trust_is_in_one_folder_only(folder: Path) -> None:
    (folder / ".llm-lsp.toml").write_text(CHOOSES)
    run(str(folder))
    other = folder.parent / "other"
    other.mkdir()
    (other / ".llm-lsp.toml").write_text(CHOOSES)

    assert menu_of(other) == "auto"
    assert run().stdout.splitlines() == [str(folder / ".llm-lsp.toml")]


def test_trust_can_be_taken_back(folder: Path) -> None:
    (folder / ".llm-lsp.toml").write_text(CHOOSES)
    run(str(folder))

    assert "no longer" in run(str(folder), "--revoke").stdout

    assert menu_of(folder) == "auto"
    assert run().stdout == ""
    assert "was not trusted" in run(str(folder), "--revoke").stdout


def test_what_even_a_trusted_file_may_not_say_is_named(folder: Path) -> None:
    (folder / ".llm-lsp.toml").write_text(
        '[providers.x]\nbase_url = "https://evil.example"\napi = "ollama"\n'
    )

    result = run(str(folder))

    assert "not used: providers.x: only your own settings file may enable evil.example" in result.stderr
    assert "x" not in read_settings(folders=[folder]).resolve().config.providers


@pytest.mark.parametrize(
    ("content", "fault"), [(None, "needs no trust"), ("a = ", ".llm-lsp.toml: not valid TOML at line 1")]
)
def test_what_cannot_be_read_is_not_trusted(folder: Path, content: str | None, fault: str) -> None:
    if content is not None:
        (folder / ".llm-lsp.toml").write_text(content)

    result = run(str(folder))

    assert result.exit_code == 1
    assert fault in result.stderr
    assert run().stdout == ""


def test_the_list_says_which_changed_since(folder: Path) -> None:
    file = folder / ".llm-lsp.toml"
    file.write_text(CHOOSES)
    run(str(folder))
    assert json.loads(run("--json").stdout) == [{"path": str(file), "trusted": True}]

    file.write_text(CHOOSES + "# changed\n")

    assert run().stdout == f"{file} (changed since, no longer trusted)\n"
    assert json.loads(run("--json").stdout) == [{"path": str(file), "trusted": False}]


def test_a_script_reads_what_was_done(folder: Path) -> None:
    file = folder / ".llm-lsp.toml"
    file.write_text("[budget]\nper_day = 1\n")

    added = json.loads(run(str(folder), "--json").stdout)
    revoked = json.loads(run(str(folder), "--revoke", "--json").stdout)

    assert added == {"path": str(file), "trusted": True, "not_used": []}
    assert revoked == {"path": str(file), "trusted": False}


@pytest.mark.parametrize("content", ["", "[]", "{", "null"])
def test_a_broken_list_trusts_nobody(folder: Path, content: str) -> None:
    (folder / ".llm-lsp.toml").write_text(CHOOSES)
    (folder.parent / "config").mkdir()
    (folder.parent / "config/trusted.json").write_text(content)

    assert menu_of(folder) == "auto"


def test_whose_trust_is_taken_back_must_be_named(folder: Path) -> None:
    result = run("--revoke")

    assert result.exit_code == 2
    assert "name a FOLDER" in result.stderr


def test_an_empty_list_says_so(folder: Path) -> None:
    result = run()

    assert (result.exit_code, result.stdout) == (0, "")
    assert "no folder is trusted" in result.stderr


@pytest.mark.parametrize("link", ["symlink", "hard link", "symlink by another", "relative symlink"])
def test_a_link_to_a_trusted_file_is_not_trusted(link: str, folder: Path) -> None:
    file = folder / ".llm-lsp.toml"
    file.write_text(CHOOSES)
    run(str(folder))
    clone = folder.parent / "clone"
    clone.mkdir()
    made = clone / ".llm-lsp.toml"
    match link:
        case "symlink":
            made.symlink_to(file)
        case "hard link":
            made.hardlink_to(file)
        case "symlink by another":
            (clone / "other").symlink_to(file)
            made.symlink_to("other")
        case _:
            made.symlink_to("../project/.llm-lsp.toml")

    assert menu_of(folder) == "always"
    assert menu_of(clone) == "auto"


def test_a_trusted_folder_is_trusted_by_any_path_to_it(folder: Path) -> None:
    (folder / ".llm-lsp.toml").write_text(CHOOSES)
    run(str(folder))
    link = folder.parent / "link"
    link.symlink_to(folder)

    assert menu_of(link) == "always"
