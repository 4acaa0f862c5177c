"""Replay a typing session: what its user would have got, for how many calls.

    python -m benchmarks.replay                     # a generated session, against the engine, in virtual time
    python -m benchmarks.replay --first-s 0.7 --tokens-per-s 30
    python -m benchmarks.replay --process           # against the server's process, as long as typing takes
    python -m benchmarks.replay --trace FILE --start 6000 3000 --keys 300                  # recorded sessions
    python -m benchmarks.replay --trace FILE --start 6000 --recording answers.jsonl        # with a recorded model
    python -m benchmarks.replay --trace FILE --model http://127.0.0.1:8012                 # recorded now
    python -m benchmarks.replay --trace FILE --server 'COMMAND {url}' --options '{"url": "{url}"}'

The user asks at each typed key, cancels the question before, and accepts what was on screen for 0.3 s where it, or
its leading whole lines (`--user words`: also its leading words), are what is typed next.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process import process_desk
from benchmarks.record import record_windows
from benchmarks.recording import read_recording
from benchmarks.server_desk import replay_server
from benchmarks.session import Manuscript, Session, session_from
from benchmarks.trace import read_trace
from benchmarks.trace_replay import LOCAL_MODEL, Replay, replay_trace, together
from benchmarks.typist import Answer, Tally, Typist
from benchmarks.world import Model, Silent, SimulatedProvider, VirtualClock
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.provider_profile import Fim
from llm_lsp.core.request import Completion, CompletionRequest, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Text
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from tests.doubles import at_once

# Keys, by default: a process takes as long as typing does.
KEYS, PROCESS_KEYS = 2000, 400


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the document is, and how the model is asked."""

    uri: str = "file:///session"
    folders: tuple[str, ...] = ()
    fim: Fim = "none"


NOWHERE = Scene()


class EngineDesk:
    """The engine in this process, and a clock that jumps."""

    def __init__(self, manuscript: Manuscript, model: Model, scene: Scene = NOWHERE) -> None:
        self.clock = VirtualClock()
        self.provider = SimulatedProvider(self.clock, model, manuscript.foretell, scene.fim)
        silent = Silent(self.provider)
        world = EngineDependencies(silent, silent.with_folders, self.clock, in_thread=at_once)
        self.engine = CompletionEngine(SettingsStack(), world, silent)
        self.engine.set_folders(scene.folders)
        self._manuscript = manuscript
        self._document = Document(scene.uri, manuscript.session.language, 1, manuscript.text)
        self.engine.open(self._document)

    def now(self) -> float:
        return self.clock.now()

    async def until(self, when: float) -> None:
        """Let all that is due by then happen."""
        await self.clock.until(when)

    def change(self, text: Text, edit: Edit) -> None:
        """Set the text after an edit."""
        before = self._document
        self._document = Document(before.uri, before.language, before.version + 1, text)
        self.engine.change(self._document, (edit,))

    async def ask(self) -> Answer:
        """Ask at the cursor."""
        document, began, now = self._document, time.perf_counter(), self.clock.now()
        request = CompletionRequest(
            self.engine.next_id(), document, self._manuscript.cursor, Trigger.AUTOMATIC, "inline", now
        )
        answer = await self.engine.complete(request)
        took_ms = 1e3 * (time.perf_counter() - began)
        text = answer.text if isinstance(answer, Completion) else ""
        return Answer(text, took_ms if text and self.clock.now() == now else None)


async def replay_engine(session: Session, model: Model) -> dict[str, float]:
    """Replay in virtual time, and give the figures."""
    manuscript = Manuscript(session)
    desk = EngineDesk(manuscript, model)
    tally = await Typist(manuscript, desk).run()
    await desk.engine.aclose()
    return report(tally, [stream.n_written for stream in desk.provider.streams])


async def replay_process(session: Session, model: Model, hurry: float = 1.0) -> dict[str, float]:
    """Replay against a server's process, and give the figures."""
    manuscript = Manuscript(session)
    async with process_desk(manuscript, model) as desk:
        tally = await Typist(manuscript, desk).run(hurry)
    return report(tally, desk.api.written)


