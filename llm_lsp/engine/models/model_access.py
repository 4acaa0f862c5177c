"""What everybody needs who asks a model for a user: completion and questions share one; knows neither of them."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.privacy.redact import Redactor
from llm_lsp.engine.models.registry import ProviderRegistry
from llm_lsp.engine.privacy.document_guard import DocumentGuard
from llm_lsp.engine.usage.recorder import UsageRecorder
from llm_lsp.engine.workspace.clock import Clock
from llm_lsp.engine.workspace.notifications import Notifications
from llm_lsp.engine.workspace.status import ServerStatus


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """Who may be asked, what may not be sent, and who is told."""

    registry: ProviderRegistry
    document_guard: DocumentGuard
    redactor: Redactor
    books: UsageRecorder
    notifications: Notifications
    status: ServerStatus
    clock: Clock
