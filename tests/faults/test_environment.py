"""Faults 27, 42 to 48, 50 and 57 of docs/faults.md: what is wrong with the machine, its clock and its files."""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import itertools
import os
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from llm_lsp.cli.files.settings_files import read_settings
from llm_lsp.config.settings import CompletionConfig, Config
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.request import Trigger
from llm_lsp.core.usage.budget import BudgetLimits
from llm_lsp.engine.client.notifications import MOST_SHOWN, Notifications
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.context.source_files import FileReader, UnusableFile
from llm_lsp.engine.privacy.ignore_files import IgnoreFiles
from llm_lsp.engine.usage.budget_guard import UNKNOWN
from llm_lsp.engine.usage.ledger import RETRY_S, SOON_S, Ledger
from llm_lsp.errors import BudgetError
from llm_lsp.local.model_servers import ModelServers
from llm_lsp.usage_store import schema, store
from llm_lsp.usage_store.usage_files import UsageFiles
from tests.accounts import NOBODY, root_only, serving_as
from tests.doubles import FakeClock
from tests.engine.usage.list_store import inline
from tests.faults.machine import DEBUG, INLINE, URI, Machine, ask, ask_in, limited, machine, messages, modes
from tests.faults.upstream import ANSWER, BUFFER, KEY, QuietClient, calls, refuses, says, upstream
from tests.hostile_folder import STARTS, check_the_server, plant
from tests.local.starting import Starter, options_in, ready, tell
from tests.lspclient import LspClient
from tests.providers.standin import DONE, Peer, Received, serve, sse, text
from tests.usage_store.rows import DAY_S, NOON, a_call

N_KILLS = 2
posix = pytest.mark.skipif(sys.platform == "win32", reason="has neither ulimit nor modes")
BUDGET = "[budget]\ntokens_per_day = 500"


@pytest.fixture
async def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Machine]:
    async with machine(tmp_path, monkeypatch) as made:
        yield made


@posix
async def test_fault_42_a_full_disk_costs_neither_suggestions_nor_the_budget(
    computer: Machine, tmp_path: Path
) -> None:
    computer.configure(BUDGET.replace("500", "40"))
    # No file may grow over 4 KiB, neither the log nor the books.
    full = limited("-f 8", *DEBUG, "--log-file", str(tmp_path / "log"))
    async with computer.server(*full) as client:
        shown = [await ask_in(client, f"file:///p/{number}.py") for number in range(6)]
        assert shown[0] == ANSWER
        assert shown[-1] == ""
    assert sum(each.startswith("usage is not saved:") for each in messages(client)) == 1
    assert (tmp_path / "log").stat().st_size <= 4096

    async with computer.server() as client:
        assert await ask(client) == ""
    computer.configure(BUDGET)
    async with computer.server() as client:
        assert await ask(client) == ANSWER
        assert messages(client) == []
    assert computer.saved_calls() == 1


FOLDERS = [f"XDG_{folder}_HOME=" for folder in ("CACHE", "DATA", "STATE")]


@posix
@pytest.mark.parametrize(
    ("changed", "budget", "seen", "said"),
    [
        pytest.param(["-u", "HOME"], BUDGET, ANSWER, [], id="no home"),
        pytest.param(
            [f"{name}/dev/null" for name in FOLDERS], "", ANSWER, ["usage is not saved"], id="no folders"
        ),
        pytest.param(
            [f"{name}/dev/null" for name in FOLDERS], BUDGET, "", [UNKNOWN], id="no folders, and a budget"
        ),
    ],
)
async def test_fault_43_without_its_folders_the_server_serves_what_costs_nothing(
    changed: list[str], budget: str, seen: str, said: list[str], computer: Machine
) -> None:
    computer.configure(budget)
    async with computer.server("env", *changed, *DEBUG) as client:
        assert await ask(client) == seen
    shown = [message.partition(":")[0] for message in messages(client)]
    assert [each for each in shown if each in said] == said


