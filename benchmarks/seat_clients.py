"""The people at the seats of `benchmarks.seats`, and the clients that they use: the engine, and two simple ones."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from benchmarks.replica import Replica, ReplicaCall
from benchmarks.session import Manuscript, Session
from benchmarks.typist import Answer, Tally, Typist
from benchmarks.world import Model, Silent, VirtualClock
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.prompt.prompts import Prompt, RawPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Completion, CompletionRequest, Patience, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Text
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from tests.doubles import at_once

# Seconds without a key that count as a pause in which a person waits for a suggestion.
WAIT_S = 1.0
# Tokens that the model writes after it went astray: it ends a line or a block of its own before it stops.
ASTRAY_TOKENS = 24
MAX_TOKENS = 128
# Seconds. Copilot waits 75 ms after a key, Continue 350; a client of a few lines usually has something between.
DEBOUNCE_S = 0.15
# Characters that the simple clients send before and after the cursor: about as many tokens as the engine.
BEFORE_CHARS, AFTER_CHARS = 4500, 1500

CLIENTS = ("engine", "debounce", "plain")
PARTS = ("cache", "join", "stop", "confidence", "affinity")
"""Parts that the engine can be run without."""
_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "engine": "llm-lsp",
        "debounce": f"a client with a debounce of {1000 * DEBOUNCE_S:.0f} ms only",
        "plain": "a plain client",
        "cache": "llm-lsp without its cache",
        "join": "llm-lsp without joining calls",
        "stop": "llm-lsp without ending calls early",
        "confidence": "llm-lsp with whole lines",
        "affinity": "llm-lsp without affinity, two replicas",
    }
)


@dataclass(frozen=True, slots=True)
class Setup:
    """Which client the seats have."""

    client: str = "engine"
    without: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The row of the table."""
        return _NAMES[next(iter(self.without), self.client)]


@dataclass(frozen=True, slots=True, order=True)
class Wait:
    """How long a person waited for a suggestion; if none came in the pause, its length."""

    seconds: float
    is_missed: bool = False


class Router:
    """Chooses a replica for each call: by the document's affinity, or at random as LiteLLM does by default."""

    def __init__(self, replicas: Sequence[Replica], *, has_affinity: bool) -> None:
        self._replicas = replicas
        self._has_affinity = has_affinity
        self._dice = random.Random(1)

    def replica(self, document: int) -> Replica:
        if not self._has_affinity:
            return self._dice.choice(self._replicas)
        digest = hashlib.blake2b(str(document).encode(), digest_size=4).digest()
        return self._replicas[int.from_bytes(digest, "big") % len(self._replicas)]


@dataclass(slots=True)
class SharedModel:
    """The replicas as one seat sees them."""

    number: int
    router: Router
    manuscript: Manuscript
    closing_stops: bool
    model: Model = field(default_factory=Model)

    @property
    def profile(self) -> Profile:
        return Profile("team", "m", "qwen", max_in_flight=2)

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> ReplicaCall:
        assert isinstance(prompt, RawPrompt)
        return self.call(prompt.text)

    def call(self, prompt: str) -> ReplicaCall:
        tokens = self.model.answer(*self.manuscript.foretell(prompt))
        if " astray" in tokens:
            tokens += [f" word{number}" for number in range(ASTRAY_TOKENS)]
        replica = self.router.replica(self.number)
        return ReplicaCall(replica, self.number, prompt, tokens[:MAX_TOKENS], self.closing_stops)

    async def warm(self) -> None:
        """There is no connection."""

    async def aclose(self) -> None:
        """What is open ends with its engine."""


