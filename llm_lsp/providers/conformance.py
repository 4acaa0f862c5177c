"""Prove against the living API what its dialect promises."""

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

# What stands only after the cursor: a model that writes it has read the suffix, and could not have guessed it.
_SECRET = "turquoise_walrus"
_HOLE = Window(
    prefix="def main():\n",
    line_prefix="    ",
    line_suffix="",
    suffix=f"\n    print({_SECRET})\n    {_SECRET}.close()\n    return {_SECRET}\n",
    language="python",
    path="main.py",
)
# Long enough that it comes in several pieces, and that there is something left to cancel.
_COUNTING = Window(
    prefix="NAMES = [\n    'one',\n    'two',\n    'three',\n",
    line_prefix="    '",
    line_suffix="",
    suffix="\n]\n",
    language="python",
    path="names.py",
)
CHECK_TOKENS = 48
# Seconds that a call must have left for its end to show in the next one's wait; less is lost among other work.
_LEAST_LEFT_S = 0.2
_SLOW = "the model is slow or busy, and `llm-lsp provider test` waits for it"
# Seconds to the first text from which a model is called slow: by then most users have typed on.
SLOW_S = 5.0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One promise and whether it is kept."""

    name: str
    ok: bool | None
    """None where it could not be told, or does not apply."""
    detail: str
    """One clause: what was seen, and where it matters what that means."""
    seconds: float | None = None
    """Where a time was measured."""
    cause: ProviderError | None = None
    """What ended the checks."""


@dataclass(slots=True)
class _Heard:
    """What came of one call."""

    text: str = ""
    n_pieces: int = 0
    first_s: float | None = None
    usage: Usage | None = None
    is_over: bool = False
    """Whether all of it came."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long the checks may take."""

    call_s: float = math.inf
    """Seconds for each call of a check, and for the rest of the first answer."""
    until: float = math.inf
    """The event loop's time at which all is over."""
    first_until: float = -math.inf
    """The event loop's time until which the very first text is waited for, also after `until`: a model may be cold,
    and its machine busy."""

    @property
    def are_over(self) -> bool:
        """Whether no time is left."""
        return asyncio.get_running_loop().time() >= self.until

    def of_calls(self, n_calls: int) -> asyncio.Timeout:
        """Bound a check that makes so many calls, one after the other; it ends in TimeoutError."""
        now = asyncio.get_running_loop().time()
        return asyncio.timeout_at(min(now + n_calls * self.call_s, self.until))

    def of_first(self) -> asyncio.Timeout:
        """Bound the search for a provider and its first text."""
        now = asyncio.get_running_loop().time()
        return asyncio.timeout_at(max(self.first_until, min(now + self.call_s, self.until)))

    def of_rest(self) -> asyncio.Timeout:
        """Bound what may take all the time that is left."""
        return asyncio.timeout_at(self.until)


UNBOUNDED = Bounds()


async def check_provider(
    provider: Provider, clock: Callable[[], float] = time.perf_counter, bounds: Bounds = UNBOUNDED
) -> list[CheckResult]:
    """Ask a provider a few short questions; the first failure ends the checks, as its result.

    Takes five calls of at most CHECK_TOKENS tokens each, and two more of a server on this machine. A check that is
    out of `bounds` has its name among the results; only without a first answer that is the end.
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
        return CheckResult(name, False, f"not over in time: {_SLOW}")


async def _first(provider: Provider, clock: Callable[[], float], bounds: Bounds) -> _Heard:
    """Make the first call, and return what came of it in time; raises SlowError if that is nothing."""
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
        detail = "the answer is empty: a model that thinks, or a wrong fim setting"
        return [CheckResult("answers", False, detail)]
    return [CheckResult("answers", True, "the first text came", heard.first_s)]


def _slow(heard: _Heard, *, is_local: bool) -> CheckResult | None:
    """Return that a model is slow, or None if it is not: slow is not broken."""
    if heard.is_over and (heard.first_s or 0.0) < SLOW_S:
        return None
    rest = "" if heard.is_over else f", and the rest was not over in time: {_SLOW}"
    detail = f"slow: first text after {heard.first_s or 0.0:.1f} s{_load(is_local=is_local)}{rest}"
    return CheckResult("speed", False, detail)


def _load(*, is_local: bool) -> str:
    load = load_average() if is_local else None
    return "" if load is None else f" at load {load:.1f}"


def _streams(heard: _Heard) -> CheckResult:
    if heard.n_pieces > 1:
        return CheckResult("streams", True, f"{heard.n_pieces} pieces")
    return CheckResult("streams", False, "the answer came in one piece: early stops save nothing")


def _counts(heard: _Heard) -> CheckResult:
    usage = heard.usage
    if usage is None or usage.output_tokens is None:
        return CheckResult("counts", False, "tokens are not reported: usage will be an estimate")
    if not usage.input_tokens or not usage.output_tokens:
        told = f"{usage.input_tokens or 0} tokens in, {usage.output_tokens} out"
        return CheckResult(
            "counts", False, f"{told} are reported, which cannot be: usage will be an estimate"
        )
    return CheckResult("counts", True, f"{usage.input_tokens} tokens in, {usage.output_tokens} out")


async def _stops(provider: Provider, clock: Callable[[], float]) -> CheckResult:
    prompt = replace(_prompt(provider, _COUNTING), stop=("\n",))
    heard = await _hear(provider, prompt, clock)
    if "\n" in heard.text.strip("\n"):
        return CheckResult("stops", False, "it wrote on after a stop string: more tokens are paid than used")
    return CheckResult("stops", True, "it ended at a stop string")


async def _cancels(provider: Provider, cold: _Heard, clock: Callable[[], float]) -> CheckResult:
    """Close a call at its first text, and see in the next one's wait whether the server stopped.

    That shows on a server of this machine, where one call waits for another; a hosted one answers many at a time,
    and may count the second call against a limit.
    """
    left_s, behind_s = await _wait_behind(provider, clock) if provider.profile.local else (0.0, 0.0)
    stream = provider.stream(_prompt(provider, _COUNTING))
    async for chunk in stream:
        if chunk.text:
            break
    stream.close()
    heard = await _hear(provider, _prompt(provider, _COUNTING), clock)
    if heard.first_s is None:
        return CheckResult("cancels", False, "the call after a closed one is not answered")
    if left_s >= _LEAST_LEFT_S and behind_s - heard.first_s > left_s / 2:
        return CheckResult("cancels", True, "a closed call no longer holds up the next", heard.first_s)
    if left_s >= _LEAST_LEFT_S and heard.first_s - (cold.first_s or 0.0) > left_s / 2:
        return CheckResult(
            "cancels", False, "it writes on for a closed call: the next one waits", heard.first_s
        )
    return CheckResult(
        "cancels",
        None,
        "the next call is answered; whether the closed one stopped cannot be seen",
        heard.first_s,
    )


async def _wait_behind(provider: Provider, clock: Callable[[], float]) -> tuple[float, float]:
    """Begin a call at another's first text; give how long the other had left, and the wait for the second's first."""
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
        return CheckResult("fills the middle", None, "not asked to: it completes left to right")
    heard = await _hear(provider, _prompt(provider, _HOLE), clock)
    if _SECRET in heard.text:
        return CheckResult("fills the middle", True, "it wrote a name that stands only after the cursor")
    return CheckResult(
        "fills the middle", False, "it did not use what follows the cursor: check fim, or it is a small model"
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
    """Make a call, and return what came of it; `heard` is filled as it comes, `on_first` called at the first text."""
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