@root_only
@pytest.mark.parametrize(
    "home", ["-uHOME", *(pytest.param(each, marks=pytest.mark.slow) for each in ("HOME=", "HOME=."))]
)
async def test_fault_43_an_account_without_a_home_has_a_temporary_folder(
    home: str, computer: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In a namespace of its own the process has a number that no account has.
    unlisted = ("unshare", "-U", "--map-user=54321")
    if await (await asyncio.create_subprocess_exec(*unlisted, "true")).wait():
        pytest.skip("no user namespaces here")
    given = tmp_path / "llm-lsp-home-54321"
    given.mkdir(0o700)
    computer.configure(BUDGET)
    (given / ".config" / "llm-lsp").mkdir(parents=True)
    computer.settings.rename(given / ".config" / "llm-lsp" / "config.toml")
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)

    unset = [f"-uXDG_{name}_HOME" for name in ("CONFIG", "DATA", "STATE", "CACHE")]
    async with computer.server(*unlisted, "env", *unset, home, f"TMPDIR={tmp_path}", *DEBUG) as client:
        assert [await ask(client), await ask_in(client, "file:///p/b.py")] == [ANSWER, ANSWER]
        (said,) = messages(client)
    assert f"this account has no home folder, so settings and usage are kept in {given}" in said
    assert {path.name for path in (given / ".local" / "share" / "llm-lsp").iterdir()} >= {
        "usage.db",
        "spent.json",
    }
    assert [*project.iterdir()] == []


