"""A task inside httpx is cancelled once, and at safe moments only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from llm_lsp.providers.http.connect_gate import CallStopped, ConnectGate

CONNECTING = ["connection.connect_tcp.started", "connection.connect_tcp.complete"]
SENDING = ["http11.send_request_headers.started", "http11.send_request_headers.complete"]
HEAD = ["http11.receive_response_headers.started", "http11.receive_response_headers.complete"]
CLOSING = ["http11.receive_response_body.complete", "http11.response_closed.started"]
# A tunnel through a proxy makes two requests on one call, with a second connection in between.
TUNNEL = [*CONNECTING, *SENDING, *HEAD, "proxy_http.start_tls.started", "proxy_http.start_tls.complete"]


@asynccontextmanager
async def guarded() -> AsyncIterator[tuple[ConnectGate, asyncio.Task[None]]]:
    gate = ConnectGate()
    task = asyncio.get_running_loop().create_task(asyncio.Event().wait())
    gate.guard(task)  # type: ignore[arg-type] # what it gives back does not matter
    await asyncio.sleep(0)
    try:
        yield gate, task  # type: ignore[misc] # as above
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def follow(gate: ConnectGate, events: list[str]) -> None:
    for event in events:
        await gate.trace(event, None)


SAFE = [
    pytest.param([*CONNECTING, *SENDING], False, id="the request is under way"),
    pytest.param([*SENDING, HEAD[0]], False, id="the head is waited for"),
    pytest.param([*SENDING, *HEAD], True, id="the body is waited for"),
    pytest.param([*TUNNEL, *SENDING], False, id="through a tunnel"),
]

UNSAFE = [
    pytest.param([], id="nothing happened yet"),
    pytest.param(CONNECTING, id="a connection is being made"),
    pytest.param([*SENDING, *HEAD], id="the head is being handed over"),
    pytest.param(TUNNEL, id="a tunnel is being made"),
    pytest.param([*SENDING, *HEAD, *CLOSING], id="the answer is being given back"),
]


@pytest.mark.parametrize(("events", "opened"), SAFE)
async def test_a_task_that_waits_for_the_network_is_cancelled_at_once(
    events: list[str], opened: bool
) -> None:
    async with guarded() as (gate, task):
        await follow(gate, events)
        if opened:
            gate.open()
        gate.stop()
        assert task.cancelling() == 1


@pytest.mark.parametrize("events", UNSAFE)
async def test_a_task_at_a_bad_moment_is_left_alone(events: list[str]) -> None:
    async with guarded() as (gate, task):
        await follow(gate, events)
        gate.stop()
        assert task.cancelling() == 0


async def test_a_stop_while_connecting_is_carried_out_before_the_first_byte() -> None:
    async with guarded() as (gate, _):
        await follow(gate, CONNECTING)
        gate.stop()
        with pytest.raises(CallStopped):
            await follow(gate, SENDING)


async def test_a_stop_while_the_head_is_handed_over_is_carried_out_after() -> None:
    async with guarded() as (gate, _):
        await follow(gate, [*SENDING, *HEAD])
        gate.stop()
        with pytest.raises(CallStopped):
            gate.open()


async def test_a_task_is_cancelled_once_only() -> None:
    async with guarded() as (gate, task):
        await follow(gate, SENDING)
        for _ in range(3):
            gate.stop()
        assert task.cancelling() == 1


async def test_a_new_connection_is_told_from_an_old_one() -> None:
    async with guarded() as (gate, _):
        await follow(gate, SENDING)
        assert gate.reused
        await follow(gate, CONNECTING)
        assert not gate.reused
