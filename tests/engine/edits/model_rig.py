"""An engine with a provider for completions and one for next edits, whose streams a test holds in its hands."""

from __future__ import annotations

import asyncio

from llm_lsp.core.edits.next_edit import OfferedEdit
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.text import Edit, Point
from tests.doubles import ScriptedProvider, ScriptedStream
from tests.engine.edits.rig import EditRig

SWEEP = Profile("edits", "sweep-next-edit-0.5b", "none", local=True, free=True, max_in_flight=1)
SETTINGS = {
    "provider": "main",
    "providers": {
        "main": {"api": "openai-completions", "base_url": "http://127.0.0.1:1/v1", "model": "qwen2.5-coder"},
        "edits": {
            "api": "llamacpp-infill",
            "base_url": "http://127.0.0.1:2",
            "model": "sweep-next-edit-0.5b",
        },
    },
    "edits": {"provider": "edits"},
}
SOURCE = "first = 1\nsecond = 2\nthird = 3\nfourth = 4\nfifth = 5\nsixth = 6\nseventh = 7\n"
CHANGED = SOURCE.replace("first = 1", "first = 100")
ANSWER = CHANGED.replace("second = 2", "second = 200")


class ModelRig(EditRig):
    """One document, a provider for completions and one for next edits."""

    def __init__(self, profile: Profile = SWEEP, settings: dict[str, object] | None = None) -> None:
        super().__init__(SETTINGS | (settings or {}))
        self.edits = ScriptedProvider(profile)
        self.completions = self.rig.provider
        self.rig.finder.found[:] = [self.completions, self.edits]

    async def start(self, text: str = SOURCE) -> None:
        await self.write(text)

    async def change(self, pause_s: float = 0.0) -> None:
        """Make the change that an edit follows from; the cursor is inside the line."""
        await self.edit(Edit(Point(0, 8), Point(0, 9), "100"), pause_s=pause_s)
        self.point = Point(0, 8)

    @property
    def calls(self) -> list[ScriptedStream]:
        return self.edits.streams

    async def asked(self) -> asyncio.Task[OfferedEdit | Skip]:
        """Ask, and wait until the model is called."""
        task = self.ask()
        await self.clock.advance(1.0)
        assert self.calls, await task
        return task
