"""What completion needs to know of a language's looks: comments and blocks; knows nothing of its grammar."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise


class Blocks(Enum):
    """How a block of statements is held together."""

    INDENT = "indent"
    """By indentation alone: the block ends where a line stands less deep."""
    BRACES = "braces"
    """By brackets: its last line is a closer at the depth of its first."""
    END = "end"
    """By words: its last line is `end`, `fi`, `done` … at the depth of its first."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language's looks."""

    line_comment: str
    """What begins a comment to the end of the line, "" where there is none."""
    blocks: Blocks
    openers: tuple[str, ...] = ("{", "(", "[")
    """A line that ends in one of these opens a block."""
    starters: tuple[str, ...] = ()
    """A line that begins with one of these words opens a block, unless it ends it too."""
    middles: tuple[str, ...] = ()
    """Words that stand at the opener's depth and belong to its block: `else`, `except`, `end` …"""
    needs_body: bool = False
    """Whether a line that ends in a colon must be followed by a deeper one."""
    has_tags: bool = False
    """Whether a line that ends in an opening tag opens a block."""


# A language that we do not know is taken for one of C's family, by far the largest: brackets open blocks.
UNKNOWN = Language("//", Blocks.BRACES)

_WORD = re.compile(r"\w+")
# A tag that is neither closed, nor a closing one, nor empty by its name; or the last line of one of several.
_OPENING_TAG = re.compile(
    r"(?:^|[\s(>{])<(?!(?:area|br|col|hr|img|input|link|meta|source)\b)[A-Za-z][\w.:-]*(?:\s[^<]*)?(?<![/=-])>$"
    r"|^[^<]*[\"'}]>$|^>$"
)

_BRACES = UNKNOWN
_HASH_BRACES = Language("#", Blocks.BRACES)
_MARKUP = Language("", Blocks.BRACES, has_tags=True)
_JSX = Language("//", Blocks.BRACES, has_tags=True)
_TEXT = Language("", Blocks.INDENT, ())
_PYTHON = Language(
    "#",
    Blocks.INDENT,
    (":", "(", "[", "{"),
    middles=("else", "elif", "except", "finally", "case"),
    needs_body=True,
)
_RUBY = Language(
    "#",
    Blocks.END,
    ("{", "(", "[", "|", " do", " then"),
    (
        "def",
        "class",
        "module",
        "if",
        "unless",
        "while",
        "until",
        "case",
        "for",
        "begin",
        "else",
        "elsif",
        "when",
    ),
    ("end", "else", "elsif", "when", "rescue", "ensure", "in"),
)
_JULIA = Language(
    "#",
    Blocks.END,
    ("{", "(", "[", " do", " begin"),
    ("function", "struct", "module", "if", "for", "while", "let", "try", "macro", "else", "elseif", "catch"),
    ("end", "else", "elseif", "catch", "finally"),
)
_LUA = Language(
    "--",
    Blocks.END,
    ("{", "(", " then", " do"),
    ("function", "local function", "else", "repeat"),
    ("end", "else", "elseif", "until"),
)
_ELIXIR = Language(
    "#", Blocks.END, (" do", "->", "{", "(", "["), ("else", "rescue"), ("end", "else", "rescue")
)
_SHELL = Language(
    "#", Blocks.END, ("{", "(", " then", " do", " in"), ("else",), ("fi", "done", "esac", "else", "elif")
)
_HASKELL = Language("--", Blocks.INDENT, ("=", " where", " do", " of", "{", "(", "["))
_LISP = Language(";", Blocks.INDENT, ())

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
    "makefile": Language("#", Blocks.INDENT, (":",)),
    "haskell": _HASKELL,
    "elm": _HASKELL,
    "fsharp": Language("//", Blocks.INDENT, ("=", "->", "{", "(", "[")),
    "yaml": Language("#", Blocks.INDENT, (":", "[", "{")),
    "toml": Language("#", Blocks.INDENT, ("[", "{")),
    "ini": Language(";", Blocks.INDENT, ()),
    "clojure": _LISP,
    "lisp": _LISP,
    "scheme": _LISP,
    "erlang": Language("%", Blocks.INDENT, ("->", "(", "[", "{")),
    "latex": Language("%", Blocks.INDENT, ("}",)),
    "sql": Language("--", Blocks.END, ("(", " begin", " then"), ("begin",), ("end", "else", "when")),
    "perl": _HASH_BRACES,
    "r": _HASH_BRACES,
    "powershell": _HASH_BRACES,
    "terraform": _HASH_BRACES,
    "dockerfile": Language("#", Blocks.INDENT, ("\\",)),
    "javascriptreact": _JSX,
    "typescriptreact": _JSX,
    "html": _MARKUP,
    "xml": _MARKUP,
    "vue": _MARKUP,
    "svelte": _MARKUP,
    "markdown": _TEXT,
    "plaintext": _TEXT,
    **dict.fromkeys(
        (
            "c", "cpp", "csharp", "cuda-cpp", "css", "dart", "go", "groovy", "java", "javascript",
            "json", "jsonc", "kotlin", "less", "objective-c", "objective-cpp", "php", "rust",
            "scala", "scss", "solidity", "swift", "typescript", "zig",
        ),
        _BRACES,
    ),
}  # fmt: skip


def language_of(language_id: str) -> Language:
    """Give the looks of an LSP language identifier; an unknown one is taken for one of C's family."""
    return _LANGUAGES.get(language_id.lower(), UNKNOWN)


def opens_block(line: str, language: Language) -> bool:
    """Say whether a line, without its trailing comment, leaves a block open at its end."""
    code = without_comment(line, language).strip()
    if f" {code}".endswith(language.openers) or (language.has_tags and _OPENING_TAG.search(code)):
        return True
    if not code.startswith(language.starters):
        return False
    words = _WORD.findall(code)
    return words[0] in " ".join(language.starters).split() and words[-1] not in language.middles[:1]


def without_comment(line: str, language: Language) -> str:
    """Cut a trailing comment; a mark inside a string is no comment.

    Quotes are counted naively, which is right for a line that is no part of a string over several lines.
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
    """Give a line's depth in columns; a tab goes on to the next multiple of four."""
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
    """Give what one step of depth is written with: the smallest step in `lines`, four blanks where there is none."""
    depths: list[int] = []
    for line in lines:
        if line.startswith("\t"):
            return "\t"
        if line.strip():
            depths.append(indent_of(line))
    steps = [deeper - depth for depth, deeper in pairwise(depths) if deeper > depth + 1]
    return " " * min(steps, default=4)
