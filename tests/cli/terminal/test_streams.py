"""Whatever a shell gives a command for its streams and its file, it ends with words and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

posix = pytest.mark.skipif(sys.platform == "win32", reason="has other streams")
COMMANDS = ["provider list", "config path --all", "usage", "--help", "explain"]
DIGITS = "9" * 5000


def each_with_the_first(firsts: Sequence[str], seconds: Sequence[str]) -> list[ParameterSet]:
    """Return all pairs; those in which neither is the first of its kind are slow."""
    return [
        pytest.param(one, other, marks=[pytest.mark.slow] if one != firsts[0] and other != seconds[0] else [])
        for one in firsts
        for other in seconds
    ]


def run(
    folder: Path, command: str, redirect: str = "", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command line of the program by a shell."""
    program = f'"{sys.executable}" -P -m llm_lsp {command} {redirect}'
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_STATE_HOME": str(folder)}
    environ = {**os.environ, **home, "XDG_DATA_HOME": str(folder), **environment}
    return subprocess.run(
        ["bash", "-c", f"{program}"], cwd=folder, env=environ, capture_output=True, timeout=60, check=False
    )


@posix
@pytest.mark.parametrize(
    ("redirect", "command"),
    each_with_the_first(
        ["</dev/null >/dev/full", "</dev/null | true", "<&- >&- 2>&-", "</dev/null 2>&-"], COMMANDS
    ),
)
def test_no_stream_costs_a_traceback(command: str, redirect: str, tmp_path: Path) -> None:
    done = run(tmp_path, command, redirect)

    assert b"Traceback" not in done.stdout + done.stderr
    assert b"Exception ignored" not in done.stderr
    if "full" in redirect and command not in ("explain", "trust"):  # They have nothing to say.
        assert done.stderr.count(b"\n") == 1 and done.returncode == 1


@posix
def test_without_a_command_and_without_input_the_server_ends(tmp_path: Path) -> None:
    assert run(tmp_path, "", "<&-").returncode == 0


@posix
@pytest.mark.parametrize(
    ("encoding", "command"),
    each_with_the_first(
        ["ascii", "latin-1", "utf-8"],
        ["provider list", "config path", "config show", "model remove ключ\x1b]0;x\x07"],
    ),
)
def test_a_terminal_of_any_encoding_shows_any_name(encoding: str, command: str, tmp_path: Path) -> None:
    folder = tmp_path / "ключ \u202e\x1b[2J"
    (folder / "llm-lsp").mkdir(parents=True)
    settings = (
        '[providers."ключ\u202e"]\napi = "ollama"\nbase_url = "http://127.0.0.1:1"\nmodel = "м\u202e"\n'
    )
    (folder / "llm-lsp" / "config.toml").write_text(settings, encoding="utf-8")

    done = run(folder, command, "</dev/null", PYTHONIOENCODING=encoding)

    shown = done.stdout + done.stderr
    assert b"Traceback" not in shown
    assert shown and b"\x1b" not in shown and "\u202e".encode() not in shown


@posix
@pytest.mark.parametrize(
    ("command", "file"),
    each_with_the_first(["complete", "ask why", "complete --batch"], ["pipe", "/dev/zero", ".", "missing"]),
)
def test_what_is_no_plain_file_is_refused_at_once(command: str, file: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    done = run(tmp_path, f"{command} {file}", "</dev/null")

    assert done.returncode in (1, 2)
    assert b"Traceback" not in done.stderr and file.encode() in done.stderr


@posix
@pytest.mark.parametrize(
    ("command", "place"),
    each_with_the_first(["complete", "ask why"], [f"a.py:1:{DIGITS}", f"a.py:{DIGITS}", f"a.py:{DIGITS}:1"]),
)
def test_a_place_of_thousands_of_digits_is_none(command: str, place: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")

    done = run(tmp_path, f"{command} {place}", "</dev/null")

    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


@posix
def test_what_a_shell_opened_can_be_completed(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    settings = 'provider = "p"\n[providers.p]\napi = "ollama"\nbase_url = "http://127.0.0.1:1"\nmodel = "m"\nfim = "none"\n'
    (tmp_path / "llm-lsp").mkdir()
    (tmp_path / "llm-lsp" / "config.toml").write_text(settings)

    for command in ("complete <(cat a.py) --show-prompt", "complete /dev/stdin --show-prompt <a.py"):
        assert b"x = 1" in run(tmp_path, command).stdout


@posix
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_a_file_whose_name_is_no_text_is_completed(locale: str, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/odd\xff\xd0\xba.py"
    with open(name, "w") as file:
        file.write("x = 1\n")
    settings = 'provider = "p"\n[providers.p]\napi = "ollama"\nbase_url = "http://127.0.0.1:1"\nmodel = "m"\nfim = "none"\n'
    (tmp_path / "llm-lsp").mkdir()
    (tmp_path / "llm-lsp" / "config.toml").write_text(settings)

    plain = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run(tmp_path, "complete odd*.py --show-prompt", "</dev/null", **plain)

    assert b"Traceback" not in done.stderr
    assert b"x = 1" in done.stdout
