"""The loop of tests counts its own time alone."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from tests.loop_time import put_forward

own_time = pytest.mark.skipif(sys.platform == "win32", reason="the usual loop runs there")


@own_time
async def test_what_the_machine_does_meanwhile_brings_no_deadline_nearer() -> None:
    async with asyncio.timeout(0.05):
        for _ in range(3):
            time.sleep(0.05)  # noqa: ASYNC251 - what a busy machine does to a loop
            await asyncio.sleep(0)


async def test_a_wait_takes_its_time() -> None:
    began = time.monotonic()
    await asyncio.sleep(0.05)
    assert time.monotonic() - began >= 0.04


@own_time
async def test_work_takes_its_time() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            while True:  # noqa: ASYNC110 - nothing is waited for
                await asyncio.sleep(0)


async def test_a_clock_that_is_put_forward_makes_due_what_is_due_by_then() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1000.0):
            put_forward(999.0)
            await asyncio.sleep(0)
            put_forward(1.0)
            await asyncio.get_running_loop().create_future()
