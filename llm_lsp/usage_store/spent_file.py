"""Keeps what all processes of a user have spent in a small file, so that budgets hold even without the usage
store.

A call is reserved in the file before it is made, at its highest possible cost, and settled at its real cost
when it ends. One process at a time locks the file, reads it, decides and writes it, in less than a millisecond.
The file is written in place, which needs no free disk space and no permission to create files. It is not synced
to disk: after a power failure, the usage store, which is, still has the amounts. All methods block and are
called in a thread.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from threading import Lock
from typing import IO

from llm_lsp.core.usage.budget import CountedCall, Reservation, SpentTotals, local_day
from llm_lsp.core.usage.records import CallRecord
from llm_lsp.errors import BooksError
from llm_lsp.system import locked_file, private_folder, read_plain_file
from llm_lsp.usage_store.reader import UsageReader

# Seconds to wait for the lock. The caller decides without the answer after a shorter time, but a late answer counts.
WAIT_S = 0.5
# Bytes. The content takes a few hundred; padding it with blanks means that later writes need no more disk space.
BLOCK_BYTES = 1024
MAX_BYTES = 64 * 1024
# How many calls' reserved amounts are remembered until they are settled.
MOST_COUNTED = 10_000


class SpentFile:
    """One process's access to the file. The methods may be called from any thread, and raise BooksError."""

    def __init__(self, path: Path, books: UsageReader) -> None:
        self._path = path
        self._books = books
        self._lock = Lock()
        self._counted: dict[int, CountedCall] = {}
        """The amounts that the file contains for this process's calls, by number."""
        self._failure = ""
        """Why the file could not be opened, "" if it could."""
        self._checked = ""
        """The day on which the amounts were last compared with the usage store."""

    def reserve(
        self, call: CallRecord, allows: Callable[[SpentTotals], bool], settled: Sequence[CallRecord] = ()
    ) -> Reservation:
        """Settle ended calls, and reserve the highest cost of `call` if `allows` accepts the amounts spent."""

        def decide(spent: SpentTotals) -> tuple[bool, Sequence[CallRecord]]:
            # If the call has ended while this waited, its real cost is counted already.
            is_known = call.number in self._counted
            is_allowed = is_known or allows(spent)
            return is_allowed, () if is_known or not is_allowed else (call,)

        return self._change(call.at, settled, decide)

    def settle(self, at: float, calls: Sequence[CallRecord]) -> Reservation:
        """Replace the reserved amounts of calls with their real costs."""
        return self._change(at, calls, lambda spent: (True, ()))

    def is_readable(self) -> bool:
        """Check whether the file contains valid amounts."""
        with contextlib.suppress(OSError):
            return _parsed(read_plain_file(self._path, MAX_BYTES) or b"") is not None
        return False

    def _change(
        self,
        at: float,
        settled: Sequence[CallRecord],
        decide: Callable[[SpentTotals], tuple[bool, Sequence[CallRecord]]],
    ) -> Reservation:
        today = local_day(at)
        with self._opened() as file:
            found = self._read(file, today)
            spent = self._raised(found.on(today))
            after, counted = self._with(spent, settled, {})
            is_allowed, more = decide(after)
            after, counted = self._with(after, more, counted)
            if after != found and not _write(file, after):
                return Reservation(is_allowed, spent, is_recorded=False)
            self._remember(counted)
            return Reservation(is_allowed, after, is_recorded=file is not None)

    def _with(
        self, spent: SpentTotals, calls: Sequence[CallRecord], counted: Mapping[int, CountedCall]
    ) -> tuple[SpentTotals, Mapping[int, CountedCall]]:
        changes = dict(counted)
        for call in calls:
            old = changes.get(call.number) or self._counted.get(call.number)
            spent = spent.with_call(call, old)
            changes[call.number] = CountedCall(call, old.day if old else spent.day)
        return spent, changes

    def _remember(self, counted: Mapping[int, CountedCall]) -> None:
        self._counted.update(counted)
        for number in list(self._counted)[: max(0, len(self._counted) - MOST_COUNTED)]:
            del self._counted[number]

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes] | None]:
        """Yield the file, or None if it cannot exist; then the usage store supplies the amounts."""
        if not self._lock.acquire(timeout=WAIT_S):
            raise BooksError(f"{self._path} cannot be read: it does not respond")
        try:
            with contextlib.ExitStack() as stack:
                yield self._open(stack)
        finally:
            self._lock.release()

    def _open(self, stack: contextlib.ExitStack) -> IO[bytes] | None:
        try:
            private_folder(self._path.parent)
            return stack.enter_context(locked_file(self._path, WAIT_S))
        except TimeoutError as exc:
            raise BooksError(f"{self._path} cannot be read: {exc.strerror}") from exc
        except OSError as exc:
            self._failure = exc.strerror or str(exc)
            return None

    def _read(self, file: IO[bytes] | None, today: str) -> SpentTotals:
        """Read the amounts from the file, else from the usage store; raises BooksError if neither has them."""
        data = b"" if file is None else file.read(MAX_BYTES)
        if (found := _parsed(data)) is not None:
            return found
        sums = self._books.sums(today, newest=True)
        if sums is not None:
            return sums
        if file is None:
            raise BooksError(f"{self._path} cannot be written: {self._failure}")
        if data.strip():
            raise BooksError(f"{self._path} cannot be read: delete it to begin a new budget")
        return SpentTotals()

    def _raised(self, spent: SpentTotals) -> SpentTotals:
        """Return the amounts, raised once a day to the usage store's if those are higher."""
        if spent.day == self._checked:
            return spent
        try:
            sums = self._books.sums(spent.day)
        except BooksError:
            return spent
        self._checked = spent.day
        return spent if sums is None else spent.at_least(sums)


def _parsed(data: bytes) -> SpentTotals | None:
    """Parse a file's content; None if it is invalid."""
    try:
        said = json.loads(data)
        return SpentTotals(
            date.fromisoformat(said["day"]).isoformat(),
            _money(said["money_today"]),
            _money(said["money_this_month"]),
            _count(said["tokens_today"]),
            _count(said["tokens_this_month"]),
            str(said.get("held_on", "")),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def _money(said: Mapping[str, float]) -> Mapping[str, float]:
    money = {currency: float(amount) for currency, amount in said.items()}
    # Less than nothing would be a larger budget.
    if not all(math.isfinite(amount) and amount >= 0 for amount in money.values()):
        raise ValueError("not an amount of money")
    return money


def _count(said: float) -> int:
    if said < 0:
        raise ValueError("not a number of tokens")
    return int(said)


def _write(file: IO[bytes] | None, spent: SpentTotals) -> bool:
    """Overwrite the content in place; if the disk is full or permission is lost, the old content stays."""
    if file is None:
        return False
    # Adding and subtracting leaves rounding errors, far below any price; and less than nothing, if the file was deleted
    # after a call was reserved in it.
    rounded = replace(
        spent,
        money_today={name: max(0.0, round(amount, 9)) for name, amount in spent.money_today.items()},
        money_this_month={
            name: max(0.0, round(amount, 9)) for name, amount in spent.money_this_month.items()
        },
        tokens_today=max(0, spent.tokens_today),
        tokens_this_month=max(0, spent.tokens_this_month),
    )
    data = json.dumps(asdict(rounded)).encode()
    try:
        file.seek(0, 2)
        size = max(file.tell(), -(-len(data) // BLOCK_BYTES) * BLOCK_BYTES)
        file.seek(0)
        return file.write(data.ljust(size)) == size
    except OSError:
        return False
