"""Which providers may handle a request, and in which order, according to the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llm_lsp.config.settings import AUTO, EDIT_MODEL, LOCAL, Config, ProviderConfig, RouteConfig
from llm_lsp.core.privacy.addresses import is_loopback
from llm_lsp.core.privacy.exclusion import Exclusion
from llm_lsp.core.request import Feature, Trigger
from llm_lsp.core.text.document import Document


@dataclass(frozen=True, slots=True)
class RouteRule:
    """One `[[routes]]` table; an empty field matches everything."""

    provider: str
    languages: tuple[str, ...]
    files: Exclusion | None
    trigger: Trigger | None

    @classmethod
    def of(cls, route: RouteConfig, folders: tuple[str, ...]) -> RouteRule:
        """Build a rule; its globs are relative to the workspace folders, like those of `privacy.exclude`."""
        globs = _listed(route.path)
        files = Exclusion(globs, folders) if globs else None
        trigger = {"auto": Trigger.AUTOMATIC, "manual": Trigger.MANUAL}.get(route.trigger)
        return cls(route.provider, _listed(route.language), files, trigger)

    def fits(self, document: Document, trigger: Trigger) -> bool:
        """Check whether the rule applies to a request."""
        return (
            (self.trigger is None or self.trigger is trigger)
            and (not self.languages or document.language in self.languages)
            # A document that was never saved has no path.
            and (self.files is None or ("/" in document.uri and self.files.covers(document.uri)))
        )


@dataclass(frozen=True, slots=True)
class Routing:
    """All rules, and the fallbacks of each provider."""

    rules: tuple[RouteRule, ...]
    default: str
    providers: Mapping[str, ProviderConfig]
    edits: tuple[str, ...] = ()
    """The first choices for next edits, before that of completions if `edits_anyhow`."""
    edits_anyhow: bool = False

    @classmethod
    def of(cls, config: Config, folders: tuple[str, ...]) -> Routing:
        """Build the routing from the settings."""
        rules = tuple(RouteRule.of(route, folders) for route in config.routes)
        is_named = config.edits.provider != AUTO
        return cls(
            rules,
            config.provider,
            config.providers,
            (config.edits.provider if is_named else EDIT_MODEL,),
            config.edits.enabled is True and not is_named,
        )

    def order(self, document: Document, trigger: Trigger, feature: Feature = "completion") -> tuple[str, ...]:
        """Return a request's providers: the first choice, then its fallbacks, each once."""
        if feature == "edits":
            own = tuple(name for first in self.edits for name in self._with_fallbacks(first))
            others = self.order(document, trigger) if self.edits_anyhow else ()
            return tuple(dict.fromkeys((*own, *others)))
        first = next((rule.provider for rule in self.rules if rule.fits(document, trigger)), self.default)
        return tuple(self._with_fallbacks(first))

    def names(self) -> frozenset[str]:
        """Return every provider that any request may use."""
        firsts = (self.default, *(rule.provider for rule in self.rules), *self.edits)
        return frozenset(name for first in firsts for name in self._with_fallbacks(first))

    def unpaid(self) -> tuple[str, ...]:
        """Return the free providers, for when the budget is used up; the model on this machine is last."""
        return (*(name for name, config in self.providers.items() if _costs_nothing(config)), LOCAL)

    def _with_fallbacks(self, first: str) -> dict[str, None]:
        found = {first: None}
        waiting = [first]
        while waiting:
            config = self.providers.get(waiting.pop(0))
            for name in config.fallback if config else ():
                if name not in found:
                    found[name] = None
                    waiting.append(name)
        return found


def _listed(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _costs_nothing(config: ProviderConfig) -> bool:
    """Check whether a provider is free by its settings; once it is built, Profile.free decides."""
    if config.free != "auto":
        return config.free
    if config.local != "auto":
        return config.local
    return config.api in ("llamacpp-infill", "ollama") and is_loopback(config.base_url)
