"""Finds and reads the settings files."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llm_lsp.config import parse
from llm_lsp.config.settings import Problem
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.system import path_of_uri, read_plain_file, temporary_home

APP = "llm-lsp"
WORKSPACE_FILE = ".llm-lsp.toml"
TRUSTED_FILES = "trusted.json"
# Bytes. A real settings file is a page; reading a much larger one would block the server.
MAX_BYTES = 1 << 20
# Bytes. The limit for a workspace's file, which may come from an untrusted repository: tomllib needs up to 10 µs per
# token, and quadratic time and memory for dotted keys: a key of 240 KiB exhausts the memory.
MAX_FOLDER_BYTES = 1 << 18
MAX_FOLDER_MARKS = 10_000
_MARKS = (b"\n", b"=", b",", b"[", b"{", b".", b'"', b"'", b"\\")
_KEY_OF_MANY_PARTS = re.compile(rb"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){16}""")
TOO_LARGE = f"none of its settings are used: over {MAX_FOLDER_BYTES >> 10} KiB or {parse.MAX_ENTRIES:,} keys"

# Used when the policy file cannot be read: it may forbid completion.
CLOSED: Mapping[str, object] = {"enabled": False}


@dataclass(frozen=True, slots=True)
class SettingsFiles:
    """A settings file's content; `fault` says in one line why it cannot be used, and `settings` is then empty."""

    settings: Mapping[str, object]
    fault: str = ""
    exists: bool = True
    data: bytes = field(default=b"", compare=False)
    """The file's bytes, from which the settings were read."""


def user_file() -> Path:
    """Return the path of the user's settings file, whether or not it exists."""
    return user_config_folder() / "config.toml"


def policy_file() -> Path:
    """Return the path of the machine's policy file."""
    return policy_folder() / "policy.toml"


def defaults_file() -> Path:
    """Return the path of the machine's defaults file, which only an administrator can create."""
    if sys.platform == "win32":
        # Not beside the policy file: any account can create a folder in %PROGRAMDATA%, and this file can send code away.
        return Path(os.environ.get("PROGRAMFILES", r"C:\Program Files")) / APP / "defaults.toml"
    return policy_folder() / "defaults.toml"


def user_config_folder() -> Path:
    """Return the platform's folder for a user's settings."""
    from platformdirs import user_config_path

    return user_config_path(APP, appauthor=False)


def books_file() -> Path:
    """Return the path of the usage store, whether or not the file exists."""
    return user_data_folder() / "usage.db"


def user_data_folder() -> Path:
    """Return the platform's folder for a user's data."""
    from platformdirs import user_data_path

    return user_data_path(APP, appauthor=False)


def user_state_folder() -> Path:
    """Return the platform's folder for a user's state, such as logs and records."""
    from platformdirs import user_state_path

    return user_state_path(APP, appauthor=False)


def policy_folder() -> Path:
    """Return a folder that only the machine's administrator can write."""
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / APP
    if sys.platform == "darwin":
        return Path("/Library/Application Support") / APP
    return Path("/etc") / APP


def read_settings(config_file: Path | None = None, folders: Iterable[str | Path] = ()) -> SettingsStack:
    """Read the machine's defaults, the user's file (or `config_file` instead), each folder's file, and the policy."""
    from llm_lsp.providers.catalogue.presets import PRESET_CONFIGS

    stack = _with_defaults(SettingsStack(PRESET_CONFIGS))
    path = config_file or user_file()
    found = read_file(path)
    if config_file and not found.exists:
        found = SettingsFiles({}, "the file does not exist")
    problems = [*_problems(path, found), *_open_to_all(path), *_without_home()]
    stack = stack.with_layer(SettingsSource.USER_FILE, found.settings, str(path), tuple(problems))
    policy = read_file(policy_file())
    if policy.exists:
        settings = CLOSED if policy.fault else policy.settings
        stack = stack.with_layer(
            SettingsSource.POLICY_FILE, settings, str(policy_file()), _problems(policy_file(), policy)
        )
    return with_folders(stack, folders)


def _with_defaults(stack: SettingsStack) -> SettingsStack:
    path = defaults_file()
    found = read_file(path)
    if not found.exists:
        return stack
    fault = found.fault or _foreign(path)
    problems = (Problem(str(path), fault),) if fault else ()
    return stack.with_layer(
        SettingsSource.DEFAULTS_FILE, {} if fault else found.settings, str(path), problems
    )


