"""Each remote call of the engine is one line of the audit file, without anything of the user's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text
from llm_lsp.engine.client.notifications import Notifications
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.engine.usage.audit_log import MOST_PENDING, RETRY_S, SOON_S, AuditLog
from llm_lsp.errors import AuthError, BooksError
from tests.doubles import FakeClock, ScriptedProvider, at_once, settle
from tests.engine.rig import ListedFinder, RecordingClient, same_stack
from tests.usage_store.audit_rows import CALL

REMOTE = Profile("team", "coder", "none", origin="https://llm.team.example")


@dataclass
class File:
    lines: list[str] = field(default_factory=list)
    fault: str = ""

    def append(self, file: str, lines: Sequence[str]) -> int:
        if self.fault:
            raise BooksError(self.fault)
        self.lines += lines
        return len(lines)


class Rig:
    def __init__(self) -> None:
        self.file, self.clock, self.client = File(), FakeClock(), RecordingClient()
        notifications = Notifications(self.client, self.clock.now)
        self.log = AuditLog(self.file.append, notifications, self.clock, at_once)
        self.log.configure("/var/log/audit.jsonl")


async def test_calls_are_written_soon_and_together() -> None:
    rig = Rig()
    rig.log.record(CALL, REMOTE)
    rig.log.record(CALL, REMOTE)
    assert rig.file.lines == []
    await rig.clock.advance(SOON_S)
    assert len(rig.file.lines) == 2


async def test_a_call_to_this_machine_is_no_line() -> None:
    rig = Rig()
    rig.log.record(CALL, replace(REMOTE, local=True))
    await rig.log.aclose()
    assert rig.file.lines == []


async def test_without_a_file_nothing_is_kept() -> None:
    rig = Rig()
    rig.log.configure("")
    rig.log.record(CALL, REMOTE)
    rig.log.configure("/var/log/audit.jsonl")
    await rig.log.aclose()
    assert rig.file.lines == []


async def test_a_file_that_cannot_be_written_is_one_message_and_loses_nothing() -> None:
    rig = Rig()
    rig.file.fault = "/var/log/audit.jsonl cannot be written: No space left on device"
    for _ in range(3):
        rig.log.record(CALL, REMOTE)
        await rig.clock.advance(RETRY_S)
    assert len(rig.client.shown) == 1
    rig.file.fault = ""
    await rig.clock.advance(RETRY_S)
    assert len(rig.file.lines) == 3


async def test_a_file_that_stays_broken_takes_no_memory_without_end() -> None:
    rig = Rig()
    rig.file.fault = "broken"
    for _ in range(MOST_PENDING + 5):
        rig.log.record(CALL, REMOTE)
    await rig.clock.advance(SOON_S)
    rig.file.fault = ""
    await rig.log.aclose()
    assert len(rig.file.lines) == MOST_PENDING


CANARY = st.text("abcdefghijklmnop", min_size=8, max_size=12).map(lambda word: f"CANARY{word}")


@given(code=CANARY, name=CANARY, user=CANARY, answer=CANARY, fails=st.booleans())
@settings(max_examples=15)
async def test_no_code_path_or_name_is_in_a_line(
    code: str, name: str, user: str, answer: str, *, fails: bool
) -> None:
    file, clock = File(), FakeClock()
    profile = replace(REMOTE, model=f"/home/{user}/models/qwen.gguf")
    provider = ScriptedProvider(profile, replies=() if fails else (f"{answer}\n",))
    world = EngineDependencies(
        ListedFinder([provider]), same_stack, clock, append_audit=file.append, in_thread=at_once
    )
    stack = SettingsStack().with_layer("user file", {"audit": {"file": f"/home/{user}/audit.jsonl"}})
    engine = CompletionEngine(stack, world, RecordingClient())
    engine.set_folders((f"file:///home/{user}/{name}",))
    text = Text.of(f"def {code}():\n    return ")
    document = Document(f"file:///home/{user}/{name}/{name}.py", "python", 1, text)
    engine.open(document)
    await settle()
    request = CompletionRequest(1, document, text.end, Trigger.MANUAL, "inline", clock.now())

    task = asyncio.create_task(engine.complete(request))
    await settle()
    if fails:
        provider.streams[-1].fail(AuthError(f"{answer}: refused for {user}"))
    await clock.advance(5.0)
    await task
    await engine.aclose()

    assert file.lines
    for line in file.lines:
        assert "CANARY" not in line
        assert json.loads(line)["origin"] == "https://llm.team.example"


@pytest.mark.parametrize("file", ["", "/var/log/audit.jsonl"])
async def test_closing_writes_what_is_left(file: str) -> None:
    rig = Rig()
    rig.log.configure(file)
    rig.log.record(CALL, REMOTE)
    await rig.log.aclose()
    assert len(rig.file.lines) == bool(file)
