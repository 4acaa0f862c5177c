"""The editors, their configuration files and where those go."""

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
    """Its path in the folder of all configurations."""
    target: str
    """Its path in the editor's own folder."""

    def content(self) -> bytes:
        """Return what is in it."""
        return (configurations() / self.source).read_bytes()


@dataclass(frozen=True, slots=True)
class EditorHome:
    """An editor's folder by system, each below a place that `_base` knows; macOS may follow Linux."""

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
    """An editor, and what a user needs to know of it in one line."""

    title: str
    shows: str
    """How completions look in it."""
    files: tuple[ConfigFile, ...]
    home: EditorHome | None
    """None where the editor reads no file of a known place."""
    then: str
    """What is left to do."""
    package: str = ""
    """What it installs itself, by the path in the folder of all configurations; "" for one that reads files."""

    def path(self, file: ConfigFile) -> Path | None:
        """Return the place of a file."""
        return self.home.path() / file.target if self.home else None


_FOLDER = "folder"
"""Stands in the record for a folder that was made, where a file has its digest."""


class PlacementOutcome(Enum):
    """What became of a file; the value is what the user reads."""

    WRITTEN = "written"
    SAME = "already there"
    OCCUPIED = "not written, another file is there"
    REMOVED = "removed"
    ABSENT = "not there"
    CHANGED = "left, it is not as it was written"


@dataclass(frozen=True, slots=True)
class Placement:
    """Writes and removes files, and remembers in `record` what it wrote, so that nothing else is ever touched."""

    record: Path

    @classmethod
    def of_this_user(cls) -> Placement:
        """Return the one whose record is in the user's state folder."""
        return cls(user_state_folder() / "editors.json")

    def install(self, content: bytes, path: Path) -> PlacementOutcome:
        """Write a file, unless one is there that was not written from here, or was changed since.

        Raises EditorFileError.
        """
        present = _read(path)
        if present == content:
            return PlacementOutcome.SAME
        if present is not None and not self._wrote(path, present):
            return PlacementOutcome.OCCUPIED
        try:
            # Remembered first: a file without its record could never be removed again.
            made = {folder: _FOLDER for folder in path.parents if not folder.exists()}
            self._remember({**made, path: _digest(content)})
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as exc:
            raise EditorFileError(f"{path} cannot be written: {exc.strerror}") from exc
        return PlacementOutcome.WRITTEN

    def remove(self, path: Path) -> PlacementOutcome:
        """Remove a file that was written from here and not changed since. Raises EditorFileError."""
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
        """Remove the folders above a file that were made for it and hold nothing else; give those that are gone."""
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
        except ValueError:  # half a record is none: files are then left alone
            return {}
        return records if isinstance(records, dict) else {}

    def _remember(self, news: Mapping[Path, str | None]) -> None:
        records = {**self._records(), **{str(path): value for path, value in news.items()}}
        kept = {name: value for name, value in records.items() if value is not None}
        self.record.parent.mkdir(parents=True, exist_ok=True)
        write_private(self.record, json.dumps(kept, indent=2).encode())


def configurations() -> Path:
    """Return the folder of all configurations: inside the package, or beside it in a checkout."""
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
    """Return a folder that editors keep their own in."""
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
"""Where Vim and Neovim load a plugin from by themselves (`:help packages`)."""

EDITORS: Mapping[str, EditorSetup] = {
    "neovim": EditorSetup(
        "Neovim 0.11 and later",
        "ghost text",
        _copied(
            "neovim",
            "plugin/llm-lsp.lua",
            "lsp/llm_lsp.lua",
            *(f"lua/llm-lsp/{name}.lua" for name in ("init", "offer", "ghost", "native")),
            *(f"lua/llm-lsp/{name}.lua" for name in ("keys", "status", "commands", "health")),
            "doc/llm-lsp.txt",
            "doc/tags",
        ),
        EditorHome(linux="data/nvim/site/" + _PACKAGE, windows="localappdata/nvim-data/site/" + _PACKAGE),
        "Start Neovim again; the keys are in :help llm-lsp, and :checkhealth llm-lsp says whether all is well.",
    ),
    "vim": EditorSetup(
        "Vim 9",
        "ghost text",
        _copied("vim", "plugin/llm-lsp.vim", "import/keymap.vim", "doc/llm-lsp.txt", "doc/tags"),
        EditorHome(linux="home/.vim/" + _PACKAGE, windows="home/vimfiles/" + _PACKAGE),
        "Start Vim again; the keys are in :help llm-lsp.",
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
        "Name your languages in the file; `hx --health python` shows whether the server is found.",
    ),
    "vscode": EditorSetup(
        "VS Code",
        "ghost text",
        (),
        None,
        "Reload its windows; the keys are in editor-configs/vscode/README.md.",
        "vscode/llm-lsp.vsix",
    ),
    "zed": EditorSetup(
        "Zed",
        "ghost text, from the model server itself",
        _copied("zed", "settings.json"),
        EditorHome(linux="config/zed", windows="appdata/Zed"),
        "Read editor-configs/zed/README.md: it needs a model server that runs.",
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
        "Switch the plugin LSP Client on, with Kate closed while the file is written.",
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
"""What an editor's program is called, where its name is another."""
