"""An engine with several providers, of which one is the fallback of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llm_lsp.config.settings import Config
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Completion, Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.engine.usage.ledger import UsageStore
from llm_lsp.errors import (
    LlmLspError,
    ModelFileError,
    UnreachableError,
)
from llm_lsp.providers.base import Provider
from tests.doubles import ScriptedProvider, settle
from tests.engine.rig import Rig, text_of


def api(*fallback: str) -> Mapping[str, object]:
    return {"api": "openai-completions", "base_url": "https://h.example/v1", "fallback": list(fallback)}


SETTINGS: Mapping[str, object] = {
    "provider": "main",
    "providers": {"main": api("spare"), "spare": api(), "strong": api()},
    "routes": [{"trigger": "manual", "language": "go", "provider": "strong"}],
}


class NamedFinder:
    """Finds a provider by its name in the settings."""

    def __init__(self, found: Mapping[str, Provider | LlmLspError]) -> None:
        self.found = found
        self.searched: list[str] = []

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        self.searched.append(config.provider)
        item = self.found[config.provider]
        if isinstance(item, LlmLspError):
            raise item
        return item


class Several(Rig):
    """An engine with three providers, of which one stands in for another."""

    def __init__(
        self,
        settings: Mapping[str, object] = SETTINGS,
        store: UsageStore | None = None,
        **found: Provider | LlmLspError,
    ) -> None:
        self.named = {
            name: ScriptedProvider(Profile(name, "m", "none", max_in_flight=2))
            for name in ("main", "spare", "strong")
        }
        self.by_name = NamedFinder({**self.named, "local": ModelFileError("no model"), **found})
        super().__init__(settings=settings, finder=self.by_name, store=store)

    @property
    def main(self) -> ScriptedProvider:
        return self.named["main"]

    @property
    def spare(self) -> ScriptedProvider:
        return self.named["spare"]

    async def fails(self, error: LlmLspError, trigger: Trigger = Trigger.AUTOMATIC) -> Completion | Skip:
        """Ask, let the newest call of the main provider fail, and wait for the answer."""
        task = self.ask(trigger)
        await settle()
        self.main.streams[-1].fail(error)
        return await task

    async def goes_offline(self) -> None:
        """Let the main provider fail until it is left alone; the other answers the last request."""
        self.spare.replies = ["0\n", "0\n"]
        assert text_of(await self.fails(UnreachableError("h: nothing listens"))) == "0"
        assert text_of(await self.fails(UnreachableError("h: nothing listens"))) == "0"
        await self.type("0\nz = ")
