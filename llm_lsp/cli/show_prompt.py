"""Prints a prompt as it would be sent to the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from llm_lsp.cli.terminal.console import say, write
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, Prompt, RawPrompt
from llm_lsp.core.provider_profile import Profile


class ShownPrompt(Protocol):
    """What would be sent to a provider."""

    @property
    def prompt(self) -> Prompt: ...
    @property
    def profile(self) -> Profile: ...


Part = tuple[str, str]
"""A heading, and the text below it."""


def question_mapping(question: ShownPrompt) -> dict[str, object]:
    """Return a prompt as JSON fields: `kind` is raw, fim or chat, followed by the prompt's own fields."""
    prompt, profile = question.prompt, question.profile
    match prompt:
        case RawPrompt():
            fields: dict[str, object] = {"kind": "raw", "text": prompt.text, "begins": prompt.begins}
        case FimPrompt():
            fields = {
                "kind": "fim",
                "prefix": prompt.prefix,
                "line_prefix": prompt.line_prefix,
                "suffix": prompt.suffix,
                "snippets": [{"path": snippet.path, "text": snippet.text} for snippet in prompt.snippets],
                "begins": prompt.begins,
            }
        case ChatPrompt():
            messages = [{"role": role, "text": text} for role, text in prompt.messages]
            fields = {"kind": "chat", "messages": messages}
    limits = {"stop": list(prompt.stop), "max_tokens": prompt.max_tokens}
    return {"provider": profile.provider, "model": profile.model, **fields, **limits}


def print_plain(question: ShownPrompt) -> None:
    """Print every text that is sent on standard output; headings and limits go to standard error."""
    prompt, profile = question.prompt, question.profile
    say(f"to {profile.provider}, model {profile.model or 'of the server'}", dim=True)
    for name, text in parts(question):
        say(f"--- {name}", dim=True)
        write(f"{text}\n")
    stops = ", ".join(map(repr, prompt.stop)) or "none"
    say(f"--- at most {prompt.max_tokens} tokens; stops: {stops}", dim=True)


def parts(question: ShownPrompt) -> Iterator[Part]:
    """Yield a prompt's texts with headings, in the order in which the model reads them, as far as that is known."""
    prompt = question.prompt
    match prompt:
        case RawPrompt():
            yield "the prompt", prompt.text
        case FimPrompt():
            yield from ((f"context, {snippet.path}", snippet.text) for snippet in prompt.snippets)
            yield "before the cursor", prompt.prefix + prompt.line_prefix
            yield "after the cursor", prompt.suffix
        case ChatPrompt():
            yield from prompt.messages
    if not isinstance(prompt, ChatPrompt) and prompt.begins:
        yield "text that the answer must begin with, if the API supports it", prompt.begins
