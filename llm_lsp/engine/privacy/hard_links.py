"""Whether a file has other names on the disk, by which it may be excluded.

A hard link leads nowhere: unlike a symbolic one it does not tell the other names.
"""

from __future__ import annotations

import stat
from pathlib import Path

# Package managers link the files of dependencies from one store: pnpm, uv, conda, Yarn, Cargo, Gradle and others. A
# user's own file with a second name is somewhere else.
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
    """Return whether a file has more than one hard link, outside of the folders of dependencies.

    `file` is where symbolic links lead. What is not there, or no plain file, has no other names.
    """
    if not DEPENDENCY_FOLDERS.isdisjoint(file.parts[:-1]):
        return False
    try:
        found = file.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_nlink > 1
