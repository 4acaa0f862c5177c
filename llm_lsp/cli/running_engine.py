"""Runs an engine for as long as a command needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from llm_lsp.cli.terminal.console import ConsoleClient
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.engine.engine import CompletionEngine


@asynccontextmanager
async def running(stack: SettingsStack, client: ConsoleClient) -> AsyncIterator[CompletionEngine]:
    """Yield an engine for the current folder, and close it afterwards."""
    from llm_lsp.cli.wiring import build_engine

    engine = build_engine(stack, client)
    engine.set_folders((Path.cwd().as_uri(),))
    try:
        yield engine
    finally:
        await engine.aclose()
