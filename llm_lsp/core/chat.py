"""Completion by models that only chat: the dialogue, and how its answers begin; knows no API.

The hole is shown as a whole line, and the answer repeats that line from its start: no API needs to take a
pre-filled answer, and what stands before the last lines of the dialogue stays the same while a line is typed.
"""

from __future__ import annotations

import re

from llm_lsp.core.types import ChatPrompt, Mode, Snippet
from llm_lsp.core.window import Window

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

EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        f"""\
<file path="geometry/circle.py" language="python">
import math


class Circle:
    def __init__(self, radius: float) -> None:
        self.radius = radius

    def area(self) -> float:
{HOLE}

    def scaled(self, factor: float) -> "Circle":
        return Circle(self.radius * factor)
</file>
One line is enough. The line begins: {OPEN}        return ma{CLOSE}""",
        f"{OPEN}        return math.pi * self.radius**2{CLOSE}",
    ),
    (
        f"""\
<file path="src/cart.ts" language="typescript">
export function total(items: Item[]): number {{
{HOLE}
}}
</file>
Complete the block. The line begins: {OPEN}  let sum = {CLOSE}""",
        f"""\
{OPEN}  let sum = 0;
  for (const item of items) {{
    sum += item.price * item.count;
  }}
  return sum;{CLOSE}""",
    ),
    (
        f"""\
<file path="main.go" language="go">
	values := []int{{3, 1, 2}}
{HOLE})
	fmt.Println(values)
</file>
One line is enough. The line begins: {OPEN}	sort.Ints({CLOSE}""",
        f"{OPEN}	sort.Ints(values{CLOSE}",
    ),
)


def chat_prompt(window: Window, mode: Mode, snippets: tuple[Snippet, ...], max_tokens: int) -> ChatPrompt:
    """Write the dialogue: what never changes first, the line that is typed last."""
    messages = [("system", RULES)]
    for question, answer in EXAMPLES:
        messages += [("user", question), ("assistant", answer)]
    messages.append(("user", _question(window, mode, snippets)))
    return ChatPrompt(tuple(messages), (CLOSE,), max_tokens)


def _question(window: Window, mode: Mode, snippets: tuple[Snippet, ...]) -> str:
    context = "".join(f'<file path="{one.path}">\n{one.text}\n</file>\n' for one in snippets)
    size = "Complete the block." if mode is Mode.BLOCK else "One line is enough."
    return (
        f'{context}<file path="{window.path}" language="{window.language}">\n'
        f"{window.prefix}{HOLE}{window.line_suffix}{window.suffix.rstrip()}\n</file>\n"
        f"{size} The line begins: {OPEN}{window.line_prefix}{CLOSE}"
    )


class ChatOpening:
    """Takes from an answer's start what is no code: thinking, a fence, the mark, the repeated line."""

    refused = False

    def __init__(self, line_prefix: str) -> None:
        self._line_prefix = line_prefix
        self._waiting: str | None = ""
        """What has come while it is not known where the code begins; None once it is."""

    def feed(self, piece: str) -> str:
        """Give the code that is known after this piece."""
        if self._waiting is None:
            return piece
        self._waiting += piece
        code = opened(self._waiting, self._line_prefix)
        if code is None:
            return ""
        self._waiting = None
        return code

    def end(self) -> str:
        """Give what was still waiting when the answer ended: code, if it is no mere opening."""
        waiting, self._waiting = self._waiting, None
        if not waiting or self._line_prefix.startswith(waiting) or waiting.lstrip().startswith(("<", "`")):
            return ""
        return waiting


_FENCE = re.compile(r"\s*`{3,}[^\n]*\n")


def opened(answer: str, line_prefix: str) -> str | None:
    """Strip an answer's opening; None while more of it may come."""
    for start, close in (("<think>", "</think>"), ("<thinking>", "</thinking>")):
        bare = answer.lstrip()
        if bare.startswith(start):
            if close not in bare:
                return None
            answer = bare.partition(close)[2].lstrip("\n")
    bare = answer.lstrip()
    if any(mark.startswith(bare) for mark in ("<think>", "<thinking>", "```", OPEN)):
        return None
    if bare.startswith("```"):
        fence = _FENCE.match(answer)
        return opened(answer[fence.end() :], line_prefix) if fence else None
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
