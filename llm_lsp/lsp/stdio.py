"""Runs the server on standard input and output until its client is gone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import BinaryIO, NoReturn

from llm_lsp import system
from llm_lsp.errors import FramingError
from llm_lsp.lsp.message_streams import Outbox, claim_stdio, start_reading
from llm_lsp.lsp.oversized_messages import OversizedMessage
from llm_lsp.lsp.process_end import End, ProcessEnd
from llm_lsp.lsp.server import Build, create_server

# Seconds between two checks for the editor's process, if the system cannot report its end. Usually the end of our
# input reports it immediately; more frequent wake-ups would drain a laptop's battery.
PARENT_POLL_S = 5.0
# Seconds from the end to the exit, whatever threads and connections do: editors kill the process after 2 s.
GRACE_S = 1.3
# How many of these seconds may be spent on closing connections and sending the last messages.
_CLOSE_S = 0.9
_FLUSH_S = 0.3
_GONE = "the editor is gone"


def run(build: Build) -> NoReturn:
    """Serve, then end the process: with 0 after `shutdown` or the end of the input, with 1 after a failure."""
    stdin, stdout = claim_stdio()
    status = asyncio.run(serve(build, stdin, stdout))
    _leave(status)


def _leave(status: int) -> NoReturn:
    logging.shutdown()
    sys.stderr.flush()
    # Not sys.exit: the reading thread is blocked and holds its buffer's lock, so that the interpreter's shutdown
    # could hang or abort.
    os._exit(status)


async def serve(build: Build, stdin: BinaryIO, stdout: BinaryIO) -> int:
    """Serve until the client is gone; return the exit status."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    process_end = ProcessEnd(GRACE_S)

    def end_in_loop(status: int, reason: str = "") -> None:
        process_end.begin(status)
        if ended.done():
            return
        ended.set_result(status)
        if reason:
            sys.stderr.write(f"llm-lsp: {reason}\n")

    def end(status: int, reason: str = "") -> None:
        """End from another thread or a signal handler; the event loop may never run it."""
        process_end.begin(status)
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has already ended
            loop.call_soon_threadsafe(end_in_loop, status, reason)

    def on_input_end(failure: FramingError | None) -> None:
        end(1 if failure else 0, str(failure or ""))

    server = create_server(build)
    server.protocol.writer = outbox = Outbox(stdout, lambda reason: end(1, reason))
    server.protocol.end = end_in_loop
    start_reading(stdin, lambda body: _hand_over(loop, server.protocol.receive, body), on_input_end)
    server.on_parent = lambda pid: watch_parent(loop, pid, end_in_loop)
    process_end.end_on_signals(end)
    status = await ended
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(server.aclose(), _CLOSE_S)
    outbox.close(_FLUSH_S)
    return status


def _hand_over(
    loop: asyncio.AbstractEventLoop,
    receive: Callable[[bytes | OversizedMessage], None],
    body: bytes | OversizedMessage,
) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nothing reads messages any more
        loop.call_soon_threadsafe(receive, body)


def watch_parent(loop: asyncio.AbstractEventLoop, pid: int | None, end: End) -> None:
    """End when the process that the client named in `initialize` ends: another process may hold our input open.

    If it is not visible at first, it runs in another container, and its absence means nothing. Then, and if none was
    named, the process that started this one is watched instead.
    """
    parent = os.getppid()
    if pid and (mark := system.end_mark(pid)) is not None:
        loop.add_reader(mark, _has_ended, loop, mark, end)
    elif pid:
        _look(loop, pid, lambda: _look_later(loop, pid, end), lambda: _watch_starter(loop, parent, end))
    else:
        _watch_starter(loop, parent, end)


def _watch_starter(loop: asyncio.AbstractEventLoop, parent: int, end: End) -> None:
    if parent <= 1:
        return  # the system, or what started this one had ended before `initialize`: it was a launcher
    if os.getppid() != parent:
        end(1, _GONE)
    elif (mark := system.end_mark(parent)) is not None:
        loop.add_reader(mark, _has_ended, loop, mark, end)
    else:
        _look_later(loop, parent, end)


def _look(
    loop: asyncio.AbstractEventLoop, pid: int, if_alive: Callable[[], object], if_gone: Callable[[], object]
) -> None:
    # In a thread: outside of Linux, the first check imports psutil.
    checked = loop.run_in_executor(None, system.is_alive, pid)
    checked.add_done_callback(lambda found: if_alive() if found.result() else if_gone())


def _look_later(loop: asyncio.AbstractEventLoop, pid: int, end: End) -> None:
    """Keep checking a process, and end when it is gone."""
    again = partial(_look, loop, pid, lambda: _look_later(loop, pid, end), lambda: end(1, _GONE))
    loop.call_later(PARENT_POLL_S, again)


def _has_ended(loop: asyncio.AbstractEventLoop, mark: int, end: End) -> None:
    loop.remove_reader(mark)
    os.close(mark)
    end(1, _GONE)
