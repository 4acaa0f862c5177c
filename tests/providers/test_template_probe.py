"""The template of a model whose name says nothing is found by asking it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from llm_lsp.core.generation import Finish, Usage
from llm_lsp.core.prompt.fim_families import FAMILIES, FimFamily, family_named
from llm_lsp.core.prompt.prompts import FimPrompt, Prompt, RawPrompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Patience
from llm_lsp.errors import BadRequestError, LlmLspError, UnreachableError
from llm_lsp.providers.template_probe import find_template
from tests.doubles import ScriptedStream

PIECE = re.compile(r"\w+|[^\w\s]")


@dataclass
class HouseModel:
    """A model behind a name of the house: it knows the tokens of one family, and fills holes with its template alone."""

    family: FimFamily | None = None
    counts: Callable[[int], int | None] = lambda counted: counted
    is_strong: bool = False
    """It finds what is missing also in a text that shows it, whatever stands around."""
    takes_suffix: bool | None = None
    """None if a suffix is refused."""
    constant: str = ""
    profile: Profile = field(default_factory=lambda: Profile("team", "house-name", "none"))
    prompts: list[Prompt] = field(default_factory=list)

    def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> ScriptedStream:
        self.prompts.append(prompt)
        stream = ScriptedStream(prompt)
        text = "" if isinstance(prompt, FimPrompt) else prompt.text  # type: ignore[union-attr] # no dialogue is asked
        if isinstance(prompt, FimPrompt) and self.takes_suffix is None:
            stream.fail(BadRequestError("suffix is not supported"))
            return stream
        counted = self.counts(self._tokens(text))
        usage = None if counted is None else Usage(counted, 4)
        stream.say(self._answer(prompt))
        stream.finish("", Finish.LENGTH, usage)
        return stream

    def _tokens(self, text: str) -> int:
        for token in self.family.tokens if self.family else ():
            text = text.replace(token, " token ")
        return 1 + len(PIECE.findall(text))

    def _answer(self, prompt: Prompt) -> str:
        if self.constant:
            return self.constant
        if isinstance(prompt, FimPrompt):
            return _fill(prompt.suffix) if self.takes_suffix else "nothing"
        assert isinstance(prompt, RawPrompt)
        if self.family and _is_in(self.family, prompt.text):
            return _fill(prompt.text)
        # A strong one copies what stands before its answer in any order that shows it.
        if self.is_strong and prompt.text.find("assert") < prompt.text.rfind("colour = "):
            return _fill(prompt.text)
        return "a guess"

    async def warm(self) -> None: ...

    async def aclose(self) -> None: ...


def _is_in(family: FimFamily, text: str) -> bool:
    marks = {"psm": "prefix suffix middle", "spm": "suffix prefix middle", "smp": "suffix prefix middle"}
    in_order = (getattr(family, name).strip() for name in marks[family.order].split())
    places = [text.find(mark) for mark in in_order if mark]
    return -1 not in places and places == sorted(places)


def _fill(text: str) -> str:
    return '"turquoise"\n' if "turquoise" in text else "walrus_length\n" if "walrus" in text else ""


async def found(model: HouseModel) -> str | None:
    return await find_template(model, lambda line: None)


def same_template(name: str | None, family: FimFamily) -> bool:
    named = family_named(name or "")
    return named is not None and (named.prefix, named.suffix, named.middle, named.order) == (
        family.prefix,
        family.suffix,
        family.middle,
        family.order,
    )


@pytest.mark.parametrize("is_strong", [False, True], ids=["", "strong"])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
async def test_a_models_own_template_is_found_by_the_tokens_that_it_counts(
    family: FimFamily, is_strong: bool
) -> None:
    model = HouseModel(family, is_strong=is_strong)

    assert same_template(await found(model), family)


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param(lambda counted: None, id="not at all"),
        pytest.param(lambda counted: 0, id="nothing"),
        pytest.param(lambda counted: 1, id="one for all"),
        pytest.param(lambda counted: 5000, id="far too much"),
    ],
)
@pytest.mark.parametrize("name", ["qwen", "starcoder", "deepseek", "codestral", "seed-coder"])
async def test_it_is_found_also_where_the_api_does_not_count(
    name: str, counts: Callable[[int], int | None]
) -> None:
    family = family_named(name)
    assert family is not None

    assert same_template(await found(HouseModel(family, counts)), family)


@pytest.mark.parametrize(
    ("name", "closest"),
    [("starcoder2", "starcoder2"), ("granite4", "granite4"), ("codegemma", "codegemma"), ("qwen", "qwen")],
)
async def test_of_families_with_one_template_that_is_named_whose_further_tokens_are_known(
    name: str, closest: str
) -> None:
    assert await found(HouseModel(family_named(name))) == closest


async def test_an_api_that_renders_the_two_sides_itself_is_native() -> None:
    assert await found(HouseModel(takes_suffix=True)) == "native"


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(HouseModel(), id="a model for dialogues"),
        pytest.param(HouseModel(takes_suffix=False), id="a suffix that is passed over"),
        pytest.param(HouseModel(constant='"turquoise"'), id="one name whatever is asked"),
        pytest.param(HouseModel(constant="walrus_length"), id="the other name whatever is asked"),
        pytest.param(HouseModel(constant="turquoise walrus_length"), id="both names whatever is asked"),
        pytest.param(HouseModel(counts=lambda counted: 3), id="tokens that are known and do not fill"),
    ],
)
async def test_what_fills_nothing_has_no_template(model: HouseModel) -> None:
    assert await found(model) is None


async def test_few_tokens_are_asked_for() -> None:
    model = HouseModel(family_named("qwen"))
    await found(model)

    assert sum(prompt.max_tokens for prompt in model.prompts) <= 60
    assert len(model.prompts) <= 20


async def test_an_api_that_cannot_be_asked_ends_the_search() -> None:
    class Gone(HouseModel):
        def stream(self, prompt: Prompt, patience: Patience = Patience.ASKED) -> ScriptedStream:
            stream = ScriptedStream(prompt)
            stream.fail(UnreachableError("h: nothing listens"))
            return stream

    with pytest.raises(LlmLspError):
        await found(Gone())
