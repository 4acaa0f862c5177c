"""An edited settings file takes effect while the server runs, and a broken edit changes nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from llm_lsp.cli.files.live_settings import LiveSettings
from llm_lsp.cli.files.trusted_files import TrustedFiles
from llm_lsp.config.settings import Config
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Completion, CompletionRequest, Trigger
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Text
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.engine.workspace.settings_reloader import FRESH_S, SETTLE_S
from llm_lsp.providers.base import Provider
from tests.doubles import FakeClock, ScriptedProvider, at_once, settle
from tests.engine.rig import RecordingClient

URI = "file:///p/a.py"
FIRST = """
[completion]
multiline = "never"
[privacy]
exclude = ["legal/"]
"""
ADDED = '\n[providers.mine]\napi = "openai-completions"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n'


def put(path: Path, text: str) -> None:
    path.write_text(text)


class NamedFinder:
    """Finds a provider of any name."""

    async def find(self, config: Config, report: Callable[[str], None]) -> Provider:
        return ScriptedProvider(Profile(config.provider, "m", "none", max_in_flight=2), replies=("1\n",) * 9)


class Rig:
    """An engine whose settings are files, with one open document."""

    def __init__(self, home: Path) -> None:
        self.user, self.policy = home / "home" / "config.toml", home / "etc" / "policy.toml"
        self.folder = home / "project"
        self.defaults = home / "etc" / "defaults.toml"
        for path in (self.user, self.policy):
            path.parent.mkdir(exist_ok=True)
        self.user.write_text(FIRST)
        self.clock, self.client = FakeClock(), RecordingClient()
        self.looks = 0

    def start(self) -> None:
        live = LiveSettings(None)
        reread = live.reread

        def counted(*arguments: object) -> object:
            self.looks += 1
            return reread(*arguments)  # type: ignore[arg-type] # passed on as they come

        live.reread = counted  # type: ignore[method-assign,assignment] # counts the looks
        world = EngineDependencies(
            NamedFinder(), live.with_folders, self.clock, settings_files=live, in_thread=at_once
        )
        self.engine = CompletionEngine(live.read(), world, self.client)
        self.engine.set_folders((self.folder.as_uri(),))

    @property
    def config(self) -> Config:
        return self.engine.registry.runtime.config

    async def write(self, path: Path, text: str) -> None:
        """Write a file as an editor does, and save a document."""
        put(path, text)
        await self.save()

    async def save(self) -> None:
        self.engine.saved("")
        await settle()

    async def open(self) -> Document:
        document = Document(URI, "python", 1, Text.of("x = "))
        self.engine.open(document)
        await settle()
        return document

    def ask(self, document: Document, trigger: Trigger) -> asyncio.Task[Completion | Skip]:
        number, now = self.engine.next_id(), self.clock.now()
        request = CompletionRequest(number, document, document.text.end, trigger, "inline", now)
        return asyncio.create_task(self.engine.complete(request))


@pytest.fixture
async def rig(home: Path) -> AsyncIterator[Rig]:
    rig = Rig(home)
    rig.start()
    yield rig
    await rig.engine.aclose()


async def test_an_edit_counts_from_the_next_save(rig: Rig) -> None:
    await rig.write(rig.user, FIRST.replace("never", "always"))

    assert rig.config.completion.multiline == "always"
    assert rig.client.shown == []


async def test_an_edit_counts_once_a_document_is_opened(rig: Rig) -> None:
    rig.user.write_text(FIRST.replace("never", "always"))
    await rig.open()

    assert rig.config.completion.multiline == "always"


async def test_a_provider_that_was_added_answers_the_next_manual_request(rig: Rig) -> None:
    document = await rig.open()
    rig.user.write_text(f'provider = "mine"\n{FIRST}{ADDED}')
    await rig.clock.advance(FRESH_S)
    answer = await rig.ask(document, Trigger.MANUAL)

    assert isinstance(answer, Completion)
    assert rig.client.status_now.provider == "mine"


async def test_a_manual_request_right_after_a_look_does_not_look_again(rig: Rig) -> None:
    document = await rig.open()
    looked = rig.looks
    await rig.ask(document, Trigger.MANUAL)

    assert rig.looks == looked


async def test_no_keystroke_and_no_automatic_request_looks_at_a_file(rig: Rig) -> None:
    document = await rig.open()
    looked = rig.looks
    changed = Document(URI, "python", 2, document.text.edit(document.text.end, document.text.end, "y"))
    rig.engine.change(changed, (Edit(document.text.end, document.text.end, "y"),))
    task = rig.ask(changed, Trigger.AUTOMATIC)
    await rig.clock.advance(1.0)
    await task

    assert rig.looks == looked == 1


async def test_a_clients_file_event_is_waited_for_to_settle(rig: Rig) -> None:
    rig.user.write_text("")
    rig.engine.settings_changed()
    await rig.clock.advance(SETTLE_S / 2)
    rig.user.write_text(FIRST.replace("never", "always"))
    rig.engine.settings_changed()
    await rig.clock.advance(SETTLE_S)

    assert rig.config.completion.multiline == "always"
    assert rig.config.privacy.exclude == ("legal/",)


BROKEN = [
    pytest.param(FIRST + "\n[completion", "not valid TOML", id="half-written"),
    pytest.param(FIRST.replace("never", "nver"), 'did you mean "never"', id="a bad value"),
    pytest.param(FIRST.replace("exclude", "exclde"), 'did you mean "exclude"', id="an unknown key"),
    pytest.param('provider = "mine"\n', "mine", id="a provider that is not there"),
    pytest.param("completion = 3\n", "completion", id="another shape"),
]


@pytest.mark.parametrize(("text", "words"), BROKEN)
async def test_a_broken_edit_keeps_the_last_good_settings_with_one_message(
    rig: Rig, text: str, words: str
) -> None:
    before = rig.config
    await rig.write(rig.user, text)
    await rig.save()
    rig.engine.configure("editor settings", {})
    await settle()

    assert rig.config == before
    [message] = rig.client.shown
    assert words in message
    assert message.endswith("the previous settings stay in use")


async def test_the_mended_file_counts_and_the_same_slip_is_told_again(rig: Rig) -> None:
    broken = FIRST.replace("never", "nver")
    await rig.write(rig.user, broken)
    await rig.write(rig.user, FIRST.replace("never", "always"))
    mended = rig.config.completion.multiline
    await rig.write(rig.user, broken)

    assert mended == rig.config.completion.multiline == "always"
    assert len(rig.client.shown) == 2


async def test_an_old_slip_does_not_hold_an_edit_up(home: Path) -> None:
    rig = Rig(home)
    rig.user.write_text(FIRST + "[context]\nshre = 0.5\n")
    rig.start()
    await rig.write(rig.user, FIRST.replace("never", "always") + "[context]\nshre = 0.5\n")

    assert rig.config.completion.multiline == "always"
    assert len(rig.client.shown) == 1
    await rig.engine.aclose()


async def test_a_file_that_is_gone_leaves_what_it_said(rig: Rig) -> None:
    rig.user.unlink()
    await rig.save()

    assert [*rig.config.privacy.exclude] == ["legal/"]
    assert len(rig.client.shown) == 1
    await rig.write(rig.user, "enabled = false\n")
    assert [*rig.config.privacy.exclude] == []


async def test_a_file_that_is_new_counts(home: Path) -> None:
    rig = Rig(home)
    rig.user.unlink()
    rig.start()
    await rig.write(rig.user, FIRST)

    assert rig.config.privacy.exclude == ("legal/",)
    assert rig.client.shown == []
    await rig.engine.aclose()


async def test_a_folders_file_and_the_policy_are_read_again_too(rig: Rig) -> None:
    await rig.write(rig.folder / ".llm-lsp.toml", '[privacy]\nexclude = ["more/"]\n')
    assert [*rig.config.privacy.exclude] == ["legal/", "more/"]
    await rig.write(rig.policy, "[privacy]\nremote = false\n")
    assert not rig.config.privacy.remote
    (rig.folder / ".llm-lsp.toml").unlink()
    await rig.save()
    assert [*rig.config.privacy.exclude] == ["legal/"]


async def test_an_update_of_the_machines_defaults_takes_effect(rig: Rig) -> None:
    await rig.write(rig.defaults, "[completion]\nlanguages = ['python']\n")
    assert rig.config.completion.languages == ("python",)
    await rig.write(rig.defaults, "[completion]\nlanguages = ['go']\nmultiline = 'always'\n")

    assert rig.config.completion.languages == ("go",)
    assert rig.config.completion.multiline == "never"
    assert rig.client.shown == []


async def test_a_broken_update_of_the_defaults_keeps_the_earlier_ones(rig: Rig) -> None:
    await rig.write(rig.defaults, "[completion]\nlanguages = ['python']\n")
    await rig.write(rig.defaults, "[completion]\nlanguages = ['go'\n")

    assert rig.config.completion.languages == ("python",)
    [message] = rig.client.shown
    assert "not valid TOML" in message


async def test_a_broken_policy_closes(rig: Rig) -> None:
    await rig.write(rig.policy, "[privacy")

    assert not rig.config.enabled


async def test_trust_counts_without_a_restart(rig: Rig, home: Path) -> None:
    file = rig.folder / ".llm-lsp.toml"
    await rig.write(rig.user, FIRST + ADDED)
    await rig.write(file, 'provider = "mine"\n')
    assert rig.config.provider == "auto"
    TrustedFiles(home / "home" / "trusted.json").add(file, file.read_bytes())
    await rig.save()

    assert rig.config.provider == "mine"


async def test_the_later_of_a_select_command_and_an_edit_counts(rig: Rig) -> None:
    await rig.write(rig.user, FIRST + ADDED)
    rig.engine.select_provider("mine")
    await rig.write(rig.user, FIRST.replace("never", "always") + ADDED)
    assert rig.config.provider == "mine"
    await rig.write(rig.user, 'provider = "local"\n' + FIRST + ADDED)
    assert rig.config.provider == "local"


async def test_settings_of_the_editor_stay(rig: Rig) -> None:
    rig.engine.configure("editor settings", {"completion": {"menu": "always"}})
    await rig.write(rig.user, FIRST.replace("never", "always"))

    assert (rig.config.completion.menu, rig.config.completion.multiline) == ("always", "always")


async def test_an_edit_of_the_same_length_at_the_same_time_is_seen_when_it_was_put_in_place(
    rig: Rig,
) -> None:
    """Editors write a new file and rename it; a clock of the disk may stand still meanwhile."""
    was = rig.user.stat()
    new = rig.user.with_name("new")
    new.write_text(FIRST.replace("never", "alway").replace('"alway"', '"auto" '))
    os.utime(new, ns=(was.st_atime_ns, was.st_mtime_ns))
    new.replace(rig.user)
    await rig.save()

    assert rig.config.completion.multiline == "auto"
