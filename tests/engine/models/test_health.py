"""What follows from a provider's failures: circuit breaker, latch or retry, depending on the user's patience."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_lsp.core.request import Patience
from llm_lsp.core.skip import Reason
from llm_lsp.engine.models.health import (
    BY_HAND_S,
    DEFAULT_QUIET_S,
    LATCH_S,
    MAX_QUIET_S,
    QUIET_CAP_S,
    RETRY_TOKENS,
    TERMS,
    Attempt,
    ProviderHealth,
)
from llm_lsp.errors import (
    AuthError,
    BadRequestError,
    BrokenStreamError,
    ConfigError,
    ContextTooLongError,
    InternalError,
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

NOW = 1000.0
TYPING, ASKED, COMMAND = Patience.TYPING, Patience.ASKED, Patience.COMMAND


def troubled(*errors: LlmLspError, chance: float = 0.5) -> ProviderHealth:
    it = ProviderHealth(lambda: chance)
    for error in errors:
        it.began(NOW)
        it.failed(error, Attempt(TYPING), NOW)
    return it


def reason(it: ProviderHealth, patience: Patience = TYPING, now: float = NOW) -> Reason | None:
    skip = it.refusal(now, patience)
    return skip.reason if skip else None


def status(code: int) -> OverloadedError:
    return OverloadedError(f"h is busy ({code})", status=code)


def begun(error: ProviderError) -> ProviderError:
    error.began = True
    return error


LASTING = [
    pytest.param([AuthError("h refused the key")], id="the key"),
    pytest.param([MoneyError("h: no credit")], id="money"),
    pytest.param([TlsError("h: certificate")], id="a certificate"),
    pytest.param([NotFoundError("h: no such model")], id="the model"),
    pytest.param([ConfigError("ca_file has no certificates")], id="a setting"),
    pytest.param([BadRequestError("h refused it")] * 2, id="the second refused request"),
]


@pytest.mark.parametrize("errors", LASTING)
def test_what_only_the_user_can_mend_stops_calls(errors: list[LlmLspError]) -> None:
    it = troubled(*errors)
    for patience in (TYPING, COMMAND):
        skip = it.refusal(NOW + LATCH_S - 1, patience)
        assert skip
        assert skip.detail == str(errors[-1])


@pytest.mark.parametrize("errors", LASTING[1:])
def test_only_a_changed_key_needs_no_word_of_its_user(errors: list[LlmLspError]) -> None:
    assert reason(troubled(*errors), TYPING, NOW + 100 * LATCH_S) is Reason.PROVIDER_FAILED


def test_a_call_now_and_then_finds_out_whether_a_refused_key_was_changed() -> None:
    it = troubled(AuthError("h refused the key"))
    assert reason(it, TYPING, NOW + LATCH_S) is None
    it.failed(AuthError("h refused the key"), Attempt(TYPING), NOW + LATCH_S)
    assert reason(it, TYPING, NOW + LATCH_S + 1) is Reason.PROVIDER_FAILED
    it.went_well(NOW + 2 * LATCH_S)
    assert reason(it, TYPING, NOW + 2 * LATCH_S) is None


def test_a_single_refused_request_may_be_due_to_its_text() -> None:
    assert reason(troubled(BadRequestError("h refused it"))) is None


def test_a_request_by_hand_passes_the_latch_and_clears_it() -> None:
    it = troubled(AuthError("h refused the key"))
    assert reason(it, ASKED) is None
    it.began(NOW + BY_HAND_S)
    it.went_well(NOW + BY_HAND_S)
    assert reason(it, TYPING, NOW + BY_HAND_S) is None


def test_a_key_held_down_does_not_pass_the_latch_at_each_repeat() -> None:
    it = troubled(AuthError("h refused the key"))
    it.began(NOW + 1)
    assert reason(it, ASKED, NOW + 1.1) is Reason.PROVIDER_FAILED
    assert reason(it, ASKED, NOW + 1 + BY_HAND_S) is None


@pytest.mark.parametrize(
    ("asked_s", "quiet_s"),
    [
        pytest.param(0.2, 0.2, id="a moment"),
        pytest.param(30.0, 30.0, id="as long as the API says"),
        pytest.param(3600.0, MAX_QUIET_S, id="not for ever"),
        pytest.param(None, DEFAULT_QUIET_S, id="where it says nothing"),
        pytest.param(-1.0, 0.0, id="never backwards"),
    ],
)
def test_an_api_that_asks_to_be_left_alone_is(asked_s: float | None, quiet_s: float) -> None:
    it = troubled(RateLimitError("h: too many", asked_s))
    assert reason(it, TYPING, NOW + quiet_s) is None
    if quiet_s:
        assert reason(it, TYPING, NOW + quiet_s - 0.01) is Reason.RATE_LIMITED
        assert reason(it, ASKED, NOW + quiet_s - 0.01) is None


def test_an_overloaded_api_that_names_a_time_is_left_alone_too() -> None:
    assert reason(troubled(OverloadedError("h is busy", 9, status=503)), now=NOW + 8.9) is Reason.RATE_LIMITED


def test_the_quiet_time_grows_while_the_api_names_none() -> None:
    lengths = [troubled(*[RateLimitError("h: too many")] * n).ready_at - NOW for n in range(1, 7)]
    assert lengths == [5, 10, 20, 40, QUIET_CAP_S, QUIET_CAP_S]


def test_the_reason_tells_when_it_is_asked_again() -> None:
    skip = troubled(RateLimitError("h: too many requests", 30)).refusal(NOW + 1, TYPING)
    assert skip
    assert skip.detail == "h: too many requests; retrying in 29 s"


def test_offline_is_known_after_two_calls_and_over_with_the_first_answer() -> None:
    it = troubled(UnreachableError("h"))
    assert reason(it) is None
    it = troubled(UnreachableError("h"), UnreachableError("h"))
    assert reason(it) is Reason.CIRCUIT_OPEN
    it.went_well(NOW)
    assert reason(it) is None


@pytest.mark.parametrize(
    "error",
    [
        AuthError("x"),
        BadRequestError("x"),
        RateLimitError("x", 0.0),
        ContextTooLongError("x"),
        InternalError("x"),
    ],
)
def test_what_is_no_fault_of_the_connection_opens_no_breaker(error: LlmLspError) -> None:
    it = troubled(*[error] * 9)
    assert reason(it, now=NOW + MAX_QUIET_S) is not Reason.CIRCUIT_OPEN


class TestAgain:
    """Whether the same request is sent once more."""

    CASES = (
        # What failed, and the request's patience: typing, manual, command.
        pytest.param(status(502), (True, True, True), id="a gateway"),
        pytest.param(status(503), (True, True, True), id="unavailable"),
        pytest.param(status(500), (False, True, True), id="a server's own error"),
        pytest.param(status(529), (False, True, True), id="overloaded"),
        pytest.param(BrokenStreamError("h: reset"), (True, True, True), id="a reset before the head"),
        pytest.param(begun(BrokenStreamError("h: reset")), (False, False, False), id="a reset after it"),
        pytest.param(begun(status(503)), (False, False, False), id="an error object in the answer"),
        pytest.param(RateLimitError("h", 1.0), (False, True, True), id="too many, for a second"),
        pytest.param(RateLimitError("h", 30.0), (False, False, True), id="too many, for long"),
        pytest.param(RateLimitError("h", 3600.0), (False, False, False), id="too many, for ever"),
        pytest.param(SlowError("h"), (False, False, True), id="too slow"),
        pytest.param(UnreachableError("h"), (False, False, True), id="no connection"),
        pytest.param(TlsError("h"), (False, False, False), id="a certificate"),
        pytest.param(AuthError("h"), (False, False, False), id="the key"),
        pytest.param(MoneyError("h"), (False, False, False), id="money"),
        pytest.param(NotFoundError("h"), (False, False, False), id="the model"),
        pytest.param(BadRequestError("h"), (False, False, False), id="the request"),
        pytest.param(InternalError("h"), (False, False, False), id="a fault of ours"),
    )

    @pytest.mark.parametrize(("error", "expected"), CASES)
    def test_who_waits_decides_which_failures_are_worth_it(
        self, error: LlmLspError, expected: tuple[bool, bool, bool]
    ) -> None:
        got = [ProviderHealth().again_in(error, Attempt(each), 0.1) is not None for each in Patience]
        assert got == list(expected)

    @pytest.mark.parametrize("said", [True, False])
    def test_the_apis_own_word_counts_before_ours(self, said: bool) -> None:
        for error in (status(503), status(500), BadRequestError("h")):
            error.should_retry = said
            assert (ProviderHealth().again_in(error, Attempt(TYPING), 0.0) is not None) is said

    def test_a_retry_that_comes_too_late_for_who_types_is_none(self) -> None:
        assert ProviderHealth().again_in(status(503), Attempt(TYPING), 0.31) is None
        assert ProviderHealth().again_in(status(503), Attempt(ASKED), 0.31) is not None

    @pytest.mark.parametrize("patience", Patience)
    def test_there_is_an_end_to_it(self, patience: Patience) -> None:
        last = Attempt(patience, number=TERMS[patience].retries)
        assert ProviderHealth().again_in(status(503), last, 0.0) is None

    def test_the_waits_grow_and_are_drawn_from_nothing_to_all_of_it(self) -> None:
        def waits(chance: float) -> list[float | None]:
            it = ProviderHealth(lambda: chance)
            return [it.again_in(status(503), Attempt(COMMAND, number), 0.0) for number in range(6)]

        assert waits(0.0) == [0.0] * 6
        assert waits(1.0) == [0.5, 1, 2, 4, 8, 16]

    def test_a_wait_that_was_asked_for_is_kept_and_spread(self) -> None:
        assert troubled(chance=1.0).again_in(RateLimitError("h", 30.0), Attempt(COMMAND), 0.0) == 30.5

    @given(st.lists(st.booleans(), max_size=300))
    def test_retries_stay_a_tenth_of_the_calls(self, outcomes: list[bool]) -> None:
        it, n_retries, n_well = ProviderHealth(), 0, 0
        for is_well in outcomes:
            if is_well:
                it.went_well(NOW)
                n_well += 1
            elif it.again_in(status(503), Attempt(TYPING), 0.0) is not None:
                n_retries += 1
        assert n_retries <= RETRY_TOKENS + 0.1 * n_well + 1e-6


class TestTooLong:
    """A prompt over the model's window."""

    def test_it_is_halved_once_and_stays_so(self) -> None:
        it = ProviderHealth()
        it.failed(ContextTooLongError("h: too long"), Attempt(TYPING), NOW)
        assert it.again_in(ContextTooLongError("h: too long"), Attempt(TYPING), 3.0) == 0.0
        assert it.share == 0.5
        it.went_well(NOW)
        assert it.share == 0.5

    def test_where_a_half_is_too_long_only_the_settings_help(self) -> None:
        it = ProviderHealth()
        it.failed(ContextTooLongError("h"), Attempt(TYPING), NOW)
        it.failed(ContextTooLongError("h: too long"), Attempt(TYPING, 1, share=0.5), NOW)
        assert it.again_in(ContextTooLongError("h"), Attempt(TYPING, 1, share=0.5), 0.0) is None
        assert reason(it) is Reason.PROVIDER_FAILED

    def test_two_calls_that_were_under_way_together_halve_it_once(self) -> None:
        it = ProviderHealth()
        for _ in range(2):
            it.failed(ContextTooLongError("h"), Attempt(TYPING), NOW)
        assert it.share == 0.5
        assert reason(it) is None


def test_a_command_waits_out_a_bad_time_while_there_are_retries_left() -> None:
    it = troubled(UnreachableError("h"), UnreachableError("h"))
    assert reason(it, COMMAND) is None
    assert it.ready_at > NOW
    for _ in range(int(RETRY_TOKENS)):
        it.again_in(status(503), Attempt(COMMAND), 0.0)
    assert reason(it, COMMAND) is Reason.CIRCUIT_OPEN
