"""What a user gets when a model would write this and that: mode, stop rule and filters together."""

from __future__ import annotations

from llm_lsp.core.generation import Finish, Generation
from llm_lsp.core.prompt.completion_mode import choose_mode
from llm_lsp.core.prompt.prompt_builder import stop_rule
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.response.postprocess import Insertion, postprocess
from llm_lsp.core.response.read_ahead import ReadAhead
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point
from llm_lsp.core.text.window import cut_window

QWEN = Profile("test", "qwen2.5-coder-0.5b", "qwen")
PIECE_CHARS = 4


def suggest(
    document: Document, point: Point, answer: str, finish: Finish, trigger: Trigger, stated_indent: str = ""
) -> Insertion | Skip:
    """Read an answer as it streams, and make its first unit fit."""
    mode = choose_mode(document, point, "auto", manual=trigger is Trigger.MANUAL)
    streak = ReadAhead(stop_rule(cut_window(document, point, 2048), QWEN, mode))
    pieces = [answer[at : at + PIECE_CHARS] for at in range(0, len(answer), PIECE_CHARS)]
    if any(map(streak.feed, pieces)):
        finish = Finish.CUT
    else:
        streak.end(finish)
    generation = Generation(1, streak.text, finish, streak.units)
    end = generation.end_after(0) or len(generation.text)
    request = CompletionRequest(1, document, point, trigger, "inline", 0.0, indent=stated_indent)
    return postprocess(generation.text[:end], finish if end == len(generation.text) else Finish.CUT, request)
