from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from llm_lsp.errors import GitError
from llm_lsp.evaluation.corpus.git_repository import FileVersions, GitRepository, LineSpan
from tests.evaluation.git_rig import GitRig, needs_git

pytestmark = needs_git


@pytest.fixture
def rig(tmp_path: Path) -> GitRig:
    return GitRig.create(tmp_path / "repository")


def changes(rig: GitRig, root: Path | None = None) -> dict[str, tuple[LineSpan, ...]]:
    """Return the changed lines of the newest commit by path."""
    repository = GitRepository(root or rig.root)
    newest = repository.commits(1)
    (commit,) = repository.files_of(newest)
    spans = repository.spans_of(newest)
    return {file.path: spans[file.old, file.new] for file in commit.changed}


def test_commits_come_newest_first_and_without_merges(rig: GitRig) -> None:
    first = rig.commit({"a.py": "a\n"})
    rig.git("checkout", "--quiet", "-b", "side")
    side = rig.commit({"b.py": "b\n"})
    rig.git("checkout", "--quiet", "main")
    main = rig.commit({"c.py": "c\n"})
    rig.git("merge", "--quiet", "--no-ff", "-m", "Merge", "side")

    found = GitRepository(rig.root).commits()

    assert set(found) == {first, side, main}
    assert found[-1] == first
    assert GitRepository(rig.root).commits(1) == found[:1]


def test_a_repository_without_a_commit_has_no_commits(rig: GitRig) -> None:
    assert GitRepository(rig.root).commits() == []


def test_a_folder_without_a_repository_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(GitError, match=r"cannot read .*: .*not a git repository"):
        GitRepository(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("a\nb\nc\n", "a\nB\nc\n", LineSpan(1, 1, 1, 1), id="a line replaced"),
        pytest.param("a\nc\n", "a\nb\nb\nc\n", LineSpan(1, 0, 1, 2), id="lines inserted"),
        pytest.param("b\n", "a\nb\n", LineSpan(0, 0, 0, 1), id="inserted at the top"),
        pytest.param("a\nb\nc\n", "a\nc\n", LineSpan(1, 1, 1, 0), id="a line deleted"),
        pytest.param("a\nb\n", "b\n", LineSpan(0, 1, 0, 0), id="deleted at the top"),
        pytest.param("a\nb", "a\nb\n", LineSpan(1, 1, 1, 1), id="a line end added"),
        pytest.param("-- x\n", "++ y\n", LineSpan(0, 1, 0, 1), id="lines that look like a patch's head"),
        pytest.param(
            "a\n@@ -7 +7 @@\n", "a\n@@ -8 +8 @@\n", LineSpan(1, 1, 1, 1), id="lines that look like hunks"
        ),
    ],
)
def test_changed_lines_are_counted_from_0(rig: GitRig, old: str, new: str, expected: LineSpan) -> None:
    rig.commit({"a.sql": old})
    rig.commit({"a.sql": new})

    assert changes(rig) == {"a.sql": (expected,)}


def test_added_removed_renamed_and_linked_files_are_only_counted(rig: GitRig) -> None:
    rig.commit({"gone.py": "1\n", "moved.py": "2\n" * 9, "kept.py": "3\n"})
    (rig.root / "link").symlink_to("kept.py")
    rig.git("mv", "moved.py", "there.py")
    newest = rig.commit({"gone.py": None, "new.py": "4\n", "kept.py": "5\n"})

    (commit,) = GitRepository(rig.root).files_of([newest])

    assert commit.count == 6
    assert [file.path for file in commit.changed] == ["kept.py"]


def test_names_with_blanks_quotes_line_ends_and_other_scripts_are_read(rig: GitRig) -> None:
    names = ['a "b".py', "tab\there.py", "line\nend.py", "数.py"]
    rig.commit(dict.fromkeys(names, "1\n"))
    rig.commit(dict.fromkeys(names, "2\n"))

    assert set(changes(rig)) == set(names)


