"""The health of a provider: whether it may be called, and whether a failed call is retried.

`ProviderHealth` combines four mechanisms: a latch for failures that only the user can repair, the wait that the API
asked for, a circuit breaker, and a retry budget. All times are seconds of one monotonic clock. ADR 19 explains the
constants.
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

# Failures that only new settings, a new key or a manual request can change.
LASTING: Kinds = (AuthError, MoneyError, TlsError, NotFoundError)
# Seconds after which an automatic call checks whether a refused key has been replaced, for example in the keyring.
# The other lasting failures do not go away without the user.
LATCH_S = 60.0
# Consecutive refused requests after which the latch is set: a single one may be due to its text.
BAD_REQUESTS = 2
# Seconds to wait if an API reports "too many requests" without a time; doubled each time up to the cap. The last value
# is the longest wait that is obeyed, the same as in OpenAI's own client.
DEFAULT_QUIET_S = 5.0
QUIET_CAP_S = 60.0
MAX_QUIET_S = 120.0
# Statuses that point to an overload behind the API, which may be gone a moment later.
GATEWAY = frozenset({502, 503, 504})
# Seconds between manual requests that bypass a latch or an open breaker while another provider can answer.
BY_HAND_S = 5.0
# A retry takes one token, a success adds a tenth: in the long run, retries add at most a tenth to the load.
RETRY_TOKENS = 10.0
TOKENS_BACK = 0.1


@dataclass(frozen=True, slots=True)
class Terms:
    """How often and how long a request is retried; times in seconds."""

    retries: int
    base_s: float
    """Upper bound of the random wait before the first retry; doubles with each retry."""
    cap_s: float
    within_s: float
    """Seconds from the request's arrival; later retries are useless."""
    obeys_s: float
    """The longest wait requested by an API after which the same request is retried."""
    kinds: Kinds

    def takes(self, error: ProviderError, patience: Patience) -> bool:
        """Check whether a retry may succeed; what the API says takes precedence."""
        if error.should_retry is not None:
            return error.should_retry
        if patience is Patience.TYPING and isinstance(error, OverloadedError):
            return error.status in GATEWAY
        return isinstance(error, self.kinds) and not isinstance(error, LASTING)


TERMS: Mapping[Patience, Terms] = {
    # Half of the gaps between keys are below 0.15 s. A retry later than 0.3 s is usually overtaken by the next key.
    Patience.TYPING: Terms(1, 0.15, 0.15, 0.3, 0.0, (OverloadedError, BrokenStreamError)),
    Patience.ASKED: Terms(2, 0.3, 1.5, 8.0, 1.5, (OverloadedError, BrokenStreamError, RateLimitError)),
    # Exponential backoff with full jitter, as in AWS's and the model vendors' own clients.
    Patience.COMMAND: Terms(
        6, 0.5, 20.0, 300.0, MAX_QUIET_S,
        (OverloadedError, BrokenStreamError, RateLimitError, SlowError, UnreachableError),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to answer a request with one provider."""

    patience: Patience
    number: int = 0
    """Number of earlier calls to this provider for the same request."""
    share: float = 1.0
    """Share of the context window that the prompt may use."""


class ProviderHealth:
    """The health of one provider; `chance` returns numbers from 0 to 1 for jitter."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self.rate = RateLimit()
        self.share = 1.0
        """Share of the context window that prompts may use; reduced after the API found one too long."""
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
        """Return why the provider may not be called now, or None; changes nothing."""
        if patience is Patience.ASKED and now >= self._by_hand_at + BY_HAND_S:
            return None
        if self._latched and not (isinstance(self._latched, AuthError) and now >= self._latched_at + LATCH_S):
            return Skip(Reason.PROVIDER_FAILED, str(self._latched))
        if patience is Patience.COMMAND and self._tokens >= 1:
            return None  # a command waits, see `ready_at`
        wait_s = self.ready_at - now
        if wait_s <= 0 and not self._circuit_breaker.is_open(now):
            return None
        reason = Reason.RATE_LIMITED if now < self._quiet_until else Reason.CIRCUIT_OPEN
        return Skip(reason, f"{self._last}; retrying in {max(wait_s, 0):.0f} s")

    @property
    def ready_at(self) -> float:
        """Return the earliest time of the next call; in the past if nothing is wrong."""
        return max(self._quiet_until, self._circuit_breaker.until)

    def began(self, now: float) -> None:
        """Record a call; after an open period of the circuit breaker it is the half-open probe."""
        self.rate.count(now)
        if self._latched or now < self.ready_at:
            self._by_hand_at = now
        self._circuit_breaker.began(now)

    def went_well(self, now: float) -> None:
        """Record that a call returned text, so all problems are over."""
        self._circuit_breaker.went_well(now)
        self._tokens = min(RETRY_TOKENS, self._tokens + TOKENS_BACK)
        self._latched = self._last = None
        self._quiet_until = float("-inf")
        self._n_quiet = self._n_bad_requests = 0

    def answering(self) -> None:
        """Record that a call returns text but has not ended."""
        self._circuit_breaker.answering()

    def left(self) -> None:
        """Record that a call was closed without an outcome."""
        self._circuit_breaker.left()

    def failed(self, error: LlmLspError, attempt: Attempt, now: float) -> None:
        """Record a failed call, once per call."""
        self._last = error
        if isinstance(error, RateLimitError) or (isinstance(error, ProviderError) and error.retry_after_s):
            self._be_quiet(error.retry_after_s, now)
        match error:
            case ContextTooLongError():
                if attempt.share < 1.0:
                    self._latch(error, now)
                # Halved once; if that is not enough, only different settings help.
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
        """Return the wait in seconds before a retry, or None if a retry is not worthwhile.

        `elapsed_s` is the time since the request's arrival. A retry uses up retry budget.
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
