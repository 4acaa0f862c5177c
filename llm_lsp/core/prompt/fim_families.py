"""FIM families: the fill-in-the-middle formats of models, as data.

The tokens come from the models' cards, papers and vocabularies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from llm_lsp.core.context.snippet import CONTEXT_SOURCES, ContextSource

# Least similarity of a place to the cursor's for a prompt, 0 to 1, see `core.context.similarity`. Less similar pieces
# did not help (ADR 35).
LEAST_LIKENESS = 0.35


@dataclass(frozen=True, slots=True)
class FimFamily:
    """A family's tokens. The prompt contains nothing between tokens and text except what is given here."""

    name: str
    pattern: str
    """Regular expression for the models' names in lower case; if several match, the longest match wins."""
    prefix: str
    """The text before the prefix."""
    suffix: str
    """The text before the suffix."""
    middle: str
    """The text before the answer, "" if the prefix ends the prompt."""
    stops: tuple[str, ...]
    """Strings that end an answer, most likely ones first, since some APIs accept only four."""
    order: Literal["psm", "spm", "smp"] = "psm"
    """Prefix, suffix, middle; suffix first; or an empty prefix and all of our text after the middle token."""
    hole_order: Literal["smp"] | None = None
    """The order for a hole between two lines, if it differs (ADR 16)."""
    line_after_middle: bool = True
    """Whether the current line may follow the middle token, as the beginning of the answer.

    Only for families with the suffix last: there, everything before it stays in the model server's cache.
    """
    head: str = ""
    """The beginning of the prompt; `{path}` and `{language}` are filled in, and `{files}` if other files belong
    there.
    """
    snippet: str = ""
    """The format of another file, with `{path}` and `{text}`; "" if the family has none, and gets them as
    comments.
    """
    snippets_head: str = ""
    """The text before the first of them."""
    current_head: str = ""
    """The text between them and the current file, with `{path}`."""
    prefix_head: str = ""
    """The beginning of the prefix if there are other files, with `{path}`."""
    snippets_inside: bool = False
    """Whether the other files are at the beginning of the prefix, and not of the prompt."""
    sources: tuple[ContextSource, ...] = CONTEXT_SOURCES
    """Default sources of context: all, except those that were measured not to help."""
    least_likeness: float = LEAST_LIKENESS
    """Least similarity of pieces that are worth reading; at least the default, below which none are collected."""

    tokens: tuple[str, ...] = field(init=False)
    """All texts that the model's tokenizer treats as control tokens."""

    def __post_init__(self) -> None:
        # Computed once per family, since every prompt searches for all of them.
        object.__setattr__(self, "tokens", _tokens_of(self))


def _tokens_of(family: FimFamily) -> tuple[str, ...]:
    template = (family.prefix, family.suffix, family.middle, family.head)
    marks = (*template, family.snippet, family.snippets_head, family.current_head)
    found = [token for mark in marks for token in _TOKEN.findall(mark)]
    found += [stop for stop in family.stops if not any(map(str.isspace, stop))]
    return tuple(dict.fromkeys(found))


_TOKEN = re.compile(r"<[^<>\s{}]+>|\[[A-Z]+\]")

_STARCODER = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")
_QWEN = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
_QWEN_STOPS = (
    "<|endoftext|>", "<|file_sep|>", "<|fim_prefix|>", "<|im_end|>",
    "<|repo_name|>", "<|fim_pad|>", "<|fim_middle|>", "<|fim_suffix|>", "<|im_start|>",
)  # fmt: skip

