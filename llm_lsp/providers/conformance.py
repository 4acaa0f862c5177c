"""Tests that an API behaves as its dialect expects."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from llm_lsp.core.generation import Usage
from llm_lsp.core.prompt.prompt_builder import build_prompt
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.request import Mode, Patience
from llm_lsp.core.text.window import Window
from llm_lsp.errors import ProviderError, SlowError
from llm_lsp.providers.base import Provider
from llm_lsp.system import load_average

# Occurs only after the cursor: a model that writes it must have read the suffix.
_SECRET = "turquoise_walrus"
_HOLE = Window(
    prefix="def main():\n",
    line_prefix="    ",
    line_suffix="",
    suffix=f"\n    print({_SECRET})\n    {_SECRET}.close()\n    return {_SECRET}\n",
    language="python",
    path="main.py",
)
# Long enough that the answer takes several pieces, and can be cancelled halfway.
_COUNTING = Window(
    prefix="NAMES = [\n    'one',\n    'two',\n    'three',\n",
    line_prefix="    '",
    line_suffix="",
    suffix="\n]\n",
    language="python",
    path="names.py",
)
CHECK_TOKENS = 48
# Seconds that a cancelled call must have had left, so that the next call's wait shows whether the server stopped.
_LEAST_LEFT_S = 0.2
_SLOW = "the model is slow or busy; `llm-lsp provider test` has no time limit"
# Seconds to the first text after which a model is reported as slow: by then most users have typed on.
SLOW_S = 5.0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check."""

    name: str
    ok: bool | None
    """None if it does not apply or could not be determined."""
    detail: str
    """One clause: what was observed, and what it means if that matters."""
    seconds: float | None = None
    """Measured time, if any."""
    cause: ProviderError | None = None
    """The error that ended the checks."""


@dataclass(slots=True)
class _Heard:
    """The answer to one call."""

    text: str = ""
    n_pieces: int = 0
    first_s: float | None = None
    usage: Usage | None = None
    is_over: bool = False
    """Whether all of it has arrived."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Time limits of the checks."""

    call_s: float = math.inf
    """Seconds for each call of a check, and for the rest of the first answer."""
    until: float = math.inf
    """Time of the event loop at which all checks end."""
    first_until: float = -math.inf
    """Time of the event loop until which the very first text is waited for, even after `until`: the model may
    be cold and the machine busy.
    """

    @property
    def are_over(self) -> bool:
        """Check whether the time is up."""
        return asyncio.get_running_loop().time() >= self.until

    def of_calls(self, n_calls: int) -> asyncio.Timeout:
        """Limit a check that makes so many calls in sequence; it ends with TimeoutError."""
        now = asyncio.get_running_loop().time()
        return asyncio.timeout_at(min(now + n_calls * self.call_s, self.until))

    def of_first(self) -> asyncio.Timeout:
        """Limit the search for a provider and its first text."""
        now = asyncio.get_running_loop().time()
        return asyncio.timeout_at(max(self.first_until, min(now + self.call_s, self.until)))

    def of_rest(self) -> asyncio.Timeout:
        """Limit a step that may take all the remaining time."""
        return asyncio.timeout_at(self.until)


UNBOUNDED = Bounds()


async def check_provider(
    provider: Provider, clock: Callable[[], float] = time.perf_counter, bounds: Bounds = UNBOUNDED
) -> list[CheckResult]:
    """Ask a provider a few short questions; the first failed call ends the checks and is their last result.

    Makes five calls of at most CHECK_TOKENS tokens, and two more for a server on this machine. A check that
    runs into `bounds` is reported as failed, and the next one follows; only a missing first answer ends the
    checks.
    """
    results: list[CheckResult] = []
    try:
        heard = await _first(provider, clock, bounds)
        results += _answers(heard)
        if slow := _slow(heard, is_local=provider.profile.local):
            results.append(slow)
        if not heard.is_over:
            return results
        results += [_streams(heard), _counts(heard)]
        steps = (
            ("stops", 1, lambda: _stops(provider, clock)),
            ("cancels", 4, lambda: _cancels(provider, heard, clock)),
            ("fills the middle", 1, lambda: _fills_middle(provider, clock)),
        )
        for name, n_calls, step in steps:
            results.append(await _within(bounds.of_calls(n_calls), name, step))
    except ProviderError as exc:
        results.append(CheckResult("answers", False, str(exc), cause=exc))
    return results


async def _within(
    bound: asyncio.Timeout, name: str, step: Callable[[], Awaitable[CheckResult]]
) -> CheckResult:
    try:
        async with bound:
            return await step()
    except TimeoutError:
        return CheckResult(name, False, f"did not finish in time: {_SLOW}")


async def _first(provider: Provider, clock: Callable[[], float], bounds: Bounds) -> _Heard:
    """Make the first call and return what arrived in time; raises SlowError if nothing did."""
    heard = _Heard()
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        async with bounds.of_first() as bound:

            def wait_for_the_rest() -> None:
                bound.reschedule(loop.time() + bounds.call_s)

            await _hear(provider, _prompt(provider, _COUNTING), clock, heard, wait_for_the_rest)
    except TimeoutError:
        if heard.first_s is None:
            load = _load(is_local=provider.profile.local)
            raise SlowError(f"no text after {loop.time() - began:.0f} s{load}: {_SLOW}") from None
    return heard


def _answers(heard: _Heard) -> list[CheckResult]:
    if heard.is_over and not heard.text.strip():
        detail = "the answer is empty: the model may be thinking, or the fim setting is wrong"
        return [CheckResult("answers", False, detail)]
    return [CheckResult("answers", True, "the first text arrived", heard.first_s)]


