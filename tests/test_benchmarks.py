"""The benchmarks run, and what they measure stays what it is for."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import benchmarks
from benchmarks.context import new_prompt_shares
from benchmarks.edits import time_document
from benchmarks.first_suggestion import EDITORS, commands
from benchmarks.likelihood import compared, nats_of
from benchmarks.names import share_of_names
from benchmarks.prompts import VARIANTS
from benchmarks.redact import false_finds, library_texts, samples
from benchmarks.replay import replay_engine, replay_process
from benchmarks.seams import KINDS
from benchmarks.session import Key, Manuscript, Session, session_from
from benchmarks.soak import SOAKS
from benchmarks.world import Model

FILE = Path(benchmarks.__file__).with_name("sample.txt")


def session(seed: int, n_keys: int) -> Session:
    return session_from(FILE, "python", seed, n_keys)


async def test_a_typist_is_served_with_few_calls() -> None:
    figures = await replay_engine(session(1, 600), Model())

    assert figures["accepted_share"] > 0.2
    assert figures["calls_per_100_edits"] < 20
    assert figures["answered_at_once_share"] > 0.5


async def test_the_same_session_gives_the_same_figures() -> None:
    one, other = [await replay_engine(session(2, 200), Model()) for _ in range(2)]
    real = {"at_once_p50_ms", "at_once_p99_ms"}

    assert {name: one[name] for name in one if name not in real} == {
        name: other[name] for name in other if name not in real
    }


async def test_a_servers_process_is_typed_in_as_well() -> None:
    typed = session(1, 60)

    figures = await replay_process(typed, Model(first_s=0.01), hurry=8)

    n_typed = sum(not key.deleted for key in typed.keys)
    assert figures["keys"] / (1 - figures["accepted_share"]) == pytest.approx(n_typed, abs=0.5)


def test_a_model_knows_what_comes_after_its_prompt() -> None:
    start, ahead = "def f():\n    ", "return 1"
    keys = tuple(Key(0.1, len(start) + idx, 0, character) for idx, character in enumerate(ahead))
    manuscript = Manuscript(Session(start, keys, "python"))

    assert manuscript.foretell(start) == (ahead, len(start))
    assert manuscript.foretell(start + "ret") == ("urn 1", len(start) + 3)
    assert manuscript.foretell(start[:-1]) == (" return 1", len(start) - 1)
    assert manuscript.foretell(start + "other")[0] == ""


async def test_most_of_a_prompt_was_in_the_one_before() -> None:
    shares = await new_prompt_shares(FILE.parent.parent, n_keys=2000)

    assert len(shares) > 10
    assert statistics.median(shares) <= 0.15


async def test_context_shows_names_that_the_file_alone_does_not() -> None:
    root = FILE.parent.parent

    shares = {name: await share_of_names(root, 40, VARIANTS[name]) for name in ("nothing", "both")}

    assert shares["both"] > shares["nothing"]


class Speller:
    """A model server whose tokens are letters, and that expects an "a" after everything."""

    def tokens(self, text: str) -> list[int]:
        return [*map(ord, text)]

    def nats(self, before: Sequence[int], token: int) -> float:
        return 0.0 if token == ord("a") else 2.0


def test_a_text_is_as_unlikely_as_its_tokens_together() -> None:
    assert nats_of(Speller(), "prompt", "aba") == 2.0
    assert nats_of(Speller(), "prompt", "b" * 100) == 48.0  # of 24 tokens


def test_gains_are_counted_over_holes_that_were_measured_both_ways() -> None:
    gains = compared({"1": 4.0, "2": 1.0, "3": 9.0}, {"1": 1.0, "2": 2.0, "4": 0.0})

    assert gains == {"holes": 2, "nats gained": 1.0, "better": 1, "worse": 1}


@pytest.mark.parametrize(
    ("kind", "line", "before"),
    [
        ("operator", "if amount <= limit:", ["if amount <="]),
        ("bracket", "x = f(a, b[c])", ["x = f(", "x = f(a, b["]),
        ("closer", "x = f(a) + 1", ["x = f(a)"]),
        ("comma", "f(a, b)", ["f(a,"]),
        ("quote", 'x = "one"', ['x = "']),
        ("half word", "return x", ["r"]),
        ("indentation", "    return x", ["    "]),
        ("CJK", "计算值", ["计", "计算"]),
    ],
)
def test_holes_begin_right_behind_a_token_of_their_kind(kind: str, line: str, before: list[str]) -> None:
    assert [line[: match.end()] for match in KINDS[kind].finditer(line)] == before


async def test_every_edit_and_every_request_is_timed() -> None:
    edits_ms, requests_ms = await time_document(n_bytes=20_000, n_edits=30)

    assert len(edits_ms) == len(requests_ms) == 30


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("name", "amount", "counts"),
    [
        pytest.param("day", 1000, ("calls at once", "sessions whose text went astray"), id="day"),
        pytest.param("storm", 280, ("unanswered", "of 10 requests after it, without a text"), id="storm"),
        pytest.param("crash", 2, ("corrupt books", "processes left after 2 s"), id="crash"),
        pytest.param("idle", 2, ("calls",), id="idle"),
        pytest.param("documents", 50, ("descriptors more",), id="documents"),
        pytest.param("servers", 1, ("a good one: late by own work, ms, longest",), id="servers"),
        pytest.param("repositories", 1, ("a good one: late by own work, ms, longest",), id="repositories"),
    ],
)
async def test_a_short_soak_leaves_nothing_behind(name: str, amount: int, counts: tuple[str, ...]) -> None:
    figures = {figure.name: figure for figure in await SOAKS[name].run(amount)}

    assert all(figures[count].holds for count in counts)


@pytest.mark.slow
def test_pythons_own_library_is_sent_nearly_as_it_is() -> None:
    assert sum(1 for _ in library_texts()) > 300
    assert sum(false_finds().values()) <= 5


def test_what_the_search_for_secrets_is_timed_on_is_long_enough() -> None:
    assert min(map(len, samples().values())) > 7000


@pytest.mark.parametrize("editor", EDITORS)
def test_two_commands_lead_from_nothing_to_an_editor_that_suggests(editor: str) -> None:
    assert [line.split()[0] for line in commands(editor)] == ["pipx", "llm-lsp"]
