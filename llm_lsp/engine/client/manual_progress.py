"""Shows progress while a manual request waits for its answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llm_lsp.core.request import Patience
from llm_lsp.engine.client.interface import Client, Progress
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import Clock

# Seconds. A faster answer needs no progress report, which would only flash up.
PATIENT_S = 0.4


class ManualProgress:
    """Progress reports of manual requests without an answer yet."""

    def __init__(self, client: Client, status: ServerStatus, clock: Clock) -> None:
        self._client = client
        self._status = status
        self._clock = clock
        self._shown: set[int] = set()

    @contextmanager
    def shown(self, number: int, patience: Patience) -> Iterator[None]:
        """Show progress if a manual request takes longer than PATIENT_S."""
        if patience is not Patience.ASKED:
            yield
            return
        timer = self._clock.call_at(self._clock.now() + PATIENT_S, lambda: self._begin(number))
        try:
            yield
        finally:
            timer.cancel()
            self._end(number)

    def _begin(self, number: int) -> None:
        self._shown.add(number)
        self._client.progress(Progress(_token(number), "llm-lsp", "waiting for the model"))
        self._status.waiting(len(self._shown))

    def _end(self, number: int) -> None:
        if number in self._shown:
            self._shown.remove(number)
            self._client.progress(Progress(_token(number), "llm-lsp", done=True))
            self._status.waiting(len(self._shown))


def _token(number: int) -> str:
    return f"llm-lsp/request/{number}"
