"""Which paths the URI of a document can mean."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote, urlsplit

# Documents that a user writes; others are views (diffs, settings, output), which only a setting adds. Each of these can
# name a file: an unsaved one has the path that it is to be saved at.
SCHEMES = (
    "file", "untitled", "vscode-notebook-cell", "vscode-remote", "vscode-userdata",
    "vscode-vfs",  # a virtual workspace, as of GitHub Repositories
    "vscode-scm",  # a commit message
    "vscode-interactive", "vscode-interactive-input",  # the interactive window, and the line below it
)  # fmt: skip
# The fragment of these is the cell.
_CELL = "-cell"


def readings(uri: str) -> tuple[str, ...]:
    """Return the paths that a URI can mean, the most likely first, whatever its scheme.

    Some clients leave `#`, `?` and `%` as they stand in a file's name, and some escape a path twice.
    Raises ValueError for what is no URI.
    """
    parts = urlsplit(uri)
    tail = uri.partition(":")[2]
    if parts.scheme.endswith(_CELL):
        tail = tail.partition("#")[0]
    if tail.startswith("//"):
        # Behind the authority.
        tail = "/" + tail[2:].partition("/")[2]
    decoded = [_decoded(path) for path in (parts.path, tail)]
    return tuple(dict.fromkeys((*decoded, *map(_decoded, decoded))))


def _decoded(path: str) -> str:
    # Bytes that are no text stay what they are, as in Python's own names of files.
    return unquote(path, errors="surrogateescape")


def normal(path: str) -> str:
    """Write a path in one way: with slashes, without `..`, composed characters, and no slash at its beginning."""
    kept: list[str] = []
    for part in path.replace("\\", "/").split("/"):
        if part == "..":
            kept = kept[:-1]
        elif part not in ("", "."):
            kept.append(part)
    joined = "/".join(kept)
    return joined if joined.isascii() else unicodedata.normalize("NFC", joined)
