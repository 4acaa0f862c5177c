"""Determines from a file's name whether it is a backup, lock or copy, and of which file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

# Longest file name: NAME_MAX of Linux and macOS, in bytes.
MAX_NAME_CHARS = 255

_WORD = (
    r"(?:bak|back|backup|bck|bk|bkp|old|orig|original|prev|previous|save|saved|sav|copy|tmp|temp|rej|"
    r"rpm(?:save|orig|new)|dpkg-(?:old|new|dist|bak|tmp)|ucf-(?:old|new|dist)|pac(?:save|new|orig))"
)
# Suffixes added by editors (`~`, Emacs' `.~1~`, Vim's `.swp` and `.un~`, nano's `.save.1`), package managers and
# people, counters, dates, and on Windows dots, blanks and stream names, which refer to the same file.
_ENDINGS = re.compile(
    r"(?:~|\.~\d+~|\.sw[a-p]|\.un~|[ ._-]" + _WORD + r"\d*|[ ._-]\d{1,14}|[. ]+|:[^:]*|::\$data)$",
    re.IGNORECASE,
)
# What file managers insert: "a (1).key", "a (copy).key", "a - Copy.key", "Copy of a.key".
_INSERTS = re.compile(r" \((?:copy ?)?\d*\)| \(copy\)| - copy| copy(?: \d+)?|^copy of ", re.IGNORECASE)
# What git's mergetool creates next to a file: "a_BACKUP_123.key".
_MERGED = re.compile(r"[._](?:BACKUP|BASE|LOCAL|REMOTE)[._]\d+")


def originals(name: str) -> frozenset[str]:
    """Return the names of files that a file may be a backup, lock or copy of, without its own."""
    found: set[str] = set()
    waiting = [name] if len(name) <= MAX_NAME_CHARS else []
    while waiting:
        for shorter in _once(waiting.pop()):
            # A name that consists of dots is a folder.
            if shorter.strip(".") and shorter not in found:
                found.add(shorter)
                waiting.append(shorter)
    return frozenset(found - {name})


def original_folder(name: str) -> str:
    """Return the name of the folder that a folder is a backup of, else its own."""
    return _FOLDER_ENDING.sub("", name)


# Fewer suffixes than for files: `build-old` and `lib.2` may be independent folders.
_FOLDER_ENDING = re.compile(r"(?<=.)(?:~|\.(?:bak|backup|old|orig|save))+$", re.IGNORECASE)


def _once(name: str) -> Iterator[str]:
    """Yield the name without one mark of a copy."""
    for take_away in _WAYS:
        shorter = take_away(name)
        if shorter != name:
            yield shorter
    if len(name) > 1 and name.startswith(".") and re.search(r"\.sw[a-p]$|\.un~$", name):
        # Vim puts a dot before the name, unless it has one.
        yield name[1:].rpartition(".")[0]


_WAYS: tuple[Callable[[str], str], ...] = (
    lambda name: _ENDINGS.sub("", name),
    lambda name: _INSERTS.sub("", name, count=1),
    lambda name: _MERGED.sub("", name, count=1),
    # Emacs: `#a#` and `.#a`.
    lambda name: name[1:-1] if len(name) > 2 and name[0] == "#" == name[-1] else name,
    lambda name: name.removeprefix(".#"),
    # Vim and Emacs in a separate folder: the whole path, with % or ! for slashes.
    lambda name: name.rpartition("%")[2],
    lambda name: name.rpartition("!")[2],
)
