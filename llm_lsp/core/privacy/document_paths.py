"""Determines which paths a document's URI can mean."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote, urlsplit

# Schemes of documents that users write. Others are views (diffs, settings, output), which only a setting can add. Each
# of these can name a file: an unsaved document's URI has the path under which it will be saved.
SCHEMES = (
    "file", "untitled", "vscode-notebook-cell", "vscode-remote", "vscode-userdata",
    "vscode-vfs",  # a virtual workspace, as of GitHub Repositories
    "vscode-scm",  # a commit message
    "vscode-interactive", "vscode-interactive-input",  # the interactive window, and the line below it
)  # fmt: skip
# The fragment of these URIs identifies the cell.
_CELL = "-cell"


def readings(uri: str) -> tuple[str, ...]:
    """Return the paths that a URI can mean, the most likely first, whatever its scheme.

    Some clients do not escape `#`, `?` and `%` in file names, and some escape a path twice. Raises ValueError
    for an invalid URI.
    """
    parts = urlsplit(uri)
    tail = uri.partition(":")[2]
    if parts.scheme.endswith(_CELL):
        tail = tail.partition("#")[0]
    if tail.startswith("//"):
        # Skip the authority.
        tail = "/" + tail[2:].partition("/")[2]
    decoded = [_decoded(path) for path in (parts.path, tail)]
    return tuple(dict.fromkeys((*decoded, *map(_decoded, decoded))))


def _decoded(path: str) -> str:
    # Undecodable bytes are kept, like in Python's own file names.
    return unquote(path, errors="surrogateescape")


def normal(path: str) -> str:
    """Normalize a path: slashes, no `..`, composed characters, no leading slash."""
    kept: list[str] = []
    for part in path.replace("\\", "/").split("/"):
        if part == "..":
            kept = kept[:-1]
        elif part not in ("", "."):
            kept.append(part)
    joined = "/".join(kept)
    return joined if joined.isascii() else unicodedata.normalize("NFC", joined)
