"""Excluded files, times every way by which their text could reach a model: nothing of them is sent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.privacy.exclusion import Exclusion
from llm_lsp.core.request import Completion, CompletionRequest, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text
from llm_lsp.engine.context.collector import ARRIVAL_S, IDLE_S
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.engine.privacy.document_guard import FRESH_S, DocumentGuard
from tests.doubles import FakeClock, ScriptedProvider, T, at_once, settle
from tests.engine.rig import ListedFinder, RecordingClient, same_stack

# What is alike enough to be chosen as context, with a word that must not be sent.
CANARY = "canary_rate"
HIDDEN = f"""\
def basket_total(order):
    total = sum(item.price for item in order.items)
    return total * {CANARY}
"""
QUESTION = "import {module}\n\ndef order_total(order):\n    total = sum(item.price for item in order.items)\n    x = "


@dataclass(frozen=True)
class Rule:
    """Why a file is excluded: its name, what the project's files say, what the user's settings say."""

    name: str = "hidden.py"
    files: tuple[tuple[str, str], ...] = ()
    exclude: tuple[str, ...] = ()
    leads_to: str = ""
    """The file that `name` is a link to."""
    has_twin: bool = False
    """Whether a hard link outside of the project is the same file."""


RULES = {
    "secret by its name": Rule("credentials.json"),
    "secret by its folder": Rule(".aws/hidden.py"),
    "a user's glob": Rule(exclude=("hidden.*",)),
    "a user's folder": Rule("deep/in/hidden.py", exclude=("deep/",)),
    "git": Rule(files=((".gitignore", "hidden.py\n"),)),
    "git, a folder's own": Rule("deep/hidden.py", files=(("deep/.gitignore", "*.py\n"),)),
    "the assistants' own": Rule(files=((".aiignore", "*.py\n!main.py\n"),)),
    "a marked folder": Rule("deep/in/hidden.py", files=(("deep/.noai", ""),)),
    "a link to a secret": Rule("hidden.py", leads_to="deep/.env"),
    "a link to what git ignores": Rule(
        "hidden.py", leads_to="deep/real.py", files=(("deep/.gitignore", "*"),)
    ),
    "another case": Rule("ID_RSA.py"),
    "a backup of a secret": Rule(".env~"),
    "an editor's backup of a secret": Rule("#.env#"),
    "a swap file of what a user's glob names": Rule(".hidden.py.swp", exclude=("/hidden.py",)),
    "a copy of what git ignores": Rule("hidden.py.bak", files=((".gitignore", "hidden.py\n"),)),
    "a marker above the project": Rule(files=(("../.noai", ""),)),
    "a list above the project": Rule(files=(("../.aiignore", "hidden.py\n"),)),
    "another name on the disk": Rule(has_twin=True),
}
needs_links = pytest.mark.skipif("os.name != 'posix'", reason="links need a privilege there")


class Desk:
    """An engine with a folder and a provider that keeps what it is asked."""

    def __init__(self, root: Path, settings: Mapping[str, object]) -> None:
        self.root = root
        self.clock = FakeClock()
        self.provider = ScriptedProvider(replies=("1\n",) * 9)
        stack = SettingsStack().with_layer(SettingsSource.USER_FILE, settings)
        world = EngineDependencies(ListedFinder([self.provider]), same_stack, self.clock, in_thread=at_once)
        self.engine = CompletionEngine(stack, world, RecordingClient())
        self.engine.set_folders((root.as_uri(),))

    async def open(self, name: str, text: str) -> Document:
        document = Document((self.root / name).as_uri(), "python", 1, Text.of(text))
        self.engine.open(document)
        await self.clock.advance(ARRIVAL_S)
        return document

    async def type(self, document: Document, text: str) -> Document:
        end = document.text.end
        changed = Document(document.uri, "python", document.version + 1, document.text.edit(end, end, text))
        self.engine.change(changed, (Edit(end, end, text),))
        return changed

    async def ask(self, document: Document, trigger: Trigger = Trigger.MANUAL) -> Completion | Skip:
        number, now = self.engine.next_id(), self.clock.now()
        point = Point(*document.text.end)
        return await self.engine.complete(CompletionRequest(number, document, point, trigger, "inline", now))

    @property
    def sent(self) -> str:
        """All prompts so far."""
        return "\n".join(repr(stream.prompt) for stream in self.provider.streams)


Lay = Callable[[Rule], Desk]


@pytest.fixture
async def lay(tmp_path: Path) -> AsyncIterator[Lay]:
    desks: list[Desk] = []

    def lay(rule: Rule) -> Desk:
        root = tmp_path / "project"
        target = root / (rule.leads_to or rule.name)
        for path, text in (*((root / name, text) for name, text in rule.files), (target, HIDDEN)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if rule.leads_to:
            (root / rule.name).symlink_to(target)
        if rule.has_twin:
            os.link(root / rule.name, tmp_path / "twin.env")
        desks.append(Desk(root, {"privacy": {"exclude": list(rule.exclude)}}))
        return desks[-1]

    yield lay
    for desk in desks:
        await desk.engine.aclose()


def question(rule: Rule) -> str:
    return QUESTION.format(module=rule.name.removesuffix(".py").replace("/", "."))


async def as_target(desk: Desk, rule: Rule) -> None:
    document = await desk.open(rule.name, HIDDEN)
    for trigger in Trigger:
        result = await desk.ask(document, trigger)
        assert isinstance(result, Skip)
        assert result.reason is Reason.EXCLUDED
    assert not desk.provider.streams


async def as_open_neighbour(desk: Desk, rule: Rule) -> None:
    await desk.open(rule.name, HIDDEN)
    await desk.ask(await desk.open("main.py", question(rule)))


async def as_closed_neighbour_and_import(desk: Desk, rule: Rule) -> None:
    await desk.ask(await desk.open("main.py", question(rule)))
    await desk.ask(await desk.open(str(Path(rule.name).with_name("beside.py")), question(rule)))


async def as_recent_edit(desk: Desk, rule: Rule) -> None:
    hidden = await desk.open(rule.name, HIDDEN)
    for _ in range(3):
        hidden = await desk.type(hidden, f"    total = sum(order.items) * {CANARY}\n")
        await desk.ask(hidden)
    main = await desk.open("main.py", question(rule))
    await desk.clock.advance(IDLE_S)
    await desk.ask(main)


WAYS = [as_target, as_open_neighbour, as_closed_neighbour_and_import, as_recent_edit]


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(rule, id=name, marks=needs_links if rule.leads_to or rule.has_twin else ())
        for name, rule in RULES.items()
    ],
)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_nothing_of_an_excluded_file_is_sent(
    way: Callable[[Desk, Rule], object], rule: Rule, lay: Lay
) -> None:
    desk = lay(rule)
    await way(desk, rule)  # type: ignore[misc] # each of WAYS is a coroutine function
    assert CANARY not in desk.sent


@pytest.mark.parametrize("way", WAYS[1:], ids=lambda way: way.__name__)
async def test_what_is_not_excluded_is_sent_in_these_ways(
    way: Callable[[Desk, Rule], object], lay: Lay
) -> None:
    desk = lay(Rule())
    await way(desk, Rule())  # type: ignore[misc] # each of WAYS is a coroutine function
    assert CANARY in desk.sent


async def test_who_says_so_completes_what_git_ignores(lay: Lay) -> None:
    desk = lay(RULES["git"])
    desk.engine.configure("editor settings", {"privacy": {"ignore_files": False}})
    document = await desk.open("hidden.py", HIDDEN)
    assert isinstance(await desk.ask(document), Skip)

    user = SettingsStack().with_layer(SettingsSource.USER_FILE, {"privacy": {"ignore_files": False}})
    desk.engine._stack = user
    desk.engine.set_folders((desk.root.as_uri(),))
    assert isinstance(await desk.ask(document), Completion)


async def test_an_ignore_file_that_is_written_later_is_heeded(lay: Lay) -> None:
    desk = lay(Rule())
    document = await desk.open("hidden.py", "x = ")
    assert isinstance(await desk.ask(document), Completion)
    (desk.root / ".gitignore").write_text("hidden.py\n")
    await desk.clock.advance(2 * FRESH_S)

    await desk.ask(document)
    await settle()
    result = await desk.ask(await desk.type(document, "y"))

    assert isinstance(result, Skip)
    assert result.reason is Reason.EXCLUDED
    assert "ignore files" in result.detail


@needs_links
async def test_a_file_with_another_name_goes_to_a_model_on_this_machine(lay: Lay) -> None:
    desk = lay(RULES["another name on the disk"])
    desk.provider.profile = replace(desk.provider.profile, local=True)

    assert isinstance(await desk.ask(await desk.open("hidden.py", HIDDEN)), Completion)


@needs_links
@pytest.mark.parametrize(
    "folder", ["node_modules/.pnpm/a", ".venv/lib/python3.12/site-packages/a", "vendor/a"]
)
async def test_a_dependency_may_have_other_names(lay: Lay, folder: str) -> None:
    desk = lay(Rule(f"{folder}/hidden.py", has_twin=True))

    assert isinstance(await desk.ask(await desk.open(f"{folder}/hidden.py", HIDDEN)), Completion)


@needs_links
async def test_a_second_name_that_is_made_later_counts(lay: Lay) -> None:
    desk = lay(Rule())
    document = await desk.open("hidden.py", "x = ")
    assert isinstance(await desk.ask(document), Completion)
    os.link(desk.root / "hidden.py", desk.root / "twin.py")
    await desk.clock.advance(2 * FRESH_S)

    await desk.ask(document)
    await settle()
    result = await desk.ask(await desk.type(document, "y"))

    assert isinstance(result, Skip)
    assert "another name" in result.detail


@pytest.mark.parametrize(
    ("name", "uri_end"),
    [
        pytest.param("hid#den.py", "hid#den.py", id="a hash"),
        pytest.param("hid?den.py", "hid?den.py", id="a question mark"),
        pytest.param("c#/hidden.py", "c#/hidden.py", id="a hash in a folder"),
        pytest.param("hid%den.py", "hid%2525den.py", id="escaped twice"),
    ],
)
@pytest.mark.parametrize("scheme", ["file://", "untitled:", "vscode-remote://host", "vscode-userdata:"])
async def test_a_raw_address_hides_no_ignored_file(lay: Lay, name: str, uri_end: str, scheme: str) -> None:
    desk = lay(Rule(name, files=((".gitignore", f"{name}\n"),)))
    uri = f"{scheme}{desk.root.as_posix()}/{uri_end}"
    document = Document(uri, "python", 1, Text.of(HIDDEN))
    desk.engine.open(document)
    await desk.clock.advance(ARRIVAL_S)

    result = await desk.ask(document)

    assert isinstance(result, Skip)
    assert result.reason is Reason.EXCLUDED
    await desk.ask(await desk.open("main.py", QUESTION.format(module="hidden")))
    assert CANARY not in desk.sent


@needs_links
async def test_links_in_a_circle_are_withheld(lay: Lay) -> None:
    desk = lay(Rule())
    (desk.root / "one.py").symlink_to(desk.root / "two.py")
    (desk.root / "two.py").symlink_to(desk.root / "one.py")

    result = await desk.ask(await desk.open("one.py", HIDDEN))

    assert isinstance(result, Skip)
    assert result.reason is Reason.EXCLUDED


async def test_a_file_that_is_not_saved_yet_and_one_outside_are_completed(lay: Lay) -> None:
    desk = lay(Rule())
    for name in ("new.py", "../elsewhere.py"):
        assert isinstance(await desk.ask(await desk.open(name, "x = ")), Completion)


async def test_who_waits_for_the_disk_while_the_folders_change_is_told_what_it_says() -> None:
    may_look = asyncio.Event()

    async def slowly(work: Callable[[], T]) -> T:
        await may_look.wait()
        return work()

    document_guard = DocumentGuard(lambda: 0.0, slowly)
    document_guard.look("file:///p/a.py")
    waiting = asyncio.create_task(document_guard.known("file:///p/a.py"))
    await settle()
    document_guard.set_folders(("file:///p",))
    may_look.set()
    await waiting

    assert document_guard.refusal("file:///p/a.py", Exclusion(())) is None
    await document_guard.aclose()
