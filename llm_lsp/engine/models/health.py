"""How a provider fares: whether it may be asked, and what a failure is worth; pure, knows no call and no task.

One `ProviderHealth` for each provider is the only owner of its troubles: a latch for what only its user can mend, a
quiet time that the API asked for, a breaker, a budget of retries. All times are seconds of one monotonic clock.
The reasons for the figures stand in docs/adr/0019.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from llm_lsp.core.request import Patience
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.engine.models.circuit_breaker import CircuitBreaker
from llm_lsp.engine.models.rate_limit import RateLimit
from llm_lsp.errors import (
    AuthError,
    BadRequestError,
    BrokenStreamError,
    ConfigError,
    ContextTooLongError,
    LlmLspError,
    MoneyError,
    NotFoundError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    SlowError,
    TlsError,
    UnreachableError,
)

Kinds = tuple[type[ProviderError], ...]

# Only new settings, a new key or a request by hand can change the outcome of these.
LASTING: Kinds = (AuthError, MoneyError, TlsError, NotFoundError)
# Seconds after which a call finds out whether a refused key was changed meanwhile, as in the keyring: who only types
# must not stay without completion for that. Nothing else is mended without its user's saying so.
LATCH_S = 60.0
# And of this many refused requests in a row: a single one may be due to its text.
BAD_REQUESTS = 2
# Seconds to be quiet where an API says "too many" and not for how long, doubled each time up to the cap; and the
# longest that is obeyed. OpenAI's own client waits no longer either.
DEFAULT_QUIET_S = 5.0
QUIET_CAP_S = 60.0
MAX_QUIET_S = 120.0
# Failures that somebody else's overload explains, and that may be gone a moment later.
GATEWAY = frozenset({502, 503, 504})
# Seconds between two requests by hand that pass a latch or an open breaker while another provider can answer.
BY_HAND_S = 5.0
# A retry takes one token, a success gives a tenth back: at most a tenth of further load, over any length of time.
RETRY_TOKENS = 10.0
TOKENS_BACK = 0.1


@dataclass(frozen=True, slots=True)
class Terms:
    """What one more try may cost whoever waits; seconds."""

    retries: int
    base_s: float
    """The longest wait before the first retry; it doubles with each, and the wait is drawn from 0 to it."""
    cap_s: float
    within_s: float
    """From the request's coming; a later retry is of no use any more."""
    obeys_s: float
    """The longest wait that an API may ask for and still be asked again by the same request."""
    kinds: Kinds

    def takes(self, error: ProviderError, patience: Patience) -> bool:
        """Say whether a failure may be gone at the next try; the API's own word counts before ours."""
        if error.should_retry is not None:
            return error.should_retry
        if patience is Patience.TYPING and isinstance(error, OverloadedError):
            return error.status in GATEWAY
        return isinstance(error, self.kinds) and not isinstance(error, LASTING)


