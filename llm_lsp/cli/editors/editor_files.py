"""The supported editors, their configuration files and where each file belongs."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import llm_lsp
from llm_lsp.cli.files.settings_files import user_state_folder
from llm_lsp.errors import EditorFileError
from llm_lsp.system import write_private


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One file of an editor's configuration."""

    source: str
    """Path within the folder of all configurations."""
    target: str
    """Path within the editor's own folder."""

    def content(self) -> bytes:
        """Return the file's bytes."""
        return (configurations() / self.source).read_bytes()


@dataclass(frozen=True, slots=True)
class EditorHome:
    """An editor's configuration folder per system, each relative to a folder that `_base` finds; macOS defaults
    to Linux's.
    """

    linux: str
    windows: str
    macos: str = ""

    def path(self) -> Path:
        """Return the folder for this system."""
        by_system = {"win32": self.windows, "darwin": self.macos or self.linux}
        base, _, rest = by_system.get(sys.platform, self.linux).partition("/")
        return _base(base) / rest


@dataclass(frozen=True, slots=True)
class EditorSetup:
    """An editor, how it shows completions, and what its user has to do."""

    title: str
    shows: str
    """How the editor shows completions."""
    files: tuple[ConfigFile, ...]
    home: EditorHome | None
    """None if the editor reads no configuration from a known folder."""
    then: str
    """What the user does after the files are installed."""
    package: str = ""
    """Extension that the editor installs itself, by its path in the folder of all configurations; "" if it
    reads files.
    """

    def path(self, file: ConfigFile) -> Path | None:
        """Return where a file belongs."""
        return self.home.path() / file.target if self.home else None


_FOLDER = "folder"
"""Marks a created folder in the record; files have their digest there."""


class PlacementOutcome(Enum):
    """What happened to a file; the value is the message for the user."""

    WRITTEN = "written"
    SAME = "already there"
    OCCUPIED = "not written: a different file exists"
    REMOVED = "removed"
    ABSENT = "not there"
    CHANGED = "kept: it has been changed since it was installed"


@dataclass(frozen=True, slots=True)
class Placement:
    """Writes and removes files. `record` lists what was written, so that no other file is ever touched."""

    record: Path

    @classmethod
    def of_this_user(cls) -> Placement:
        """Return the placement whose record is in the user's state folder."""
        return cls(user_state_folder() / "editors.json")

    def install(self, content: bytes, path: Path) -> PlacementOutcome:
        """Write a file, unless one exists that was not written by this program, or was changed since.

        Raises EditorFileError.
        """
        present = _read(path)
        if present == content:
            return PlacementOutcome.SAME
        if present is not None and not self._wrote(path, present):
            return PlacementOutcome.OCCUPIED
        try:
            # Recorded before it is written: a file that is not in the record could never be removed again.
            made = {folder: _FOLDER for folder in path.parents if not folder.exists()}
            self._remember({**made, path: _digest(content)})
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as exc:
            raise EditorFileError(f"{path} cannot be written: {exc.strerror}") from exc
        return PlacementOutcome.WRITTEN

    def remove(self, path: Path) -> PlacementOutcome:
        """Remove a file that this program wrote and that has not changed since. Raises EditorFileError."""
        present = _read(path)
        if present is None:
            return PlacementOutcome.ABSENT
        if not self._wrote(path, present):
            return PlacementOutcome.CHANGED
        try:
            path.unlink()
            self._remember({path: None, **self._remove_folders(path)})
        except OSError as exc:
            raise EditorFileError(f"{path} cannot be removed: {exc.strerror}") from exc
        return PlacementOutcome.REMOVED

    def _remove_folders(self, path: Path) -> dict[Path, None]:
        """Remove the empty folders above a file that were created for it; return the removed ones."""
        records = self._records()
        gone: dict[Path, None] = {}
        for folder in path.parents:
            if records.get(str(folder)) != _FOLDER or any(folder.iterdir()):
                break
            folder.rmdir()
            gone[folder] = None
        return gone

    def _wrote(self, path: Path, content: bytes) -> bool:
        return self._records().get(str(path)) == _digest(content)

    def _records(self) -> dict[str, object]:
        try:
            records = json.loads(_read(self.record) or b"{}")
        except ValueError:  # a damaged record counts as empty, so all files are left alone
            return {}
        return records if isinstance(records, dict) else {}

    def _remember(self, news: Mapping[Path, str | None]) -> None:
        records = {**self._records(), **{str(path): value for path, value in news.items()}}
        kept = {name: value for name, value in records.items() if value is not None}
        self.record.parent.mkdir(parents=True, exist_ok=True)
        write_private(self.record, json.dumps(kept, indent=2).encode())


