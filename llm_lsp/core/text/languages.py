"""What completion needs to know about a language: its comments and blocks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from itertools import pairwise

from llm_lsp.core.text.language_ids import known_names


class Blocks(Enum):
    """How a language marks blocks of statements."""

    INDENT = "indent"
    """By indentation alone: a block ends before a less indented line."""
    BRACES = "braces"
    """By brackets: the last line is a closer indented like the first."""
    END = "end"
    """By words: the last line is `end`, `fi`, `done` … indented like the first."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language's surface syntax."""

    line_comment: str
    """What begins a comment to the end of the line, "" if there is none."""
    blocks: Blocks
    openers: tuple[str, ...] = ("{", "(", "[")
    """A line that ends in one of these opens a block."""
    starters: tuple[str, ...] = ()
    """A line that begins with one of these words opens a block, unless it also ends it."""
    middles: tuple[str, ...] = ()
    """Words that are indented like the opener and belong to its block: `else`, `except`, `end` …"""
    needs_body: bool = False
    """Whether a line that ends in a colon must be followed by an indented one."""
    has_tags: bool = False
    """Whether a line that ends in an opening tag opens a block."""
    is_prose: bool = False
    """Whether its texts are mainly sentences: no comments, no strings, and a line may continue after any mark."""
    block_comment: tuple[str, str] = ("", "")
    """What begins and ends a multi-line comment; "" if there is none."""
    long_strings: tuple[str, ...] = ()
    """What begins and ends a multi-line string."""
    needs_end_mark: bool = False
    """Whether a statement that is not a block ends in a mark such as `;`, so that a line ending in `)` is
    incomplete.
    """
    opening: re.Pattern[str] | None = None
    """A line that matches this, including its indentation, opens a block too."""
    outdented: re.Pattern[str] | None = None
    """Beginnings of lines that may be less indented than their block."""
    inside: re.Pattern[str] | None = None
    """Beginnings of lines that occur only inside of a block."""
    has_items: bool = False
    """Whether list items may be indented like their key."""
    step: str = "    "
    """One indentation step, if neither the file nor the editor defines it."""
    ignores_case: bool = False
    """Whether its words may be written in capitals."""
    is_free: bool = False
    """Whether a line may have any indentation, whatever precedes it."""


_SLASH_STAR = ("/*", "*/")
_TRIPLE = ('"""',)
# Unknown languages are treated as C-like, by far the largest family: brackets open blocks.
UNKNOWN = Language("//", Blocks.BRACES, block_comment=_SLASH_STAR, long_strings=(*_TRIPLE, "`"), is_free=True)

_WORD = re.compile(r"\w+")
# A tag that is neither closed, nor a closing one, nor empty by its name; or the last line of one of several.
_OPENING_TAG = re.compile(
    r"(?:^|[\s(>{])<(?!(?:area|base|br|col|embed|frame|hr|img|input|link|meta|param|source|track|wbr)\b)[A-Za-z][\w.:-]*(?:\s[^<]*)?(?<![/=-])>$"
    r"|^[^<]*[\"'}]>$|^>$"
)
# A statement that ends in a colon, or the last line of one: a dictionary's key and a slice do, too.
_HEADER = re.compile(
    r"(async|def|class|if|elif|else|for|while|try|except|finally|with|match|case|of|when|func|proc)\b|[)\]}]"
)

# Labels, cases and what a preprocessor reads.
_LABELS = re.compile(r"#|case\b|default\b|\w+:\s*(?://.*)?$")

