"""Gives our extension to each VS Code that is on the PATH."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from llm_lsp.errors import EditorFileError

# VS Code and those made from it, by the program that each puts on the PATH; all take `--install-extension`.
PROGRAMS = ("code", "code-insiders", "codium", "cursor", "windsurf", "code-server")
# Publisher and name of editor-configs/vscode/package.json.
IDENTIFIER = "llm-lsp.llm-lsp"
# Seconds. Installing took code-server 4 on two slow cores; a remote one copies the package first.
_PATIENCE_S = 120


def install(package: Path) -> list[str]:
    """Install a package in each, and give the programs that did; raises EditorFileError."""
    return _run_each("--install-extension", str(built(package)), "--force")


def built(package: Path) -> Path:
    """Return a package's path; raises EditorFileError if it was not built."""
    if not package.exists():
        raise EditorFileError(
            f"{package} was not built: in a clone run `npm ci && npm run package` in editor-configs/vscode, "
            "then install the program again: pipx install --force '.[local]'"
        )
    return package


def uninstall() -> list[str]:
    """Remove it from each, and give the programs that did; raises EditorFileError."""
    return _run_each("--uninstall-extension", IDENTIFIER)


def _run_each(*arguments: str) -> list[str]:
    found = {name: path for name in PROGRAMS if (path := shutil.which(name))}
    if not found:
        raise EditorFileError(f"none of {', '.join(PROGRAMS)} is on your PATH")
    for name, path in found.items():
        try:
            done = subprocess.run(
                [path, *arguments], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise EditorFileError(f"{name} did not answer to {arguments[0]}") from exc
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines() or [f"status {done.returncode}"]
            raise EditorFileError(f"{name} {arguments[0]}: {said[-1]}")
    return list(found)