TERMS: Mapping[Patience, Terms] = {
    # Gaps between keys: half are below 0.15 s. A retry that begins later than 0.3 s is beaten by the next key.
    Patience.TYPING: Terms(1, 0.15, 0.15, 0.3, 0.0, (OverloadedError, BrokenStreamError)),
    Patience.ASKED: Terms(2, 0.3, 1.5, 8.0, 1.5, (OverloadedError, BrokenStreamError, RateLimitError)),
    # Exponential backoff with full jitter, as AWS and the vendors' own clients have it.
    Patience.COMMAND: Terms(
        6, 0.5, 20.0, 300.0, MAX_QUIET_S,
        (OverloadedError, BrokenStreamError, RateLimitError, SlowError, UnreachableError),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to answer a request with one provider."""

    patience: Patience
    number: int = 0
    """How often the same provider was asked before for this request."""
    share: float = 1.0
    """The part of its window that the prompt was cut to."""


class ProviderHealth:
    """The state of one provider; `chance` gives numbers from 0 to 1 for jitter."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self.rate = RateLimit()
        self.share = 1.0
        """The part of its window that prompts are cut to; less after the API found one too long."""
        self._chance = chance
        self._circuit_breaker = CircuitBreaker(chance)
        self._tokens = RETRY_TOKENS
        self._latched: LlmLspError | None = None
        self._latched_at = float("-inf")
        self._last: LlmLspError | None = None
        self._quiet_until = float("-inf")
        self._n_quiet = 0
        self._n_bad_requests = 0
        self._by_hand_at = float("-inf")

    def refusal(self, now: float, patience: Patience) -> Skip | None:
        """Say why it is not to be asked now, or None. Asking costs nothing and changes nothing."""
        if patience is Patience.ASKED and now >= self._by_hand_at + BY_HAND_S:
            return None
        if self._latched and not (isinstance(self._latched, AuthError) and now >= self._latched_at + LATCH_S):
            return Skip(Reason.PROVIDER_FAILED, str(self._latched))
        if patience is Patience.COMMAND and self._tokens >= 1:
            return None  # It waits, see `ready_at`.
        wait_s = self.ready_at - now
        if wait_s <= 0 and not self._circuit_breaker.is_open(now):
            return None
        reason = Reason.RATE_LIMITED if now < self._quiet_until else Reason.RESTING
        return Skip(reason, f"{self._last}; asked again in {max(wait_s, 0):.0f} s")

    @property
    def ready_at(self) -> float:
        """From when on it may be asked; long ago where nothing is wrong."""
        return max(self._quiet_until, self._circuit_breaker.until)

    def began(self, now: float) -> None:
        """Take note of a call; after a pause of the breaker it is the probe."""
        self.rate.count(now)
        if self._latched or now < self.ready_at:
            self._by_hand_at = now
        self._circuit_breaker.began(now)

    def went_well(self, now: float) -> None:
        """Take note that a call gave text: whatever was wrong is over."""
        self._circuit_breaker.went_well(now)
        self._tokens = min(RETRY_TOKENS, self._tokens + TOKENS_BACK)
        self._latched = self._last = None
        self._quiet_until = float("-inf")
        self._n_quiet = self._n_bad_requests = 0

    def left(self) -> None:
        """Take note that a call was closed before it showed how the provider fares."""
        self._circuit_breaker.left()

    def failed(self, error: LlmLspError, attempt: Attempt, now: float) -> None:
        """Take note of a call's failure, once for each call."""
        self._last = error
        if isinstance(error, RateLimitError) or (isinstance(error, ProviderError) and error.retry_after_s):
            self._be_quiet(error.retry_after_s, now)
        match error:
            case ContextTooLongError():
                if attempt.share < 1.0:
                    self._latch(error, now)
                # Halved once; where that is not enough only the settings can help.
                self.share = 0.5
            case AuthError() | MoneyError() | TlsError() | NotFoundError() | ConfigError():
                self._latch(error, now)
            case BadRequestError():
                self._n_bad_requests += 1
                self._latched = None
                if self._n_bad_requests >= BAD_REQUESTS:
                    self._latch(error, now)
        if isinstance(error, UnreachableError | OverloadedError | SlowError | BrokenStreamError):
            self._circuit_breaker.failed(now, is_offline=isinstance(error, UnreachableError))
        else:
            self._circuit_breaker.left()

    def again_in(self, error: LlmLspError, attempt: Attempt, elapsed_s: float) -> float | None:
        """Give the wait before the same is asked of it again, in seconds, or None where that is not worth it.

        `elapsed_s` counts from the request's coming. A retry is taken from the budget.
        """
        if not isinstance(error, ProviderError) or error.began:
            return None
        if isinstance(error, ContextTooLongError):
            return 0.0 if self.share < attempt.share else None
        terms = TERMS[attempt.patience]
        asked_s = error.retry_after_s or 0.0
        if attempt.number >= terms.retries or elapsed_s > terms.within_s or asked_s > terms.obeys_s:
            return None
        if not terms.takes(error, attempt.patience) or self._tokens < 1:
            return None
        self._tokens -= 1
        return asked_s + self._chance() * min(terms.cap_s, terms.base_s * 2.0**attempt.number)

    def _be_quiet(self, asked_s: float | None, now: float) -> None:
        self._n_quiet += 1
        own_s = min(QUIET_CAP_S, DEFAULT_QUIET_S * 2.0 ** (self._n_quiet - 1))
        quiet_s = own_s if asked_s is None else min(max(asked_s, 0.0), MAX_QUIET_S)
        self._quiet_until = max(self._quiet_until, now + quiet_s)

    def _latch(self, error: LlmLspError, now: float) -> None:
        self._latched, self._latched_at = error, now
