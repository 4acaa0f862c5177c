"""An engine whose document is edited as in an editor, and asked for the next edit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from llm_lsp.core.edits.next_edit import EditRequest, OfferedEdit
from llm_lsp.core.request import Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, advance, difference
from llm_lsp.engine.usage.ledger import UsageStore
from tests.engine.rig import URI, Rig

PAUSE_S = 2.0

SOURCE = """\
def total(cart, rate):
    price = sum(cart)
    return price * rate


def other(rate):
    return rate
"""
RENAMED = SOURCE.replace("def total(cart, rate)", "def total(basket, rate)")


class EditRig:
    """One open document; its cursor is behind the last edit."""

    def __init__(self, settings: Mapping[str, object] | None = None, store: UsageStore | None = None) -> None:
        self.rig = Rig(settings=settings, store=store)
        self.engine, self.clock = self.rig.engine, self.rig.clock
        self.point = Point(0, 0)

    @property
    def document(self) -> Document:
        document = self.engine.document(URI)
        assert document is not None
        return document

    @property
    def text(self) -> str:
        return str(self.document.text)

    async def write(self, text: str, uri: str = URI, language: str = "python") -> None:
        """Open the document."""
        await self.rig.write(text, uri, language)

    async def edit(self, *edits: Edit, pause_s: float = PAUSE_S) -> None:
        """Change the document, and pause."""
        text = self.document.text
        for each in edits:
            text = text.edit(each.start, each.end, each.text)
        old = self.document
        self.engine.change(Document(old.uri, old.language, old.version + 1, text), edits)
        self.point = advance(edits[-1].start, edits[-1].text)
        await self.clock.advance(pause_s)

    async def become(self, text: str, pause_s: float = PAUSE_S) -> None:
        """Change the document to a text by one edit."""
        await self.edit(difference(self.document.text, text), pause_s=pause_s)

    def ask(
        self, *, may_wait: bool = True, document: Document | None = None
    ) -> asyncio.Task[OfferedEdit | Skip]:
        """Begin to ask for the next edit."""
        request = EditRequest(
            self.engine.next_id(), document or self.document, self.point, Trigger.AUTOMATIC, self.clock.now()
        )
        return asyncio.create_task(self.engine.next_edit(request, may_wait=may_wait))

    async def offered(self) -> OfferedEdit:
        """Return the edit that is offered now."""
        found = await self.ask()
        assert isinstance(found, OfferedEdit), found
        return found

    async def reason(self) -> Reason:
        """Return why none is offered."""
        found = await self.ask()
        assert isinstance(found, Skip), found
        return found.reason

    async def apply(self, offer: OfferedEdit) -> None:
        """Change the document as the offer says."""
        await self.edit(Edit(offer.edit.start, offer.edit.end, offer.edit.new))


def changed(offer: OfferedEdit) -> str:
    """Return the changed line."""
    edit = offer.edit
    return offer.document.text.edit(edit.start, edit.end, edit.new).line(edit.start.line)
