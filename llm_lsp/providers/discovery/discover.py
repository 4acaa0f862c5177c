"""Finds a model server that is already running on this machine, for `provider = "auto"`.

Never uses a server that could send code to another machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from llm_lsp.config.settings import ProviderConfig
from llm_lsp.core.edits.by_model.edit_families import edit_family_of
from llm_lsp.errors import StrangerError
from llm_lsp.port_owners import Owner, listener_owners
from llm_lsp.providers.discovery import recognition as recognise
from llm_lsp.providers.discovery.recognition import Recognise, ServerVerdict

# Seconds for all probes together; a busy server that takes longer is found the next time.
BUDGET_S = 0.3


@dataclass(frozen=True, slots=True)
class ServerLocation:
    """A port on which a kind of server usually listens."""

    server: str
    port: int
    recognise: Recognise


# llama.cpp: its editor plugins use 8012; its own default was 8080 until autumn 2026, 9931 since.
PLACES = (
    ServerLocation("llama.cpp", 8012, recognise.llamacpp),
    ServerLocation("llama.cpp", 8080, recognise.llamacpp),
    ServerLocation("llama.cpp", 9931, recognise.llamacpp),
    ServerLocation("Ollama", 11434, recognise.ollama),
    ServerLocation("LM Studio", 1234, recognise.lmstudio),
    ServerLocation("vLLM", 8000, recognise.vllm),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A server that answered, or one of its models, and the verdict on it."""

    server: str
    port: int
    verdict: ServerVerdict

    def __str__(self) -> str:
        return f"{self.server} on port {self.port}: {self.verdict.reason}"


@dataclass(frozen=True, slots=True)
class Discovery:
    """Everything that was found, usable or not."""

    findings: tuple[Finding, ...]
    chosen: ProviderConfig | None
    """Settings for the best loaded model, preferably one that fills in the middle."""


async def discover(
    places: Sequence[ServerLocation] = PLACES,
    owners_of: Callable[[Collection[int]], Mapping[int, Owner]] = listener_owners,
    budget_s: float = BUDGET_S,
) -> Discovery:
    """Probe all places at the same time; a server that does not answer within the budget does not count."""
    # These take longer than the budget on a slow machine, so they come first.
    import httpx  # noqa: F401 # imported early, so that the probes need not wait for it

    owners = await asyncio.to_thread(owners_of, [place.port for place in places])
    tasks = [asyncio.create_task(_visit(place, owners[place.port], budget_s)) for place in places]
    try:
        done, _ = await asyncio.wait(tasks, timeout=budget_s)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    findings = [finding for task in tasks if task in done for finding in task.result()]
    return Discovery(tuple(findings), _best(findings))


async def _visit(place: ServerLocation, owner: Owner, timeout_s: float) -> list[Finding]:
    from llm_lsp.providers.discovery.local_probe import ProbeConversation

    if owner == "other":
        return [Finding(place.server, place.port, ServerVerdict("belongs to another user of this machine"))]
    url = f"http://127.0.0.1:{place.port}"
    try:
        async with ProbeConversation(url, timeout_s) as ask:
            verdicts = await place.recognise(ask, url)
    except StrangerError as exc:
        verdicts = [ServerVerdict(str(exc))]
    if owner == "unknown" and verdicts:
        # The system does not report the owner, so the user has to name the server.
        verdicts = [ServerVerdict("its owner is unknown: to use it, run `llm-lsp provider add`")]
    return [Finding(place.server, place.port, verdict) for verdict in verdicts]


def _best(findings: Sequence[Finding]) -> ProviderConfig | None:
    # A model that is trained for next edits does not complete.
    usable = [
        finding.verdict
        for finding in findings
        if finding.verdict.config is not None and edit_family_of(finding.verdict.config.model) is None
    ]
    # `max` keeps the first of several equals, so the order of places decides.
    best = max(usable, key=lambda verdict: verdict.fills_middle, default=None)
    return best.config if best else None