class Seat:
    """One person with a client; `waits` are those for suggestions that were not known before."""

    def __init__(
        self, number: int, clock: VirtualClock, router: Router, setup: Setup, session: Session
    ) -> None:
        self.waits: list[Wait] = []
        self._clock = clock
        self._manuscript = Manuscript(session)
        model = SharedModel(number, router, self._manuscript, "stop" not in setup.without)
        self._client: EngineClient | SimpleClient
        if setup.client == "engine":
            self._client = EngineClient(clock, model, self._manuscript, setup.without)
        else:
            debounce_s = DEBOUNCE_S if setup.client == "debounce" else 0.0
            self._client = SimpleClient(clock, model, self._manuscript, debounce_s)
        self._typist = Typist(self._manuscript, self)
        self._asked_at: float | None = None
        self._answer_after: float | None = None

    @property
    def tally(self) -> Tally:
        """What the person has typed and accepted."""
        return self._typist.tally

    async def work(self, begins_s: float) -> None:
        """Type until the session is over."""
        await self._clock.sleep(begins_s)
        await self._typist.run()

    # The typist's desk

    def now(self) -> float:
        return self._clock.now()

    async def until(self, when: float) -> None:
        """Let time pass."""
        await self._clock.sleep(max(0.0, when - self._clock.now()))

    def change(self, text: Text, edit: Edit) -> None:
        """Set the text after an edit."""
        self._count_wait()
        self._client.change(text, edit)

    async def ask(self) -> Answer:
        """Ask at the cursor."""
        self._asked_at = self._clock.now()
        self._answer_after = None
        text, is_wanted = await self._client.ask()
        waited_s = self._clock.now() - self._asked_at
        # What was known already, and what the client does not want to know, is no wait.
        if waited_s == 0 or not is_wanted:
            self._asked_at = None
        else:
            self._answer_after = waited_s
        return Answer(text)

    def _count_wait(self) -> None:
        """Count the wait that ends with a key, if the pause before it was long enough to be one."""
        if self._asked_at is None:
            return
        pause_s = self._clock.now() - self._asked_at
        if pause_s >= WAIT_S:
            answered_s = self._answer_after
            self.waits.append(Wait(pause_s, is_missed=True) if answered_s is None else Wait(answered_s))
        self._asked_at = None

    async def aclose(self) -> None:
        await self._client.aclose()


class EngineClient:
    """The real engine."""

    def __init__(
        self, clock: VirtualClock, model: SharedModel, manuscript: Manuscript, without: frozenset[str]
    ) -> None:
        self._clock, self._manuscript = clock, manuscript
        silent = Silent(model)
        world = EngineDependencies(silent, silent.with_folders, clock, in_thread=at_once)
        length = "line" if "confidence" in without else "auto"
        # Only the rate limit of a single paid API is lifted: here it would hide what a client asks of a replica.
        settings = {"completion": {"length": length, "calls_per_minute": 6000}}
        self._engine = CompletionEngine(SettingsStack().with_layer("user file", settings), world, silent)
        pipeline = self._engine._pipeline
        if "cache" in without:
            pipeline._cache.find = lambda ask, shown_id=None: None  # type: ignore[method-assign]
        if "join" in without:
            pipeline._calls._scheduler._join = lambda ask: None  # type: ignore[method-assign]
        self._document = Document(f"file:///seat{model.number}.py", "python", 1, manuscript.text)
        self._engine.open(self._document)

    def change(self, text: Text, edit: Edit) -> None:
        before = self._document
        self._document = Document(before.uri, before.language, before.version + 1, text)
        self._engine.change(self._document, (edit,))

    async def ask(self) -> tuple[str, bool]:
        """Return the suggestion, and whether one was wanted."""
        request = CompletionRequest(
            self._engine.next_id(),
            self._document,
            self._manuscript.cursor,
            Trigger.AUTOMATIC,
            "inline",
            self._clock.now(),
        )
        answer = await self._engine.complete(request)
        if isinstance(answer, Completion):
            return answer.text, True
        return "", isinstance(answer, Skip) and answer.reason in (Reason.TIMED_OUT, Reason.PROVIDER_FAILED)

    async def aclose(self) -> None:
        await self._engine.aclose()


class SimpleClient:
    """A client of a few lines on pygls and httpx: each key is a call, after a debounce or at once, read to its end.

    A request that the editor cancels closes its call.
    """

    def __init__(
        self, clock: VirtualClock, model: SharedModel, manuscript: Manuscript, debounce_s: float
    ) -> None:
        self._clock, self._model, self._manuscript = clock, model, manuscript
        self._debounce_s = debounce_s
        self._text = manuscript.text

    def change(self, text: Text, edit: Edit) -> None:
        self._text = text

    async def ask(self) -> tuple[str, bool]:
        """Return the suggestion, which is always wanted."""
        whole = str(self._text)
        before = whole[: self._manuscript.offset]
        # From the start of a line, so that the prompt begins the same for a few keys.
        start = before.find("\n", max(0, len(before) - BEFORE_CHARS)) + 1 if len(before) > BEFORE_CHARS else 0
        after = whole[self._manuscript.offset :][:AFTER_CHARS]
        if self._debounce_s:
            await self._clock.sleep(self._debounce_s)
        call = self._model.call(f"<|fim_prefix|>{before[start:]}<|fim_suffix|>{after}<|fim_middle|>")
        try:
            text = "".join([chunk.text async for chunk in call])
        finally:
            call.release()
        return text, True

    async def aclose(self) -> None:
        """Nothing is kept."""
