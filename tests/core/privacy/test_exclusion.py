"""Secret files are never sent."""

from __future__ import annotations

import pytest

from llm_lsp.core.privacy.document_paths import SCHEMES
from llm_lsp.core.privacy.exclusion import MAX_VERDICTS, SECRET_FILES, Exclusion, check_glob


@pytest.mark.parametrize(
    ("uri", "covered"),
    [
        pytest.param("file:///p/.env", True, id="env"),
        pytest.param("file:///p/.env.local", True, id="env-variant"),
        pytest.param("file:///p/.env.example", False, id="env-example"),
        pytest.param("file:///p/prod.ENV", True, id="case-does-not-matter"),
        pytest.param("file:///p/%2Eenv", True, id="percent-encoded"),
        pytest.param("file:///p/x/../.ssh/config", True, id="dot-dot"),
        pytest.param("file:///u/.aws/credentials", True, id="folder"),
        pytest.param("file:///p/server.key", True, id="key"),
        pytest.param("file:///p/.envrc", True, id="direnv"),
        pytest.param("file:///p/prod.env.bak", True, id="a copy of env"),
        pytest.param("file:///p/client_secret_1.json", True, id="a secret's value"),
        pytest.param("file:///p/app-credentials.yaml", True, id="credentials' values"),
        pytest.param("file:///p/secrets", True, id="secrets without an ending"),
        pytest.param("file:///p/state.sqlite-wal", True, id="database"),
        pytest.param("file:///p/core/secret.py", False, id="code about secrets"),
        pytest.param("file:///p/id_generator.py", False, id="code about numbers"),
        pytest.param("file:///p/environment.py", False, id="code about environments"),
        pytest.param("file:///p/keys.py", False, id="ordinary-code"),
        pytest.param("file:///p/config.json", False, id="ordinary-settings"),
        pytest.param("file:///c%3A/Users/u/id_rsa", True, id="windows-drive"),
        pytest.param("file:///u/.config/llm-lsp/config.toml", True, id="our-own-settings"),
        pytest.param("untitled:Untitled-1", False, id="unsaved"),
        *(pytest.param(f"{scheme}:/p/.env", True, id=f"{scheme} with a path") for scheme in SCHEMES),
        pytest.param("untitled:.env", True, id="an unsaved name"),
        pytest.param("untitled:c:\\p\\.env", True, id="an unsaved path of Windows"),
        pytest.param("vscode-userdata:/u/.ssh/config", True, id="the editor's data"),
        pytest.param("git:/p/.env", True, id="a view"),
        pytest.param("file:///p/.env#x", True, id="a raw hash behind it"),
        pytest.param("file:///p/.env?x=1", True, id="a raw question mark behind it"),
        pytest.param("file:///p/c#/.env", True, id="a raw hash before it"),
        pytest.param("file:///p/who?/.env", True, id="a raw question mark before it"),
        pytest.param("file:///p/#.env#", True, id="an editor's raw backup"),
        pytest.param("file:///p/%23.env%23", True, id="an editor's backup"),
        pytest.param("file:///p/%252Eenv", True, id="escaped twice"),
        pytest.param("file:///p/.env%00.py", True, id="a NUL behind it"),
        pytest.param("file:///p/.env~", True, id="a backup"),
        pytest.param("file:///p/.env.bak", True, id="a named backup"),
        pytest.param("file:///p/.%23.env", True, id="a lock"),
        pytest.param("file:///p/.server.key.swp", True, id="a swap file"),
        pytest.param("file:///p/server.key.old", True, id="an old key"),
        pytest.param("file:///p/server.key.", True, id="a dot that Windows drops"),
        pytest.param("file:///p/server.key::$DATA", True, id="a stream of Windows"),
        pytest.param("file:///p/Copy%20of%20.netrc", True, id="a copy"),
        pytest.param("file:///u/.ssh.bak/config", True, id="a backup of a folder"),
        pytest.param("file:///p/main.py~", False, id="a backup of code"),
        pytest.param("file:///p/e\u0301.key", True, id="decomposed letters"),
    ],
)
def test_built_in_list(uri: str, covered: bool) -> None:
    assert Exclusion(SECRET_FILES).covers(uri) is covered


@pytest.mark.parametrize("folders", [(), ("file:///p",)], ids=["outside", "in-a-workspace"])
@pytest.mark.parametrize(
    "path",
    [
        "secrets/prod.yaml", "secrets/db_password.txt", "run/secrets/db-password", "config/secrets/key", "lib/credentials/google.json", "k8s/secrets/prod/db.yml", ".aws/chain.go", "my/Secrets/token", "id_rsa_work", "app.env.bak",
    ],
)  # fmt: skip
def test_files_that_hold_secrets_are_covered_by_their_folder_too(path: str, folders: tuple[str, ...]) -> None:
    assert Exclusion(SECRET_FILES, folders).covers(f"file:///p/{path}")


@pytest.mark.parametrize("folders", [(), ("file:///p",)], ids=["outside", "in-a-workspace"])
@pytest.mark.parametrize(
    "path",
    [
        "packages/secrets/index.ts", "aws/credentials/chain.go", "src/secret/mod.rs", "packages/secrets/package.json", "packages/secrets/Makefile", "packages/secrets/src/vault/index.ts", "app/secrets/README.md", "my.env/a.py", ".env/lib/a.py", "server.key/a.md", "b.secret/c.go", "vite.env.d.ts",
    ],
)  # fmt: skip
def test_code_about_secrets_is_not_covered(path: str, folders: tuple[str, ...]) -> None:
    assert not Exclusion(SECRET_FILES, folders).covers(f"file:///p/{path}")


