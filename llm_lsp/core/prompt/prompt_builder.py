"""Builds the prompt from a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.prompt.chat_prompt import DEFAULT_WAYS, ChatStyle, chat_prompt
from llm_lsp.core.prompt.fim_families import FimFamily, family_for, family_named
from llm_lsp.core.prompt.line_start import LineStart, Rejoin, line_start
from llm_lsp.core.prompt.prompts import FimPrompt, Prompt, RawPrompt
from llm_lsp.core.prompt.snippet_format import as_comments, in_format
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Mode
from llm_lsp.core.response.chat_answer.reader import ChatAnswer
from llm_lsp.core.response.stops import StopRule
from llm_lsp.core.text.window import Window

# Tokens for an answer of one line if closing the connection does not stop the billing.
BILLED_LINE_TOKENS = 48
# If a line ends in one of these, its answer may begin with a newline, which is then no safe stop string.
_MAY_BREAK = (":", "{", "(", "[", "}", ")", "]", ";", ",", ">")


def build_prompt(
    window: Window,
    profile: Profile,
    mode: Mode,
    snippets: Sequence[Snippet] = (),
    style: ChatStyle = DEFAULT_WAYS,
) -> Prompt:
    """Build the prompt for `profile`; a model of an unknown family completes left to right."""
    stop = ("\n",) if _newline_stops(window, profile, mode) else ()
    max_tokens = _max_tokens(profile, mode)
    if profile.fim == "chat":
        return chat_prompt(window, mode, tuple(snippets), max_tokens, style)
    start = _start(window, profile)
    if profile.fim == "native":
        before, after = _sides(window, start)
        suffix = window.line_suffix + window.suffix
        if profile.takes_files:
            return FimPrompt(before, after, suffix, tuple(snippets), stop, max_tokens, start.begins)
        above = _inside(window, family_for(profile.fim, profile.model), snippets)
        return FimPrompt(above + before, after, suffix, (), stop, max_tokens, start.begins)
    family = family_named(profile.fim)
    if family is None:
        above = as_comments(window.language, snippets)
        return RawPrompt(above + window.prefix + start.sent, stop, max_tokens, start.begins)
    if mode is Mode.HOLE and family.hole_order:
        family = replace(family, order=family.hole_order)
    text = _render(window, start, family, snippets)
    return RawPrompt(text, stop + family.stops, max_tokens, start.begins)


def stop_rule(
    window: Window, profile: Profile, mode: Mode, style: ChatStyle = DEFAULT_WAYS, *, may_grow: bool = True
) -> StopRule:
    """Return the rule that reads the answer to the prompt of `build_prompt`; `may_grow` as in StopRule."""
    if profile.fim == "chat":
        answer = ChatAnswer(window, style.begun(window.line_prefix))
        return StopRule(window, mode, answer.stops, may_grow=may_grow, opening=answer)
    opening = Rejoin(_start(window, profile), forced=profile.forces_start)
    family = family_named(profile.fim)
    if family is None:
        return StopRule(window, mode, may_grow=may_grow, opening=opening)
    stops = tuple(dict.fromkeys((*family.stops, *family.tokens)))
    return StopRule(
        window, mode, stops, may_grow=may_grow, opening=opening, restore=_restored(window, family)
    )


def forced_start(window: Window, profile: Profile) -> str:
    """Return the text with which the API forces an answer to begin; "" if it forces none."""
    return _start(window, profile).begins if profile.forces_start and profile.fim != "chat" else ""


def _start(window: Window, profile: Profile) -> LineStart:
    """Cut the current line as a provider needs it; what its API renders itself stands before the middle token."""
    family = family_named(profile.fim)
    after_middle = family is not None and family.line_after_middle
    return line_start(window, forced=profile.forces_start, after_middle=after_middle)


def escape_tokens(text: str, tokens: Sequence[str]) -> str:
    """Make a model's control tokens in the user's text harmless, by a blank after their first character.

    A server would treat them as control tokens and misread the prompt; code about tokenizers contains them.
    `StopRule` restores them in the answer.
    """
    for token in tokens:
        if token in text:
            text = text.replace(token, escaped(token))
    return text


def escaped(token: str) -> str:
    """Return the harmless spelling of a control token."""
    return f"{token[0]} {token[1:]}"


def _restored(window: Window, family: FimFamily) -> dict[str, str]:
    text = window.prefix + window.line_prefix + window.line_suffix + window.suffix
    return {escaped(token): token for token in family.tokens if token in text}


def _sides(window: Window, start: LineStart) -> tuple[str, str]:
    """Return the text before the middle token, and the text after it, with which the answer begins.

    The latter changes while a line is typed; everything before it stays in the model server's cache.
    """
    if start.after_middle:
        return window.prefix, start.sent
    return window.prefix + start.sent, ""


def _render(window: Window, start: LineStart, family: FimFamily, snippets: Sequence[Snippet]) -> str:
    sides = (*_sides(window, start), window.line_suffix + window.suffix)
    prefix, line, suffix = (escape_tokens(text, family.tokens) for text in sides)
    window = replace(window, path=escape_tokens(window.path, family.tokens))
    harmless = [
        Snippet(escape_tokens(one.path, family.tokens), escape_tokens(one.text, family.tokens))
        for one in snippets
    ]
    outside = in_format(family, window, harmless) if family.snippet and not family.snippets_inside else ""
    inside = family.prefix_head.replace("{path}", window.path) if outside else ""
    if not outside:
        inside = _inside(window, family, harmless)
    head = family.head.replace("{path}", window.path).replace("{language}", window.language)
    # If the head has no place for them, they come before it.
    head = head.replace("{files}", outside) if "{files}" in head else outside + head
    if family.order == "spm":
        # Typing only changes the end of the prefix, which comes last, so nothing is read twice.
        return f"{head}{family.suffix}{suffix}{family.prefix}{inside}{prefix}{line}{family.middle}"
    if family.order == "smp":
        return f"{head}{family.prefix}{family.suffix}{suffix}{family.middle}{inside}{prefix}{line}"
    if family.line_after_middle:
        return f"{head}{family.prefix}{inside}{prefix}{family.suffix}{suffix}{family.middle}{line}"
    return f"{head}{family.prefix}{inside}{prefix}{line}{family.suffix}{suffix}{family.middle}"


def _inside(window: Window, family: FimFamily | None, snippets: Sequence[Snippet]) -> str:
    """Return the beginning of the prefix."""
    if family and family.snippets_inside:
        return in_format(family, window, snippets)
    return as_comments(window.language, snippets)


def _newline_stops(window: Window, profile: Profile, mode: Mode) -> bool:
    """Check whether the API itself should stop at the end of a line.

    Not if closing the connection stops it: whether the line opens a block that the answer should include is known
    only when the line is read.
    """
    if profile.cancel_stops_billing or mode is not Mode.LINE:
        return False
    return not window.line_prefix.rstrip().endswith(_MAY_BREAK)


def _max_tokens(profile: Profile, mode: Mode) -> int:
    if profile.cancel_stops_billing or mode is Mode.BLOCK:
        return profile.max_tokens
    return min(profile.max_tokens, BILLED_LINE_TOKENS)