@posix
async def test_fault_43_what_is_written_is_its_users_alone_whatever_the_mask(
    computer: Machine, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    command = (*DEBUG, "--log-file", str(made / "log"))
    open_to_all = ("sh", "-c", 'umask 0 && exec "$@"', "sh", *command)
    async with computer.server(*open_to_all) as client:
        assert await ask(client) == ANSWER
    written = modes(made) | modes(computer.books.parent)
    del written[computer.settings.name]  # It is the test's.
    assert {"log", "usage.db"} <= {*written}
    assert {*written.values()} == {0o600}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"provider = ", "not valid TOML at line 1", id="half written"),
        pytest.param(b"\xff\xfe", "not valid UTF-8 at line 1", id="no text"),
        pytest.param(b"#" * (10 << 20), "not a regular file of at most", id="10 MB"),
        pytest.param(b"x = " + b"[" * 5000, "not valid TOML", id="deeply nested"),
        pytest.param(b"\xef\xbb\xbfenbled = true", 'unknown setting "enbled"', id="a byte order mark"),
        pytest.param(b"enbled = true", 'unknown setting "enbled"', id="an unknown key"),
        pytest.param(b"[completion]\ndebounce_ms = 'soon'", "completion.debounce_ms", id="another type"),
    ],
)
def test_fault_44_broken_settings_are_one_message_and_the_rest_is_used(
    data: bytes, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(data)
    stack = read_settings(file).with_layer(SettingsSource.EDITOR, {"completion": {"menu": "never"}})

    config, (problem,) = stack.resolve().config, stack.resolve().problems

    assert said in problem.message
    assert problem.source == str(file)
    assert config == replace(Config(), completion=CompletionConfig(menu="never"))
    assert file.read_bytes() == data


async def test_fault_44_with_broken_settings_the_server_serves_and_says_so_once(computer: Machine) -> None:
    computer.settings.write_bytes(b"provider = ")
    table = {"api": "openai-completions", "base_url": f"{computer.api.url}/v1", "model": "m", "fim": "none"}
    settings = {"llm-lsp": {"provider": "own", "providers": {"own": table}}}
    async with computer.server() as client:
        client.notify("workspace/didChangeConfiguration", {"settings": settings})
        assert await ask(client) == ANSWER
        assert await ask(client) == ANSWER
        (message,) = messages(client)
    assert message.startswith(f"{computer.settings}: not valid TOML at line 1")


async def test_fault_44_a_folders_settings_do_not_say_where_code_goes(
    computer: Machine, tmp_path: Path
) -> None:
    folder = tmp_path / "cloned"
    folder.mkdir()
    (folder / ".llm-lsp.toml").write_text(
        '[providers.api]\nbase_url = "http://127.0.0.1:9/v1"\napi_key_command = ["touch", "ran"]\n'
    )
    async with computer.server() as client:
        _add_folder(client, folder)
        assert await ask(client) == ANSWER
        assert len(messages(client)) == 1
    assert computer.api.received[-1].headers["authorization"] == f"Bearer {KEY}"
    assert not (folder / "ran").exists()


FLOODS = [
    pytest.param("".join(f"enbled{n} = 1\n" for n in range(500)), "500 problems: unknown", id="unknown keys"),
    pytest.param(
        f"[privacy]\nexclude = [{','.join(['1'] * 500)}]",
        "500 problems: item 1 of",
        id="what is no glob",
        marks=pytest.mark.slow,
    ),
    pytest.param(
        "".join(f"k{n} = 1\n" for n in range(60_000)), "not a regular file of at most", id="60,000 keys"
    ),
    pytest.param(
        "".join(f"k{n} = 1\n" for n in range(2000)),
        "none of its settings",
        id="2,000 keys",
        marks=pytest.mark.slow,
    ),
    pytest.param("a." * 120_000 + "a = 1", "none of its settings", id="a key without end"),
]


@pytest.mark.parametrize(("data", "said"), FLOODS)
async def test_fault_50_a_flood_of_settings_is_one_message(
    data: str, said: str, computer: Machine, tmp_path: Path
) -> None:
    folder = tmp_path / "cloned"
    folder.mkdir()
    (folder / ".llm-lsp.toml").write_text(data)
    async with computer.server() as client:
        _add_folder(client, folder)
        assert await ask(client) == ANSWER
        (message,) = messages(client)
    assert message.startswith(f"{folder / '.llm-lsp.toml'}: {said}")
    assert len(message) < 1000


async def test_fault_50_a_flood_in_the_editors_settings_is_one_message(computer: Machine) -> None:
    settings = {"llm-lsp": {f"k{n}": n for n in range(60_000)}}
    async with computer.server() as client:
        client.notify("workspace/didChangeConfiguration", {"settings": settings})
        assert await ask(client) == ANSWER
        assert messages(client) == [
            "editor settings: none of its settings are used: over 1,000 keys or 65,536 characters"
        ]


async def test_fault_50_settings_that_change_without_end_are_a_few_messages(computer: Machine) -> None:
    async with computer.server() as client:
        for number in range(100):
            settings = {"llm-lsp": {f"enbled{number}": number} if number % 2 else {}}
            client.notify("workspace/didChangeConfiguration", {"settings": settings})
        assert await ask(client) == ANSWER
        assert 1 <= len(messages(client)) <= MOST_SHOWN


def _add_folder(client: LspClient, folder: Path) -> None:
    event = {"added": [{"uri": folder.as_uri(), "name": folder.name}], "removed": []}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": event})


MORE = {"trigger": "auto", "gates": [], "debounceMs": 0, "callsPerMinute": 6000, "languages": []}


@pytest.mark.parametrize(
    "user", [{}, {"user": {"completion": MORE}}], ids=["settings", "settings that claim more"]
)
async def test_fault_57_what_an_editor_relays_makes_paid_calls_only_rarer(
    user: dict[str, object], computer: Machine
) -> None:
    computer.configure('[completion]\ntrigger = "manual"\ncalls_per_minute = 1')
    async with computer.server() as client:
        settings = {"llm-lsp": {"completion": MORE, **user}}
        client.notify("workspace/didChangeConfiguration", {"settings": settings})
        where = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": len(BUFFER)}}
        for _ in range(3):
            answer = await client.ask(INLINE, {**where, "context": {"triggerKind": 2}})
            assert answer["result"]["items"] == []
        assert computer.calls == 0
        assert await ask(client) == ANSWER
        (message,) = messages(client)
        assert message.startswith("editor settings: ")


def _corrupt(books: Path) -> None:
    books.write_bytes(b"no books " * 1000)


def _newer(books: Path) -> None:
    with closing(sqlite3.connect(books)) as file:
        file.execute(f"PRAGMA user_version = {schema.VERSION + 1}")


@dataclass
class Desk:
    """A ledger with its file, and clocks that stand still."""

    path: Path
    clock: FakeClock = field(default_factory=FakeClock)
    client: QuietClient = field(default_factory=QuietClient)
    utc: float = NOON

    def ledger(self, limits: BudgetLimits) -> Ledger:
        notifications = Notifications(self.client, self.clock.now)
        ledger = Ledger(
            UsageFiles(self.path),
            notifications,
            ServerStatus(self.client, self.clock),
            self.clock,
            lambda: self.utc,
            inline,
        )
        ledger.configure(limits, save=True)
        return ledger

    def rows(self) -> int:
        with closing(sqlite3.connect(self.path)) as books:
            (count,) = books.execute("SELECT count(*) FROM calls").fetchone()
            return int(count)


async def spend(ledger: Ledger, number: int, at: float = NOON) -> None:
    """Make a call of 110 tokens."""
    await ledger.reserve(a_call(number, at=at))
    ledger.settle(a_call(number, at=at))


def _folder(books: Path) -> None:
    books.unlink()
    books.mkdir()


def _pipe(books: Path) -> None:
    books.unlink()
    os.mkfifo(books)


def _without_a_table(books: Path) -> None:
    with closing(sqlite3.connect(books)) as file:
        file.execute("DROP TABLE daily")


HARMS = [
    pytest.param(_corrupt, "usage is not saved", id="corrupt"),
    pytest.param(_newer, "was written by a newer llm-lsp", id="of a newer version"),
    pytest.param(_without_a_table, "no such table", id="a missing table"),
    pytest.param(_folder, "usage is not saved", id="a folder in their place"),
    pytest.param(_pipe, "it is not a regular file", id="a pipe in their place", marks=posix),
]


async def start_and_spend(desk: Desk, limits: BudgetLimits) -> int:
    """Start, make calls until none is allowed, and end; return how many were."""
    ledger = desk.ledger(limits)
    count = 0
    with contextlib.suppress(BudgetError):
        while count < 10:
            await spend(ledger, count + 1)
            await desk.clock.advance(RETRY_S)
            count += 1
    await ledger.aclose()
    return count


@pytest.mark.parametrize(("harm", "said"), HARMS)
async def test_fault_45_books_that_cannot_be_used_grant_no_new_budget_at_any_start(
    harm: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "usage.db")
    assert await start_and_spend(desk, BudgetLimits(tokens_per_day=150)) == 2
    harm(desk.path)

    counts = [await start_and_spend(desk, BudgetLimits(tokens_per_day=limit)) for limit in (400, 400, 500)]

    assert counts == [2, 0, 1]
    assert any(said in line for line in desk.client.shown)


@pytest.mark.parametrize(("harm", "said"), HARMS)
async def test_fault_45_where_nothing_says_what_was_spent_nothing_that_costs_is_called(
    harm: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "usage.db")
    await start_and_spend(desk, BudgetLimits(tokens_per_day=150))
    (tmp_path / "spent.json").write_text("[]")
    harm(desk.path)

    for _ in range(3):
        assert await start_and_spend(desk, BudgetLimits(tokens_per_day=1000)) == 0
    assert any(line.startswith(UNKNOWN) for line in desk.client.shown)


async def test_fault_45_a_corrupt_file_is_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "usage.db")
    await start_and_spend(desk, BudgetLimits(tokens_per_day=150))
    _corrupt(desk.path)
    before = desk.path.read_bytes()
    await start_and_spend(desk, BudgetLimits(tokens_per_day=1000))

    (name,) = fnmatch.filter(os.listdir(tmp_path), "usage.db.corrupt-*")
    assert (tmp_path / name).read_bytes() == before
    assert desk.rows() > 0


