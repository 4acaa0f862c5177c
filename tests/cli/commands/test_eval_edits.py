"""The whole command, on a repository made for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from llm_lsp.cli.commands.eval import command
from tests.evaluation.git_rig import GitRig, needs_git

pytestmark = needs_git

MODULE = """\
def area(w, h):
    check(w)
    log("start")
    log("middle")
    log("end")
    return w * h
"""
RENAMED = MODULE.replace("(w", "(width").replace("w *", "width *")


@pytest.fixture
def rig(home: Path) -> GitRig:
    """Make a repository with one commit that renames a parameter."""
    rig = GitRig.create(home / "project")
    rig.commit(
        {"area.py": MODULE, "ignored.py": MODULE, "package.json": '{"a": 1}\n', ".gitignore": "ignored.py\n"}
    )
    rig.git("add", "--force", "ignored.py")
    rig.commit({"area.py": RENAMED, "ignored.py": RENAMED, "package.json": '{"a": 2}\n'})
    return rig


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["--edits", *arguments])


def test_a_rename_is_predicted_and_nothing_is_sent(rig: GitRig) -> None:
    result = run(str(rig.root), "--json")

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {state["path"] for state in found["states"]} == {"area.py"}
    row = found["rows"][0]
    assert (row["open"], row["finished"], row["quiet"], row["money"]) == (2, 2, 1.0, 0.0)
    assert row["shown"] == row["precision"] * row["shown"] > 0


def test_the_same_seed_gives_the_same_figures(rig: GitRig) -> None:
    def states(seed: str) -> list[str]:
        found = json.loads(run(str(rig.root), "--json", "--seed", seed).stdout)
        return [state["state"] for state in found["states"]]

    assert states("1") == states("1")


def test_a_table_the_curve_and_a_page(rig: GitRig, tmp_path: Path) -> None:
    page = tmp_path / "report.html"

    result = run(str(rig.root), "--html", str(page))

    assert result.exit_code == 0, result.output
    assert "next edits in project" in result.stdout
    assert "what each confidence threshold would show" in result.stdout
    assert "commits: 1 of 1" in result.stderr
    assert "<polyline" in page.read_text(encoding="utf-8")


def test_the_folder_one_stands_in_is_measured_without_a_path(
    rig: GitRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(rig.root)

    assert run().exit_code == 0


def test_without_edits_a_path_is_needed() -> None:
    result = CliRunner().invoke(command, [])

    assert result.exit_code == 2
    assert "Missing argument 'PATH'" in result.output


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        pytest.param(
            lambda rig: rig.git("checkout", "--quiet", "--orphan", "empty"),
            "small changes to source files",
            id="no history",
        ),
        pytest.param(
            lambda rig: (rig.root / ".git").rename(rig.root / "gone"),
            "not a git repository",
            id="no repository",
        ),
    ],
)
def test_a_folder_without_a_history_says_so(rig: GitRig, prepare: object, message: str) -> None:
    assert callable(prepare)
    prepare(rig)

    result = run(str(rig.root))

    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output
