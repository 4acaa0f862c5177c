"""FIM families: how each is asked to fill in the middle, as data.

The tokens are those of the models' own cards, papers and vocabularies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from llm_lsp.core.context.snippet import CONTEXT_SOURCES, ContextSource

# How like the cursor's place another one must be to go with a prompt, 0 to 1, see `core.context.similarity`. Below it pieces
# gave nothing: docs/adr/0035.
LEAST_LIKENESS = 0.35


@dataclass(frozen=True, slots=True)
class FimFamily:
    """A family's tokens. Nothing may stand between a token and the text but what is written here."""

    name: str
    pattern: str
    """Regular expression of the models' names, lower case; of several that match, the longest match wins."""
    prefix: str
    """What stands before the prefix."""
    suffix: str
    """What stands before the suffix."""
    middle: str
    """What stands before the answer, "" where the prefix ends the prompt."""
    stops: tuple[str, ...]
    """What ends an answer; the most likely first, since some APIs take four."""
    order: Literal["psm", "spm", "smp"] = "psm"
    """Prefix, suffix, middle; suffix first; or an empty prefix, and all of ours after the middle token."""
    hole_order: Literal["smp"] | None = None
    """The order for a hole between two lines, where it is another: see docs/adr/0016."""
    line_after_middle: bool = True
    """Whether the current line may stand after the middle token, as the beginning of the answer.

    Only for suffix-last families: there it keeps all before it in the model server's cache.
    """
    head: str = ""
    """What stands before all; `{path}` and `{language}` are filled in, and `{files}` where other files have a place."""
    snippet: str = ""
    """Another file, with `{path}` and `{text}`; "" where the family knows none, and gets them as comments."""
    snippets_head: str = ""
    """What stands before the first of them."""
    current_head: str = ""
    """What stands between them and the current file, with `{path}`."""
    prefix_head: str = ""
    """What stands at the start of the prefix where there are other files, with `{path}`."""
    snippets_inside: bool = False
    """Whether they stand at the start of the prefix, and not before all."""
    sources: tuple[ContextSource, ...] = CONTEXT_SOURCES
    """What of other places goes with a prompt unless the settings say so: all, but for what was found to be of no use."""
    least_likeness: float = LEAST_LIKENESS
    """From which likeness on alike pieces are worth their reading; not less than the default, which is all that is found."""

    tokens: tuple[str, ...] = field(init=False)
    """Everything that the model's tokenizer takes for a control token where it stands in a text."""

    def __post_init__(self) -> None:
        # Once for each family: every prompt looks for all of them.
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
        # The smallest guesses worse behind its own format for repositories, and better behind comments; it gains nothing
        # from signatures, and most from what is nearly the same: docs/adr/0034 to 0036.
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
        # Its tokenizer takes a leading blank as part of a word: text right after <MID> would read differently.
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
        # Suffix first, as the model was trained; several tools send it the other way.
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
    """Return the family of this name, as the settings have it."""
    return next((family for family in FAMILIES if family.name == name), None)


def family_for(fim: str, model: str) -> FimFamily | None:
    """Return the family of a provider's models: by the fim setting, else by the model's name."""
    return family_named(fim) or family_named(family_of(model) or "")


@lru_cache(maxsize=64)
def family_of(model: str) -> str | None:
    """Name the family of a model by its name; None if nothing is known of filling the middle.

    Registry paths, quantization, file endings and tags but for a size are no part of the name:
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
    """Strip registry path, file ending, quantization and of a tag all but the size from a model's name; lower case."""
    name, _, tag = re.split(r"[/\\]", model.strip().lower())[-1].partition(":")
    while (shorter := _ENDINGS.sub("", name)) != name:
        name = shorter
    # Ollama's names have the size there: `qwen2.5-coder:0.5b-base-q4_K_M`.
    size = _SIZE.match(tag)
    return f"{name}-{size.group()}" if size else name
