"""Loads that are all of one kind: cancelled requests, kills, nothing at all, documents that come and go."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trustme

from benchmarks.soak_rig import (
    INLINE,
    MEBIBYTE,
    SETTLE_S,
    Figure,
    Rig,
    a_home,
    calls_in_books,
    insert,
    invoked,
    rig,
    settings_of,
)
from benchmarks.vitals import started_in
from tests.providers.standin import DONE, Peer, Received, StandIn, delayed, serve, server_context, text

LATENCY_S = 0.02
FIRST_TOKEN_S = 0.02
# Documents in which requests are made and cancelled at once.
N_TYPISTS = 8
# From a call's end at the model API. From its end in the server, its record has 250 ms to reach the disk (ADR 21); the
# rest is for two processes that share their cores.
MOST_LOST_MS = 500
URI = "file:///project/soak.py"


async def answer_slowly(received: Received, peer: Peer) -> None:
    """Write a line, a little later."""
    await asyncio.sleep(FIRST_TOKEN_S)
    await peer.stream(text("a + "), text("b\n"), text("", "stop"), DONE)
    await peer.end()


@asynccontextmanager
async def rig_over_tls() -> AsyncIterator[tuple[Rig, StandIn]]:
    """Run a server whose model API is behind TLS, and 20 ms away."""
    authority = trustme.CA()
    context = server_context(authority.issue_cert("localhost"))
    with a_home() as home:
        authority.cert_pem.write_to_path(home / "ca.pem")
        async with serve(answer_slowly, tls=context) as standin, delayed(standin.port, LATENCY_S) as port:
            config = home / "llm-lsp" / "config.toml"
            config.parent.mkdir()
            config.write_text(
                'provider = "simulated"\n[providers.simulated]\napi = "openai-completions"\nmodel = "m"\nfim = "none"\n'
                f'base_url = "https://localhost:{port}/v1"\nca_file = "{home / "ca.pem"}"\n'
            )
            async with rig(home=home) as it:
                yield it, standin


async def cancel_storm(n_requests: int) -> Sequence[Figure]:
    """Request and cancel: four of seven before a connection can exist, the others while one is made or used."""
    async with rig_over_tls() as (it, standin):
        it.client.open(URI, "x = \n")
        assert await it.complete(URI, 0, 4)
        tasks, before = await it.tasks_after(), it.vitals()
        answers = await asyncio.gather(
            *(_storm(it, number, n_requests // N_TYPISTS) for number in range(N_TYPISTS))
        )
        went_well = 0
        for number in range(10):
            insert(it.client, URI, number + 2, 0, f"name_{number} = \n")
            went_well += bool(await it.complete(URI, 0, len(f"name_{number} = ")))
        left = await it.tasks_after() - tasks
        after = it.vitals()
        return [
            Figure("requests", sum(answers)),
            Figure("calls that reached the model", len(standin.received)),
            Figure("unanswered", n_requests // N_TYPISTS * N_TYPISTS - sum(answers), 0),
            Figure("of 10 requests after it, without a text", 10 - went_well, 0),
            Figure("connections open after it", standin.open_now, 3),
            Figure("tasks left", left, 0),
            Figure("descriptors more", after.descriptors - before.descriptors, 2),
            Figure("MiB more", (after.resident_bytes - before.resident_bytes) / MEBIBYTE, 10),
        ]  # fmt: skip


async def _storm(it: Rig, number: int, n_requests: int) -> int:
    """Return how many requests were answered."""
    dice = random.Random(number)
    uri = f"file:///project/storm_{number}.py"
    it.client.open(uri, "")
    answers = []
    for count in range(n_requests):
        line = f"name_{count}_{dice.randrange(1000)} = "
        insert(it.client, uri, count + 2, 0, line + "\n")
        msg_id, answer = it.client.begin(INLINE, invoked(uri, 0, len(line)))
        answers.append(answer)
        await asyncio.sleep(dice.uniform(0, 0.006) if count % 7 < 4 else dice.uniform(0.03, 0.2))
        it.client.notify("$/cancelRequest", {"id": msg_id})
    return len(await asyncio.wait_for(asyncio.gather(*answers), 30))


async def crash_loop(n_kills: int) -> Sequence[Figure]:
    """Kill a server while it works, again and again, in one home."""
    dice = random.Random(1)
    calls = lost = 0
    lost_s = 0.0
    with a_home() as home:
        for _ in range(n_kills):
            ended: list[float] = []
            before = calls_in_books(home)
            killed_at = await _work_and_die(home, dice, ended)
            gone = ended[calls_in_books(home) - before :]
            calls, lost = calls + len(ended), lost + len(gone)
            lost_s = max(lost_s, killed_at - gone[0] if gone else 0.0)
        await asyncio.sleep(SETTLE_S)
        orphans = len(list(started_in(home)))
        async with serve(answer_slowly) as standin, rig(settings_of(standin.url), home) as it:
            it.client.open(URI, "x = \n")
            answered = bool(await it.complete(URI, 0, 4))
    return [
        Figure("kills", n_kills),
        Figure("corrupt books", 0, 0),  # calls_in_books() would have raised.
        Figure("calls", calls),
        Figure("calls that the books do not have", lost),
        Figure("ms from the oldest of these to its kill", 1000 * lost_s, MOST_LOST_MS),
        Figure("processes left after 2 s", orphans, 0),
        Figure("the next server does not answer", not answered, 0),
    ]


async def _work_and_die(home: Path, dice: random.Random, ended: list[float]) -> float:
    """Make requests until a kill at a random time; return that time, and add the end of each call to `ended`."""

    async def answer(received: Received, peer: Peer) -> None:
        await answer_slowly(received, peer)
        ended.append(time.monotonic())

    async with serve(answer) as standin, rig(settings_of(standin.url), home, is_probed=False) as it:
        it.client.open(URI, "")
        await it.complete(URI, 0, 0)
        working = asyncio.create_task(_ask_for_ever(it))
        await asyncio.sleep(dice.uniform(0.0, 1.0))
        it.client.process.kill()
        killed_at = time.monotonic()
        await it.client.process.wait()
        working.cancel()
    return killed_at


async def _ask_for_ever(it: Rig) -> None:
    count = 0
    while True:
        count += 1
        insert(it.client, URI, count + 1, 0, f"name_{count} = \n")
        await it.complete(URI, 0, len(f"name_{count} = "))


async def idle(seconds: int) -> Sequence[Figure]:
    """Work for a moment, and then do nothing."""
    async with serve(answer_slowly) as standin, rig(settings_of(standin.url), is_probed=False) as it:
        it.client.open(URI, "")
        for count in range(50):
            insert(it.client, URI, count + 2, 0, f"name_{count} = \n")
            await it.complete(URI, 0, len(f"name_{count} = "))
        await asyncio.sleep(2 * SETTLE_S)
        n_calls, before = len(standin.received), it.vitals()
        await asyncio.sleep(seconds)
        after = it.vitals()
        return [
            Figure("seconds", seconds),
            Figure("calls", len(standin.received) - n_calls, 0),
            Figure("processor, percent", 100 * (after.cpu_s - before.cpu_s) / seconds, 0.1),
            Figure("wakes a second", (after.wakes - before.wakes) / seconds, 0.5),
        ]


async def many_documents(n_documents: int) -> Sequence[Figure]:
    """Open and close documents of 100 KB."""
    line = "    value = compute(first, second, third)  # what a line of code may look like\n"
    content = line * (100_000 // len(line))
    async with serve(answer_slowly) as standin, rig(settings_of(standin.url)) as it:
        await _open_and_close(it, content, 50)
        # Measure at rest, before and after: a call in progress has a connection.
        await it.tasks_after()
        before = it.vitals()
        await _open_and_close(it, content, n_documents)
        tasks, after = await it.tasks_after(), it.vitals()
        return [
            Figure("documents", n_documents),
            Figure("MiB more", (after.resident_bytes - before.resident_bytes) / MEBIBYTE, 10),
            Figure("tasks", tasks),
            Figure("descriptors more", after.descriptors - before.descriptors, 0),
        ]


async def _open_and_close(it: Rig, content: str, count: int) -> None:
    for number in range(count):
        uri = f"file:///project/document_{number}.py"
        it.client.open(uri, content)
        if number % 20 == 0:
            # The answer shows that all earlier messages were processed.
            await it.complete(uri, 0, 4)
        it.client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