FAMILIES: tuple[FimFamily, ...] = (
    FimFamily(
        "qwen",
        r"qwen(2\.5|3)?-?(.*-)?coder|mercury",
        *_QWEN,
        hole_order="smp",
        stops=_QWEN_STOPS,
        snippet="<|file_sep|>{path}\n{text}\n",
        snippets_head="<|repo_name|>project\n",
        current_head="<|file_sep|>{path}\n",
    ),
    FimFamily(
        # The smallest model does worse with its own repository format, and better with comments; signatures do not
        # help it, nearly identical code helps most (ADR 34 to 36).
        "qwen-small",
        r"qwen-?2\.5-coder-0\.5b",
        *_QWEN,
        hole_order="smp",
        stops=_QWEN_STOPS,
        sources=("similar", "visited", "edits"),
        least_likeness=0.7,
    ),
    FimFamily(
        "codellama",
        r"code-?llama(?!.*(34b|python))",
        "<PRE> ", " <SUF>", " <MID>",
        stops=("<EOT>", "<PRE>", "<SUF>", "<MID>"),
        # Its tokenizer treats a leading blank as part of a word, so text right after <MID> would be read differently.
        line_after_middle=False,
    ),
    FimFamily(
        "starcoder",
        r"starcoder(?!2)(base)?|codeqwen",
        *_STARCODER,
        stops=("<|endoftext|>", *_STARCODER),
    ),
    FimFamily(
        "starcoder2",
        r"starcoder2",
        *_STARCODER,
        stops=("<|endoftext|>", "<file_sep>", *_STARCODER),
        snippet="<file_sep>{path}\n{text}",
        snippets_head="<repo_name>project",
        current_head="<file_sep>",
        prefix_head="{path}\n",
    ),
    FimFamily(
        "santacoder",
        r"santacoder",
        "<fim-prefix>", "<fim-suffix>", "<fim-middle>",
        stops=("<|endoftext|>", "<fim-pad>"),
    ),
    FimFamily(
        "deepseek",
        r"deepseek-?coder",
        "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>",
        stops=("<｜end▁of▁sentence｜>", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "<|EOT|>"),
        snippet="#{path}\n{text}\n",
        current_head="#{path}\n",
        snippets_inside=True,
    ),
    FimFamily(
        "codestral",
        r"^(?!.*mamba).*codestral",
        "[PREFIX]", "[SUFFIX]", "",
        stops=("</s>", "[PREFIX]", "[SUFFIX]", "\n+++++ "),
        order="spm",
        snippet="+++++ {path}\n{text}\n\n",
        current_head="+++++ {path}\n",
        snippets_inside=True,
    ),
    FimFamily(
        "codegemma",
        r"codegemma",
        *_QWEN,
        stops=("<|file_separator|>", "<end_of_turn>", "<eos>", *_QWEN),
        snippet="{path}\n{text}<|file_separator|>",
    ),
    FimFamily(
        "granite3",
        r"granite(-code|.*3[.-])",
        *_STARCODER,
        stops=("<|end_of_text|>", "<|endoftext|>", "<fim_pad>"),
    ),
    FimFamily(
        "granite4",
        r"granite.*4(?![\d.]*b)",
        *_QWEN,
        stops=("<|end_of_text|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_pad|>", "<|fim_middle|>"),
    ),
    FimFamily(
        "mellum",
        r"mellum",
        *_STARCODER,
        stops=("<|endoftext|>", "<filename>"),
        order="spm",
        snippet="<filename>{path}\n{text}",
        snippets_head="<reponame>project",
        current_head="<filename>{path}\n",
    ),
    FimFamily(
        "stable-code",
        r"stable-?code",
        *_STARCODER,
        stops=("<|endoftext|>", "<fim_prefix>", "<file_sep>", "<fim_suffix>", "<fim_middle>"),
    ),
    FimFamily(
        "seed-coder",
        r"seed-?coder",
        # Suffix first, as the model was trained; several tools use the wrong order.
        "<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>",
        stops=(
            "<[end▁of▁sentence]>", "<[fim-suffix]>", "<[fim-prefix]>", "<[PAD▁TOKEN]>",
            "<[fim-middle]>", "<[SEP▁TOKEN]>", "<[begin▁of▁sentence]>",
        ),
        order="spm",
    ),
    FimFamily(
        "glm",
        r"glm-4",
        "<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>",
        stops=("<|endoftext|>", "<|user|>", "<|code_suffix|>", "<|code_prefix|>", "<|code_middle|>", "<|assistant|>"),
    ),
    FimFamily(
        "codegeex4",
        r"codegeex4",
        "<|code_prefix|>", "<|code_suffix|>", "<|code_middle|><|assistant|>\n",
        stops=("<|endoftext|>", "<|user|>", "<|code_suffix|>", "<|code_prefix|>", "<|code_middle|>", "<|assistant|>"),
        order="spm",
        head="<|user|>\n{files}###PATH:{path}\n###LANGUAGE:{language}\n###MODE:BLOCK\n",
        snippet="###PATH:{path}\n{text}\n",
        snippets_head="###REFERENCE:\n",
    ),
    FimFamily(
        "falcon-h1-tiny-coder",
        r"falcon-h1-tiny-coder",
        "<|prefix|>", "<|suffix|>", "<|middle|>",
        stops=("<|endoftext|>",),
    ),
)  # fmt: skip


def family_named(name: str) -> FimFamily | None:
    """Return the family of this name, as used in the settings."""
    return next((family for family in FAMILIES if family.name == name), None)


def family_for(fim: str, model: str) -> FimFamily | None:
    """Return the family of a provider's model: by the fim setting, else by the model's name."""
    return family_named(fim) or family_named(family_of(model) or "")


@lru_cache(maxsize=64)
def family_of(model: str) -> str | None:
    """Return the family's name for a model's name; None if the model is not known to fill in the middle.

    Ignores registry path, quantization, file extension, and tags other than a size:
    `hf.co/me/Qwen2.5-Coder-7B-Q8_0-GGUF:latest` is `qwen2.5-coder-7b`.
    """
    name = bare_name(model)
    matches = ((re.search(family.pattern, name), family) for family in FAMILIES)
    found = [(len(match.group()), family.name) for match, family in matches if match]
    return max(found)[1] if found else None


_ENDINGS = re.compile(
    r"(\.gguf|\.safetensors|-gguf|[-_.](i?q\d[a-z0-9_]*|fp?(8|16|32)|bf16|int[48]|awq|gptq|mlx|[48]bit))$"
)
_SIZE = re.compile(r"\d+(\.\d+)?b\b")


def bare_name(model: str) -> str:
    """Return a model's name in lower case, without registry path, extension, quantization, and tag except its
    size.
    """
    name, _, tag = re.split(r"[/\\]", model.strip().lower())[-1].partition(":")
    while (shorter := _ENDINGS.sub("", name)) != name:
        name = shorter
    # Ollama's names have the size in the tag: `qwen2.5-coder:0.5b-base-q4_K_M`.
    size = _SIZE.match(tag)
    return f"{name}-{size.group()}" if size else name