def _slow(heard: _Heard, *, is_local: bool) -> CheckResult | None:
    """Report a slow model, None if it is fast enough: slow is not broken."""
    if heard.is_over and (heard.first_s or 0.0) < SLOW_S:
        return None
    rest = "" if heard.is_over else f", and the rest did not arrive in time: {_SLOW}"
    detail = f"slow: first text after {heard.first_s or 0.0:.1f} s{_load(is_local=is_local)}{rest}"
    return CheckResult("speed", False, detail)


def _load(*, is_local: bool) -> str:
    load = load_average() if is_local else None
    return "" if load is None else f" at load {load:.1f}"


def _streams(heard: _Heard) -> CheckResult:
    if heard.n_pieces > 1:
        return CheckResult("streams", True, f"{heard.n_pieces} pieces")
    return CheckResult("streams", False, "the answer came in one piece: stopping early saves nothing")


def _counts(heard: _Heard) -> CheckResult:
    usage = heard.usage
    if usage is None or usage.output_tokens is None:
        return CheckResult("counts", False, "the API does not report tokens: usage will be an estimate")
    if not usage.input_tokens or not usage.output_tokens:
        told = f"{usage.input_tokens or 0} tokens in, {usage.output_tokens} out"
        return CheckResult(
            "counts", False, f"the API reports {told}, which is impossible: usage will be an estimate"
        )
    return CheckResult("counts", True, f"{usage.input_tokens} tokens in, {usage.output_tokens} out")


async def _stops(provider: Provider, clock: Callable[[], float]) -> CheckResult:
    prompt = replace(_prompt(provider, _COUNTING), stop=("\n",))
    heard = await _hear(provider, prompt, clock)
    if "\n" in heard.text.strip("\n"):
        return CheckResult("stops", False, "it continued after a stop string: you pay for unused tokens")
    return CheckResult("stops", True, "it ends at a stop string")


async def _cancels(provider: Provider, cold: _Heard, clock: Callable[[], float]) -> CheckResult:
    """Close a call at its first text, and find out from the next call's wait whether the server stopped.

    Only a server on this machine shows this, because its calls wait for each other. A hosted one runs many at a
    time, and might count the second call against a rate limit.
    """
    left_s, behind_s = await _wait_behind(provider, clock) if provider.profile.local else (0.0, 0.0)
    stream = provider.stream(_prompt(provider, _COUNTING))
    async for chunk in stream:
        if chunk.text:
            break
    stream.close()
    heard = await _hear(provider, _prompt(provider, _COUNTING), clock)
    if heard.first_s is None:
        return CheckResult("cancels", False, "the call after a closed one gets no answer")
    if left_s >= _LEAST_LEFT_S and behind_s - heard.first_s > left_s / 2:
        return CheckResult("cancels", True, "a closed call does not delay the next", heard.first_s)
    if left_s >= _LEAST_LEFT_S and heard.first_s - (cold.first_s or 0.0) > left_s / 2:
        return CheckResult(
            "cancels", False, "it goes on with a closed call, and the next one waits", heard.first_s
        )
    return CheckResult(
        "cancels",
        None,
        "the next call is answered; whether the closed one stopped is unknown",
        heard.first_s,
    )


async def _wait_behind(provider: Provider, clock: Callable[[], float]) -> tuple[float, float]:
    """Start a call at another's first text; return how long that one had left, and the wait for the second's
    text.
    """
    began = clock()
    second: asyncio.Task[_Heard] | None = None
    stream = provider.stream(_prompt(provider, _COUNTING))
    try:
        async for chunk in stream:
            if chunk.text and second is None:
                began = clock()
                second = asyncio.create_task(_hear(provider, _prompt(provider, _COUNTING), clock))
        left_s = clock() - began
        heard = await second if second else _Heard()
    finally:
        if second:
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)
    stream.release()
    return left_s, heard.first_s or 0.0


async def _fills_middle(provider: Provider, clock: Callable[[], float]) -> CheckResult:
    if provider.profile.fim == "none":
        return CheckResult("fills the middle", None, "not tested: it completes left to right")
    heard = await _hear(provider, _prompt(provider, _HOLE), clock)
    if _SECRET in heard.text:
        return CheckResult("fills the middle", True, "it used a name that occurs only after the cursor")
    return CheckResult(
        "fills the middle",
        False,
        "it did not use the text after the cursor: check fim, or the model is small",
    )


def _prompt(provider: Provider, window: Window) -> Prompt:
    profile = replace(provider.profile, max_tokens=min(CHECK_TOKENS, provider.profile.max_tokens))
    return build_prompt(window, profile, Mode.BLOCK)


async def _hear(
    provider: Provider,
    prompt: Prompt,
    clock: Callable[[], float],
    heard: _Heard | None = None,
    on_first: Callable[[], None] = lambda: None,
) -> _Heard:
    """Make a call and return its answer; `heard` is updated meanwhile, `on_first` is called at the first text."""
    heard = heard or _Heard()
    began = clock()
    stream = provider.stream(prompt, Patience.COMMAND)
    async for chunk in stream:
        if chunk.text:
            if heard.first_s is None:
                heard.first_s = clock() - began
                on_first()
            heard.text += chunk.text
            heard.n_pieces += chunk.pieces
        heard.usage = chunk.usage or heard.usage
    heard.is_over = True
    stream.release()
    return heard
