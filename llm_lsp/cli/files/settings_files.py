"""Finds and reads the files of settings."""

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
from llm_lsp.system import path_of_uri, read_plain_file

APP = "llm-lsp"
WORKSPACE_FILE = ".llm-lsp.toml"
TRUSTED_FILES = "trusted.json"
# Settings are a page; what is larger is no settings file, and would hold the server up.
MAX_BYTES = 1 << 20
# Of a folder's file, which a stranger may have written: tomllib takes up to 10 µs for each mark, and for a key of many
# parts time and memory by their square: one of 240 KiB ends the process.
MAX_FOLDER_BYTES = 1 << 18
MAX_FOLDER_MARKS = 10_000
_MARKS = (b"\n", b"=", b",", b"[", b"{", b".", b'"', b"'", b"\\")
_KEY_OF_MANY_PARTS = re.compile(rb"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){16}""")
TOO_LARGE = f"none of its settings is used: over {MAX_FOLDER_BYTES >> 10} KiB or {parse.MAX_ENTRIES:,} keys"

# A policy that cannot be read may forbid what we are about to do.
CLOSED: Mapping[str, object] = {"enabled": False}


@dataclass(frozen=True, slots=True)
class SettingsFiles:
    """What a file holds; `fault` is one line where it cannot be used, and `settings` is empty then."""

    settings: Mapping[str, object]
    fault: str = ""
    exists: bool = True
    data: bytes = field(default=b"", compare=False)
    """The file's bytes, from which the settings were read."""


def user_file() -> Path:
    """Return the place of the user's own settings, whether or not there is a file."""
    return user_config_folder() / "config.toml"


def policy_file() -> Path:
    """Return the place of the machine's policy."""
    return policy_folder() / "policy.toml"


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
    """Return the platform's folder for a program's state."""
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
    """Read the user's file, or `config_file` in its place, each folder's, and the machine's policy."""
    from llm_lsp.providers.catalogue.presets import PRESET_CONFIGS

    stack = SettingsStack(PRESET_CONFIGS)
    path = config_file or user_file()
    found = read_file(path)
    if config_file and not found.exists:
        found = SettingsFiles({}, "there is no such file")
    problems = [*_problems(path, found), *_open_to_all(path)]
    stack = stack.with_layer(SettingsSource.USER_FILE, found.settings, str(path), tuple(problems))
    policy = read_file(policy_file())
    if policy.exists:
        settings = CLOSED if policy.fault else policy.settings
        stack = stack.with_layer(
            SettingsSource.POLICY_FILE, settings, str(policy_file()), _problems(policy_file(), policy)
        )
    return with_folders(stack, folders)


def with_folders(stack: SettingsStack, folders: Iterable[str | Path]) -> SettingsStack:
    """Read the workspace file of each folder, in place of those read before; a folder is a path or a file URI."""
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
    """Return a folder's path, or None for a URI that names no file on this machine."""
    if isinstance(folder, Path) or "://" not in folder:
        return Path(folder)
    return path_of_uri(folder)


def read_folder_file(path: Path) -> SettingsFiles:
    """Read a folder's own file as `read_file` does; one that takes long to read is refused whole."""
    found = _read(path, MAX_FOLDER_BYTES)
    if isinstance(found, SettingsFiles):
        return found
    if sum(map(found.count, _MARKS)) > MAX_FOLDER_MARKS or _KEY_OF_MANY_PARTS.search(found):
        return SettingsFiles({}, TOO_LARGE)
    return _decode(found)


def read_file(path: Path) -> SettingsFiles:
    """Read a TOML file; whatever is wrong with it is one line with the place, and nothing is changed."""
    found = _read(path, MAX_BYTES)
    return found if isinstance(found, SettingsFiles) else _decode(found)


def _read(path: Path, max_bytes: int) -> bytes | SettingsFiles:
    try:
        data = read_plain_file(path, max_bytes)
    except FileNotFoundError:
        return SettingsFiles({}, exists=False)
    except OSError as exc:
        # A folder in whose place a file stands: the file below it is not there either.
        if isinstance(exc, NotADirectoryError):
            return SettingsFiles({}, exists=False)
        return SettingsFiles({}, f"cannot be read: {exc.strerror or exc}")
    if data is None:
        return SettingsFiles({}, f"no settings file, which is a plain one of at most {max_bytes >> 10} KiB")
    return data


def _decode(data: bytes) -> SettingsFiles:
    # Imported here: with no file to read, the server starts without it.
    import tomllib

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        return SettingsFiles({}, f"no UTF-8 text at line {line}")
    try:
        return SettingsFiles(tomllib.loads(text), data=data)
    except tomllib.TOMLDecodeError as exc:
        return SettingsFiles({}, _toml_fault(str(exc), text))
    except ValueError:
        return SettingsFiles({}, "no valid TOML: a number has more digits than can be read")
    except RecursionError:
        return SettingsFiles({}, "no valid TOML: too deeply nested")


def _toml_fault(said: str, text: str) -> str:
    """Return the message of tomllib, the place first; it does not name the line of the end."""
    cause, _, place = " ".join(said.split()).removesuffix(")").rpartition(" (at ")
    if place == "end of document":
        place = f"line {text.count(chr(10)) + 1}, where the file ends"
    return f"no valid TOML at {place}: {cause}" if cause else f"no valid TOML: {place}"


def _problems(path: Path, found: SettingsFiles) -> tuple[Problem, ...]:
    return (Problem(str(path), found.fault),) if found.fault else ()


def _open_to_all(path: Path) -> tuple[Problem, ...]:
    """Warn of a file that says where code is sent and that every user of the machine may change."""
    if os.name != "posix":
        return ()
    try:
        mode = path.stat().st_mode
    except OSError:
        return ()
    if not mode & stat.S_IWOTH:
        return ()
    return (Problem(str(path), "may be changed by everybody on this machine, run `chmod 600` on it"),)
