"""An engine that asks a model API on loopback which misbehaves, and what must hold whatever that does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from llm_lsp.config.settings import Config
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.generation import Chunk
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.request import Completion, CompletionRequest, Patience, Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text
from llm_lsp.engine.client.interface import Level, Progress, Status
from llm_lsp.engine.clock import Timer
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.providers.http.provider import HttpProvider
from llm_lsp.providers.http.stream import Deadlines, HttpStream
from llm_lsp.providers.provider_factory import make_provider
from tests.patience import PATIENCE_S
from tests.providers.standin import Peer, Received, Script, StandIn, serve, text

KEY = "sk-canary-0123456789"
BUFFER = "canary_in_the_buffer = "
ANSWER = "canary_in_the_answer"
URI = "file:///p/a.py"
PATIENT = Deadlines(*[PATIENCE_S] * 4)


@dataclass
class QuietClient:
    """An editor that notes what it is told."""

    name: str = "test"
    has_inline: bool = True
    offers_models: bool = False
    shown: list[str] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)

    def show(self, level: Level, text: str) -> None:
        self.shown.append(text)

    def progress(self, progress: Progress) -> None:
        pass

    def status(self, status: Status) -> None:
        self.statuses.append(status)


class StillClock:
    """Stands still until `skip`, however long a test takes.

    What waits for a time gets its turn after that delay, and only there it is that time.
    """

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def call_at(self, when: float, action: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(when - self._now, self._call, when, action)

    def _call(self, when: float, action: Callable[[], None]) -> None:
        now = self._now
        self._now = max(now, when)
        action()
        self._now = now

    def skip(self, seconds: float) -> None:
        """Put the hands forward."""
        self._now += seconds


@dataclass
class OneFinder:
    provider: HttpProvider

    async def find(self, config: Config, report: Callable[[str], None]) -> HttpProvider:
        return self.provider


class Upstream:
    """An engine with one open document and one provider over HTTP."""

    def __init__(self, url: str, deadlines: Deadlines, settings: dict[str, Any]) -> None:
        table = {
            "api": "openai-completions",
            "base_url": f"{url}/v1",
            "model": "m",
            "local": False,
            **settings,
        }
        stack = SettingsStack().with_layer(
            SettingsSource.USER_FILE,
            {"provider": "api", "providers": {"api": table}, "completion": {"debounce_ms": 0}},
        )
        self.mended = asyncio.Event()
        """Set, the API is a good one from then on."""
        self.clock = StillClock()
        self.client = QuietClient()
        self.provider = make_provider(stack.resolve().config.providers["api"], Secret(KEY))
        endpoint = self.provider._endpoint
        self.provider._endpoint = replace(endpoint, deadlines=dict.fromkeys(Patience, deadlines))
        self.engine = CompletionEngine(
            stack,
            EngineDependencies(OneFinder(self.provider), lambda stack, _: stack, self.clock),
            self.client,
        )

    async def open(self, text: str = BUFFER) -> None:
        """Open the document, and let the connection for it be made."""
        document = Document(URI, "python", 1, Text.of(text))
        self.engine.open(document)
        await self.engine.ready(document)

    def type(self, text: str) -> None:
        """Put text at the document's end."""
        document = self.engine.document(URI)
        assert document is not None
        end = document.text.end
        changed = replace(document, version=document.version + 1, text=document.text.edit(end, end, text))
        self.engine.change(changed, (Edit(end, end, text),))

    async def ask(self, trigger: Trigger = Trigger.AUTOMATIC, at: Point | None = None) -> Completion | Skip:
        """Ask at the document's end and wait for the answer."""
        document = self.engine.document(URI)
        assert document is not None
        point = at or document.text.end
        number = self.engine.next_id()
        request = CompletionRequest(number, document, point, trigger, "inline", self.clock.now())
        return await self.engine.complete(request)

    def when_heard(self) -> asyncio.Event:
        """Return what is set once text of an answer has come."""
        heard, begin = asyncio.Event(), self.provider.stream

        def stream(prompt: Prompt, patience: Patience = Patience.ASKED) -> HttpStream:
            begun = begin(prompt, patience)
            pass_on = begun._pass

            def passing(chunks: list[Chunk]) -> None:
                pass_on(chunks)
                if chunks:
                    heard.set()

            begun._pass = passing  # type: ignore[method-assign] # nothing else tells when text is here
            return begun

        self.provider.stream = stream  # type: ignore[method-assign]
        return heard

    def everything_said(self) -> str:
        """Return everything that a user may see."""
        return "\n".join([*self.client.shown, *(status.message for status in self.client.statuses)])


@asynccontextmanager
async def upstream(
    script: Script | str, deadlines: Deadlines = PATIENT, settings: dict[str, Any] | None = None
) -> AsyncIterator[tuple[Upstream, StandIn]]:
    """Yield an engine whose provider follows `script`, or is at an address; afterwards check the invariants.

    No key, no code and no answer in what is said; every task and every connection gone.
    """
    before, mended = asyncio.all_tasks(), asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        if isinstance(script, str):
            standin = StandIn(script, 0)
            standin.idle.set()
        else:
            standin = await stack.enter_async_context(serve(_calls_only(script, mended)))
        rig = Upstream(standin.url, deadlines, settings or {})
        rig.mended = mended
        await rig.open()
        try:
            yield rig, standin
        finally:
            await rig.engine.aclose()
        await standin.idle.wait()
        for canary in (KEY, BUFFER.strip(), ANSWER):
            assert canary not in rig.everything_said()
            assert canary not in rig.engine.explain()
    if left := asyncio.all_tasks() - before:
        _, staying = await asyncio.wait(left, timeout=PATIENCE_S)
        assert staying == set()


def _calls_only(script: Script, mended: asyncio.Event) -> Script:
    """Answer what only opens a connection; the faults are those of calls."""

    async def guarded(received: Received, peer: Peer) -> None:
        if received.method != "POST":
            await peer.json({})
        else:
            await (says("1") if mended.is_set() else script)(received, peer)

    return guarded


def calls(standin: StandIn) -> int:
    """Count the calls that were made."""
    return sum(received.method == "POST" for received in standin.received)


def says(*pieces: str, finish: str = "stop") -> Script:
    """Answer as a good API does."""

    async def script(received: Received, peer: Peer) -> None:
        await peer.stream(*map(text, pieces), text("", finish), b"data: [DONE]\n\n")
        await peer.end()

    return script


def refuses(status: int, body: object = None, **headers: str) -> Script:
    """Refuse every request."""

    async def script(received: Received, peer: Peer) -> None:
        await peer.json(body, status, **headers)

    return script


def writes(*pieces: bytes, then: Callable[[Peer], Awaitable[None]] | None = None) -> Script:
    """Write bytes as they are, head and all."""

    async def script(received: Received, peer: Peer) -> None:
        await peer.send(*pieces)
        if then is not None:
            await then(peer)
        else:
            peer.cut_gently()

    return script