def test_paths_are_from_the_top_and_the_prefix_is_that_of_the_folder(rig: GitRig) -> None:
    rig.commit({"sub/a.py": "1\n", "b.py": "1\n"})
    rig.commit({"sub/a.py": "2\n", "b.py": "2\n"})

    assert GitRepository(rig.root / "sub").prefix == "sub/"
    assert set(changes(rig, rig.root / "sub")) == {"sub/a.py", "b.py"}


def test_contents_that_are_missing_or_too_large_are_left_out(rig: GitRig) -> None:
    rig.commit({"a.py": "a\n", "large.py": "1\n" * 200_000, "empty.py": ""})
    ids = {name: rig.git("rev-parse", f"HEAD:{name}").strip() for name in ("a.py", "large.py", "empty.py")}

    found = GitRepository(rig.root).contents([*ids.values(), "0" * 40])

    assert found == {ids["a.py"]: b"a\n", ids["empty.py"]: b""}


def test_a_shallow_clones_last_commit_changes_nothing(rig: GitRig, tmp_path: Path) -> None:
    rig.commit({"a.py": "1\n"})
    rig.commit({"a.py": "2\n"})
    rig.git("clone", "--quiet", "--depth=1", rig.root.as_uri(), str(tmp_path / "shallow"))
    repository = GitRepository(tmp_path / "shallow")

    assert [commit.changed for commit in repository.files_of(repository.commits())] == []


def test_a_commit_with_a_missing_object_is_left_out_and_the_others_are_read(rig: GitRig) -> None:
    rig.commit({"a.py": "1\n"})
    lost = rig.commit({"a.py": "2\n"})
    kept = rig.commit({"b.py": "1\n"})
    kept = rig.commit({"b.py": "2\n"})
    object_id = rig.git("rev-parse", f"{lost}:a.py").strip()
    file = rig.root / ".git" / "objects" / object_id[:2] / object_id[2:]
    file.chmod(0o600)
    file.unlink()
    repository = GitRepository(rig.root)

    versions = [found for commit in repository.files_of([kept, lost]) for found in commit.changed]

    assert [file.path for file in versions] == ["b.py", "a.py"]
    assert list(repository.spans_of([kept, lost])) == [(versions[0].old, versions[0].new)]


