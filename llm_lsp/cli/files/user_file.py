"""Edits the user's settings file in place: comments, order and file mode are kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_lsp.cli.files.settings_files import read_file
from llm_lsp.errors import ConfigError
from llm_lsp.system import write_private

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


class UserFile:
    """The file as text and as tables; nothing is written before `save`."""

    def __init__(self, path: Path) -> None:
        """Read the file; raises ConfigError if it exists but is invalid, since writing would destroy it."""
        import tomlkit

        found = read_file(path)
        if found.fault:
            raise ConfigError(f"{path}: {found.fault}; fix it first")
        self.path = path
        text = path.read_text("utf-8-sig") if found.exists else ""
        self._document: TOMLDocument = tomlkit.parse(text)

    @property
    def choice(self) -> str:
        """Return the provider that this file chooses, or "auto"."""
        return str(self._document.get("provider", "auto"))

    @property
    def settings(self) -> dict[str, Any]:
        """Return all its settings, as `read_file` would."""
        return self._document.unwrap()

    @property
    def providers(self) -> Mapping[str, Any]:
        """Return the tables under `[providers]`."""
        found = self._document.get("providers", {})
        return found if isinstance(found, Mapping) else {}

    def choose(self, name: str) -> None:
        """Set which provider is used."""
        self._document["provider"] = name

    def put_provider(self, name: str, settings: Mapping[str, object]) -> None:
        """Add a provider's table, or change these settings in it."""
        import tomlkit

        if "providers" not in self._document:
            self._document["providers"] = tomlkit.table(is_super_table=True)
        tables: Any = self._document["providers"]
        if name not in tables:
            tables[name] = tomlkit.table()
        for key, value in settings.items():
            tables[name][key] = value

    def remove_provider(self, name: str) -> bool:
        """Remove a provider's table and its choice; return False if there was neither."""
        tables: Any = self._document.get("providers", {})
        found = name in tables or self.choice == name
        if name in tables:
            del tables[name]
        if self.choice == name:
            del self._document["provider"]
        return found

    def save(self) -> None:
        """Write the file atomically; a new file is private to its owner, an existing one keeps its mode.

        A symbolic link is followed: its target is written.
        """
        import tomlkit

        path = Path(os.path.realpath(self.path))
        try:
            mode = path.stat().st_mode if path.exists() else None
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(path, tomlkit.dumps(self._document).encode())
            if mode is not None:
                path.chmod(mode & 0o777)
        except OSError as exc:
            raise ConfigError(f"{self.path} cannot be written: {exc.strerror}") from exc
