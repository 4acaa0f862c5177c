"""Find out which fill-in-the-middle template a model knows whose name does not tell.

Two questions, each with a few tokens. A model that knows a template has its control tokens in its vocabulary: the API
counts one token for each. And it fills a hole with a name that stands only after it, with a template that it knows, and
hardly with another. Where the API does not count, all templates are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from llm_lsp.core.prompt.fim_families import FAMILIES, FimFamily
from llm_lsp.core.prompt.prompt_builder import build_prompt
from llm_lsp.core.prompt.prompts import Prompt, RawPrompt
from llm_lsp.core.request import Mode, Patience
from llm_lsp.core.text.window import Window
from llm_lsp.errors import BadRequestError
from llm_lsp.providers.base import Provider

# What is asked for one answer: a line of the holes below takes 5.
ANSWER_TOKENS = 16
# How often control tokens are repeated in a prompt that is counted, so that what a server adds to it does not matter:
# a beginning-of-text token, or a short system prompt.
REPEATED = 3
_SPARE_TOKENS = 6


@dataclass(frozen=True, slots=True)
class _Hole:
    window: Window
    wanted: str
    """How the answer begins; no model can guess it from what stands before the hole."""


# qwen2.5-coder-0.5b fills both with its own template, and neither with any of the 13 others; of three more holes it
# filled one with the wrong templates as well, and two not at all.
_HOLES = (
    _Hole(Window("", "colour = ", "", '\nassert colour == "turquoise"\nprint(colour)\n', "python", "main.py"), '"turquoise"'),
    _Hole(
        Window(
            "", "from shapes import ", "", "\n\nside = walrus_length(3)\nprint(walrus_length(side))\n", "python", "main.py"
        ),
        "walrus_length",
    ),
)  # fmt: skip


async def find_template(provider: Provider, report: Callable[[str], None]) -> str | None:
    """Return the setting `fim` for a provider that takes raw prompts: a family, "native", or None if nothing fills.

    Raises ProviderError if the API cannot be asked at all.
    """
    marks = dict.fromkeys(map(_marks, _distinct()))
    known_marks = [each for each in marks if await _knows(provider, each)]
    known = [family for family in _distinct() if _marks(family) in known_marks]
    for family in known or _distinct():
        report(f"trying the fill-in-the-middle template of {family.name}")
        if await _fills(provider, family.name):
            return await _closest(provider, family) if known else family.name
    return "native" if await _fills(provider, "native") else None


def _distinct() -> list[FimFamily]:
    """Return one family for each template."""
    found: dict[tuple[str, ...], FimFamily] = {}
    for family in FAMILIES:
        found.setdefault(_template(family), family)
    return [*found.values()]


def _template(family: FimFamily) -> tuple[str, ...]:
    return family.prefix, family.suffix, family.middle, family.order, family.head


def _marks(family: FimFamily) -> tuple[str, ...]:
    return tuple(mark.strip() for mark in (family.prefix, family.suffix, family.middle) if mark)


async def _closest(provider: Provider, found: FimFamily) -> str:
    """Return the family with this template whose further tokens the model knows as well, those with most first."""
    alike = [family for family in FAMILIES if _template(family) == _template(found)]
    for family in sorted(alike, key=lambda family: -len(family.tokens)):
        if len(alike) == 1 or await _knows(provider, family.tokens):
            return family.name
    return found.name


async def _knows(provider: Provider, marks: Sequence[str]) -> bool:
    """Return whether the API counts one token for each mark; False if it counts more, or does not count."""
    text = "".join(marks) * REPEATED
    _, counted = await _asked(provider, RawPrompt(text, max_tokens=1))
    # A mark that is none is at least three tokens: "<", "PRE" and ">".
    return counted is not None and 0 < counted <= 1.5 * len(marks) * REPEATED + _SPARE_TOKENS


async def _fills(provider: Provider, fim: str) -> bool:
    """Return whether a model fills every hole with a template; an API that refuses the request does not."""
    profile = replace(provider.profile, fim=fim, max_tokens=ANSWER_TOKENS, takes_files=False)
    for hole in _HOLES:
        try:
            text, _ = await _asked(provider, build_prompt(hole.window, profile, Mode.BLOCK))
        except BadRequestError:
            return False
        if not text.strip().startswith(hole.wanted):
            return False
    return True


async def _asked(provider: Provider, prompt: Prompt) -> tuple[str, int | None]:
    """Return an answer, and the tokens of the prompt as the API counts them."""
    text, counted = "", None
    stream = provider.stream(prompt, Patience.COMMAND)
    try:
        async for chunk in stream:
            text += chunk.text
            counted = chunk.usage.input_tokens if chunk.usage else counted
    finally:
        stream.release()
    return text, counted
