"""The health of a provider: whether it may be called, and what follows from a failure.

One `ProviderHealth` for each provider holds a latch for failures that only the user can repair, the wait that the API
asked for, a circuit breaker and a retry budget. All times are seconds of one monotonic clock. docs/adr/0019 gives the
reasons for the constants.
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
# Seconds after which a call finds out whether a refused key was changed meanwhile, for example in the keyring, so
# that automatic completions come back by themselves. Nothing else repairs itself without the user.
LATCH_S = 60.0
# And of this many refused requests in a row: a single one may be due to its text.
BAD_REQUESTS = 2
# Seconds to be quiet where an API says "too many" and not for how long, doubled each time up to the cap; and the
# longest that is obeyed. OpenAI's own client waits no longer either.
DEFAULT_QUIET_S = 5.0
QUIET_CAP_S = 60.0
MAX_QUIET_S = 120.0
# Failures that an overload behind the API explains, and that may be gone a moment later.
GATEWAY = frozenset({502, 503, 504})
# Seconds between two requests by hand that pass a latch or an open breaker while another provider can answer.
BY_HAND_S = 5.0
# A retry takes one token, a success gives a tenth back: at most a tenth of further load, over any length of time.
RETRY_TOKENS = 10.0
TOKENS_BACK = 0.1


@dataclass(frozen=True, slots=True)
class Terms:
    """How often and how long a request is retried; seconds."""

    retries: int
    base_s: float
    """The longest wait before the first retry; it doubles with each, and the wait is drawn from 0 to it."""
    cap_s: float
    within_s: float
    """From the request's arrival; a later retry is of no use any more."""
    obeys_s: float
    """The longest wait that an API may ask for and still be asked again by the same request."""
    kinds: Kinds

    def takes(self, error: ProviderError, patience: Patience) -> bool:
        """Return whether a failure may be gone at the next try; what the API says takes precedence."""
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
    """How often the same provider was called before for this request."""
    share: float = 1.0
    """The part of its window that the prompt was cut to."""


class ProviderHealth:
    """The state of one provider; `chance` returns numbers from 0 to 1 for jitter."""

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
        """Return why the provider is not to be called now, or None; changes nothing."""
        if patience is Patience.ASKED and now >= self._by_hand_at + BY_HAND_S:
            return None
        if self._latched and not (isinstance(self._latched, AuthError) and now >= self._latched_at + LATCH_S):
            return Skip(Reason.PROVIDER_FAILED, str(self._latched))
        if patience is Patience.COMMAND and self._tokens >= 1:
            return None  # A command waits, see `ready_at`.
        wait_s = self.ready_at - now
        if wait_s <= 0 and not self._circuit_breaker.is_open(now):
            return None
        reason = Reason.RATE_LIMITED if now < self._quiet_until else Reason.CIRCUIT_OPEN
        return Skip(reason, f"{self._last}; asked again in {max(wait_s, 0):.0f} s")

    @property
    def ready_at(self) -> float:
        """From when on it may be called; in the past if nothing is wrong."""
        return max(self._quiet_until, self._circuit_breaker.until)

    def began(self, now: float) -> None:
        """Record a call; after a pause of the circuit breaker it is the half-open probe."""
        self.rate.count(now)
        if self._latched or now < self.ready_at:
            self._by_hand_at = now
        self._circuit_breaker.began(now)

    def went_well(self, now: float) -> None:
        """Record that a call gave text: whatever was wrong is over."""
        self._circuit_breaker.went_well(now)
        self._tokens = min(RETRY_TOKENS, self._tokens + TOKENS_BACK)
        self._latched = self._last = None
        self._quiet_until = float("-inf")
        self._n_quiet = self._n_bad_requests = 0

    def answering(self) -> None:
        """Record that a call gives text, and has not ended yet."""
        self._circuit_breaker.answering()

    def left(self) -> None:
        """Record that a call was closed before it had an outcome."""
        self._circuit_breaker.left()

    def failed(self, error: LlmLspError, attempt: Attempt, now: float) -> None:
        """Record a call's failure, once for each call."""
        self._last = error
        if isinstance(error, RateLimitError) or (isinstance(error, ProviderError) and error.retry_after_s):
            self._be_quiet(error.retry_after_s, now)
        match error:
            case ContextTooLongError():
                if attempt.share < 1.0:
                    self._latch(error, now)
                # Halved once; if that is not enough, only the settings can help.
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
        """Return the wait in seconds before a retry with this provider, or None if it is not worth one.

        `elapsed_s` counts from the request's arrival. A retry is taken from the retry budget.
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
