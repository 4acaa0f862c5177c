"""What everybody needs who asks a model for a user: completion and questions share one; knows neither of them."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.privacy.redact import Redactor
from llm_lsp.engine.models.registry import Registry
from llm_lsp.engine.privacy.document_guard import Withheld
from llm_lsp.engine.usage.recorder import Bookkeeper
from llm_lsp.engine.workspace.clock import Clock
from llm_lsp.engine.workspace.notifications import Notices


@dataclass(frozen=True, slots=True)
class Desk:
    """Who may be asked, what may not be sent, and who is told."""

    registry: Registry
    withheld: Withheld
    redactor: Redactor
    books: Bookkeeper
    notices: Notices
    clock: Clock
