"""Whatever lies where a settings file should be, there is one line about it and the rest works."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from llm_lsp.cli.files.settings_files import (
    SettingsFiles,
    folder_path,
    read_file,
    read_settings,
    with_folders,
)
from llm_lsp.config.settings import Config

posix_only = pytest.mark.skipif(os.name != "posix", reason="POSIX files")


@pytest.fixture(autouse=True)
def folders(home: Path) -> None:
    (home / "home").mkdir()
    (home / "etc").mkdir()


def test_no_files_are_no_problem() -> None:
    assert read_settings().resolve().config == Config()
    assert read_settings().resolve().problems == ()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        pytest.param(b"enabled = false\n[completion\n", "not valid TOML at line 2, column 12: Expected ']' at the end of a table declaration", id="half-written"),
        pytest.param(b"a = 1\nb = ", "not valid TOML at line 2 (end of file): Invalid value", id="cut off"),
        pytest.param(b"['a (at b']\n['a (at b']\n", "not valid TOML at line 2, column 11: Cannot declare ('a (at b',) twice", id="a place in a name"),
        pytest.param(b"a = 1\nb = '\xff'\n", "not valid UTF-8 at line 2", id="not UTF-8"),
        pytest.param(b"a = " + b"[" * 5000, "not valid TOML: too deeply nested", id="nested"),
        pytest.param(b"#" * (1 << 20) + b"\n", "not a regular file of at most 1024 KiB", id="too large"),
    ],
)  # fmt: skip
def test_a_broken_file_is_one_line_and_stays_as_it_is(home: Path, data: bytes, fault: str) -> None:
    path = home / "home" / "config.toml"
    path.write_bytes(data)

    resolved = read_settings().resolve()

    assert [(problem.source, problem.message) for problem in resolved.problems] == [(str(path), fault)]
    assert resolved.config == Config()
    assert path.read_bytes() == data


def test_a_byte_order_mark_is_no_fault(home: Path) -> None:
    (home / "home" / "config.toml").write_bytes(b"\xef\xbb\xbfenabled = false\r\n")
    assert read_file(home / "home" / "config.toml") == SettingsFiles({"enabled": False})


@posix_only
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "loop"])
def test_what_is_no_plain_file_is_not_waited_for(home: Path, kind: str) -> None:
    path = home / "x.toml"
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case _:
            path.symlink_to(path)
    assert read_file(path).fault


@posix_only
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_one_line(home: Path) -> None:
    path = home / "home" / "config.toml"
    path.touch(mode=0)
    assert read_file(path).fault == "cannot be read: Permission denied"


@posix_only
def test_a_file_that_everybody_may_change_is_reported(home: Path) -> None:
    path = home / "home" / "config.toml"
    path.write_text("enabled = false")
    path.chmod(0o666)
    (problem,) = read_settings().resolve().problems
    assert "chmod 600" in problem.message


def test_a_named_file_that_is_missing_is_reported(home: Path) -> None:
    (problem,) = read_settings(home / "other.toml").resolve().problems
    assert problem.message == "the file does not exist"


def test_a_named_file_stands_in_place_of_the_users(home: Path) -> None:
    (home / "home" / "config.toml").write_text("enabled = false")
    (home / "other.toml").write_text('completion.trigger = "manual"')
    config = read_settings(home / "other.toml").resolve().config
    assert config.enabled
    assert config.completion.trigger == "manual"


def test_a_policy_that_cannot_be_read_closes(home: Path) -> None:
    (home / "etc" / "policy.toml").write_text("enabled = ")
    resolved = read_settings().resolve()
    assert not resolved.config.enabled
    assert len(resolved.problems) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"provider = ", "not valid TOML at line 1", id="broken TOML"),
        pytest.param(b"provider = 'team'\n\xff", "not valid UTF-8", id="not UTF-8"),
        pytest.param(
            b"providr = 'local'\n[usage]\nsave = false", 'did you mean "provider"', id="an unknown key"
        ),
        pytest.param(
            b"[usage]\nsave = false\n[budget]\nper_day = 'much'", "budget.per_day", id="a bad value"
        ),
    ],
)
def test_a_faulty_defaults_file_is_one_line_and_the_users_settings_hold(
    home: Path, data: bytes, words: str
) -> None:
    (home / "etc" / "defaults.toml").write_bytes(data)
    (home / "home" / "config.toml").write_text('completion.trigger = "manual"')

    resolved = read_settings().resolve()

    (problem,) = resolved.problems
    assert words in problem.message
    assert "\n" not in problem.message
    assert resolved.config.completion.trigger == "manual"
    assert resolved.config.enabled
    assert resolved.config.usage.save == (b"save" not in data)


def test_a_users_file_overrides_the_machines_defaults(home: Path) -> None:
    (home / "etc" / "defaults.toml").write_text(
        "provider = 'team'\n[providers.team]\napi = 'openai-completions'\nbase_url = 'https://llm.team.example/v1'\n"
        "model = 'coder'\n[privacy]\nexclude = ['legal/']\n[budget]\nper_day = 1.0\n"
    )
    (home / "home" / "config.toml").write_text(
        "[providers.team]\nmodel = 'coder-small'\n[privacy]\nexclude = ['mine/']\n[budget]\nper_day = 0.5\n"
    )

    config = read_settings().resolve().config

    assert (config.provider, config.providers["team"].model) == ("team", "coder-small")
    assert config.providers["team"].base_url == "https://llm.team.example/v1"
    assert not config.providers["team"].unvouched
    assert config.privacy.exclude == ("legal/", "mine/")
    assert config.budget.per_day == 0.5


@posix_only
def test_a_defaults_file_that_anyone_can_change_is_not_used(home: Path) -> None:
    path = home / "etc" / "defaults.toml"
    path.write_text("enabled = false")
    path.chmod(0o666)

    resolved = read_settings().resolve()

    (problem,) = resolved.problems
    assert "not used" in problem.message
    assert resolved.config.enabled


FLOODS = [
    pytest.param(b"".join(b"k%d = 1\n" % n for n in range(1001)), id="1,001 keys"),
    pytest.param(b"".join(b"k%d = 1\n" % n for n in range(20_000)), id="20,000 keys"),
    pytest.param(b"a = {%s}" % b",".join(b"k%d = 1" % n for n in range(1001)), id="1,001 keys in one line"),
    pytest.param(b"privacy.exclude = [%s]" % b",".join(b"'%d'" % n for n in range(1001)), id="1,001 globs"),
    pytest.param(b"a = [%s]" % (b"[]," * 5000), id="5,000 lists"),
    pytest.param(b"a." * 120_000 + b"a = 1", id="a key of 120,000 parts"),
    pytest.param(b"[" + b'"a" . ' * 40_000 + b"a]", id="a header of 40,000 parts"),
    pytest.param(b"[[a]]\n" * 40_000, id="40,000 tables"),
    pytest.param(b"# \n" * 80_000, id="80,000 lines"),
    pytest.param(b'a = "%s"' % (b"\\n" * 100_000), id="100,000 escapes"),
    pytest.param(b"#" * ((1 << 18) + 1), id="257 KiB"),
    pytest.param(b"a = " + b"1" * 200_000, id="a number of 200,000 digits"),
]


@pytest.mark.parametrize("data", FLOODS)
def test_a_folders_file_that_takes_long_to_read_is_refused_whole(home: Path, data: bytes) -> None:
    (home / ".llm-lsp.toml").write_bytes(b"enabled = false\n" + data)

    resolved = read_settings(folders=[home]).resolve()

    assert resolved.config == Config()
    assert len(resolved.problems) == 1


def test_a_folders_file_of_a_thousand_keys_is_read(home: Path) -> None:
    keys = b"".join(b"k%d = 1\n" % n for n in range(999))
    (home / ".llm-lsp.toml").write_bytes(b"#" * 200_000 + b"\nenabled = false\n" + keys)

    resolved = read_settings(folders=[home]).resolve()

    assert not resolved.config.enabled
    assert len(resolved.problems) == 999


class TestFolders:
    """Workspace files come and go with their folders."""

    def test_each_folders_file_is_read(self, home: Path) -> None:
        for name in ("one", "two"):
            (home / name).mkdir()
            (home / name / ".llm-lsp.toml").write_text(f"privacy.exclude = ['{name}']")
        stack = read_settings(folders=[home / "one", (home / "two").as_uri(), home / "three"])
        assert stack.resolve().config.privacy.exclude == ("one", "two")
        assert with_folders(stack, [home / "two"]).resolve().config.privacy.exclude == ("two",)

    @pytest.mark.parametrize(
        ("folder", "path"),
        [
            ("/a b", Path("/a b")),
            ("file:///a%20b", Path("/a b")),
            ("file://localhost/a", Path("/a")),
            ("file:///C:/a", Path("C:/a" if sys.platform == "win32" else "/C:/a")),
            ("file:///c%3A/a", Path("c:/a" if sys.platform == "win32" else "/c:/a")),
            ("file://server/share", None),
            ("vscode-remote://ssh/a", None),
            ("file:///a%00b", None),
        ],
    )
    def test_a_folder_is_a_path_or_a_uri(self, folder: str, path: Path | None) -> None:
        assert folder_path(folder) == path

    def test_a_dot_env_has_no_effect(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (home / ".env").write_text("XDG_CONFIG_HOME=./evil\nOPENAI_BASE_URL=https://evil.tld\n")
        monkeypatch.chdir(home)
        assert read_settings(folders=[home]).resolve().config == Config()
