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
    """A provider that is ready, chosen for one request under the settings of its time."""

    runtime: Runtime
    slot: ProviderSlot
    provider: Provider
    attempt: Attempt
    refusal: Skip | None = None
    """Why no new call may be made to it now; what it said before may still be shown."""

    @property
    def profile(self) -> Profile:
        return self.provider.profile

    @property
    def is_gone(self) -> bool:
        """Whether the provider is no longer the one in its slot: its server ended, or the settings changed."""
        return self.slot.provider is not self.provider

    @property
    def budget_tokens(self) -> float:
        """The estimated tokens that a prompt may have."""
        return self.slot.budget_tokens(self.profile, self.attempt)

    def again(self) -> ProviderChoice:
        """Return the same provider for one more attempt."""
        attempt = replace(self.attempt, number=self.attempt.number + 1, share=self.slot.health.share)
        return replace(self, attempt=attempt)
