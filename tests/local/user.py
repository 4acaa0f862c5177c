"""A user of the model's server, as a language server is one: joins or starts it, says so, and stays."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from llm_lsp.config.settings import LocalConfig
from llm_lsp.local.local_models import LocalModels, LocalPaths


def main(models: str, state: str, idle_minutes: str) -> None:
    """Print the server's process id, and wait for the end of standard input."""
    config = LocalConfig(model="smollm2-135m", idle_minutes=float(idle_minutes))
    local = LocalModels(LocalPaths(Path(models), Path(state)))
    endpoint = asyncio.run(local.acquire(config, lambda line: None))
    sys.stdout.write(f"{endpoint.pid}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
