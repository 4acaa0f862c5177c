"""Several users on one slow model server: how soon each sees a suggestion, in virtual time.

    python -m benchmarks.slow_server                         # five, on a llama.cpp server with one slot and one thread
    python -m benchmarks.slow_server --seats 3 --pause-s 8

Each user writes a file of their own, in an engine of its own: a line at a time, after which the user looks at the
screen for a while, or until a suggestion comes, takes it if it is right, and types on. The server reads one prompt
after the other, in batches, keeps the last one in its cache, and drops a closed call at the end of a batch.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.session import Manuscript, session_from
from benchmarks.world import Model, Silent, VirtualClock
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.generation import Chunk, Finish, PromptProgress
from llm_lsp.core.prompt.prompts import Prompt, RawPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Completion, CompletionRequest, Patience, Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import common_start
from llm_lsp.core.text.token_estimate import estimate_tokens
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from tests.doubles import at_once

# Tokens a second of a 0.5B model on one thread of a shared machine, and llama.cpp's batch by default.
PROMPT_TOKENS_PER_S, ANSWER_TOKENS_PER_S, BATCH_TOKENS = 50.0, 18.0, 2048
# Seconds: between two keys; from seeing a suggestion to typing on; and of the whole run.
KEY_S, LOOK_S, RUN_S = 0.2, 1.0, 120.0


@dataclass(slots=True)
class SlowServer:
    """A model server with one slot; `reports` says whether it tells how it reads a prompt."""

    clock: VirtualClock
    prompt_tokens_per_s: float = PROMPT_TOKENS_PER_S
    tokens_per_s: float = ANSWER_TOKENS_PER_S
    batch_tokens: int = BATCH_TOKENS
    reports: bool = True
    closed_at_work: int = 0
    """Calls that were closed while their prompt was read."""
    prompts: list[int] = field(default_factory=list)
    """The tokens of each prompt that was begun."""
    _cached: tuple[int, str] = 0, ""
    """The last prompt, and whose it was: each user writes another file."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def serve(self, call: SlowCall) -> None:
        """Answer one call when it is its turn; a closed one frees the slot at the end of a batch."""
        async with self._turn:
            if call.has_left():
                return
            total, done = self._begin(call)
            began, cached = self.clock.now(), done
            self._report(call, PromptProgress(total, cached, done, 0.0))
            while done < total:
                n_next = min(self.batch_tokens, total - done)
                await self.clock.sleep(n_next / self.prompt_tokens_per_s)
                done += n_next
                if call.has_left():
                    self.closed_at_work += 1
                    return
                self._report(call, PromptProgress(total, cached, done, self.clock.now() - began))
            for token in call.tokens:
                if call.has_left():
                    return
                call.chunks.put_nowait(Chunk(token))
                await self.clock.sleep(1 / self.tokens_per_s)
            call.chunks.put_nowait(Chunk("", Finish.STOP))

    def _begin(self, call: SlowCall) -> tuple[int, int]:
        """Return the tokens of a prompt and those of them that are cached; the prompt is in the cache from now on."""
        prompt = call.prompt
        shared = common_start(prompt, self._cached[1]) if self._cached[0] == call.seat else 0
        self._cached = call.seat, prompt
        total = max(1, round(estimate_tokens(prompt)))
        self.prompts.append(total)
        return total, min(total - 1, round(estimate_tokens(prompt[:shared])))

    def _report(self, call: SlowCall, progress: PromptProgress) -> None:
        if self.reports:
            call.chunks.put_nowait(Chunk(pieces=0, progress=progress))


@dataclass(slots=True)
class SlowCall:
    """One call."""

    server: SlowServer
    seat: int
    prompt: str
    tokens: list[str]
    is_over: bool = False
    chunks: asyncio.Queue[Chunk] = field(default_factory=asyncio.Queue)
    _reader: asyncio.Task[object] | None = None
    _work: asyncio.Task[None] | None = None

    def has_left(self) -> bool:
        """Return whether the client is gone."""
        return self.is_over

    def __aiter__(self) -> SlowCall:
        if self._work is None:
            self._work = asyncio.ensure_future(self.server.serve(self))
        return self

    async def __anext__(self) -> Chunk:
        self._reader = asyncio.current_task()
        if self.is_over:
            raise StopAsyncIteration
        chunk = await self.chunks.get()
        self.is_over = chunk.finish is not None
        return chunk

    def close(self) -> None:
        self.is_over = True
        if self._reader:
            self._reader.cancel()

    def release(self) -> None:
        self.is_over = True


@dataclass(slots=True)
class SeatProvider:
    """The server as the engine of one user sees it."""

    server: SlowServer
    seat: int
    manuscript: Manuscript
    foresight: float

    @property
    def profile(self) -> Profile:
        return Profile("slow", "m", "none", local=True, free=True, max_in_flight=1, may_be_slow=True)

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> SlowCall:
        assert isinstance(prompt, RawPrompt)
        tokens = Model(length=self.foresight).answer(*self.manuscript.foretell(prompt.text))
        return SlowCall(self.server, self.seat, prompt.text, tokens)

    async def warm(self) -> None:
        """There is no connection."""

    async def aclose(self) -> None:
        """What is open ends with its engine."""


