"""The stack of `deploy/litellm`, started for real: affinity, keys, a server that dies, Redis away.

It needs LiteLLM (LLM_LSP_TEST_LITELLM names its program) and `redis-server`; `.ci/run full` has both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace

import pytest

from llm_lsp.config.settings import Config, ProviderConfig
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.core.generation import Usage
from llm_lsp.core.privacy.secret import Secret
from llm_lsp.core.prompt.prompts import RawPrompt
from llm_lsp.core.request import Completion, CompletionRequest, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Text
from llm_lsp.engine.clock import LoopClock
from llm_lsp.engine.engine import CompletionEngine, EngineDependencies
from llm_lsp.errors import AuthError
from llm_lsp.local.model_store import LocalModel
from llm_lsp.providers.base import Provider
from llm_lsp.providers.http.provider import HttpProvider
from llm_lsp.providers.provider_factory import make_provider
from tests.engine.rig import RecordingClient, same_stack
from tests.team_stack import LITELLM, REDIS, SEATS, TeamStack, seat_key, team_stack

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_model,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not (LITELLM and REDIS), reason="no LiteLLM, or no redis-server"),
]

# Seconds between two lines, as a person needs.
PAUSE_S = 1.0
# Seconds: the circuit breaker's first interval, with the time of the calls in it.
RECOVERY_S = 30.0
HEADER = "x-litellm-session-id"
LINES = [f"value_{number} = compute(value_{number - 1}, {number * 37 % 101})" for number in range(1, 40)]
SKIPS_OF_FAILURE = (Reason.PROVIDER_FAILED, Reason.CIRCUIT_OPEN, Reason.TIMED_OUT, Reason.RATE_LIMITED)


@pytest.fixture(scope="module")
def stack(real_model_file: LocalModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TeamStack]:
    with team_stack(real_model_file.path, tmp_path_factory.mktemp("team")) as stack:
        yield stack


def connect(url: str, number: int = 0, *, header: str = HEADER, key: str = "") -> HttpProvider:
    config = ProviderConfig(
        "team", "openai-completions", f"{url}/v1", "coder", fim="none", ask_usage=True, timeout_s=120.0,
        affinity_header=header, local=False, max_tokens=8,
    )  # fmt: skip
    return make_provider(config, Secret(key or seat_key(number)))


async def ask(provider: HttpProvider, document: str, prompt: str) -> tuple[str, Usage]:
    """Return the replica that answered, and the usage."""
    usage = Usage()
    async for chunk in provider.stream(replace(RawPrompt(prompt, max_tokens=2), affinity=document)):
        usage = chunk.usage or usage
    return provider.last_headers["x-litellm-model-id"], usage


def growing(name: str) -> Iterator[str]:
    """Yield the prompts of a document that is written from its first half on, a line at a time."""
    for n_lines in range(len(LINES) - 6, len(LINES)):
        yield "\n".join((f"# {name}", *LINES[:n_lines], ""))


async def cached_share(provider: HttpProvider, documents: list[str]) -> float:
    """Type in documents by turns, and return the share of prompt tokens that a cache had, without the first prompts."""
    read = cached = 0
    for turn, prompts in enumerate(zip(*map(growing, documents), strict=True)):
        for document, prompt in zip(documents, prompts, strict=True):
            _, usage = await ask(provider, document, prompt)
            if turn:
                read += usage.input_tokens or 0
                cached += usage.cached_tokens or 0
    return cached / max(1, read)


async def test_affinity_keeps_a_document_where_its_prompt_is_cached(stack: TeamStack) -> None:
    async with AsyncExitStack() as ends:
        sticky = await ends.enter_async_context(aclosing(connect(stack.url)))
        spread = await ends.enter_async_context(aclosing(connect(stack.url, header="none")))
        homes: dict[str, str] = {}
        for number in range(24):
            home, _ = await ask(sticky, f"document-{number}", "x = 1\n")
            homes.setdefault(home, f"document-{number}")
        assert len(homes) == 2
        # As many documents as one server holds: one on each.
        single = await cached_share(sticky, [next(iter(homes.values()))])
        with_affinity = await cached_share(sticky, list(homes.values()))
        without = await cached_share(spread, ["document-a", "document-b"])
    assert with_affinity >= 0.9 * single
    assert without < with_affinity


async def test_a_wrong_key_is_refused(stack: TeamStack) -> None:
    async with aclosing(connect(stack.url, key="sk-wrong-canary")) as provider:
        with pytest.raises(AuthError) as caught:
            await ask(provider, "d", "x = 1\n")
    assert "canary" not in str(caught.value)


class Typing:
    """One seat: an engine, and a person who asks for a suggestion at each line."""

    def __init__(self, url: str, number: int) -> None:
        self.results: list[bool] = []
        """Whether each request went well."""
        self.failed_at: list[float] = []
        self._number = number
        self._provider = connect(url, number)
        client = RecordingClient()
        stack = SettingsStack().with_layer("user file", {"completion": {"calls_per_minute": 6000}})
        world = EngineDependencies(self, same_stack, LoopClock())
        self._engine = CompletionEngine(stack, world, client)
        self._document = Document(f"file:///{number}.py", "python", 1, Text.of(f"# seat {number}\n"))
        self._engine.open(self._document)

    async def find(self, config: Config, report: object) -> Provider:
        return self._provider

    async def line(self, n_line: int) -> None:
        """Type a line, and ask after its first word."""
        await self._type(f"value_{n_line} = ")
        point = self._document.text.end
        request = CompletionRequest(
            self._engine.next_id(), self._document, point, Trigger.MANUAL, "inline",
            asyncio.get_running_loop().time(),
        )  # fmt: skip
        answer = await self._engine.complete(request)
        has_failed = isinstance(answer, Skip) and answer.reason in SKIPS_OF_FAILURE
        assert isinstance(answer, Completion | Skip)
        self.results.append(not has_failed)
        if has_failed:
            self.failed_at.append(asyncio.get_running_loop().time())
        await self._type(f"compute({n_line})\n")

    async def _type(self, text: str) -> None:
        before = self._document
        end = before.text.end
        self._document = Document(before.uri, "python", before.version + 1, before.text.edit(end, end, text))
        self._engine.change(self._document, (Edit(end, end, text),))

    async def aclose(self) -> None:
        await self._engine.aclose()
        await self._provider.aclose()


async def test_after_a_server_dies_all_seats_go_on_within_one_breaker_interval(stack: TeamStack) -> None:
    seats = [Typing(stack.url, number) for number in range(SEATS)]
    now = asyncio.get_running_loop().time
    killed_at = float("inf")

    async def work(seat: Typing) -> None:
        n_line = 0
        while killed_at > now() - RECOVERY_S or not all(seat.results[-3:]):
            assert now() < killed_at + 4 * RECOVERY_S
            await seat.line(n_line)
            await asyncio.sleep(PAUSE_S)
            n_line += 1

    working = asyncio.gather(*map(work, seats))
    while min(len(seat.results) for seat in seats) < 2:  # noqa: ASYNC110 - the seats' own tasks do it
        await asyncio.sleep(0.05)
    assert all(all(seat.results) for seat in seats)
    stack.kill("replica-1")
    killed_at = now()
    await working
    last_failed = max((at for seat in seats for at in seat.failed_at), default=killed_at)
    lost = [len(seat.failed_at) for seat in seats]
    for seat in seats:
        await seat.aclose()
    assert last_failed - killed_at < RECOVERY_S, (last_failed - killed_at, lost)


async def test_without_redis_calls_go_on(stack: TeamStack) -> None:
    stack.redis.kill()
    stack.redis.wait()
    async with aclosing(connect(stack.url)) as provider:
        for _ in range(3):
            home, _ = await ask(provider, "document-z", "x = 1\n")
            assert home == "replica-2"
