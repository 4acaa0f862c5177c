"""The interface of a model API, as the engine uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from llm_lsp.core.generation import Chunk
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Patience


class Stream(Protocol):
    """One call under way. Iterate it once, in one task; `close` may be called from anywhere, any number of times."""

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """Iterate over the pieces as they come.

        Ends normally after a chunk with `finish`; raises ProviderError if the call fails, and
        asyncio.CancelledError in the iterating task once `close` took effect.
        """
        ...

    def close(self) -> None:
        """Close the upstream connection as soon as that is safe; returns at once, and the answer is lost."""
        ...

    def release(self) -> None:
        """Let the rest go: what is wanted has come.

        A stream that ends within 30 ms is drained and its connection kept, else it is closed. The iterating
        task has left its loop.
        """
        ...


class Provider(Protocol):
    """A model API that can be asked."""

    @property
    def profile(self) -> Profile: ...

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> Stream:
        """Begin a call; nothing is sent before the stream is iterated. `patience` sets its deadlines."""
        ...

    async def warm(self) -> None:
        """Open a connection ahead of the first call; failures are silent."""
        ...

    async def aclose(self) -> None:
        """Close every connection; streams under way end."""
        ...
