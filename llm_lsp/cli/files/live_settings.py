"""Watches the settings files while the server runs; an invalid edit leaves the previous settings in use."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from llm_lsp.cli.files.settings_files import (
    TRUSTED_FILES,
    WORKSPACE_FILE,
    defaults_file,
    folder_path,
    policy_file,
    read_settings,
    user_file,
    with_folders,
)
from llm_lsp.config.settings import Problem
from llm_lsp.config.settings_layers import Layer, SettingsStack, by_source
from llm_lsp.config.source_rules import SettingsSource

Stamp = tuple[int, int, int] | None
"""Inode, modification time in ns, and size of a file; None if it does not exist."""

_KEPT = "the previous settings stay in use"


class LiveSettings:
    """Reads the settings files, and remembers the state in which each was read."""

    def __init__(self, config_file: Path | None) -> None:
        self._config_file = config_file
        self._user_file = config_file or user_file()
        self._seen: dict[Path, Stamp] = {}

    def read(self) -> SettingsStack:
        """Read the user's file and the machine's two files at startup."""
        # Taken before reading, so that a change during the read is noticed later.
        self._seen = {path: _stamp(path) for path in self._paths(())}
        return read_settings(self._config_file)

    def with_folders(self, stack: SettingsStack, folders: Iterable[str]) -> SettingsStack:
        """Read the settings files of these folders (URIs), replacing those read before."""
        folders = tuple(folders)
        fixed = {path: self._seen.get(path) for path in self._paths(())}
        self._seen = {path: _stamp(path) for path in self._paths(folders)} | fixed
        return with_folders(stack, folders)

    def watched(self) -> tuple[Path, ...]:
        """Return the files outside of workspace folders that a client may watch."""
        return tuple(self._paths(()))

    def reread(self, stack: SettingsStack, folders: tuple[str, ...]) -> tuple[Layer, ...] | None:
        """Return the layers of all files if one changed since it was read, else None; blocks.

        A layer with a new problem keeps its previous content, with the problem attached: a half-written file or
        a typo in an exclude pattern must not undo earlier settings. Only the machine's policy always takes
        effect.
        """
        stamps = {path: _stamp(path) for path in self._paths(folders)}
        if stamps == self._seen:
            return None
        self._seen = stamps
        found = read_settings(self._config_file, folders)
        if stamps[self._user_file] is None and _has_settings(stack, self._user_file):
            problem = Problem(str(self._user_file), "the file was deleted")
            found = found.with_layer(SettingsSource.USER_FILE, {}, str(self._user_file), (problem,))
        known = set(stack.resolve().problems)
        problems = [each for each in stack.with_files(found.layers).resolve().problems if each not in known]
        broken = {each.source: each for each in by_source(problems)}
        old = {layer.label: layer for layer in stack.layers}
        return tuple(_kept(layer, old.get(layer.label), broken.get(layer.label)) for layer in found.layers)

    def _paths(self, folders: tuple[str, ...]) -> Iterator[Path]:
        yield self._user_file
        yield defaults_file()
        yield policy_file()
        yield user_file().parent / TRUSTED_FILES
        for folder in filter(None, map(folder_path, folders)):
            yield folder / WORKSPACE_FILE


def _kept(layer: Layer, old: Layer | None, problem: Problem | None) -> Layer:
    """Return the reread layer, or the previous one with the reread one's problem."""
    if problem is None or old is None or layer.source is SettingsSource.POLICY_FILE:
        return layer
    return replace(old, problems=(Problem(problem.source, f"{problem.message}; {_KEPT}"),))


def _has_settings(stack: SettingsStack, path: Path) -> bool:
    return any(layer.settings for layer in stack.layers if layer.label == str(path))


def _stamp(path: Path) -> Stamp:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