def with_folders(stack: SettingsStack, folders: Iterable[str | Path]) -> SettingsStack:
    """Read the workspace file of each folder (a path or a file URI), replacing those read before."""
    from llm_lsp.cli.files.trusted_files import TrustedFiles

    stack = stack.without(SettingsSource.WORKSPACE_FILE).without(SettingsSource.TRUSTED_FILE)
    trusted = TrustedFiles(user_config_folder() / TRUSTED_FILES)
    for folder in filter(None, map(folder_path, folders)):
        path = folder / WORKSPACE_FILE
        found = read_folder_file(path)
        if found.exists:
            source = (
                SettingsSource.TRUSTED_FILE
                if trusted.holds(path, found.data)
                else SettingsSource.WORKSPACE_FILE
            )
            stack = stack.with_layer(source, found.settings, str(path), _problems(path, found))
    return stack


def folder_path(folder: str | Path) -> Path | None:
    """Return a folder's path; None for a URI that does not name a file on this machine."""
    if isinstance(folder, Path) or "://" not in folder:
        return Path(folder)
    return path_of_uri(folder)


def read_folder_file(path: Path) -> SettingsFiles:
    """Read a workspace's file like `read_file`, but refuse it if parsing it would take long."""
    found = _read(path, MAX_FOLDER_BYTES)
    if isinstance(found, SettingsFiles):
        return found
    if sum(map(found.count, _MARKS)) > MAX_FOLDER_MARKS or _KEY_OF_MANY_PARTS.search(found):
        return SettingsFiles({}, TOO_LARGE)
    return _decode(found)


def read_file(path: Path) -> SettingsFiles:
    """Read a TOML file; any problem becomes a one-line fault with its position, and no settings."""
    found = _read(path, MAX_BYTES)
    return found if isinstance(found, SettingsFiles) else _decode(found)


def _read(path: Path, max_bytes: int) -> bytes | SettingsFiles:
    try:
        data = read_plain_file(path, max_bytes)
    except FileNotFoundError:
        return SettingsFiles({}, exists=False)
    except OSError as exc:
        # A parent "folder" is a file, so this file does not exist.
        if isinstance(exc, NotADirectoryError):
            return SettingsFiles({}, exists=False)
        return SettingsFiles({}, f"cannot be read: {exc.strerror or exc}")
    if data is None:
        return SettingsFiles({}, f"not a regular file of at most {max_bytes >> 10} KiB")
    return data


def _decode(data: bytes) -> SettingsFiles:
    # Imported here: a server without settings files starts without it.
    import tomllib

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        return SettingsFiles({}, f"not valid UTF-8 at line {line}")
    try:
        return SettingsFiles(tomllib.loads(text), data=data)
    except tomllib.TOMLDecodeError as exc:
        return SettingsFiles({}, _toml_fault(str(exc), text))
    except ValueError:
        return SettingsFiles({}, "not valid TOML: a number has too many digits")
    except RecursionError:
        return SettingsFiles({}, "not valid TOML: too deeply nested")


def _toml_fault(said: str, text: str) -> str:
    """Return tomllib's message with the position first, and a line number for "end of document"."""
    cause, _, place = " ".join(said.split()).removesuffix(")").rpartition(" (at ")
    if place == "end of document":
        place = f"line {text.count(chr(10)) + 1} (end of file)"
    return f"not valid TOML at {place}: {cause}" if cause else f"not valid TOML: {place}"


def _problems(path: Path, found: SettingsFiles) -> tuple[Problem, ...]:
    return (Problem(str(path), found.fault),) if found.fault else ()


def _open_to_all(path: Path) -> tuple[Problem, ...]:
    """Warn if every user of the machine can change a file that decides where code is sent."""
    if os.name != "posix":
        return ()
    try:
        mode = path.stat().st_mode
    except OSError:
        return ()
    if not mode & stat.S_IWOTH:
        return ()
    return (Problem(str(path), "every user of this machine can change it; run `chmod 600` on it"),)


def _foreign(path: Path) -> str:
    """Return why a file may be another account's, which could then send this user's code away, or ""."""
    if os.name != "posix":
        return ""
    try:
        found = path.stat()
    except OSError as exc:
        return f"cannot be read: {exc.strerror}"
    if found.st_mode & stat.S_IWOTH or found.st_uid not in (0, os.geteuid()):
        return "not used, because others than the administrator can change it; run `chown root` and `chmod 644` on it"
    return ""


def _without_home() -> tuple[Problem, ...]:
    """Warn if what is stored goes to a temporary folder, where it may not last."""
    folder = temporary_home()
    if not folder or Path(folder) not in user_file().parents:
        return ()
    kept = "nothing is kept" if folder == os.devnull else f"settings and usage are kept in {folder}"
    return (Problem("HOME", f"this account has no home folder, so {kept}; set HOME to keep them elsewhere"),)
