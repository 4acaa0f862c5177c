"""The interface of a model API towards the engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from llm_lsp.core.generation import Chunk
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Patience


class Stream(Protocol):
    """A call in progress. Iterate it once, in one task; `close` may be called at any time, any number of times."""

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """Iterate over the pieces of the answer.

        Ends normally after a chunk with `finish`. Raises ProviderError if the call fails, and
        asyncio.CancelledError in the iterating task after `close`.
        """
        ...

    def close(self) -> None:
        """Close the connection as soon as that is safe. Returns at once; the rest of the answer is lost."""
        ...

    def release(self) -> None:
        """End the call: everything that is needed has arrived.

        If the stream ends within 30 ms, its connection is kept for the next call, otherwise it is closed. Call
        it after iterating.
        """
        ...


class Provider(Protocol):
    """A model API."""

    @property
    def profile(self) -> Profile: ...

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> Stream:
        """Return a call; nothing is sent before it is iterated. `patience` sets its deadlines."""
        ...

    async def warm(self) -> None:
        """Open a connection ahead of the first call; failures are ignored."""
        ...

    async def aclose(self) -> None:
        """Close every connection, which ends calls in progress."""
        ...