@pytest.mark.parametrize("name", ["private.py~", "%23private.py%23", "private%20(1).py", "Private.PY.orig"])
def test_a_copy_of_what_a_users_glob_names_is_excluded(name: str) -> None:
    assert Exclusion(("/private.py",), ("file:///p",)).covers(f"file:///p/{name}")


def test_a_copy_that_is_taken_back_by_name_is_not_excluded() -> None:
    assert not Exclusion((*SECRET_FILES, "!/.env~"), ("file:///p",)).covers("file:///p/.env~")


def test_users_globs() -> None:
    exclusion = Exclusion(("**/private/**",))

    assert exclusion.covers("file:///p/private/a.py")
    assert not exclusion.covers("file:///p/public/a.py")


FOLDERS = ("file:///u/tmp/Project", "file:///u/tmp/Project/part/", "untitled:nowhere")
HERE = "file:///u/tmp/Project/"


@pytest.mark.parametrize(
    ("globs", "uri", "covered"),
    [
        pytest.param(["config/secrets.py"], HERE + "config/secrets.py", True, id="path-in-the-folder"),
        pytest.param(["config/secrets.py"], HERE + "x/config/secrets.py", False, id="path-is-anchored"),
        pytest.param(["/build"], HERE + "build/a.py", True, id="anchored-folder"),
        pytest.param(["/build"], HERE + "src/build/a.py", False, id="anchored-folder-deeper"),
        pytest.param(["secrets/*.py"], HERE + "secrets/a.py", True, id="star-in-a-folder"),
        pytest.param(["secrets/*.py"], HERE + "part/secrets/a.py", True, id="the-inner-folder-counts"),
        pytest.param(["tmp/"], HERE + "a.py", False, id="not-by-folders-above-the-workspace"),
        pytest.param(["tmp/"], HERE + "src/tmp/a.py", True, id="folder-at-any-depth"),
        pytest.param(["*.py", "!/a.py"], HERE + "a.py", False, id="taken-back"),
        pytest.param([*SECRET_FILES, "!/test.env"], HERE + "test.env", False, id="secret-taken-back"),
        pytest.param(["/u/tmp/"], HERE + "a.py", True, id="from-the-root"),
        pytest.param(["config/secrets.py"], "file:///other/config/secrets.py", False, id="outside"),
        pytest.param(["/other/"], "file:///other/config/secrets.py", True, id="outside-from-the-root"),
        pytest.param(["secrets.py"], "file:///other/config/secrets.py", True, id="outside-by-name"),
        pytest.param(["secrets.py"], "file:///u/tmp/Projects/secrets.py", True, id="folder-with-alike-name"),
    ],
)  # fmt: skip
def test_globs_count_from_the_workspace_folder(globs: list[str], uri: str, covered: bool) -> None:
    assert Exclusion(tuple(globs), FOLDERS).covers(uri) is covered


@pytest.mark.parametrize(
    ("folder", "uri"),
    [
        pytest.param("file:///u/.ssh", "file:///u/.ssh/notes.txt", id="ssh"),
        pytest.param("file:///u/.config/llm-lsp", "file:///u/.config/llm-lsp/config.toml", id="ours"),
        pytest.param("file:///", "file:///u/.ssh/notes.txt", id="the-root-as-workspace"),
        pytest.param("file:///c%3A/Users/u/.AWS", "file:///C:/Users/u/.aws/config", id="windows"),
    ],
)  # fmt: skip
def test_a_folder_of_secrets_as_workspace_stays_secret(folder: str, uri: str) -> None:
    assert Exclusion(SECRET_FILES, (folder,)).covers(uri)


def test_a_drive_stands_for_the_disk() -> None:
    assert Exclusion(("C:/Users/u/private/",), ("file:///c:/Users/u",)).covers(
        "file:///c%3A/Users/u/private/a.py"
    )


@pytest.mark.parametrize("glob", ["\\", "!", "!\\", "a\\", "[a", "[[:x:]]"])
def test_a_bad_glob_is_left_out_and_the_others_hold(glob: str) -> None:
    exclusion = Exclusion((glob, "*.secret"))

    assert exclusion.covers("file:///p/a.secret")
    assert not exclusion.covers("file:///p/a.py")
    with pytest.raises(ValueError, match="pattern"):
        check_glob(glob)


def test_what_cannot_be_read_as_an_address_is_covered() -> None:
    assert Exclusion(()).covers("file://[/p/a.py")


def test_each_document_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []

    def judge(uri: str) -> bool:
        judged.append(uri)
        return False

    exclusion = Exclusion(())
    monkeypatch.setattr(exclusion, "_judge", judge)
    for _ in range(3):
        exclusion.covers("file:///p/a.py")
    assert judged == ["file:///p/a.py"]

    for n in range(2 * MAX_VERDICTS):
        exclusion.covers(f"file:///p/{n}.py")
    assert len(exclusion._verdicts) <= MAX_VERDICTS
