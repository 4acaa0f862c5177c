"""Makes git repositories for tests; the machine's own configuration of git plays no part."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@dataclass(frozen=True, slots=True)
class GitRig:
    """A repository with a work tree."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> GitRig:
        root.mkdir(parents=True, exist_ok=True)
        rig = cls(root)
        rig.git("init", "--quiet", "--initial-branch=main")
        return rig

    def git(self, *arguments: str) -> str:
        """Run git in it; raises if git fails."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "A"),
            **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "a@example.com"),
        }
        done = subprocess.run(
            ["git", "-C", str(self.root), *arguments], env=environment, capture_output=True, check=True
        )
        return done.stdout.decode()

    def commit(self, files: Mapping[str, str | bytes | None], subject: str = "Change") -> str:
        """Write files, or remove those that are None, and commit all; return the commit's id."""
        for name, content in files.items():
            path = self.root / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD").strip()