def configurations() -> Path:
    """Return the folder of all configurations: inside the package, or in a checkout next to it."""
    package = Path(llm_lsp.__file__).parent
    inside = package / "editor_configs"
    return inside if inside.is_dir() else package.parent / "editor-configs"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise EditorFileError(f"{path} cannot be read: {exc.strerror}") from exc


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _base(name: str) -> Path:
    """Return the base folder of that name, such as XDG_CONFIG_HOME or %APPDATA%."""
    home = Path.home()
    if name == "config":
        return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    if name == "data":
        return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    if name == "appdata":
        return Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming")
    if name == "localappdata":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if name == "support":
        return home / "Library" / "Application Support"
    assert name == "home"
    return home


def _copied(folder: str, *names: str) -> tuple[ConfigFile, ...]:
    return tuple(ConfigFile(f"{folder}/{name}", name) for name in names)


_PACKAGE = "pack/llm-lsp/start/llm-lsp"
"""Where Vim and Neovim load plugins from at startup (`:help packages`)."""

EDITORS: Mapping[str, EditorSetup] = {
    "neovim": EditorSetup(
        "Neovim 0.11 and later",
        "ghost text",
        _copied(
            "neovim",
            "plugin/llm-lsp.lua",
            "lsp/llm_lsp.lua",
            *(
                f"lua/llm-lsp/{name}.lua"
                for name in ("init", "offer", "ghost", "native", "edit", "edit_mark")
            ),
            *(
                f"lua/llm-lsp/{name}.lua"
                for name in ("keys", "status", "commands", "rewrite", "health", "buffers")
            ),
            "doc/llm-lsp.txt",
            "doc/tags",
        ),
        EditorHome(linux="data/nvim/site/" + _PACKAGE, windows="localappdata/nvim-data/site/" + _PACKAGE),
        "Restart Neovim; :help llm-lsp lists the keys, and :checkhealth llm-lsp checks the setup.",
    ),
    "vim": EditorSetup(
        "Vim 9",
        "ghost text",
        _copied(
            "vim", "plugin/llm-lsp.vim", "import/edit.vim", "import/keymap.vim", "doc/llm-lsp.txt", "doc/tags"
        ),
        EditorHome(linux="home/.vim/" + _PACKAGE, windows="home/vimfiles/" + _PACKAGE),
        "Restart Vim; :help llm-lsp lists the keys.",
    ),
    "emacs": EditorSetup(
        "Emacs 28 and later",
        "ghost text",
        _copied("emacs", "llm-lsp.el"),
        EditorHome(linux="home/.emacs.d", windows="appdata/.emacs.d"),
        "Add to init.el: (load (locate-user-emacs-file \"llm-lsp\")) (add-hook 'prog-mode-hook #'llm-lsp-mode)",
    ),
    "helix": EditorSetup(
        "Helix",
        "menu",
        _copied("helix", "languages.toml"),
        EditorHome(linux="config/helix", windows="appdata/helix"),
        "List your languages in the file; `hx --health python` shows whether the server is found.",
    ),
    "vscode": EditorSetup(
        "VS Code",
        "ghost text",
        (),
        None,
        "Reload its windows; editor-configs/vscode/README.md lists the keys.",
        "vscode/llm-lsp.vsix",
    ),
    "zed": EditorSetup(
        "Zed",
        "ghost text, from the model server itself",
        _copied("zed", "settings.json"),
        EditorHome(linux="config/zed", windows="appdata/Zed"),
        "It needs a running model server: see editor-configs/zed/README.md.",
    ),
    "sublime-text": EditorSetup(
        "Sublime Text",
        "menu",
        _copied("sublime-text", "LSP.sublime-settings"),
        EditorHome(
            linux="config/sublime-text/Packages/User",
            macos="support/Sublime Text/Packages/User",
            windows="appdata/Sublime Text/Packages/User",
        ),
        'Install the package "LSP".',
    ),
    "kate": EditorSetup(
        "Kate",
        "menu",
        (ConfigFile("kate/settings.json", "settings.json"),),
        EditorHome(linux="config/kate/lspclient", windows="localappdata/kate/lspclient"),
        "Close Kate while the file is written, then enable its LSP Client plugin.",
    ),
    "jetbrains": EditorSetup(
        "JetBrains, with LSP4IJ",
        "ghost text",
        _copied("jetbrains", "llm-lsp/template.json"),
        None,
        "In LSP4IJ's New Language Server dialog, import the folder editor-configs/jetbrains/llm-lsp as a template.",
    ),
}

ALIASES: Mapping[str, str] = {"nvim": "neovim", "code": "vscode"}
"""Editors by their program's name, where it differs."""
