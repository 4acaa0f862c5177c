"""Cuts the control tokens of models that leaked into an answer: literal strings, whole, and never what only looks alike."""

from __future__ import annotations

from dataclasses import replace

from llm_lsp.core.prompt.fim_families import FAMILIES
from llm_lsp.core.response.filter_context import FilterContext, FilterInput

# Marks of dialogues and ends of texts, beside those of the families that fill in the middle: from the tokenizers of
# Llama 3, Qwen, DeepSeek, Gemma, Phi, gpt-oss and Mistral.
_DIALOGUE = (
    "<|begin_of_text|>", "<|end_of_text|>", "<|endoftext|>", "<|startoftext|>", "<|endofprompt|>", "<|eot_id|>",
    "<|eom_id|>", "<|im_start|>", "<|im_end|>", "<|im_sep|>", "<|end|>", "<|return|>", "<|channel|>", "<|message|>",
    "<|start|>", "<|user|>", "<|assistant|>", "<|system|>", "<|start_header_id|>", "<|end_header_id|>", "<|EOT|>",
    "<|endofmask|>", "<|END_OF_TURN_TOKEN|>", "<|eod|>", "<|cursor|>", "<|pad|>", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>",
    "<｜Assistant｜>",
)  # fmt: skip
# Ends that are also what people write: only at an answer's end.
_ENDS = ("</s>", "<eos>", "<EOS>", "<eod>", "<EOT>", "<end_of_turn>", "<pad>", "[/INST]", "<|/s|>")
# Families' tokens that no language has as code; `<filename>` and `<MID>` may be types and tags, and end an answer only
# of the family whose tokens they are: its stop rule has them.
_CERTAIN = ("|", "｜", "▁", "fim")


def _certain_tokens() -> tuple[str, ...]:
    of_families = (token for family in FAMILIES for token in family.tokens)
    marked = (token for token in of_families if any(mark in token for mark in _CERTAIN))
    return tuple(dict.fromkeys((*_DIALOGUE, *marked)))


TOKENS = _certain_tokens()
# Characters of a token's beginning at the very end that are no operator any more: `<|` is one in Elm and F#.
LEAST_BEGINNING_CHARS = 6


def cut_control_tokens(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Cut at the first control token, and take off end tokens and the beginning of a token at the very end.

    What the document has around the cursor is its text.
    """
    text = draft.text
    if "<" not in text and "[" not in text:
        return draft
    around = "\n".join((*place.above, place.before, place.rest, *place.below))
    found = [at for token in TOKENS if (at := text.find(token)) >= 0 and token not in around]
    if found:
        text = text[: min(found)]
    while (end := _end_token(text, place, around)) is not None:
        text = text[:end].rstrip(" \t")
    text = text[: _beginning(text)]
    return draft if text == draft.text else replace(draft, text=text)


def _end_token(text: str, place: FilterContext, around: str) -> int | None:
    """Return where the end token begins that a text ends with."""
    bare = text.rstrip()
    for token in _ENDS:
        if not bare.endswith(token) or token in around:
            continue
        start = len(bare) - len(token)
        is_tag = token == "</s>" and (
            place.language.has_tags or place.language.is_prose or "<s>" in place.before + bare
        )
        # `<<EOT>` begins a here document, and what comes after an opening quote is a string's text.
        if not is_tag and bare[start - 1 : start] != "<":
            return start
    return None


def _beginning(text: str) -> int:
    """Return where the beginning of a token starts that a text ends with, or its length."""
    start = max(text.rfind("<|"), text.rfind("<｜"))
    tail = text[start:]
    if start < 0 or len(tail) < LEAST_BEGINNING_CHARS or not any(token.startswith(tail) for token in TOKENS):
        return len(text)
    return start
