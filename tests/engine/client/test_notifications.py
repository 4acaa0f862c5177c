"""A cause is shown once, and one that keeps changing only a few times a minute."""

from __future__ import annotations

import pytest

from llm_lsp.engine.client.notifications import MOST_SHOWN, SHOWN_WITHIN_S, Notifications
from tests.doubles import FakeClock
from tests.engine.rig import RecordingClient


@pytest.fixture
def client() -> RecordingClient:
    return RecordingClient()


async def test_one_text_of_a_cause_is_shown_once(client: RecordingClient) -> None:
    notifications = Notifications(client, FakeClock().now)
    for _ in range(3):
        notifications.say("settings", "warning", "unknown key")

    assert client.shown == ["unknown key"]


@pytest.mark.parametrize("ends_between", [False, True])
async def test_texts_that_keep_changing_are_shown_a_few_times_a_minute(
    ends_between: bool, client: RecordingClient
) -> None:
    clock = FakeClock()
    notifications = Notifications(client, clock.now)
    for number in range(100):
        notifications.say("settings", "warning", f"unknown key {number}")
        if ends_between:
            notifications.over("settings")
    assert len(client.shown) == MOST_SHOWN

    notifications.say("usage", "warning", "another cause")
    assert client.shown[-1] == "another cause"

    await clock.advance(SHOWN_WITHIN_S + 1)
    notifications.say("settings", "warning", "unknown key 100")
    assert client.shown[-1] == "unknown key 100"