@pytest.mark.skipif(sys.platform == "win32", reason="the planted programs are shell scripts")
def test_nothing_that_a_repository_configures_is_run(rig: GitRig, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $@" >> {ran}\ncat\n')
    program.chmod(0o700)
    rig.commit({".gitattributes": "*.py diff=evil filter=evil\n", "a.py": "1\n"})
    rig.commit({"a.py": "2\n"})
    hook = rig.root / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_bytes(program.read_bytes())
    hook.chmod(0o700)
    for name in (
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.editor",
        "core.gitProxy",
        "diff.external",
        "diff.evil.command",
        "diff.evil.textconv",
        "filter.evil.smudge",
        "filter.evil.clean",
        "gpg.program",
        "pager.diff-tree",
        "pager.rev-list",
        "pager.cat-file",
        "sequence.editor",
        "uploadpack.packObjectsHook",
    ):
        rig.git("config", name, str(program))
    rig.git("config", "log.showSignature", "true")
    rig.git("config", "diff.orderFile", str(tmp_path / "missing"))
    ran.unlink(missing_ok=True)
    repository = GitRepository(rig.root)

    (newest, _) = repository.commits()
    (commit,) = repository.files_of([newest])
    spans = repository.spans_of([newest])
    contents = repository.contents([commit.changed[0].old, commit.changed[0].new])

    assert list(contents.values()) == [b"1\n", b"2\n"]
    assert list(spans.values()) == [(LineSpan(0, 1, 0, 1),)]
    assert not ran.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the planted programs are shell scripts")
def test_a_partial_clone_fetches_nothing(rig: GitRig, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $@" >> {ran}\nexit 1\n')
    program.chmod(0o700)
    rig.commit({"a.py": "1\n"})
    rig.commit({"a.py": "2\n"})
    rig.git("config", "uploadpack.allowFilter", "true")
    clone = GitRig(tmp_path / "partial")
    rig.git("clone", "--quiet", "--bare", "--filter=blob:none", rig.root.as_uri(), str(clone.root))
    clone.git("config", "remote.origin.url", f"ext::{program} %S")
    clone.git("config", "protocol.ext.allow", "always")
    clone.git("config", "core.sshCommand", str(program))
    repository = GitRepository(clone.root)
    commits = repository.commits()

    versions = [file for commit in repository.files_of(commits) for file in commit.changed]

    assert versions == [FileVersions("a.py", versions[0].old, versions[0].new)]
    assert repository.contents([versions[0].old, versions[0].new]) == {}
    assert repository.spans_of(commits) == {}
    assert not ran.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the planted programs are shell scripts")
def test_a_git_that_lies_in_the_repository_is_refused(rig: GitRig, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = rig.root / "git"
    planted.write_text("#!/bin/sh\nexit 66\n")
    planted.chmod(planted.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{rig.root}{os.pathsep}{os.environ['PATH']}")

    with pytest.raises(GitError, match="is inside the repository"):
        GitRepository(rig.root)


def test_the_environment_does_not_point_to_another_repository(
    rig: GitRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = rig.commit({"a.py": "1\n"})
    other = GitRig.create(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))

    assert GitRepository(rig.root).commits() == [commit]


def test_what_is_staged_below_a_folder_is_read_with_its_diff(rig: GitRig) -> None:
    rig.commit({"a.py": "a\n", "in/b.py": "b\n"}, "Add both")
    (rig.root / "a.py").write_text("a\n2\n")
    (rig.root / "in" / "b.py").write_text("b\n2\n")
    (rig.root / "in" / ":(top)c.py").write_text("c\n")
    rig.git("add", "--all")
    (rig.root / "a.py").write_text("not staged\n")

    whole, part = GitRepository(rig.root), GitRepository(rig.root / "in")

    assert [path for path, _ in whole.staged()] == ["a.py", "in/:(top)c.py", "in/b.py"]
    assert dict(whole.staged())["a.py"].endswith("@@ -1 +1,2 @@\n a\n+2\n")
    assert [path for path, _ in part.staged()] == [":(top)c.py", "b.py"]
    assert "+c\n" in dict(part.staged())[":(top)c.py"]
    assert whole.subjects(5) == ["Add both"]


def test_what_is_staged_for_a_first_commit_is_read(rig: GitRig) -> None:
    (rig.root / "a.py").write_text("a\n")
    rig.git("add", "a.py")
    repository = GitRepository(rig.root)

    ((path, diff),) = repository.staged()

    assert path == "a.py"
    assert diff.endswith("@@ -0,0 +1 @@\n+a\n")
    assert repository.subjects(5) == []


def test_reading_what_is_staged_runs_nothing_of_the_repository(rig: GitRig) -> None:
    rig.commit({"a.py": "a\n", ".gitattributes": "*.py diff=evil\n"})
    made = rig.root / "made"
    script = rig.root / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {made}\n")
    script.chmod(0o755)
    for name in ("diff.evil.textconv", "diff.evil.command", "diff.external", "gpg.program", "core.fsmonitor"):
        rig.git("config", name, str(script))
    rig.git("config", "log.showSignature", "true")
    (rig.root / "a.py").write_text("b\n")
    GitRepository(rig.root)._run("add", "a.py")
    made.unlink(missing_ok=True)

    repository = GitRepository(rig.root)
    ((path, _),) = repository.staged()

    assert path == "a.py"
    assert repository.subjects(5) == ["Change"]
    assert not made.exists()


def test_a_file_is_read_as_it_was_committed(rig: GitRig) -> None:
    rig.commit({"in/b.py": "b\n"})
    (rig.root / "in" / "b.py").write_text("changed\n")

    assert GitRepository(rig.root / "in").committed("b.py") == b"b\n"
    assert GitRepository(rig.root).committed("in/b.py") == b"b\n"
    assert GitRepository(rig.root).committed("c.py") is None
