"""The provider that a request goes to."""

from __future__ import annotations

from dataclasses import dataclass, replace

from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.skip import Skip
from llm_lsp.engine.models.health import Attempt
from llm_lsp.engine.models.provider_slot import ProviderSlot
from llm_lsp.engine.models.registry import Runtime
from llm_lsp.providers.base import Provider


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """A provider that is ready, chosen for a request under the settings at that time."""

    runtime: Runtime
    slot: ProviderSlot
    provider: Provider
    attempt: Attempt
    refusal: Skip | None = None
    """Why no new call may be made now; earlier answers may still be shown."""

    @property
    def profile(self) -> Profile:
        return self.provider.profile

    @property
    def is_gone(self) -> bool:
        """Whether its slot now holds another provider or none: its server ended, or the settings changed."""
        return self.slot.provider is not self.provider

    @property
    def budget_tokens(self) -> float:
        """The limit of a prompt, in estimated tokens."""
        return self.slot.budget_tokens(self.profile, self.attempt)

    def again(self) -> ProviderChoice:
        """Return the same provider for another attempt."""
        attempt = replace(self.attempt, number=self.attempt.number + 1, share=self.slot.health.share)
        return replace(self, attempt=attempt)
