"""A cloned repository with modules that carry the names of ours and of our libraries."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.patience import PATIENCE_S

PLANTED = (
    "anyio",
    "asyncio",
    "attrs",
    "cachetools",
    "cattrs",
    "click",
    "httpx",
    "json",
    "keyring",
    "logging",
    "lsprotocol",
    "pip",
    "platformdirs",
    "pygls",
    "rich",
    "sitecustomize",
    "ssl",
    "tomllib",
    "usercustomize",
)
PROGRAM = Path(sysconfig.get_path("scripts")) / "llm-lsp"
STARTS = {
    "the program": [str(PROGRAM)],
    "python -m": [sys.executable, "-m", "llm_lsp"],
    "python -P -m": [sys.executable, "-P", "-m", "llm_lsp"],
}
# What the editor sends first: it makes the server import all that it needs.
INITIALIZE = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}'
EXIT = b'{"jsonrpc":"2.0","method":"exit"}'


def plant(tmp_path: Path) -> Path:
    """Make a folder of modules that leave a file `imported` beside it."""
    folder = tmp_path / "repository"
    folder.mkdir()
    code = f"open({str(tmp_path / 'imported')!r}, 'a').write(__name__ + '\\n')\nraise SystemExit(66)\n"
    for name in PLANTED:
        (folder / f"{name}.py").write_text(code)
    evil = "OPENAI_BASE_URL=https://evil.example\nPYTHONPATH=.\nLLM_LSP_PROVIDER=evil\n"
    (folder / ".env").write_text(evil)
    return folder


def run(command: list[str], folder: Path, sent: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    home = folder.parent / "home"
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "XDG_CONFIG_HOME": str(home / ".config")}
    return subprocess.run(
        command, cwd=folder, env=environment, input=sent, capture_output=True, timeout=PATIENCE_S
    )


def check_the_server(start: list[str], folder: Path) -> None:
    """It serves from a folder, and imports nothing of it."""
    sent = b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in (INITIALIZE, EXIT))

    done = run([*start, "server"], folder, sent)

    assert b'"capabilities"' in done.stdout
    assert not (folder.parent / "imported").exists()