_BRACES = replace(UNKNOWN, outdented=_LABELS, is_free=False)
_C = replace(_BRACES, long_strings=(), needs_end_mark=True)
_CSS = replace(_C, line_comment="", outdented=None)
_HASH_BRACES = Language("#", Blocks.BRACES)
_MARKUP = Language("", Blocks.BRACES, has_tags=True, is_prose=True)
_JSX = replace(_BRACES, has_tags=True)
_TEXT = Language("", Blocks.INDENT, (), is_prose=True, is_free=True)
_PYTHON = Language(
    "#",
    Blocks.INDENT,
    (":", "(", "[", "{"),
    middles=("else", "elif", "except", "finally", "case"),
    needs_body=True,
    long_strings=(*_TRIPLE, "'''"),
    inside=re.compile(r"(return|yield|break|continue|self|super|await)\b"),
)
_RUBY = Language(
    "#", Blocks.END, ("{", "(", "[", "|", " do", " then"),
    ("def", "class", "module", "if", "unless", "while", "until", "case", "for", "begin", "else", "elsif", "when"),
    ("end", "else", "elsif", "when", "rescue", "ensure", "in"),
)  # fmt: skip
_JULIA = Language(
    "#", Blocks.END, ("{", "(", "[", " do", " begin"),
    ("function", "struct", "module", "if", "for", "while", "let", "try", "macro", "else", "elseif", "catch"),
    ("end", "else", "elseif", "catch", "finally"),
)  # fmt: skip
_LUA = Language(
    "--",
    Blocks.END,
    ("{", "(", " then", " do"),
    ("function", "local function", "else", "repeat"),
    ("end", "else", "elseif", "until"),
)
_ELIXIR = Language(
    "#",
    Blocks.END,
    (" do", "->", "{", "(", "["),
    ("else", "rescue"),
    ("end", "else", "rescue"),
    long_strings=_TRIPLE,
)
_SHELL = Language(
    "#", Blocks.END, ("{", "(", " then", " do", " in"), ("else",), ("fi", "done", "esac", "else", "elif")
)
_HASKELL = Language(
    "--", Blocks.INDENT, ("=", " where", " do", " of", "{", "(", "["), block_comment=("{-", "-}")
)
# A line that ends a block on itself opens none.
_FISH = Language(
    "#", Blocks.END, ("{", "("),
    ("function", "if", "while", "for", "switch", "begin", "else", "case"), ("end", "else", "case"),
)  # fmt: skip
_CMAKE = Language(
    "#", Blocks.END, ("(",),
    middles=("endif", "endforeach", "endwhile", "endfunction", "endmacro", "endblock", "else", "elseif"),
    opening=re.compile(r"^\s*(?:if|elseif|else|foreach|while|function|macro|block)\s*\(.*\)\s*$", re.IGNORECASE),
    ignores_case=True, step="  ",
)  # fmt: skip
_VIM = Language(
    '"', Blocks.END, (),
    middles=(
        "endfunction", "endfunctio", "endfunc", "endf", "enddef", "endif", "en", "endwhile", "endw", "endfor", "endfo",
        "endtry", "endt", "endclass", "endinterface", "endenum", "else", "el", "elseif", "elsei", "catch", "cat",
        "finally", "fina", "augroup",
    ),
    opening=re.compile(
        r"^\s*(?:(?:export\s+)?(?:fu(?:nc(?:tion)?)?!?\s+\S|def!?\s+\S|(?:abstract\s+)?class\s|interface\s|enum\s)|if\s|else(?:if\s|\s*$)"
        r"|wh(?:ile)?\s|for\s|try\s*$|cat(?:ch)?\b|fina(?:lly)?\s*$|aug(?:roup)?\s+(?!END\b))(?!.*\|\s*en)"
    ),
    step="  ",
)  # fmt: skip
_VERILOG = Language(
    "//", Blocks.END, ("(", "[", "{", " begin"),
    ("module", "case", "casex", "casez", "function", "task", "generate", "fork", "class", "package", "interface", "program",
     "specify", "primitive", "covergroup", "property", "sequence", "clocking"),
    ("end", "endmodule", "endcase", "endfunction", "endtask", "endgenerate", "join", "join_any", "join_none", "endclass",
     "endpackage", "endinterface", "endprogram", "endspecify", "endprimitive", "endgroup", "endproperty", "endsequence",
     "endclocking", "else"),
    opening=re.compile(r"\bbegin\s*:\s*\w+\s*$"),
    block_comment=_SLASH_STAR, needs_end_mark=True, outdented=re.compile(r"`"), step="  ",
)  # fmt: skip
# A procedure's declarations and its statements are parted by `begin` at the header's depth.
_VHDL = Language(
    "--", Blocks.END, ("(", " is", " then", " loop", " generate", " begin", "=>", " block", " record"),
    ("process", "else", "begin", "component"), ("end", "begin", "else", "elsif", "when"),
    opening=re.compile(r"\bprocess\b[^;]*$", re.IGNORECASE), ignores_case=True, needs_end_mark=True, step="  ",
)  # fmt: skip
_FORTRAN = Language(
    "!", Blocks.END, ("&", "("),
    middles=("end", "enddo", "endif", "endfunction", "endsubroutine", "endmodule", "endprogram", "endselect", "endtype",
             "endwhere", "endinterface", "else", "elseif", "elsewhere", "case", "contains"),
    opening=re.compile(
        r"^\s*(?:\w+\s*:\s*)?(?:(?:if\b.*|else\s*if\b.*)\bthen\s*$|else\s*$|elsewhere\b|do\b|select\s+(?:case|type|rank)\b|case\b"
        r"|where\s*\(.*\)\s*$|forall\s*\(.*\)\s*$|associate\b|block\s*$|critical\s*$|(?:abstract\s+)?interface\b|contains\s*$"
        r"|program\s|(?:sub)?module\s+(?!procedure)|type\s*(?:,[^:]*)?(?:::)?\s+\w+\s*$|type\s*(?:,[^:]*)?::\s*\w+\s*$"
        r"|(?:(?!end)[\w*()=, ]+\s)?(?:subroutine|function)\s+\w)",
        re.IGNORECASE,
    ),
    ignores_case=True, step="  ",
)  # fmt: skip
_MATLAB = Language(
    "%", Blocks.END, ("...", "(", "[", "{"),
    ("function", "if", "for", "parfor", "while", "switch", "try", "classdef", "properties", "methods", "events", "else",
     "elseif", "case", "otherwise", "catch"),
    ("end", "endfunction", "endif", "endfor", "endwhile", "endswitch", "else", "elseif", "case", "otherwise", "catch"),
)  # fmt: skip
_LISP = Language(";", Blocks.INDENT, (), is_free=True)
# The rule of a target. `.PHONY` and its like have none, nor has a variable for one target.
_MAKE = Language(
    "#",
    Blocks.INDENT,
    (),
    opening=re.compile(r"^(?!\.[A-Z])[^\s#:=][^:=]*::?(?!=)[^=;]*$"),
    # A comment, a target or a variable, a directive.
    outdented=re.compile(
        r"#|[^\s:=]+(\s+[^\s:=]+)*\s*(:|[+?!]?=)|-?include\b|(if|else|endif|define|endef|export|unexport|override|vpath)"
    ),
    step="\t",
)
# Of what ends in a brace only the beginning of an environment.
_LATEX = Language(
    "%",
    Blocks.INDENT,
    (),
    opening=re.compile(r"\\begin\{(?!document)[^{}]*\}(\[[^\[\]]*\]|\{[^{}]*\})*$"),
    step="  ",
    is_free=True,
    is_prose=True,
)

