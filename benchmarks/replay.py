"""Replay a typing session against the engine, in virtual time: what its user would have got, for how many calls.

    python -m benchmarks.replay                     # a session made from this repository, from a seed
    python -m benchmarks.replay --first-s 0.7 --tokens-per-s 30

Two minutes of typing take a second. The user asks at each typed key, cancels the question before, and accepts what
was on screen for 0.3 s where it, or its leading whole lines, are what is typed next.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.session import Key, Session, session_from
from benchmarks.world import Model, Silent, SimulatedProvider, VirtualClock
from llm_lsp.config.stack import SettingsStack
from llm_lsp.core.context import Prepared
from llm_lsp.core.text import Text
from llm_lsp.core.types import Completion, CompletionRequest, Document, Edit, Fim, Point, Skip, Trigger
from llm_lsp.engine.engine import CompletionEngine, World

REACTION_S = 0.3
MIN_ACCEPT_CHARS = 3


@dataclass(slots=True)
class Tally:
    """What came of it."""

    keys: int = 0
    accepted_chars: int = 0
    valid_keys: int = 0
    answers: int = 0
    at_once: int = 0
    slowest_at_once_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the document is, and how the model is asked."""

    uri: str = "file:///session"
    folders: tuple[str, ...] = ()
    fim: Fim = "none"


NOWHERE = Desk()


async def at_once(survey: Callable[[], Prepared]) -> Prepared:
    """Read files without a thread: virtual time does not wait for one."""
    return survey()


class Replay:
    """One user, one document, one engine."""

    def __init__(self, session: Session, model: Model, desk: Desk = NOWHERE) -> None:
        self.session = session
        self.clock = VirtualClock()
        self.provider = SimulatedProvider(self.clock, model, self.foretell, desk.fim)
        silent = Silent(self.provider)
        world = World(silent, silent.with_folders, self.clock, in_thread=at_once)
        self.engine = CompletionEngine(SettingsStack(), world, silent)
        self.engine.set_folders(desk.folders)
        self.uri = desk.uri
        self.tally = Tally()
        self.key_idx = 0
        self.offset = len(session.start)
        self.shown = ""
        self.shown_at = 0.0
        self.pending: asyncio.Task[Completion | Skip] | None = None

    def foretell(self) -> tuple[str, int]:
        """Give what is typed next, and where: the model's foresight."""
        return self.session.ahead(self.key_idx, self.offset), self.offset

    async def run(self) -> Tally:
        """Type the whole session."""
        self.engine.open(
            Document(self.uri, self.session.language, 1, Text.of(self.session.start + self.session.tail))
        )
        moment = 0.0
        while self.key_idx < len(self.session.keys):
            key = self.session.keys[self.key_idx]
            moment += key.gap_s
            await self.clock.until(moment)
            if offer := self._wanted(key):
                self._accept(offer)
            else:
                self._press(key)
        await self.clock.until(moment + 1)
        await self.engine.aclose()
        return self.tally

    def _wanted(self, key: Key) -> str:
        """Give the part of what is shown that the user takes."""
        ahead = "" if key.deleted else self.session.ahead(self.key_idx, key.offset)
        if self.clock.now() - self.shown_at < REACTION_S:
            return ""
        lines = self.shown.split("\n")
        for count in range(len(lines), 0, -1):
            part = "\n".join(lines[:count])
            if len(part) >= MIN_ACCEPT_CHARS and ahead.startswith(part):
                return part
        return ""

    def _accept(self, offer: str) -> None:
        self._edit(self.session.keys[self.key_idx].offset, 0, offer)
        self.key_idx += len(offer)
        self.tally.accepted_chars += len(offer)
        self.shown, self.shown_at = self.shown[len(offer) :], self.clock.now()
        self._ask()

    def _press(self, key: Key) -> None:
        self.key_idx += 1
        self._edit(key.offset - key.deleted, key.deleted, key.text)
        if key.deleted:
            self._drop()
            self.shown = ""
            return
        self.tally.keys += 1
        self.shown = self.shown[len(key.text) :] if self.shown.startswith(key.text) else ""
        ahead = self.session.ahead(self.key_idx, self.offset)
        self.tally.valid_keys += bool(self.shown) and ahead.startswith(self.shown.split("\n")[0][:12])
        self._ask()

    def _edit(self, offset: int, deleted: int, text: str) -> None:
        document = self.engine.document(self.uri)
        assert document is not None
        end = self._cursor(document)
        start = Point(end.line, end.column - deleted)
        changed = document.text.edit(start, end, text)
        self.engine.change(
            Document(self.uri, document.language, document.version + 1, changed), (Edit(start, end, text),)
        )
        self.offset = offset + len(text)

    def _cursor(self, document: Document) -> Point:
        """Give the place that is written at: all before the tail is the session's."""
        line_idx = document.text.line_count - 1 - self.session.tail.count("\n")
        return Point(line_idx, len(document.text.line(line_idx)))

    def _drop(self) -> None:
        if self.pending and not self.pending.done():
            self.pending.cancel()
        self.pending = None

    def _ask(self) -> None:
        self._drop()
        document = self.engine.document(self.uri)
        assert document is not None
        now = self.clock.now()
        request = CompletionRequest(
            self.engine.next_id(), document, self._cursor(document), Trigger.AUTOMATIC, "inline", now
        )
        self.pending = asyncio.create_task(self._answer(request))
        self.pending.add_done_callback(self._show)

    async def _answer(self, request: CompletionRequest) -> Completion | Skip:
        began = time.perf_counter()
        answer = await self.engine.complete(request)
        if self.clock.now() == request.asked_at and isinstance(answer, Completion):
            self.tally.at_once += 1
            took_ms = 1e3 * (time.perf_counter() - began)
            self.tally.slowest_at_once_ms = max(self.tally.slowest_at_once_ms, took_ms)
        return answer

    def _show(self, task: asyncio.Task[Completion | Skip]) -> None:
        if task.cancelled() or task is not self.pending:
            return
        self.tally.answers += 1
        answer = task.result()
        text = answer.text if isinstance(answer, Completion) else ""
        if text != self.shown:
            self.shown, self.shown_at = text, self.clock.now()


