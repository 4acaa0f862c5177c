"""Whether a file has other names on disk, under which it may be excluded.

Unlike a symbolic link, a hard link does not reveal the other names.
"""

from __future__ import annotations

import stat
from pathlib import Path

# Package managers hard-link dependencies from a common store: pnpm, uv, conda, Yarn, Cargo, Gradle and others. These
# folders do not contain a user's own files.
DEPENDENCY_FOLDERS = frozenset(
    {
        *(
            "node_modules",
            ".pnpm-store",
            ".yarn",
            "bower_components",
            "vendor",
            "Pods",
            "Carthage",
            ".bundle",
            "gems",
        ),
        *("site-packages", "dist-packages", ".venv", "venv", ".tox", ".nox", ".pixi", "__pypackages__"),
        *(".cargo", ".rustup", ".gradle", ".m2", ".nuget", ".pub-cache", ".stack", ".cabal", ".opam"),
    }
)


def has_other_names(file: Path) -> bool:
    """Check whether a file outside of dependency folders has more than one hard link.

    `file` has its symbolic links resolved. A missing file, or one that is not a regular file, has no other names.
    """
    if not DEPENDENCY_FOLDERS.isdisjoint(file.parts[:-1]):
        return False
    try:
        found = file.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_nlink > 1
