"""`llm-lsp editor`: prints, installs and undoes, and touches nothing that is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from llm_lsp.cli.commands.editor import command
from llm_lsp.cli.editors.editor_files import EDITORS, Placement, PlacementOutcome, configurations


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with nothing in it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path / "appdata"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "localappdata"))
    for kind in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def files_in(home: Path) -> dict[str, bytes]:
    """Return every file except the record."""
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and path.name != "editors.json"
    }


@pytest.mark.parametrize("name", [name for name, editor in EDITORS.items() if editor.files])
def test_every_configuration_is_printed(name: str) -> None:
    result = run(name)
    assert result.exit_code == 0
    assert result.stdout_bytes == b"".join(file.content() for file in EDITORS[name].files)


@pytest.mark.parametrize(("program", "name"), [("nvim", "neovim"), ("code", "vscode")])
def test_an_editor_is_also_known_by_its_program(program: str, name: str) -> None:
    by_program, by_name = run(program), run(name)
    assert by_program.exit_code == by_name.exit_code != 2
    assert by_program.output == by_name.output


@pytest.mark.parametrize("option", [[], ["--install"]], ids=["print", "install"])
def test_a_package_that_was_not_built_is_not_named_as_if_it_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: list[str]
) -> None:
    monkeypatch.setattr("llm_lsp.cli.commands.editor.configurations", lambda: tmp_path)
    result = run("vscode", *option)
    assert (result.exit_code, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    assert "has not been built" in result.stderr


def test_every_folder_of_configurations_is_an_editor() -> None:
    folders = {path.name for path in configurations().iterdir() if path.is_dir()}
    assert folders - {"registry"} == set(EDITORS)


def test_a_model_comes_with_the_editor_unless_one_is_here(home: Path) -> None:
    (models := home / "cache" / "llm-lsp" / "models").mkdir(parents=True)
    (models / "mine.gguf").write_bytes(b"GGUF")
    result = run("neovim", "--install", "--pull")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == f"mine is in {models / 'mine.gguf'}"


def test_a_small_model_that_is_here_stays_and_a_better_one_is_named(home: Path) -> None:
    (models := home / "cache" / "llm-lsp" / "models").mkdir(parents=True)
    (models / "smollm2-135m.gguf").write_bytes(b"GGUF")
    result = run("neovim", "--install", "--pull")
    here, better = result.stderr.splitlines()[-2:]
    assert here == f"smollm2-135m is in {models / 'smollm2-135m.gguf'}"
    assert better.startswith("better: qwen2.5-coder-0.5b")


def test_a_model_without_an_editor_is_the_other_command() -> None:
    assert run("neovim", "--pull").exit_code == 2


@pytest.mark.parametrize("name", ["neovim", "vim"])
def test_every_file_of_a_plugin_is_installed(name: str) -> None:
    folder = configurations() / name
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there - {"README.md"} == {file.target for file in EDITORS[name].files}


def test_the_editors_are_listed() -> None:
    assert [line.split()[0] for line in run("--list").stdout.splitlines()] == list(EDITORS)


@pytest.mark.parametrize("name", [name for name, editor in EDITORS.items() if editor.home])
def test_what_is_installed_is_undone(home: Path, name: str) -> None:
    assert run(name, "--install").exit_code == 0
    written = files_in(home)
    assert sorted(written.values()) == sorted(file.content() for file in EDITORS[name].files)
    assert run(name, "--install").exit_code == 0
    assert files_in(home) == written
    assert run(name, "--undo").exit_code == 0
    # Nothing is left, no empty folder either, but what the program remembers.
    assert [path.relative_to(home).parts[0] for path in home.iterdir()] == ["state"]


def test_a_file_of_the_user_is_never_overwritten(home: Path) -> None:
    mine = EDITORS["helix"].path(EDITORS["helix"].files[0])
    assert mine is not None
    mine.parent.mkdir(parents=True)
    mine.write_text("# mine\n")
    result = run("helix", "--install")
    assert result.exit_code == 1
    assert mine.read_text() == "# mine\n"
    assert result.stdout_bytes == EDITORS["helix"].files[0].content()
    assert f"Add this to {mine}" in result.stderr
    assert run("helix", "--undo").exit_code == 1
    assert mine.read_text() == "# mine\n"


def test_a_file_that_was_changed_since_stays(home: Path) -> None:
    run("vim", "--install")
    mine = EDITORS["vim"].path(EDITORS["vim"].files[0])
    assert mine is not None
    mine.write_text("# changed\n")
    assert run("vim", "--undo").exit_code == 1
    assert run("vim", "--install").exit_code == 1
    assert mine.read_text() == "# changed\n"


def test_a_newer_version_takes_the_place_of_what_was_written(tmp_path: Path) -> None:
    placement = Placement(tmp_path / "state" / "editors.json")
    path = tmp_path / "file"
    assert placement.install(b"1", path) is PlacementOutcome.WRITTEN
    assert placement.install(b"2", path) is PlacementOutcome.WRITTEN
    assert placement.install(b"2", path) is PlacementOutcome.SAME
    assert placement.remove(path) is PlacementOutcome.REMOVED
    assert placement.remove(path) is PlacementOutcome.ABSENT


def test_a_folder_that_was_there_or_holds_something_else_stays(tmp_path: Path) -> None:
    placement = Placement(tmp_path / "state" / "editors.json")
    (old := tmp_path / "old").mkdir()
    path = old / "new" / "deep" / "file"
    placement.install(b"1", path)
    (mine := old / "new" / "mine").write_text("mine")
    placement.remove(path)
    assert mine.read_text() == "mine"
    assert not path.parent.exists()
    mine.unlink()
    placement.install(b"1", path)
    placement.remove(path)
    assert list(old.iterdir()) == []


def test_half_a_record_leaves_the_files_alone(tmp_path: Path) -> None:
    placement = Placement(tmp_path / "editors.json")
    path = tmp_path / "file"
    placement.install(b"1", path)
    (tmp_path / "editors.json").write_text('{"half')
    assert placement.remove(path) is PlacementOutcome.CHANGED
    assert path.read_bytes() == b"1"


def test_a_folder_that_cannot_be_made_is_one_line(home: Path) -> None:
    (home / "config").write_text("not a folder")
    result = run("helix", "--install")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "languages.toml cannot be" in result.stderr


def test_an_editor_without_a_known_place_says_what_to_do(home: Path) -> None:
    result = run("jetbrains", "--install")
    assert result.exit_code == 1
    assert "import the folder" in result.stderr
    assert files_in(home) == {}


@pytest.mark.parametrize("arguments", [("vim", "--install", "--undo"), ("--install",), ("notepad",)])
def test_a_wrong_call_is_refused(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
