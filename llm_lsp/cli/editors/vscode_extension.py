"""Installs our extension into every VS Code variant on the PATH."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from llm_lsp.errors import EditorFileError

# Command names of VS Code and its derivatives; all accept `--install-extension`.
PROGRAMS = ("code", "code-insiders", "codium", "cursor", "windsurf", "code-server")
# Publisher and name of editor-configs/vscode/package.json.
IDENTIFIER = "llm-lsp.llm-lsp"
# Seconds. code-server needed 4 s on two slow cores; a remote VS Code copies the package first.
_PATIENCE_S = 120


def install(package: Path) -> list[str]:
    """Install a package in each VS Code; return the programs that did. Raises EditorFileError."""
    return _run_each("--install-extension", str(built(package)), "--force")


def built(package: Path) -> Path:
    """Return the package's path; raises EditorFileError if it has not been built."""
    if not package.exists():
        raise EditorFileError(
            f"{package} has not been built: in a clone run `npm ci && npm run package` in editor-configs/vscode, "
            "then reinstall the program: pipx install --force '.[local]'"
        )
    return package


def uninstall() -> list[str]:
    """Uninstall the extension from each VS Code; return the programs that did. Raises EditorFileError."""
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
            raise EditorFileError(f"{name} {arguments[0]} did not finish") from exc
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines() or [f"status {done.returncode}"]
            raise EditorFileError(f"{name} {arguments[0]}: {said[-1]}")
    return list(found)
