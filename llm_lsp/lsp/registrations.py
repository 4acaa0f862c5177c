"""What is registered once the client is ready: notifications of changed settings, and of changed settings files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types

from llm_lsp.lsp.conversion import SECTION, Capabilities

# The settings file of a workspace folder, see `cli/files/settings_files.py`.
FOLDER_FILE = "**/.llm-lsp.toml"


def settings_registrations(capabilities: Capabilities) -> list[types.Registration]:
    """Return what to register to hear of changes in the editor's settings."""
    if not capabilities.watches_settings:
        return []
    options = {"section": SECTION}
    return [types.Registration("settings", types.WORKSPACE_DID_CHANGE_CONFIGURATION, options)]


def file_registrations(capabilities: Capabilities, files: Iterable[Path]) -> list[types.Registration]:
    """Return what to register to hear of changed settings files: `files`, and FOLDER_FILE in workspace folders."""
    watchers = [_watcher(file) for file in files] if capabilities.watches_files else []
    if not watchers:
        return []
    watched = types.DidChangeWatchedFilesRegistrationOptions(
        [types.FileSystemWatcher(FOLDER_FILE), *watchers]
    )
    return [types.Registration("settings files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, watched)]


def _watcher(file: Path) -> types.FileSystemWatcher:
    # VS Code looks for a plain glob in the workspace's folders only.
    return types.FileSystemWatcher(types.RelativePattern(file.parent.as_uri(), file.name))