async def test_fault_45_locked_books_hold_up_no_call_and_lose_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "BUSY_S", 0.01)
    desk = Desk(tmp_path / "usage.db")
    ledger = desk.ledger(BudgetLimits(tokens_per_day=1000))
    await spend(ledger, 1)
    await desk.clock.advance(SOON_S)
    with closing(sqlite3.connect(desk.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        await spend(ledger, 2)
        await desk.clock.advance(SOON_S)
        other.execute("ROLLBACK")
    await desk.clock.advance(RETRY_S)

    assert desk.rows() == 2
    await ledger.aclose()


async def test_fault_45_behind_locked_books_calls_are_made_as_far_as_the_budget_goes(
    computer: Machine,
) -> None:
    computer.configure(BUDGET.replace("500", "1000"))
    async with computer.server() as client:
        assert await ask(client) == ANSWER
    with closing(sqlite3.connect(computer.books, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        async with computer.server() as client:
            assert [await ask_in(client, f"file:///p/{number}.py") for number in range(3)] == [ANSWER] * 3
            computer.configure(BUDGET.replace("500", "20"))
        async with computer.server() as client:
            assert await ask(client) == ""
            other.execute("ROLLBACK")


@pytest.mark.parametrize("days", [-400, -31, -3, -1, 1], ids="{} days".format)
async def test_fault_46_a_clock_that_jumps_opens_no_spent_budget(days: int, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "usage.db")
    limits = BudgetLimits(tokens_per_month=150)
    assert await start_and_spend(desk, limits) == 2
    desk.utc += days * DAY_S

    assert [await start_and_spend(desk, limits) for _ in range(2)] == [0, 0]
    desk.utc = NOON
    assert await start_and_spend(desk, limits) == 0


async def test_fault_46_a_call_over_midnight_is_of_the_day_it_began(tmp_path: Path) -> None:
    desk, midnight = Desk(tmp_path / "usage.db"), NOON + DAY_S / 2
    desk.utc = midnight - 1
    ledger = desk.ledger(BudgetLimits(tokens_per_day=150))
    await ledger.reserve(a_call(1, 0.5, at=desk.utc))
    desk.utc = midnight + 1
    ledger.settle(a_call(1, 0.2, at=midnight - 1))
    await ledger.aclose()

    spent = UsageFiles(desk.path).settle(desk.utc, ()).spent
    assert spent.money_today == {}
    assert spent.money_this_month == {"USD": 0.2}


async def test_fault_46_after_a_long_sleep_one_request_is_one_call() -> None:
    async with upstream(says("1")) as (rig, standin):
        await rig.ask()
        rig.clock.skip(8 * 3600)
        before = calls(standin)
        rig.type("x = ")
        await rig.ask(Trigger.MANUAL)
        assert calls(standin) == before + 1


# More written than can be, more read than was sent, and one token more than was allowed.
CLAIMS = [
    {"prompt_tokens": 5, "completion_tokens": 1_000_000},
    {"prompt_tokens": 1_000_000_000, "completion_tokens": 1},
    {"prompt_tokens": 5, "completion_tokens": 129},
]


async def test_fault_27_a_claim_that_cannot_be_ends_no_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = itertools.cycle(CLAIMS)

    async def script(received: Received, peer: Peer) -> None:
        if received.method != "POST":
            await peer.json({})
            return
        claim = next(claims)
        await peer.stream(text(ANSWER), text("", "stop"), sse({"choices": [], "usage": claim}), DONE)
        await peer.end()

    async with machine(tmp_path, monkeypatch, script) as claiming:
        claiming.configure(BUDGET.replace("500", "1000"))
        async with claiming.server() as client:
            for number in range(len(CLAIMS) + 1):
                assert await ask_in(client, f"file:///p/{number}.py") == ANSWER, f"after {number} claims"


async def test_fault_47_after_being_killed_the_next_start_is_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_asked = asyncio.Event()

    async def script(received: Received, peer: Peer) -> None:
        if received.method != "POST":
            await peer.json({})
        elif standing.calls > N_KILLS:
            await says(ANSWER)(received, peer)
        else:
            is_asked.set()
            await peer.hung_up()

    async with machine(tmp_path, monkeypatch, script) as standing:
        standing.configure(BUDGET.replace("500", "5000"))
        for _ in range(N_KILLS):
            async with standing.server() as client:
                _begin(client)
                await is_asked.wait()
                is_asked.clear()
                client.process.kill()
                await client.ended()
        async with standing.server() as client:
            assert await ask(client) == ANSWER
            assert messages(client) == []
        # Amounts reserved for calls without a known end are kept, since these may be billed.
        spent = UsageFiles(standing.books).settle(time.time(), ()).spent
        assert spent.tokens_today > N_KILLS * 128


async def test_fault_47_another_program_at_our_port_is_sent_nothing(tmp_path: Path) -> None:
    async def lists_models(received: Received, peer: Peer) -> None:
        await peer.json({"data": [{"id": "m"}]})

    async with serve(refuses(404)) as other, serve(lists_models) as ours:
        tell(tmp_path, other.port)
        starter = Starter(ready(tmp_path, ours.port))
        state = await ModelServers(tmp_path, starter).join(options_in(tmp_path), lambda line: None)
    assert (state.port, starter.starts) == (ours.port, 1)
    assert {(each.method, each.body) for each in other.received} == {("GET", b"")}


@root_only
async def test_fault_47_another_account_at_a_port_that_was_ours_is_sent_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_KEY", KEY)
    async with AsyncExitStack() as ours:
        standing = Machine(tmp_path, await ours.enter_async_context(serve(says(ANSWER))))
        standing.configure()
        async with standing.server() as client:
            assert await ask(client) == ANSWER
            await ours.aclose()
            with serving_as(NOBODY, port=standing.api.port) as stranger:
                assert await ask_in(client, "file:///p/b.py", "other = ") == ""
                assert await asyncio.to_thread(stranger.read) == b""
            (message,) = messages(client)
            assert "has taken over" in message


def _begin(client: LspClient) -> None:
    where = {"textDocument": {"uri": "file:///p/a.py"}, "position": {"line": 0, "character": len(BUFFER)}}
    client.begin(INLINE, {**where, "context": {"triggerKind": 1}})


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 << 20)


UNUSABLE = [
    pytest.param(_sparse, id="100 MB"),
    pytest.param(lambda path: _write(path, b"x" * (1 << 18)), id="one line of 256 KiB"),
    pytest.param(lambda path: _write(path, b"x = 1\0\n"), id="binary"),
    pytest.param(lambda path: _write(path, "é = 1\n".encode("latin-1")), id="latin-1"),
    pytest.param(lambda path: path.mkdir(), id="a folder"),
    pytest.param(lambda path: None, id="gone"),
    pytest.param(lambda path: os.mkfifo(path), id="a pipe", marks=posix),
    pytest.param(lambda path: path.symlink_to("/dev/zero"), id="a device", marks=posix),
    pytest.param(lambda path: path.symlink_to(path.name), id="a circle", marks=posix),
]


# Of these an ignore file can be read as far as it goes, or is none.
TEXTS = ("one line of 256 KiB", "binary", "latin-1", "gone")


@pytest.mark.parametrize("make", UNUSABLE)
def test_fault_48_a_file_that_is_no_source_is_not_waited_for(
    make: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "a.py"
    make(path)
    assert isinstance(FileReader().read(path, "a.py"), UnusableFile)


@pytest.mark.parametrize("make", [each for each in UNUSABLE if each.id not in TEXTS])
def test_fault_48_an_ignore_file_that_cannot_be_read_closes_its_folder(
    make: Callable[[Path], object], tmp_path: Path
) -> None:
    make(tmp_path / ".gitignore")
    assert IgnoreFiles(tmp_path).covers(tmp_path / "a.py")


def test_fault_48_nothing_is_imported_from_the_folder_of_the_start(tmp_path: Path) -> None:
    check_the_server(STARTS["python -m"], plant(tmp_path))


@posix
async def test_fault_48_with_few_descriptors_little_memory_and_an_ascii_locale_the_server_serves(
    computer: Machine,
) -> None:
    narrow = limited("-n 64 && ulimit -v 1500000", "env", "LC_ALL=C", *DEBUG)
    async with computer.server(*narrow) as client:
        assert await ask_in(client, "file:///p/größe.py", "größe = ") == ANSWER
