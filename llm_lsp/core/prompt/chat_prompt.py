"""Completion by chat models: the chat prompt, and how its answers begin.

The prompt shows the hole within its line, and the answer repeats that line from the start, so that no API has
to support a pre-filled answer. If one does, the prompt includes the beginning of the answer. Everything before
the last lines of the chat stays the same while a line is typed.
"""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.prompt.prompts import ChatPrompt
from llm_lsp.core.prompt.tags import file_tag
from llm_lsp.core.request import Mode
from llm_lsp.core.response.chat_answer.echo import HOLE
from llm_lsp.core.response.chat_answer.reader import CLOSE, OPEN
from llm_lsp.core.text.window import Window

RULES = f"""\
You complete source code. You get a file in which one place is marked {HOLE}, and the beginning of the line \
that stands there.
Answer with the code that belongs in the place of {HOLE}, between {OPEN} and {CLOSE}.
Begin with the given beginning of the line, exactly as it is, with its indentation, and go on from there.
Stop where the code after {HOLE} goes on; never repeat that code.
Keep to the file's style, names and language. Write code only: no explanation, no code fences.
Where nothing is missing, answer with the beginning of the line alone."""

# Added to the question if the model should think; reasoning models have thought already.
THINK = f"Think first, step by step, between <think> and </think>, unless you have already; then answer with {OPEN}."
# Tokens for thoughts in addition to the answer: a page, and more than users wait for.
THINKING_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class Example:
    """A place in a file, and the expected answer."""

    before: str
    """The text before the cursor, including the beginning of its line."""
    answer: str
    after: str = ""
    """The text after the cursor."""
    path: str = ""
    language: str = ""


EXAMPLES: tuple[Example, ...] = (
    Example(
        before="""\
import math


class Circle:
    def __init__(self, radius: float) -> None:
        self.radius = radius

    def area(self) -> float:
        return ma""",
        answer="th.pi * self.radius**2",
        after="""

    def scaled(self, factor: float) -> "Circle":
        return Circle(self.radius * factor)""",
        path="geometry/circle.py",
        language="python",
    ),
    Example(
        before="export function total(items: Item[]): number {\n  let sum = ",
        answer="0;\n  for (const item of items) {\n    sum += item.price * item.count;\n  }\n  return sum;",
        after="\n}",
        path="src/cart.ts",
        language="typescript",
    ),
    Example(
        before="\tvalues := []int{3, 1, 2}\n\tsort.Ints(",
        answer="values",
        after=")\n\tfmt.Println(values)",
        path="main.go",
        language="go",
    ),
)


@dataclass(frozen=True, slots=True)
class ChatStyle:
    """How a chat is built."""

    system_prompt: str = RULES
    examples: tuple[Example, ...] = EXAMPLES
    prefills: bool = False
    """Whether the chat ends with the beginning of the answer."""
    thinks: bool = False
    """Whether the model is asked to think before it answers; then nothing is pre-filled."""

    def begun(self, line_prefix: str) -> str:
        """Return the beginning of the answer with which the chat ends, "" for none; the answer continues it.

        Trailing white space is left to the model, which writes it as one token with what follows.
        """
        return OPEN + line_prefix.rstrip() if self.prefills and not self.thinks else ""


DEFAULT_WAYS = ChatStyle()


def chat_prompt(
    window: Window,
    mode: Mode,
    snippets: tuple[Snippet, ...],
    max_tokens: int,
    style: ChatStyle = DEFAULT_WAYS,
) -> ChatPrompt:
    """Build the chat: the constant parts first, the line that is being typed last."""
    messages = [("system", style.system_prompt)]
    for example in style.examples:
        messages += [("user", _question(*_shown(example), ())), ("assistant", _answer(example))]
    question, stable_chars = _question(window, mode, snippets), len(_context(snippets))
    if style.thinks:
        # So that the mark in the thoughts does not end them.
        asked = (*messages, ("user", f"{question}\n{THINK}"))
        return ChatPrompt(
            asked, (), max_tokens + THINKING_TOKENS, thinks=True, fills=True, stable_chars=stable_chars
        )
    messages.append(("user", question))
    if style.prefills:
        messages.append(("assistant", style.begun(window.line_prefix)))
    return ChatPrompt(tuple(messages), (CLOSE,), max_tokens, fills=True, stable_chars=stable_chars)


def _shown(example: Example) -> tuple[Window, Mode]:
    above, newline, line = example.before.rpartition("\n")
    rest, end, below = example.after.partition("\n")
    window = Window(above + newline, line, rest, end + below, example.language, example.path)
    return window, Mode.BLOCK if "\n" in example.answer else Mode.LINE


def _answer(example: Example) -> str:
    return f"{OPEN}{example.before.rpartition(chr(10))[2]}{example.answer}{CLOSE}"


def _question(window: Window, mode: Mode, snippets: tuple[Snippet, ...]) -> str:
    return (
        f"{_context(snippets)}{file_tag(window.path, window.language)}\n"
        f"{window.prefix}{HOLE}{window.line_suffix}{window.suffix.rstrip()}\n</file>\n"
        f"{_WANTED[mode]} The line begins: {OPEN}{window.line_prefix}{CLOSE}"
    )


def _context(snippets: tuple[Snippet, ...]) -> str:
    return "".join(f"{file_tag(one.path)}\n{one.text}\n</file>\n" for one in snippets)


_WANTED = {
    Mode.LINE: "One line is enough.",
    Mode.BLOCK: "Complete the block.",
    Mode.HOLE: "Write all that is missing.",
}