_LANGUAGES: dict[str, Language] = {
    "python": _PYTHON,
    "cython": _PYTHON,
    "starlark": _PYTHON,
    "gdscript": _PYTHON,
    "nim": _PYTHON,
    "coffeescript": Language("#", Blocks.INDENT, ("->", "=>", "{", "(", "[")),
    "ruby": _RUBY,
    "crystal": _RUBY,
    "julia": _JULIA,
    "lua": _LUA,
    "elixir": _ELIXIR,
    "shellscript": _SHELL,
    "sh": _SHELL,
    "bash": _SHELL,
    "zsh": _SHELL,
    "makefile": _MAKE,
    "haskell": _HASKELL,
    "elm": _HASKELL,
    "fsharp": Language("//", Blocks.INDENT, ("=", "->", "{", "(", "["), block_comment=("(*", "*)")),
    "ocaml": replace(UNKNOWN, line_comment="", block_comment=("(*", "*)"), long_strings=()),
    "yaml": Language("#", Blocks.INDENT, (":", "[", "{"), has_items=True),
    "toml": Language("#", Blocks.INDENT, ("[", "{"), long_strings=(*_TRIPLE, "'''")),
    "ini": Language(";", Blocks.INDENT, ()),
    **dict.fromkeys(("clojure", "lisp", "commonlisp", "emacs-lisp", "scheme", "racket"), _LISP),
    **dict.fromkeys(
        ("erlang", "prolog"), Language("%", Blocks.INDENT, ("->", "(", "[", "{"), needs_end_mark=True)
    ),
    **dict.fromkeys(("latex", "tex", "bibtex"), _LATEX),
    "sql": Language(
        "--", Blocks.END, ("(", " begin", " then"), ("begin",), ("end", "else", "when"),
        block_comment=_SLASH_STAR, needs_end_mark=True,
    ),
    "perl": replace(_HASH_BRACES, needs_end_mark=True),
    "php": replace(_C, long_strings=()),
    "r": _HASH_BRACES,
    "cmake": _CMAKE,
    "fish": _FISH,
    "verilog": _VERILOG,
    "systemverilog": _VERILOG,
    "vhdl": _VHDL,
    "ada": replace(_VHDL, step="   "),
    "fortran": _FORTRAN,
    "matlab": _MATLAB,
    "just": replace(_MAKE, step="    "),
    "properties": Language("#", Blocks.INDENT, ()),
    "meson": Language("#", Blocks.END, ("(", "[", "{"), ("if", "elif", "else", "foreach"), ("endif", "endforeach", "elif", "else")),
    "nix": Language("#", Blocks.BRACES, block_comment=_SLASH_STAR, long_strings=("''",)),
    "graphql": _HASH_BRACES,
    "tcl": _HASH_BRACES,
    "vim": _VIM,
    "powershell": replace(_HASH_BRACES, block_comment=("<#", "#>")),
    "terraform": _HASH_BRACES,
    "dockerfile": Language("#", Blocks.INDENT, ("\\",)),
    "javascriptreact": _JSX,
    "typescriptreact": _JSX,
    **dict.fromkeys(("html", "xml", "vue", "svelte", "astro", "handlebars"), _MARKUP),
    **dict.fromkeys(
        ("markdown", "mdx", "quarto", "rmd", "restructuredtext", "asciidoc", "org", "typst", "plaintext", "git-commit"),
        _TEXT,
    ),
    **dict.fromkeys(
        (
            "c", "cpp", "csharp", "cuda-cpp", "dart", "java", "objective-c", "objective-cpp", "solidity", "zig",
        ),
        _C,
    ),
    **dict.fromkeys(("css", "less", "scss"), _CSS),
    **dict.fromkeys(
        ("go", "groovy", "javascript", "json", "jsonc", "kotlin", "rust", "scala", "swift", "typescript"),
        _BRACES,
    ),
}  # fmt: skip
_TWO_BLANKS = (
    "css", "dart", "elixir", "html", "javascript", "javascriptreact", "json", "jsonc", "less", "r", "ruby", "scala",
    "scss", "shellscript", "sh", "bash", "zsh", "svelte", "terraform", "typescript", "typescriptreact", "vue", "yaml",
)  # fmt: skip
_LANGUAGES |= {name: replace(_LANGUAGES[name], step="  ") for name in _TWO_BLANKS}
_LANGUAGES |= {name: replace(_LANGUAGES[name], step="\t") for name in ("go", "gdscript")}


