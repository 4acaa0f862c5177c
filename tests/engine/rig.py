"""An engine with one open document, a scripted model, and a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from llm_lsp.config.settings import Config
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Completion, CompletionRequest, Face, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text
from llm_lsp.engine.client.interface import Level, Progress, Status
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.engine.models.provider_slot import ProviderFinder
from llm_lsp.engine.usage.ledger import UsageStore
from llm_lsp.errors import LlmLspError
from llm_lsp.providers.base import Provider
from tests.doubles import FakeClock, ScriptedProvider, at_once, settle

URI = "file:///p/a.py"


@dataclass
class RecordingClient:
    name: str = "test"
    has_inline: bool = True
    offers_models: bool = False
    shown: list[str] = field(default_factory=list)
    progressed: list[Progress] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    status_now: Status = field(default_factory=Status)

    def show(self, level: Level, text: str) -> None:
        self.shown.append(text)

    def progress(self, progress: Progress) -> None:
        self.progressed.append(progress)

    def status(self, status: Status) -> None:
        self.statuses.append(status.kind)
        self.status_now = status


@dataclass
class ListedFinder:
    """Finds what a test lists, in order: a provider, an error to raise, or a line to report and wait for ever."""

    found: list[Provider | LlmLspError | str]
    searches: int = 0

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        self.searches += 1
        item = self.found.pop(0)
        if isinstance(item, str):
            report(item)
            await asyncio.Event().wait()
            raise AssertionError("unreachable")
        if isinstance(item, LlmLspError):
            raise item
        return item


class SlowFinder:
    """Finds a provider when a test says so."""

    def __init__(self, provider: ScriptedProvider | None = None) -> None:
        self.provider = provider or ScriptedProvider()
        self.is_asked, self.may_find = asyncio.Event(), asyncio.Event()

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        self.is_asked.set()
        await self.may_find.wait()
        return self.provider


def same_stack(stack: SettingsStack, folders: Iterable[str]) -> SettingsStack:
    return stack


class Rig:
    """An engine with one open Python document."""

    def __init__(
        self,
        *found: Provider | LlmLspError | str,
        settings: Mapping[str, object] | None = None,
        finder: ProviderFinder | None = None,
        store: UsageStore | None = None,
        profile: Profile | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.client = RecordingClient()
        self.provider = ScriptedProvider(profile)
        self.finder = ListedFinder([*found] or [self.provider])
        stack = SettingsStack().with_layer(SettingsSource.USER_FILE, settings or {})
        self.engine = CompletionEngine(
            stack,
            EngineDependencies(finder or self.finder, same_stack, self.clock, store=store, in_thread=at_once),
            self.client,
        )

    async def write(self, text: str, uri: str = URI, language: str = "python") -> None:
        self.engine.open(Document(uri, language, 1, Text.of(text)))
        await settle()

    async def type(self, text: str, uri: str = URI) -> None:
        document = self.engine.document(uri)
        assert document is not None
        end = document.text.end
        changed = Document(uri, document.language, document.version + 1, document.text.edit(end, end, text))
        self.engine.change(changed, (Edit(end, end, text),))

    def ask(
        self,
        trigger: Trigger = Trigger.AUTOMATIC,
        face: Face = "inline",
        at: Point | None = None,
        uri: str = URI,
    ) -> asyncio.Task[Completion | Skip]:
        document = self.engine.document(uri)
        assert document is not None
        request = CompletionRequest(
            self.engine.next_id(), document, at or document.text.end, trigger, face, self.clock.now()
        )
        return asyncio.create_task(self.engine.complete(request))


def text_of(result: Completion | Skip) -> str:
    assert isinstance(result, Completion), result
    return result.text


def reason_of(result: Completion | Skip) -> Reason:
    assert isinstance(result, Skip), result
    return result.reason
