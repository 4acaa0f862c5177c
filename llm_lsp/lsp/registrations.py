"""What the server registers for once the client is ready: changes of settings and of relevant files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lsprotocol import types

from llm_lsp.lsp.conversion import SECTION, Capabilities

# The settings file of a workspace folder, see `cli/files/settings_files.py`.
FOLDER_FILE = "**/.llm-lsp.toml"
# Defines the indentation, see `engine/workspace/stated_indents.py`.
EDITOR_CONFIG_FILE = "**/.editorconfig"


def settings_registrations(capabilities: Capabilities) -> list[types.Registration]:
    """Return the registrations for changes of the editor's settings."""
    if not capabilities.watches_settings:
        return []
    options = {"section": SECTION}
    return [types.Registration("settings", types.WORKSPACE_DID_CHANGE_CONFIGURATION, options)]


def file_registrations(capabilities: Capabilities, files: Iterable[Path]) -> list[types.Registration]:
    """Return the registrations for changes of `files`, and of FOLDER_FILE and EDITOR_CONFIG_FILE in workspace
    folders.
    """
    watchers = [_watcher(file) for file in files] if capabilities.watches_files else []
    if not watchers:
        return []
    watched = types.DidChangeWatchedFilesRegistrationOptions(
        [types.FileSystemWatcher(FOLDER_FILE), types.FileSystemWatcher(EDITOR_CONFIG_FILE), *watchers]
    )
    return [types.Registration("settings files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, watched)]


def _watcher(file: Path) -> types.FileSystemWatcher:
    # VS Code applies a plain glob to workspace folders only.
    return types.FileSystemWatcher(types.RelativePattern(file.parent.as_uri(), file.name))
