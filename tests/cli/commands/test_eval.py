"""The whole command, against a model API on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest
from click.testing import CliRunner, Result

from llm_lsp.cli.commands import eval as eval_command
from llm_lsp.cli.commands.eval import command
from llm_lsp.errors import ConfigError
from tests.cli.model_api import ModelApi, model_api
from tests.evaluation.git_rig import GitRig, needs_git

MODULE = """\
import os


def first(path):
    with open(path, "rb") as file:
        data = file.read(100)
        return parse(data, strict=True)
"""


@pytest.fixture
def api(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelApi]:
    """Yield a model, a user's settings for it, and a project of two files."""
    monkeypatch.setattr(platformdirs, "user_state_path", lambda *_, **__: home / "state")
    with model_api() as api:
        provider = f'api = "openai-completions"\nbase_url = "{api.url}"\nmodel = "m"\n'
        (home / "home").mkdir()
        (home / "home" / "config.toml").write_text(f'provider = "mine"\n[providers.mine]\n{provider}')
        (home / "home" / "config.toml").chmod(0o600)
        for name in ("a.py", "b.py", "ignored.py", "secrets.toml"):
            (home / "project" / name).write_text(MODULE)
        (home / "project" / ".gitignore").write_text("ignored.py\n")
        yield api


def run(*arguments: str, path: Path = Path()) -> Result:
    return CliRunner().invoke(command, [str(path), *arguments], catch_exceptions=True)


def test_a_table_says_how_it_went(api: ModelApi) -> None:
    result = run("--holes", "3")

    assert result.exit_code == 0, result.output
    assert len(api.keys) == 3
    rows = [line.split() for line in result.stdout.splitlines() if "as set" in line]
    assert [row[1] for row in rows] == ["all", "line", "span", "block"]
    assert "holes: 3 of 3" in result.stderr


def test_what_was_measured_is_not_asked_again(api: ModelApi) -> None:
    run("--holes", "3")
    run("--holes", "5")
    assert len(api.keys) == 5

    run("--holes", "3", "--fresh")
    assert len(api.keys) == 8


def test_failures_are_tried_again(api: ModelApi) -> None:
    api.status = 401
    failed = run("--holes", "2")
    api.status = 200
    again = run("--holes", "2")

    assert "2 holes got no answer" in failed.stdout
    assert "could not" not in again.stdout


def test_who_interrupts_a_run_sees_what_there_is(api: ModelApi, monkeypatch: pytest.MonkeyPatch) -> None:
    run("--holes", "2")
    monkeypatch.setattr(eval_command, "measure", interrupted)

    result = run("--holes", "5", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["rows"][0]["holes"] == 2
    assert "run the same command again to continue" in result.stderr


async def interrupted(*_: object) -> list[str]:
    raise KeyboardInterrupt


def test_settings_stand_side_by_side(api: ModelApi, tmp_path: Path) -> None:
    result = run(
        "--holes", "3", "--vary", "providers.mine.max_tokens=8,64", "--json", "--html", f"{tmp_path}/r.html"
    )

    found = json.loads(result.stdout)
    assert found["variants"] == ["providers.mine.max_tokens=8", "providers.mine.max_tokens=64"]
    assert [row["holes"] for row in found["rows"][:2]] == [3, 3]
    assert len(found["duels"]) == 1
    assert len(found["holes"]) == 6
    assert not {"expected", "answer"} & set(found["holes"][0])
    assert "providers.mine.max_tokens=64" in (tmp_path / "r.html").read_text()


def test_ignored_and_secret_files_have_no_holes(api: ModelApi, home: Path) -> None:
    run("--holes", "100")

    lines = next((home / "state" / "eval").glob("*.jsonl")).read_text().split("\n")
    places = {json.loads(line)["place"].partition(":")[0] for line in lines if line}
    assert places == {"a.py", "b.py"}


def test_a_folder_that_is_ignored_as_a_whole_is_said_with_its_remedy(api: ModelApi, tmp_path: Path) -> None:
    package = tmp_path / "project" / ".venv" / "lib" / "package"
    package.mkdir(parents=True)
    (package / "a.py").write_text("def double(number):\n    return number + number\n")
    (tmp_path / "project" / ".git").mkdir()
    (tmp_path / "project" / ".gitignore").write_text(".venv/\n")

    result = run(path=package)

    assert result.exit_code != 0
    assert "is ignored by the repository that contains it" in result.output
    assert "measure a copy outside of it" in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("--kinds", "line,lines"), "choose from line, span, block", id="a kind that is none"),
        pytest.param(("--html", "nowhere/r.html"), "no folder nowhere", id="no folder for the report"),
        pytest.param(
            ("--languages", "cobol"), "has no files in cobol to measure", id="a language that is not there"
        ),
        pytest.param(("--vary", "max_tokens"), "KEY=VALUE,VALUE", id="no values"),
        pytest.param(("--vary", "completion.multilin=auto"), "multiline", id="no setting"),
        pytest.param(("--vary", "completion.multiline=maybe"), "never", id="no value of it"),
        pytest.param(("--vary", "provider=mina"), "mine", id="no provider"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_asked(
    arguments: tuple[str, ...], message: str, api: ModelApi
) -> None:
    result = run(*arguments)

    assert result.exit_code != 0
    assert message in result.output + str(result.exception)
    assert isinstance(result.exception, SystemExit | ConfigError)
    assert api.keys == []


@needs_git
def test_the_lines_that_commits_added_are_typed_again(api: ModelApi) -> None:
    rig = GitRig.create(Path().resolve())
    rig.commit({"a.py": MODULE})
    rig.commit(
        {
            "a.py": MODULE.replace(
                "        return", "        size = len(data)\n        check(size)\n        return"
            )
        }
    )

    result = run("--from-git", "--json")

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert sorted(hole["place"] for hole in found["holes"]) == ["a.py:7:9", "a.py:8:9"]
    assert [share["added_lines"] for share in found["typed"]] == [2]
    assert len(api.keys) == 2
    assert "would have typed 0 % of the 2 added lines" in run("--from-git").stdout


@pytest.mark.parametrize("path", ["no history", "no repository"])
@needs_git
def test_without_added_lines_there_is_an_error(api: ModelApi, path: str) -> None:
    if path == "no history":
        GitRig.create(Path().resolve())

    result = run("--from-git")

    assert result.exit_code == 1
    assert "Error: " in result.output
    assert api.keys == []


def test_edits_and_completion_are_measured_one_after_the_other(api: ModelApi) -> None:
    assert run("--from-git", "--edits").exit_code == 2
