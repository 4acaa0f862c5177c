"""Completion by chat models: the dialogue, and how its answers begin.

The hole is shown as a whole line, and the answer repeats that line from its start, so that no API needs to take a
pre-filled answer; where one does, the answer is begun for it. What stands before the last lines of the dialogue
stays the same while a line is typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.prompt.prompts import ChatPrompt
from llm_lsp.core.prompt.tags import file_tag
from llm_lsp.core.request import Mode
from llm_lsp.core.text.window import Window

HOLE = "{{HOLE}}"
OPEN, CLOSE = "<fill>", "</fill>"

RULES = f"""\
You complete source code. You get a file in which one place is marked {HOLE}, and the beginning of the line \
that stands there.
Answer with the code that belongs in the place of {HOLE}, between {OPEN} and {CLOSE}.
Begin with the given beginning of the line, exactly as it is, with its indentation, and go on from there.
Stop where the code after {HOLE} goes on; never repeat that code.
Keep to the file's style, names and language. Write code only: no explanation, no code fences.
Where nothing is missing, answer with the beginning of the line alone."""

# Sent with the question where the model is asked to think; those that reason by themselves have done so by then.
THINK = f"Think first, step by step, between <think> and </think>, unless you have already; then answer with {OPEN}."
# Tokens that thoughts may have beside the answer: a page of them, more than a user waits for.
THINKING_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class Example:
    """A place as it could be asked for, and what is to be answered there."""

    before: str
    """The text before the cursor, its line's beginning last."""
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
    """How a dialogue is led."""

    system_prompt: str = RULES
    examples: tuple[Example, ...] = EXAMPLES
    prefills: bool = False
    """The dialogue ends with the beginning of the answer."""
    thinks: bool = False
    """The model is asked to think before it answers; then nothing is pre-filled."""

    def begun(self, line_prefix: str) -> str:
        """Return the part of the line's beginning that the dialogue ends with; the answer continues it.

        White space at its end is left to the model, which writes it as one token with what follows.
        """
        return line_prefix.rstrip() if self.prefills and not self.thinks else ""


DEFAULT_WAYS = ChatStyle()


def chat_prompt(
    window: Window,
    mode: Mode,
    snippets: tuple[Snippet, ...],
    max_tokens: int,
    style: ChatStyle = DEFAULT_WAYS,
) -> ChatPrompt:
    """Write the dialogue: what never changes first, the line that is typed last."""
    messages = [("system", style.system_prompt)]
    for example in style.examples:
        messages += [("user", _question(*_shown(example), ())), ("assistant", _answer(example))]
    question = _question(window, mode, snippets)
    if style.thinks:
        # A mark that stands among the thoughts must not end them.
        asked = (*messages, ("user", f"{question}\n{THINK}"))
        return ChatPrompt(asked, (), max_tokens + THINKING_TOKENS, thinks=True)
    messages.append(("user", question))
    if style.prefills:
        messages.append(("assistant", OPEN + style.begun(window.line_prefix)))
    return ChatPrompt(tuple(messages), (CLOSE,), max_tokens)


def _shown(example: Example) -> tuple[Window, Mode]:
    above, newline, line = example.before.rpartition("\n")
    rest, end, below = example.after.partition("\n")
    window = Window(above + newline, line, rest, end + below, example.language, example.path)
    return window, Mode.BLOCK if "\n" in example.answer else Mode.LINE


def _answer(example: Example) -> str:
    return f"{OPEN}{example.before.rpartition(chr(10))[2]}{example.answer}{CLOSE}"


def _question(window: Window, mode: Mode, snippets: tuple[Snippet, ...]) -> str:
    context = "".join(f"{file_tag(one.path)}\n{one.text}\n</file>\n" for one in snippets)
    return (
        f"{context}{file_tag(window.path, window.language)}\n"
        f"{window.prefix}{HOLE}{window.line_suffix}{window.suffix.rstrip()}\n</file>\n"
        f"{_WANTED[mode]} The line begins: {OPEN}{window.line_prefix}{CLOSE}"
    )


_WANTED = {
    Mode.LINE: "One line is enough.",
    Mode.BLOCK: "Complete the block.",
    Mode.HOLE: "Write all that is missing.",
}


# Characters that may come before it is known where the code begins, beside thoughts and the line's own beginning.
MAX_OPENING_CHARS = 1000
_THOUGHTS: Mapping[str, str] = {"<think>": "</think>", "<thinking>": "</thinking>"}
_FENCE = re.compile(r"\s*`{3,}[^\n]*\n")


class ChatOpening:
    """Takes from an answer's start what is no code: thinking, a fence, the mark, the repeated line."""

    refused = False

    def __init__(self, line_prefix: str) -> None:
        self._line_prefix = line_prefix
        self._waiting: str | None = ""
        """What has come while it is not known where the code begins; None once it is."""
        self._thoughts_end = ""
        """What ends the thoughts that are read; "" where none are."""
        self._has_thought = False

    def feed(self, piece: str) -> str:
        """Return the code that is known after this piece."""
        if self._waiting is None:
            return piece
        self._waiting += piece
        while self._pass_thoughts():
            pass
        if self._thoughts_end:
            return ""
        if self._has_thought:
            self._waiting = self._waiting.lstrip("\n")
        code = _opened(self._waiting, self._line_prefix)
        if code is None and len(self._waiting) <= MAX_OPENING_CHARS + len(self._line_prefix):
            return ""
        code, self._waiting = self._waiting if code is None else code, None
        return code

    def end(self) -> str:
        """Return what was still waiting when the answer ended: code, if it is no mere opening."""
        waiting, self._waiting = self._waiting, None
        if not waiting or self._line_prefix.startswith(waiting) or waiting.lstrip().startswith(("<", "`")):
            return ""
        return "" if self._thoughts_end else waiting

    def _pass_thoughts(self) -> bool:
        """Drop what is known to be thoughts; return whether what follows has to be looked at once more."""
        assert self._waiting is not None
        if self._thoughts_end:
            _, end, rest = self._waiting.partition(self._thoughts_end)
            if not end:
                # Its end may be cut in two by a piece's end.
                self._waiting = self._waiting[-len(self._thoughts_end) + 1 :]
                return False
            self._waiting, self._thoughts_end, self._has_thought = rest, "", True
            return True
        bare = self._waiting.lstrip()
        start = next((start for start in _THOUGHTS if bare.startswith(start)), None)
        if start is None:
            return False
        self._waiting, self._thoughts_end = bare[len(start) :], _THOUGHTS[start]
        return True


def _opened(answer: str, line_prefix: str) -> str | None:
    """Strip an answer's opening; None while more of it may come."""
    bare = answer.lstrip()
    if any(mark.startswith(bare) for mark in (*_THOUGHTS, "```", OPEN)):
        return None
    if bare.startswith("```"):
        fence = _FENCE.match(answer)
        answer = answer[fence.end() :] if fence else ""
        bare = answer.lstrip()
        if any(mark.startswith(bare) for mark in ("```", OPEN)):
            return None
    if bare.startswith(OPEN):
        answer = bare[len(OPEN) :]
        if not answer:
            return None
        answer = answer.removeprefix("\n")
    return _without_echo(answer, line_prefix)


def _without_echo(answer: str, line_prefix: str) -> str | None:
    """Strip the repeated beginning of the line; its indentation may be left out."""
    for echo in (line_prefix, line_prefix.lstrip()):
        if echo and answer.startswith(echo):
            return answer[len(echo) :]
        if echo.startswith(answer) and len(answer) < len(echo):
            return None
    return answer
