"""The status is derived from the state, whatever order its parts change in."""

from __future__ import annotations

import pytest

from llm_lsp.core.provider_profile import Profile
from llm_lsp.engine.client.interface import Status
from llm_lsp.engine.client.status import ServerStatus
from tests.doubles import FakeClock


class Recorder:
    name = "test"
    has_inline = True
    offers_models = False

    def __init__(self) -> None:
        self.statuses: list[Status] = []

    def show(self, level: object, text: str) -> None: ...

    def progress(self, progress: object) -> None: ...

    def status(self, status: Status) -> None:
        self.statuses.append(status)

    @property
    def now(self) -> tuple[str, str]:
        return self.statuses[-1].kind, self.statuses[-1].message


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def client() -> Recorder:
    return Recorder()


@pytest.fixture
def status(client: Recorder, clock: FakeClock) -> ServerStatus:
    return ServerStatus(client, clock)


PROFILE = Profile("local", "m", "qwen")
OTHER = Profile("hosted", "n", "chat")


async def test_the_end_of_a_snooze_is_published(
    status: ServerStatus, client: Recorder, clock: FakeClock
) -> None:
    status.asked(PROFILE)
    status.snooze(5)
    assert client.now == ("Inactive", "snoozed")

    await clock.advance(299)
    assert client.now[0] == "Inactive"
    await clock.advance(2)

    assert client.now == ("Normal", "local: m")


async def test_a_second_snooze_replaces_the_first(
    status: ServerStatus, client: Recorder, clock: FakeClock
) -> None:
    status.snooze(1)
    status.snooze(10)

    await clock.advance(61)

    assert client.now[0] == "Inactive"


def test_switched_off_while_a_model_loads_it_stays_inactive(status: ServerStatus, client: Recorder) -> None:
    status.loading("local", "loading m")
    assert client.statuses[-1] == Status("Normal", "loading m", busy=True)

    status.toggle()
    status.loaded("local")
    status.asked(PROFILE)

    assert client.now == ("Inactive", "switched off by the toggle command")


def test_a_refused_key_is_still_shown_after_off_and_on(status: ServerStatus, client: Recorder) -> None:
    status.problem("provider hosted", "Error", "the key was refused")
    status.toggle()
    assert client.now[0] == "Inactive"

    status.toggle()

    assert client.now == ("Error", "the key was refused")


def test_off_and_on_while_a_model_loads_shows_the_progress(status: ServerStatus, client: Recorder) -> None:
    status.loading("local", "loading m: 40 %")
    status.toggle()
    status.loading("local", "loading m: 80 %")

    status.toggle()

    assert client.now == ("Normal", "loading m: 80 %")


def test_a_fallback_is_shown_until_the_first_choice_answers(status: ServerStatus, client: Recorder) -> None:
    status.problem("provider hosted", "Error", "no connection")
    status.answers("provider local", "hosted fails, local answers instead")
    assert client.now == ("Warning", "hosted fails, local answers instead")

    status.answers("provider hosted")

    assert client.now[0] == "Normal"


def test_a_failing_fallback_shows_its_own_error(status: ServerStatus, client: Recorder) -> None:
    status.problem("provider hosted", "Error", "no connection")
    status.answers("provider local", "hosted fails, local answers instead")

    status.problem("provider local", "Error", "the server is gone")

    assert client.now == ("Error", "the server is gone")


def test_what_is_solved_lets_an_older_problem_show(status: ServerStatus, client: Recorder) -> None:
    status.problem("provider a", "Error", "a fails")
    status.problem("provider b", "Error", "b fails")
    status.solved("provider b")

    assert client.now == ("Error", "a fails")


def test_a_used_up_budget_is_shown_while_nothing_is_worse(status: ServerStatus, client: Recorder) -> None:
    status.budget("1.00 USD a day are spent")
    assert client.now == ("Warning", "1.00 USD a day are spent")
    status.problem("provider a", "Error", "a fails")
    assert client.now[0] == "Error"
    status.solved("provider a")
    assert client.now[0] == "Warning"
    status.budget("")
    assert client.now[0] == "Normal"


def test_switched_off_in_the_settings_is_inactive(status: ServerStatus, client: Recorder) -> None:
    status.configure(enabled=False)
    assert client.now == ("Inactive", "switched off in the settings")
    status.configure(enabled=True)
    assert client.now[0] == "Normal"


def test_a_state_that_does_not_change_the_status_is_not_sent(status: ServerStatus, client: Recorder) -> None:
    status.asked(OTHER)
    n_sent = len(client.statuses)

    status.asked(OTHER)
    status.solved("provider a")
    status.waiting(0)

    assert len(client.statuses) == n_sent


def test_a_model_is_needed_until_there_is_one(status: ServerStatus, client: Recorder) -> None:
    status.problem("provider auto", "Warning", "no model is installed yet", needs_model=True)
    assert client.statuses[-1].needs_model

    status.solved("provider auto")
    assert not client.statuses[-1].needs_model
