"""Faults 61 to 65 of docs/faults.md: answers of a model that would not fit their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_lsp.core.request import Trigger
from llm_lsp.core.skip import Skip
from tests.faults.machine import ask_in, machine
from tests.faults.upstream import ANSWER, says, upstream

CUT = [
    pytest.param("a = 1\nb = compute(\n    a,\n    so", "a = 1", id="inside a call"),
    pytest.param("a = 1\nfor b in a:\n    pri", "a = 1", id="in the first line of a body"),
    pytest.param('a = 1\nb = """one\ntwo\nth', "a = 1", id="inside a text"),
    pytest.param("some_long_na", "some_long_na", id="in the only line"),
]


@pytest.mark.parametrize(("said", "seen"), CUT)
async def test_fault_61_an_answer_cut_by_its_limit_ends_at_a_statement(said: str, seen: str) -> None:
    async with upstream(says(said, finish="length")) as (rig, _):
        rig.type("1\n")
        result = await rig.ask(Trigger.MANUAL)
        assert not isinstance(result, Skip)
        assert result.text == seen


ENDS = (
    "</s>",
    "<|EOT|>",
    "<end_of_turn>",
    "<eos>",
    "[/INST]",
    "<|im_end|>",
    "<|endoftext|>",
    "<｜end▁of▁sentence｜>",
)


@pytest.mark.parametrize("end", ENDS)
async def test_fault_62_no_end_token_of_any_family_is_shown(end: str) -> None:
    async with upstream(says(f"compute(1){end}")) as (rig, _):
        result = await rig.ask(Trigger.MANUAL)
        assert not isinstance(result, Skip)
        assert result.text == "compute(1)"


MISPLACED = [
    pytest.param(
        "class A:\n", "def f(self):\n    return 1\n", "    def f(self):\n        return 1", id="too far left"
    ),
    pytest.param("def f(a):\n    return ", "return a + 1\n", "a + 1", id="the line's beginning once more"),
    pytest.param("# ", "# one thing\n", "one thing", id="a mark once more"),
    pytest.param("x = compute", "x=compute(1)\n", "(1)", id="the line in other blanks"),
]


@pytest.mark.parametrize(("before", "said", "seen"), MISPLACED)
async def test_fault_63_an_answer_is_joined_to_its_place(before: str, said: str, seen: str) -> None:
    async with upstream(says(said)) as (rig, _):
        rig.type(f"1\n{before}")
        result = await rig.ask(Trigger.MANUAL)
        assert not isinstance(result, Skip)
        assert result.text == seen


ENDLESS = [
    pytest.param("".join(f"def {n}(a):\n    return a.{n}\n\n\n" for n in "abcdefghijklmno"), id="functions"),
    pytest.param("".join(f"rm -rf /tmp/{n}\n" for n in range(40)), id="numbered lines"),
    pytest.param("a = 1\nb = 2\n" * 20, id="groups"),
]


@pytest.mark.parametrize("said", ENDLESS)
async def test_fault_64_a_model_that_turns_in_circles_is_cut(said: str) -> None:
    async with upstream(says(said)) as (rig, _):
        rig.type("1\n")
        result = await rig.ask(Trigger.MANUAL)
        assert not isinstance(result, Skip)
        assert len(result.text.splitlines()) < 12


CONFIGS = {
    "a pattern that others match for minutes": b"[" + b"{a,b}*" * 40 + b"]\nindent_style = tab\n",
    "braces without end": b"[{" + b"{" * 5000 + b"]\nindent_size = 2\n",
    "values that cannot be": b"[*]\nindent_size = -7\nindent_style = sideways\n",
    "a size beyond measure": b"[*]\nindent_size = 99999999999999999999\n",
    "no text": b"\xff\xfe\x00" * 1000,
    "6 MB": b"[*]\n" + b"a = 1\n" * 1_000_000,
}


async def test_fault_65_an_editorconfig_that_means_no_good_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with machine(tmp_path, monkeypatch) as computer, computer.server() as client:
        for name, config in CONFIGS.items():
            folder = tmp_path / name
            folder.mkdir()
            (folder / ".editorconfig").write_bytes(config)
            assert await ask_in(client, (folder / ("ab" * 50 + ".py")).as_uri()) == ANSWER, name
