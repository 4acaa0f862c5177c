"""Removes control tokens of models that leaked into an answer: exact strings only, not text that resembles them."""

from __future__ import annotations

from dataclasses import replace

from llm_lsp.core.prompt.fim_families import FAMILIES
from llm_lsp.core.response.filter_context import FilterContext, FilterInput

# Chat marks and end-of-text tokens, in addition to the fill-in-the-middle families' own: from the tokenizers of Llama
# 3, Qwen, DeepSeek, Gemma, Phi, gpt-oss and Mistral.
_DIALOGUE = (
    "<|begin_of_text|>", "<|end_of_text|>", "<|endoftext|>", "<|startoftext|>", "<|endofprompt|>", "<|eot_id|>",
    "<|eom_id|>", "<|im_start|>", "<|im_end|>", "<|im_sep|>", "<|end|>", "<|return|>", "<|channel|>", "<|message|>",
    "<|start|>", "<|user|>", "<|assistant|>", "<|system|>", "<|start_header_id|>", "<|end_header_id|>", "<|EOT|>",
    "<|endofmask|>", "<|END_OF_TURN_TOKEN|>", "<|eod|>", "<|cursor|>", "<|pad|>", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>",
    "<｜Assistant｜>",
)  # fmt: skip
# End tokens that may also be handwritten text, so they are removed only at an answer's end.
_ENDS = ("</s>", "<eos>", "<EOS>", "<eod>", "<EOT>", "<end_of_turn>", "<pad>", "[/INST]", "<|/s|>")
# Family tokens that are not code in any language. `<filename>` and `<MID>` may be types and tags, so they end only an
# answer of their own family, through its stop rule.
_CERTAIN = ("|", "｜", "▁", "fim")


def _certain_tokens() -> tuple[str, ...]:
    of_families = (token for family in FAMILIES for token in family.tokens)
    marked = (token for token in of_families if any(mark in token for mark in _CERTAIN))
    return tuple(dict.fromkeys((*_DIALOGUE, *marked)))


TOKENS = _certain_tokens()
# Characters of a partial token at the very end that cannot be an operator: `<|` is one in Elm and F#.
LEAST_BEGINNING_CHARS = 6


def cut_control_tokens(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Cut at the first control token, and remove end tokens and a partial token at the very end.

    Tokens that occur in the document around the cursor are ordinary text there, and are kept.
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
    """Return where the end token at the end of a text begins, or None."""
    bare = text.rstrip()
    for token in _ENDS:
        if not bare.endswith(token) or token in around:
            continue
        start = len(bare) - len(token)
        is_tag = token == "</s>" and (
            place.language.has_tags or place.language.is_prose or "<s>" in place.before + bare
        )
        # `<<EOT>` begins a here document, and after an opening quote it is the text of a string.
        if not is_tag and bare[start - 1 : start] != "<":
            return start
    return None


def _beginning(text: str) -> int:
    """Return where a partial token at the end of a text begins, else the text's length."""
    start = max(text.rfind("<|"), text.rfind("<｜"))
    tail = text[start:]
    if start < 0 or len(tail) < LEAST_BEGINNING_CHARS or not any(token.startswith(tail) for token in TOKENS):
        return len(text)
    return start
