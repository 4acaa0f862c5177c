"""The prompts for next edits, byte for byte: texts one after another, and what is sent after the last change."""

from __future__ import annotations

import pytest

from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.edits.by_model.edit_families import (
    CHAT,
    SWEEP,
    ZETA_2,
    ZETA_2_1,
    EditFamily,
    edit_family_of,
)
from llm_lsp.core.edits.by_model.edit_input import EditInput, edit_input
from llm_lsp.core.edits.by_model.edit_task import is_confusing, task_for
from llm_lsp.core.prompt.prompts import ChatPrompt, RawPrompt
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text
from tests.core.edits.by_model.golden import family_in, source_of
from tests.core.response.golden import FOLDER, Case, cases

CASES = cases("edit_prompts")
MAX_TOKENS = 4096.0


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_a_prompt_is_exactly_what_the_model_was_trained_with(case: Case) -> None:
    prompt = task_for(source_of(case), family_in(case), MAX_TOKENS).prompt

    assert isinstance(prompt, RawPrompt)
    assert prompt.text == (FOLDER / "edit_prompts" / f"{case.name}.prompt").read_bytes().decode("utf-8")
    assert prompt.stop == family_in(case).stops


def test_twelve_prompts_are_written_down() -> None:
    assert len(CASES) >= 12


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("sweep-next-edit-0.5b", SWEEP),
        ("sweepai/sweep-next-edit-v2-7B", SWEEP),
        ("hf.co/sweepai/sweep-next-edit-1.5b.q8_0.v2.gguf", SWEEP),
        ("zed-industries/zeta-2", ZETA_2),
        ("zeta2", ZETA_2),
        ("mradermacher/zeta-2.1-GGUF", ZETA_2_1),
        ("qwen2.5-coder-0.5b", None),
        ("zeta", None),
    ],
)
def test_a_family_is_recognized_by_the_models_name(model: str, family: EditFamily | None) -> None:
    assert edit_family_of(model) is family


def test_a_long_document_is_cut_to_the_room_and_the_question_stays_whole() -> None:
    lines = tuple(f"line {number} of a long document" for number in range(5000))
    source = EditInput("a.py", lines, 2500, 0, lines)

    prompts = [task_for(source, SWEEP, tokens).prompt for tokens in (8000.0, 1000.0, 200.0)]

    texts = [prompt.text for prompt in prompts if isinstance(prompt, RawPrompt)]
    assert [len(text) <= 3.5 * tokens for text, tokens in zip(texts, (8000, 1000, 200), strict=True)] == [
        True
    ] * 3
    assert [text.count("line 2501 of") for text in texts] == [3, 3, 3]


@pytest.mark.parametrize("family", [SWEEP, ZETA_2, ZETA_2_1, CHAT])
def test_a_text_with_the_formats_marks_is_not_sent(family: EditFamily) -> None:
    for mark in family.marks:
        source = EditInput("a.py", ("a = 1", f"b = '{mark}'"), 0, 0, ("a = 1",))
        assert is_confusing(source, family)


def test_the_chat_shows_the_changes_and_the_window_with_the_cursor() -> None:
    document = Document("file:///p/a.py", "python", 1, Text.of("a = 1\nb = a\n"))
    source = edit_input(document, Point(1, 4), (), lambda uri: "a.py")

    prompt = task_for(source, CHAT, MAX_TOKENS).prompt

    assert isinstance(prompt, ChatPrompt)
    assert prompt.messages[1] == (
        "user",
        "Last changes, oldest first:\nnone\n\nFile: a.py\n<|window|>\na = 1\nb = <|cursor|>a\n<|/window|>",
    )


def test_pieces_of_other_files_come_first_in_sweeps_format() -> None:
    source = EditInput("a.py", ("a = b",), 0, 0, ("a = b",), snippets=(Snippet("b.py", "b = 1"),))

    prompt = task_for(source, SWEEP, MAX_TOKENS).prompt

    assert isinstance(prompt, RawPrompt)
    assert prompt.text.startswith("<|file_sep|>b.py\nb = 1\n<|file_sep|>a.py\na = b\n")