def report(tally: Tally, written: list[int]) -> dict[str, float]:
    """Return the figures; `written` has the tokens of each call."""
    edits = tally.keys + tally.accepted_chars
    took_ms = sorted(tally.at_once_ms) or [0.0]
    return {
        "keys": tally.keys,
        "accepted_share": round(tally.accepted_chars / max(1, edits), 3),
        "calls_per_100_edits": round(100 * len(written) / max(1, edits), 1),
        "tokens_per_accepted_char": round(sum(written) / max(1, tally.accepted_chars), 2),
        "valid_on_screen_share": round(tally.valid_keys / max(1, tally.keys), 3),
        "flickers": tally.flickers,
        "answered_at_once_share": round(len(tally.at_once_ms) / max(1, tally.answers), 3),
        "at_once_p50_ms": round(took_ms[len(took_ms) // 2], 2),
        "at_once_p99_ms": round(took_ms[int(len(took_ms) * 0.99)], 2),
    }


def main() -> None:
    """Replay and print the figures."""
    options = _parser().parse_args()
    n_keys = options.keys or (PROCESS_KEYS if options.process else KEYS)
    if not options.trace:
        print(json.dumps(asyncio.run(_replay(options, n_keys)), indent=1))
        return
    for figures in asyncio.run(_replay_traces(options, n_keys)):
        if options.json:
            print(json.dumps(figures, indent=1))
        else:
            print("\n".join(f"{name:26} {value:>9}" for name, value in figures.items()), end="\n\n")


async def _replay(options: argparse.Namespace, n_keys: int) -> dict[str, float]:
    session = session_from(options.file, options.language or "python", options.seed, n_keys)
    replay = replay_process if options.process else replay_engine
    return await replay(session, _model(options, Model()))


async def _replay_traces(options: argparse.Namespace, n_keys: int) -> list[dict[str, float | str]]:
    """Return the figures of all windows together, for each of the settings."""
    traces = [read_trace(options.trace, first, n_keys, options.language) for first in options.start]
    recording = None
    if options.model:
        path = options.recording or Path(f"{traces[0].name}.jsonl")
        await record_windows(options.model, path, traces)
        recording = read_recording(path)
    elif options.recording:
        recording = read_recording(options.recording)
    model = _model(options, LOCAL_MODEL if recording else Model())
    found: list[dict[str, float | str]] = []
    for settings in options.settings:
        replays = [
            Replay(
                trace,
                options.user,
                model,
                recording,
                json.loads(settings),
                tuple(options.asks_after),
                options.reading_keys,
            )
            for trace in traces
        ]
        named = {"settings": settings} if len(options.settings) > 1 else {}
        found.append({**named, **together([await _figures(options, each) for each in replays])})
    return found


async def _figures(options: argparse.Namespace, replay: Replay) -> dict[str, float]:
    if options.server:
        return await replay_server(replay, options.server, options.options, has_menu=options.menu)
    return await replay_trace(replay)


def _model(options: argparse.Namespace, usual: Model) -> Model:
    return Model(
        usual.first_s if options.first_s is None else options.first_s,
        usual.tokens_per_s if options.tokens_per_s is None else options.tokens_per_s,
        usual.length if options.foresight is None else options.foresight,
        not options.billed,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sample = Path(__file__).with_name("sample.txt")
    parser.add_argument("--file", type=Path, default=sample, help="the file that is typed")
    parser.add_argument("--language", default="")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keys", type=int, help="edits, of each window of a recorded session")
    parser.add_argument("--first-s", type=float, help="seconds to a model's first token")
    parser.add_argument("--tokens-per-s", type=float)
    parser.add_argument("--foresight", type=float, help="share of tokens that a simulated model gets right")
    parser.add_argument("--billed", action="store_true", help="closing a connection does not stop the bill")
    parser.add_argument("--process", action="store_true", help="replay through the server's process")
    parser.add_argument("--trace", type=Path, help="a recorded session")
    parser.add_argument("--start", type=int, nargs="+", default=[0], help="first edit of each window")
    parser.add_argument("--recording", type=Path, help="answers of a real model, see benchmarks.record")
    parser.add_argument(
        "--model", metavar="URL", help="a llama.cpp server, asked for what is not recorded yet"
    )
    parser.add_argument("--user", choices=["all", "words"], default="words", help="what is accepted")
    moments = ["typed", "deleted", "moved"]
    parser.add_argument(
        "--asks-after", nargs="+", choices=moments, default=["typed"], help="when the editor requests"
    )
    parser.add_argument("--reading-keys", type=float, default=0.0, help="what reading a word costs, in keys")
    parser.add_argument(
        "--settings", nargs="+", default=["{}"], metavar="JSON", help="settings; several make a curve"
    )
    parser.add_argument("--server", metavar="COMMAND", help="any language server, at the recorded pace")
    parser.add_argument("--options", default="{}", help="its initializationOptions as a JSON object")
    parser.add_argument("--menu", action="store_true", help="ask it for textDocument/completion")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    main()
