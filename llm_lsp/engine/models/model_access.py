"""The one way to call a model, for all features.

A feature checks with `admit` whether a document may be used, lets `failover` choose the provider, and calls
`stream` with a function that builds its prompt. Redaction, slots, budget, metering, health, status and usage
records are then the same for all features.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b

from llm_lsp.core.privacy.admission import admit, admit_document
from llm_lsp.core.privacy.redact import Redacted, Redactor, redact_prompt
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.request import ModelRequest, Patience, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point
from llm_lsp.engine.client.status import ServerStatus
from llm_lsp.engine.clock import Clock
from llm_lsp.engine.models.call_traffic import CallTraffic
from llm_lsp.engine.models.failover import Failover
from llm_lsp.engine.models.model_stream import ModelStream
from llm_lsp.engine.models.provider_choice import ProviderChoice
from llm_lsp.engine.models.registry import ProviderRegistry, Runtime
from llm_lsp.engine.privacy.document_guard import DocumentGuard
from llm_lsp.engine.usage.recorder import UsageRecorder


class ModelAccess:
    """Calls models; one for all features."""

    def __init__(
        self,
        registry: ProviderRegistry,
        document_guard: DocumentGuard,
        redactor: Redactor,
        recorder: UsageRecorder,
        status: ServerStatus,
        clock: Clock,
    ) -> None:
        self.failover = Failover(registry, recorder.ledger, clock, document_guard.remote_refusal)
        self._registry = registry
        self._document_guard = document_guard
        self._redactor = redactor
        self._recorder = recorder
        self._status = status
        self._affinity_key = os.urandom(32)
        self.traffic = CallTraffic()

    @property
    def runtime(self) -> Runtime:
        """The current settings."""
        return self._registry.runtime

    def is_examined(self, uri: str) -> bool:
        """Check whether a document's file was examined; until then `admit` refuses it."""
        return self._document_guard.is_known(uri)

    async def examined(self, uri: str) -> None:
        """Wait until a document's file was examined."""
        await self._document_guard.known(uri)

    def admit_document(self, document: Document) -> Skip | None:
        """Return why no text of a document may be sent to a model, or None."""
        runtime = self.runtime
        skip = admit_document(document, runtime.rules)
        return skip or self._document_guard.refusal(document.uri, runtime.exclusion)

    def stays_here(self, uri: str) -> Skip | None:
        """Return why a document's text may not leave this machine, or None."""
        return self._document_guard.remote_refusal(uri)

    def admit(self, document: Document, point: Point, trigger: Trigger) -> Skip | None:
        """Return why no completion may be made at a position, or None."""
        runtime = self.runtime
        if skip := admit(document, point, trigger, runtime.rules):
            return skip
        if skip := self._document_guard.refusal(document.uri, runtime.exclusion):
            return skip
        if runtime.config.privacy.redact_secrets and self._redactor.touches(document.text, point):
            return Skip(Reason.SECRET)
        return None

    def redact(self, runtime: Runtime) -> Callable[[str], Redacted]:
        """Return a function that redacts a text, for texts that are cut before they become part of a prompt.

        A secret must be redacted before a cut divides it. `prompt` redacts the whole prompt again.
        """
        return self._redactor.redact if runtime.config.privacy.redact_secrets else Redacted

    def prompt(self, choice: ProviderChoice, build_prompt: Callable[[], Prompt]) -> Prompt:
        """Build and redact a prompt; nothing is added or changed afterwards.

        If redaction fails, raises, and nothing is sent.
        """
        prompt = build_prompt()
        if choice.runtime.config.privacy.redact_secrets:
            prompt, _ = redact_prompt(prompt, self._redactor.redact)
        return prompt

    def stream(
        self,
        request: ModelRequest,
        choice: ProviderChoice,
        build_prompt: Callable[[], Prompt],
        patience: Patience | None = None,
    ) -> ModelStream:
        """Return a call that is ready to be iterated; nothing is sent before that.

        `patience` overrides the request's deadlines.
        """
        prompt, profile = self.prompt(choice, build_prompt), choice.profile
        prompt = replace(prompt, affinity=self._affinity(choice.slot.name, request.document.uri))
        stream = choice.provider.stream(prompt, patience or request.patience)
        self._status.asked(profile)
        metered = self._recorder.metered(request, profile, prompt, stream)
        return ModelStream(
            metered,
            request,
            choice,
            self._instead_of(request, choice),
            lambda: self.failover.held_back(request, choice),
            self.traffic,
        )

    def _affinity(self, provider: str, uri: str) -> str:
        """Return a name for a document at a provider that reveals neither, and is another one after a restart."""
        name = f"{provider} {uri}".encode("utf-8", "replace")
        return blake2b(name, digest_size=16, key=self._affinity_key).hexdigest()

    def _instead_of(self, request: ModelRequest, choice: ProviderChoice) -> str:
        """Return why a provider other than the first choice answers, for the status; "" for the first choice."""
        if choice.runtime is not self.runtime:
            return ""  # chosen under earlier settings, in which it may have been the first choice
        first = next(self._registry.slots(request.document, request.trigger, feature=request.feature))
        if first is choice.slot or first.provider is None:
            return ""
        refused = self.failover.choice(request, first)
        skip = refused if isinstance(refused, Skip) else refused.refusal
        if isinstance(refused, Skip) and refused.reason is Reason.ALWAYS_THINKS:
            trouble = "cannot stop thinking and only answers questions"
        elif isinstance(refused, Skip):
            trouble = f"may not be used for this document ({refused.detail or refused.reason.value})"
        elif skip and skip.reason is Reason.OVER_BUDGET:
            trouble = "is over budget"
        else:
            trouble = "fails"
        return f"{first.name} {trouble}; {choice.slot.name} answers instead"
