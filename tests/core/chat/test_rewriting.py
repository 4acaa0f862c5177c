from __future__ import annotations

import pytest

from llm_lsp.core.chat.rewriting import (
    MAX_FILE_CHARS,
    RewriteQuestion,
    StagedChanges,
    StagedFile,
    commit_message,
    commit_prompt,
    rewrite_prompt,
    rewritten,
)
from llm_lsp.core.privacy.redact import Redacted, Redactor
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text

SOURCE = "class A:\n    def one(self):\n        return 1\n\nlast = A()\n"


def question(text: str = SOURCE, first: int = 1, stop: int = 3) -> RewriteQuestion:
    return RewriteQuestion(Document("file:///p/a.py", "python", 1, Text.of(text)), first, stop, "return two")


def test_the_part_and_what_is_around_it_are_shown() -> None:
    prompt = rewrite_prompt(question(), "a.py", Redacted)

    assert prompt.messages[-1][1] == (
        "File: a.py\nclass A:\n<rewrite>\n    def one(self):\n        return 1\n</rewrite>\n\nlast = A()\n\n"
        "Instruction: return two"
    )


def test_a_secret_around_the_part_is_redacted() -> None:
    key = "AKIA" + "Q7RZ4NWJ5KLMXYTB"

    prompt = rewrite_prompt(question(SOURCE + f'key = "{key}"\n'), "a.py", Redactor().redact)

    assert key not in prompt.messages[-1][1]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        pytest.param(
            "```python\n    def two(self):\n        return 2\n```\n",
            "    def two(self):\n        return 2\n",
            id="fence",
        ),
        pytest.param(
            "Here:\n```\ndef two(self):\n    return 2\n```\nDone.",
            "    def two(self):\n        return 2\n",
            id="indented anew",
        ),
        pytest.param(
            "    def two(self):\n        return 2", "    def two(self):\n        return 2\n", id="bare"
        ),
        pytest.param(
            "```python\n    def two(self):\n        ret", "    def two(self):\n        ret\n", id="unfinished"
        ),
        pytest.param("<rewrite>\n    x = 1\n</rewrite>", "    x = 1\n", id="with the tags"),
        pytest.param("```py", "", id="a fence that is being written"),
        pytest.param("``", "", id="a part of a fence"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_the_code_of_an_answer_fits_its_place(answer: str, text: str) -> None:
    assert rewritten(question(), answer) == text


def test_line_ends_and_a_missing_last_one_stay() -> None:
    crlf = question(SOURCE.replace("\n", "\r\n"))
    last = question("a = 1\nb = 2", 1, 2)

    assert rewritten(crlf, "```\n    x\n    y\n```") == "    x\r\n    y\r\n"
    assert rewritten(last, "```\nb = 3\n```") == "b = 3"


def test_a_commits_prompt_has_its_diffs_and_the_style_of_earlier_ones() -> None:
    changes = StagedChanges((StagedFile("a.py", "+one\n"), StagedFile("b.py", "+two\n")), ("Add a thing",))

    text = commit_prompt(changes, 4000).messages[-1][1]

    assert text == "Earlier messages:\nAdd a thing\n\nDiff:\n+one\n+two\n"


def test_what_has_no_room_is_only_named() -> None:
    changes = StagedChanges((StagedFile("big.py", "+x\n" * 5000), StagedFile("b.py", "+two\n")))

    text = commit_prompt(changes, 500).messages[-1][1]

    assert "+two" in text
    assert "Also changed: big.py" in text
    assert len(commit_prompt(changes, 1e6).messages[-1][1]) < MAX_FILE_CHARS + 200


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("Fix the sum\n", "Fix the sum"),
        ("```\nFix the sum\n\nIt was wrong.\n```", "Fix the sum\n\nIt was wrong."),
        ('"Fix the sum"', "Fix the sum"),
        ("Commit message: Fix the sum", "Fix the sum"),
        ("Fix the sum  \n\nSee `total`  ", "Fix the sum\n\nSee `total`"),
        ("  ", ""),
    ],
)
def test_a_message_is_read_without_its_wrapping(answer: str, message: str) -> None:
    assert commit_message(answer) == message