def report(replay: Replay) -> dict[str, float]:
    """Give the figures of a replay that has run."""
    tally, streams = replay.tally, replay.provider.streams
    edits = tally.keys + tally.accepted_chars
    tokens = sum(stream.n_written for stream in streams)
    return {
        "keys": tally.keys,
        "accepted_share": round(tally.accepted_chars / max(1, edits), 3),
        "calls_per_100_edits": round(100 * len(streams) / max(1, edits), 1),
        "tokens_per_accepted_char": round(tokens / max(1, tally.accepted_chars), 2),
        "valid_on_screen_share": round(tally.valid_keys / max(1, tally.keys), 3),
        "answered_at_once_share": round(tally.at_once / max(1, tally.answers), 3),
        "slowest_at_once_ms": round(tally.slowest_at_once_ms, 2),
    }


def main() -> None:
    """Replay and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    usual = Model()
    here = Path(__file__).parent.parent / "llm_lsp" / "core"
    parser.add_argument("--file", type=Path, default=here / "postprocess.py", help="the file that is typed")
    parser.add_argument("--language", default="python")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keys", type=int, default=2000)
    parser.add_argument("--first-s", type=float, default=usual.first_s)
    parser.add_argument("--tokens-per-s", type=float, default=usual.tokens_per_s)
    parser.add_argument("--foresight", type=float, default=usual.foresight)
    parser.add_argument("--billed", action="store_true", help="closing a connection does not stop the bill")
    options = parser.parse_args()
    model = Model(options.first_s, options.tokens_per_s, options.foresight, not options.billed)
    replay = Replay(session_from(options.file, options.language, options.seed, options.keys), model)
    asyncio.run(replay.run())
    print(json.dumps(report(replay), indent=1))


if __name__ == "__main__":
    main()
