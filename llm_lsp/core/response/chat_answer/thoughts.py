"""Separates an answer from the thoughts that a model writes before it, in any notation.

The notations are `<think>…</think>` and similar tags, `[THINK]`, `◁think▷`, `<|START_THINKING|>`,
`<|begin_of_thought|>`, and the channels of OpenAI's harmony format, also if a server has removed the control
tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Tag names in the templates of Qwen, DeepSeek, Magistral, Seed, EXAONE, Cohere, Kimi and Hunyuan, and those that models
# use when asked to think in a tag.
_NAME = (
    r"(?:\w{1,20}[:_])?(?:think|thought|reason|reflect|scratchpad|analysis|monologue|ponder|cot\b)\w{0,20}"
)
_OPEN = re.compile(
    rf"<{_NAME}(?:\s[^<>]{{0,200}})?>|\[{_NAME}\]|◁{_NAME}▷|<\|(?:start_|begin_|begin_of_)?{_NAME}\|>"
    r"|<\|channel>thought|<unused94>thought",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    rf"</{_NAME}\s*>|\[/{_NAME}\]|◁/{_NAME}▷|<\|(?:/|end_|end_of_){_NAME}\|>|<channel\|>|<unused95>",
    re.IGNORECASE,
)
# https://github.com/openai/harmony: `<|channel|>analysis<|message|>…<|end|>`, then the channel "final". A server that
# removes control tokens joins the rest: `analysis…assistantfinal…`.
_FINAL = re.compile(r"<\|channel\|>\s*final[^<]*<\|message\|>|\bassistant\s*final(?=\W|[A-Za-z_])")
_CHANNEL = re.compile(
    r"(?:<\|start\|>\w*)?<\|channel\|>\s*(?:analysis|commentary)|analysis(?=[A-Z]\w*[ ,']|We\b)"
)
_MESSAGE_END = re.compile(r"<\|(?:end|return|call|start)\|>")
# Meaningless tokens around the answer itself: Cohere's and Sky-T1's.
_AROUND = re.compile(r"<\|(?:START|END|begin_of|end_of)_(?:RESPONSE|solution)\|>", re.IGNORECASE)
# Length of the longest mark above, which the end of a piece may divide.
MAX_MARK_CHARS = 64
# Tokens that begin a turn, from a server that shows them.
_TURN = re.compile(r"\s*(?:<\|[\w-]{1,30}\|>\s*(?:assistant\b|final\b)?\s*)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unthought:
    """An answer without its thoughts."""

    text: str
    is_open: bool = False
    """Whether the thoughts did not end, so that the answer may still come."""
    has_thoughts: bool = False


def without_thoughts(answer: str) -> Unthought:
    """Remove thoughts from an answer: everything up to the last mark that ends them, and after one that opens
    them.
    """
    if finals := list(_FINAL.finditer(answer)):
        text = answer[finals[-1].end() :]
        end = _MESSAGE_END.search(text)
        return Unthought(text[: end.start()] if end else text, has_thoughts=True)
    if _CHANNEL.match(answer.lstrip()):
        return Unthought("", is_open=True, has_thoughts=True)
    ends = list(_CLOSE.finditer(answer))
    text = answer[ends[-1].end() :] if ends else answer
    text = _AROUND.sub("", text) if "<|" in text else text
    if _OPEN.match(text.lstrip()):
        return Unthought("", is_open=True, has_thoughts=True)
    if turn := _TURN.match(text):
        text = text[turn.end() :]
    return Unthought(text.lstrip("\n") if ends else text, has_thoughts=bool(ends))


def may_be_thoughts(start: str) -> bool:
    """Check whether an answer with this beginning may begin with thoughts in any notation."""
    bare = start.lstrip()
    if not bare:
        return True
    if bare[0] not in "<[◁a":
        return False
    if bare[0] == "a":
        return "analysis".startswith(bare[:8])
    return bool(_OPEN.match(bare) or _CHANNEL.match(bare)) or bool(_PARTIAL.fullmatch(bare))


_PARTIAL = re.compile(r"<\|?[\w:|]{0,40}|\[\w{0,20}|◁\w{0,20}")