@dataclass(frozen=True, slots=True)
class User:
    """How each user works."""

    pause_s: float = 20.0
    """Seconds to look for a suggestion at the end of a line."""
    foresight: float = 0.85
    """The share of tokens that the model foresees."""


class Seat:
    """One user: an editor, a server and a file."""

    def __init__(self, server: SlowServer, number: int, user: User) -> None:
        path = Path(__file__).with_name("sample.txt")
        self._session = session_from(path, "python", number, 4000)
        self._manuscript = Manuscript(self._session)
        self._clock, self._user = server.clock, user
        silent = Silent(SeatProvider(server, number, self._manuscript, user.foresight))
        world = EngineDependencies(silent, silent.with_folders, self._clock, in_thread=at_once)
        self._engine = CompletionEngine(SettingsStack(), world, silent)
        self._document = Document(f"file:///seat{number}.py", "python", 1, self._manuscript.text)
        self._engine.open(self._document)
        self._pending: asyncio.Task[Completion | Skip] | None = None
        self._offer = ""
        self.seen_at: list[float] = []

    async def work(self, begins_s: float) -> None:
        """Type until the run is over."""
        await self._clock.sleep(begins_s)
        while self._manuscript.key_idx < len(self._session.keys):
            key = self._session.keys[self._manuscript.key_idx]
            await self._clock.sleep(KEY_S)
            self._write(key.deleted, key.text)
            self._manuscript.key_idx += 1
            if key.text == "\n" or self._offer:
                await self._look()

    async def _look(self) -> None:
        """Wait for a suggestion, and take it if it is what is typed next."""
        until = self._clock.now() + self._user.pause_s
        while not self._offer and self._clock.now() < until:
            await self._clock.sleep(KEY_S)
        await self._clock.sleep(LOOK_S)
        if self._offer and self._manuscript.ahead().startswith(self._offer):
            offer, self._offer = self._offer, ""
            self._manuscript.key_idx += len(offer)
            self._write(0, offer)

    def _write(self, deleted: int, text: str) -> None:
        edit = self._manuscript.write(deleted, text)
        self._offer = self._offer[len(text) :] if text and self._offer.startswith(text) else ""
        before = self._document
        self._document = Document(before.uri, before.language, before.version + 1, self._manuscript.text)
        self._engine.change(self._document, (edit,))
        if self._pending:
            self._pending.cancel()
        self._pending = asyncio.create_task(self._ask())

    async def _ask(self) -> Completion | Skip:
        request = CompletionRequest(
            self._engine.next_id(),
            self._document,
            self._manuscript.cursor,
            Trigger.AUTOMATIC,
            "inline",
            self._clock.now(),
        )
        result = await self._engine.complete(request)
        if isinstance(result, Completion):
            if not self._offer:
                self.seen_at.append(self._clock.now())
            self._offer = result.text
        return result

    async def aclose(self) -> None:
        if self._pending:
            self._pending.cancel()
        await self._engine.aclose()


@dataclass(frozen=True, slots=True)
class Figures:
    """What the users saw, and what the server did."""

    first_s: list[float | None]
    """When each of them saw the first suggestion."""
    n_seen: int
    n_prompts: int
    last_prompt_tokens: list[int]
    n_closed_at_work: int


async def run_seats(n_seats: int, user: User, *, reports: bool = True) -> Figures:
    """Let so many users work for RUN_S, and return what they saw."""
    clock = VirtualClock()
    server = SlowServer(clock, reports=reports)
    seats = [Seat(server, number, user) for number in range(1, n_seats + 1)]
    works = [asyncio.create_task(seat.work(number * 1.0)) for number, seat in enumerate(seats)]
    await clock.until(RUN_S)
    for work in works:
        work.cancel()
    for seat in seats:
        await seat.aclose()
    firsts = [min(seat.seen_at, default=None) for seat in seats]
    return Figures(
        [None if at is None else round(at, 1) for at in firsts],
        sum(len(seat.seen_at) for seat in seats),
        len(server.prompts),
        server.prompts[-5:],
        server.closed_at_work,
    )


def main() -> None:
    """Run and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seats", type=int, default=5)
    parser.add_argument("--pause-s", type=float, default=20.0, help="how long a user looks for a suggestion")
    parser.add_argument("--silent", action="store_true", help="the server reports nothing")
    parser.add_argument("--foresight", type=float, default=0.85, help="of the model, for each token")
    options = parser.parse_args()
    user = User(options.pause_s, options.foresight)
    print(json.dumps(asdict(asyncio.run(run_seats(options.seats, user, reports=not options.silent)))))


if __name__ == "__main__":
    main()