def language_of(language_id: str) -> Language:
    """Return the language of an LSP identifier, or of another editor's name for it; an unknown one is taken for
    C-like.
    """
    name = language_id.lower()
    return _LANGUAGES.get(name) or _by_other_name(name)


@lru_cache(maxsize=64)
def _by_other_name(name: str) -> Language:
    return next((_LANGUAGES[known] for known in known_names(name, _LANGUAGES)), UNKNOWN) if name else UNKNOWN


def opens_block(line: str, language: Language) -> bool:
    """Check whether a line, given without trailing comment, leaves a block open at its end."""
    whole = without_comment(line, language).rstrip()
    code = whole.lstrip().lower() if language.ignores_case else whole.lstrip()
    if language.line_comment == "//" and code.startswith(("*", "/*")):
        return False
    if f" {code}".endswith(language.openers) or (language.has_tags and _OPENING_TAG.search(code)):
        return True
    if language.opening is not None and language.opening.search(whole):
        return True
    if not code.startswith(language.starters):
        return False
    words = _WORD.findall(code)
    return words[0] in " ".join(language.starters).split() and words[-1] not in language.middles[:1]


def first_word(line: str, language: Language) -> str:
    """Return the word that a line begins with, in small letters where that makes no difference; "" if none does."""
    word = _WORD.match(line.lstrip())
    return "" if word is None else word.group().lower() if language.ignores_case else word.group()


def heads_body(line: str, language: Language) -> bool:
    """Check whether a line heads an indented block, rather than only leaving a bracket open."""
    code = without_comment(line, language).strip()
    if language.needs_body:
        # What stands in brackets there is often indented by another step.
        return code.endswith(":") and _HEADER.match(code) is not None
    return not code.endswith(("(", "[", ",")) and opens_block(line, language)


def without_comment(line: str, language: Language) -> str:
    """Return a line without its trailing comment; a mark inside a string does not count.

    Quotes are counted naively, which is right for a line outside of multi-line strings.
    """
    mark = language.line_comment
    at = line.find(mark) if mark else -1
    while at >= 0:
        before = line[:at]
        if not any(before.count(quote) % 2 for quote in "\"'`") and (at == 0 or before[-1].isspace()):
            return before
        at = line.find(mark, at + 1)
    return line


def indent_of(line: str) -> int:
    """Return a line's indentation in columns; a tab extends to the next multiple of four."""
    columns = 0
    for character in line:
        if character == " ":
            columns += 1
        elif character == "\t":
            columns += 4 - columns % 4
        else:
            break
    return columns


def indent_unit(lines: Sequence[str]) -> str:
    """Return one indentation step: the smallest in `lines`, four blanks if there is none."""
    depths: list[int] = []
    for line in lines:
        if line.startswith("\t"):
            return "\t"
        if line.strip():
            depths.append(indent_of(line))
    steps = [deeper - depth for depth, deeper in pairwise(depths) if deeper > depth + 1]
    return " " * min(steps, default=4)


# Statements that leave a block: such lines occur in many blocks, and what follows may be at any column.
_LEAVES = re.compile(r"\s*(return|raise|throw|break|continue|pass|goto|exit|next)\b")


def leaves_block(line: str) -> bool:
    """Check whether a line leaves its block."""
    return _LEAVES.match(line) is not None
