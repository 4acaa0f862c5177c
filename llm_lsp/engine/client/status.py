"""The server's status for a status line, derived in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.client.interface import Client, Kind, Status
from llm_lsp.engine.clock import Clock, Timer


@dataclass(frozen=True, slots=True)
class _Problem:
    kind: Kind
    text: str
    needs_model: bool = False


class ServerStatus:
    """Owns the status: other parts report their own state here, and only this class sends it to the client.

    In order of precedence, it shows: switched off or snoozed, a model that is loading, a fallback in use, the
    newest problem, a budget that is used up, and the model that answers. A timer ends a snooze.
    """

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._is_enabled = True
        self._is_off = False
        self._snoozed_until = float("-inf")
        self._snooze_timer: Timer | None = None
        self._loading: dict[str, str] = {}
        """The last progress message of each provider that is being found or started."""
        self._problems: dict[str, _Problem] = {}
        """By cause, newest last."""
        self._fallback: tuple[str, str] | None = None
        """The cause of the fallback provider that answers, and the message to show."""
        self._budget = ""
        self._answering: Profile | None = None
        self._n_waiting = 0
        self._spent_today = ""
        self._published = Status()

    def configure(self, *, enabled: bool) -> None:
        """Record whether the settings allow completions."""
        self._is_enabled = enabled
        self._publish()

    def toggle(self) -> bool:
        """Switch completions off, or on if they are off or snoozed; return whether they are on now."""
        self._is_off = self.off() is None
        self._set_snooze(float("-inf"))
        return not self._is_off

    def snooze(self, minutes: float) -> None:
        """Pause completions for some minutes; 0 ends the pause."""
        self._set_snooze(self._clock.now() + 60 * minutes if minutes > 0 else float("-inf"))

    def off(self) -> Skip | None:
        """Return why completions are switched off or paused, or None."""
        if self._is_off:
            return Skip(Reason.DISABLED, "switched off by the toggle command")
        if self._clock.now() < self._snoozed_until:
            return Skip(Reason.DISABLED, "snoozed")
        return None

    def loading(self, provider: str, message: str) -> None:
        """Record the progress of a provider that is being found or started."""
        self._loading[provider] = message
        self._publish()

    def loaded(self, provider: str) -> None:
        """Record that a provider has been found or started, or that this failed."""
        self._loading.pop(provider, None)
        self._publish()

    def problem(self, cause: str, kind: Kind, text: str, *, needs_model: bool = False) -> None:
        """Record a problem of `cause`, until `solved` is called for it."""
        self._problems.pop(cause, None)
        self._problems[cause] = _Problem(kind, text, needs_model)
        if self._fallback and self._fallback[0] == cause:
            self._fallback = None
        self._publish()

    def solved(self, cause: str) -> None:
        """Record that `cause` has no problem any more, or is no longer used."""
        self._problems.pop(cause, None)
        if self._fallback and self._fallback[0] == cause:
            self._fallback = None
        self._publish()

    def answers(self, cause: str, instead_of: str = "") -> None:
        """Record that the provider of `cause` returned text; `instead_of` says why it was not the first choice."""
        self._problems.pop(cause, None)
        self._fallback = (cause, instead_of) if instead_of else None
        self._publish()

    def budget(self, text: str) -> None:
        """Record which budget is used up; "" if none is."""
        self._budget = text
        self._publish()

    def asked(self, profile: Profile) -> None:
        """Record which model a call was made to."""
        self._answering = profile
        self._publish()

    def waiting(self, n_requests: int) -> None:
        """Record how many manual requests are waiting for an answer."""
        self._n_waiting = n_requests
        self._publish()

    def spent(self, today: Mapping[str, float]) -> None:
        """Record what was spent today, by currency."""
        amounts = (f"{money:.2f} {currency}" for currency, money in today.items() if money > 0)
        self._spent_today = " + ".join(amounts)
        self._publish()

    def close(self) -> None:
        """Cancel the timer."""
        if self._snooze_timer:
            self._snooze_timer.cancel()

    def _set_snooze(self, until: float) -> None:
        self.close()
        self._snoozed_until = until
        if until > self._clock.now():
            self._snooze_timer = self._clock.call_at(until, lambda: self._set_snooze(float("-inf")))
        self._publish()

    def _publish(self) -> None:
        status = self._derive()
        if status != self._published:
            self._published = status
            self._client.status(status)

    def _derive(self) -> Status:
        kind, message = self._kind_and_message()
        profile = self._answering
        return Status(
            kind,
            message,
            busy=bool(self._loading or self._n_waiting),
            provider=profile.provider if profile else "",
            model=profile.model if profile else "",
            spent_today=self._spent_today,
            needs_model=any(problem.needs_model for problem in self._problems.values()),
        )

    def _kind_and_message(self) -> tuple[Kind, str]:
        if off := self.off():
            return "Inactive", off.detail
        if not self._is_enabled:
            return "Inactive", "switched off in the settings"
        if self._loading:
            return "Normal", next(reversed(self._loading.values()))
        if self._fallback:
            return "Warning", self._fallback[1]
        if self._problems:
            newest = next(reversed(self._problems.values()))
            return newest.kind, newest.text
        if self._budget:
            return "Warning", self._budget
        profile = self._answering
        return "Normal", f"{profile.provider}: {profile.model}" if profile else ""
