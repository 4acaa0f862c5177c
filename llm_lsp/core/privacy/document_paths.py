"""Which paths the URI of a document can mean."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote, urlsplit

# Documents that are code someone writes; others are views (diffs, settings, output). Each of these can name a file:
# an unsaved one has the path that it is to be saved at.
SCHEMES = ("file", "untitled", "vscode-notebook-cell", "vscode-remote", "vscode-userdata")
# Its fragment is the cell.
_NOTEBOOK_CELL = "vscode-notebook-cell"


def readings(uri: str) -> tuple[str, ...]:
    """Return the paths that a URI can mean, the most likely first; none for one that names no document.

    Some clients leave `#`, `?` and `%` as they stand in a file's name, and some escape a path twice.
    Raises ValueError for what is no URI.
    """
    parts = urlsplit(uri)
    if parts.scheme not in SCHEMES:
        return ()
    tail = uri.partition(":")[2]
    if parts.scheme == _NOTEBOOK_CELL:
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
