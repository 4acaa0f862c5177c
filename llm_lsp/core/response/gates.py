"""Decides whether an automatic request is worth a call, from the typing and from what the line needs next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from llm_lsp.core.request import GATES, Gate
from llm_lsp.core.response.text_kind import LOOK_CHARS, TextKind, kind_at_end
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.brackets import loose
from llm_lsp.core.text.cursor_context import INERT_REST
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.languages import Language, indent_of, language_of, opens_block
from llm_lsp.core.text.syntax import has_grammar, parse
from llm_lsp.core.text.text import Point
from llm_lsp.core.text.typing_pace import TypingPace

# Lines above the cursor that are searched for open brackets.
LOOK_LINES = 32
# Columns of a long line.
LOOK_COLUMNS = 500
# A statement may be complete after these: Cody's rule, with full-width characters added.
SEPARATORS, CLOSERS = ";；。", ")]}）】」"


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A cursor, and the lines above it."""

    before: str
    """The current line before the cursor."""
    rest: str
    above: Sequence[str]
    """Lines without line ends, nearest last."""
    language_id: str

    @classmethod
    def at(cls, document: Document, point: Point) -> TypedLine:
        """Read the surroundings of a position, a limited number of lines."""
        line = document.text.line(point.line)
        above = document.text.lines(point.line - LOOK_LINES, point.line)
        return cls(
            line[: point.column][-LOOK_COLUMNS:],
            line[point.column :],
            [line.rstrip("\r\n")[:LOOK_COLUMNS] for line in above],
            document.language,
        )


def gate(place: TypedLine, pace: TypingPace, gates: Sequence[Gate] = GATES) -> Skip | None:
    """Return why an automatic request is not worth a call here, or None; `gates` are the active ones."""
    if "mid-line" in gates and place.rest.strip(INERT_REST) and not pace.is_inserting:
        # Inserting text there asks for more text there, and the model sees what follows; moving the cursor does not.
        return Skip(Reason.MID_LINE)
    if "statement-end" in gates and is_statement_end(place):
        return Skip(Reason.STATEMENT_END)
    # In a recorded session, a call after the third deletion in a row saved a third of the keys that one at a typed key
    # saves (docs/comparison.md).
    if "deleting" in gates and pace.deletions:
        return Skip(Reason.DELETING)
    return None


def is_statement_end(place: TypedLine) -> bool:
    """Check whether the line before the cursor ends with a separator or closer, and needs nothing more.

    It needs more in prose, comments and strings, inside of brackets, after a blank that follows a closer, and
    if the language expects a body, colon or semicolon; the grammar decides, if there is one.
    """
    code = place.before.rstrip()
    if code[-1:] not in tuple(SEPARATORS + CLOSERS):
        return False
    language = language_of(place.language_id)
    seen = "\n".join((*place.above, code))[-LOOK_CHARS:]
    if kind_at_end(seen, language) is not TextKind.CODE:
        return False
    if code[-1] in SEPARATORS:
        return not loose(code).openers and not _is_open_header(code.lstrip(), place.language_id)
    if code != place.before or _is_inside_brackets(seen, place.language_id):
        return False
    return _is_complete(code.lstrip(), place, language)


# Where a brace opens values rather than a block.
_VALUE_BRACES = frozenset(
    (
        "python",
        "cython",
        "starlark",
        "json",
        "jsonc",
        "yaml",
        "toml",
        "lua",
        "erlang",
        "elixir",
        "julia",
        "haskell",
    )
)
# A header that continues after a semicolon: `for i := 0;`, `if [ -f x ];`.
_OPEN_HEADERS = MappingProxyType(
    {
        "go": re.compile(r"(?:\}\s*else\s+)?(?:if|for|switch)\b[^{]*"),
        "shellscript": re.compile(r"(?:if|elif|while|until|for)\b(?!.*\b(?:then|do)\b).*"),
    }
)
# An indexed name is not a statement in languages in which each line is one.
_INDEXED = re.compile(r"[@$]?[\w.$>:-]+\[[^=]*\]")
# Languages in which every brace opens a block.
_STYLES = frozenset(("css", "scss", "less"))
_WITHOUT_STATEMENTS = frozenset(("yaml", "toml", "ini", "json", "jsonc", "shellscript", "dockerfile"))
_BEFORE_BLOCK = re.compile(
    r"(?:^|[)\]}{;]|=>|->(?=\s)|\b(?:else|do|try|finally|const|noexcept|override|loop|begin))\s*$"
)


def _is_open_header(code: str, language_id: str) -> bool:
    pattern = _OPEN_HEADERS.get(language_id)
    return pattern is not None and pattern.fullmatch(code) is not None


def _is_inside_brackets(code: str, language_id: str) -> bool:
    opener = loose(code).openers[-1:]
    return opener in ("(", "[", "（", "【") or (opener == "{" and language_id in _VALUE_BRACES)


def _is_complete(code: str, place: TypedLine, language: Language) -> bool:
    if _wants_body(code, place.language_id) or _is_open_header(code, place.language_id):
        return False
    if not code.strip(")]}）】」,"):
        return code.endswith("}") or not language.needs_end_mark
    if _INDEXED.fullmatch(code) and place.language_id not in _WITHOUT_STATEMENTS:
        return False
    if code[-1] == ")" and (_is_member_head(place) or _may_be_arrow(code, place.language_id)):
        return False
    if has_grammar(place.language_id) and code[-1] in _OPENERS:
        return _parses(code, place)
    return not language.needs_end_mark or (code.endswith("}") and _ends_block(code, place.language_id))


# Parameters of an arrow function; a bracketed name alone is not a value.
_PARAMETERS = re.compile(r".*[=(,:?]\s*(?:async\s*)?\([\w\s,{}\[\]:?.=|<>]*\)")
_WITH_ARROWS = frozenset(("javascript", "javascriptreact", "typescript", "typescriptreact"))


def _may_be_arrow(code: str, language_id: str) -> bool:
    return language_id in _WITH_ARROWS and _PARAMETERS.fullmatch(code) is not None


def _is_member_head(place: TypedLine) -> bool:
    """Check whether a line is in a body of members, where a type, body or mark follows a bracket."""
    return place.language_id in _MEMBERS and place.language_id != "go" and _keyword(place) != ""


def _ends_block(code: str, language_id: str) -> bool:
    """Check whether a line's last brace ends a block, not a value or an index: `x = {1, 2}`, `$h{key}`."""
    depth = 0
    for at in range(len(code) - 1, -1, -1):
        depth += (code[at] == "}") - (code[at] == "{")
        if depth == 0:
            return language_id in _STYLES or _BEFORE_BLOCK.search(code[:at]) is not None
    return True


_MODIFIERS = (
    r"(?:\}\s*)?(?:(?:export|default|declare|public|private|protected|internal|static|async|abstract|final|override"
    r"|virtual|inline|open|suspend|data|sealed|partial|local|const|unsafe|extern|pub(?:\([^)]*\))?)\s+)*"
)
# A header that ends with a bracket and is followed by its body.
_HEADER = re.compile(
    _MODIFIERS
    + r"(?:if|elif|elsif|elseif|else if|for|foreach|while|switch|catch|until|unless|match|when|with|using|lock"
    r"|synchronized|guard|except|case)\b(?P<between>[^()]*)(?P<bracket>[(\[].*)"
)
_DECLARATION = re.compile(
    _MODIFIERS + r"(?:func|function|fn|fun|def|defp|class|struct|interface|trait|impl)\b.*"
)
_LAMBDA = re.compile(r".*\b(?:function|func|fn|fun)\s*\([^()]*\)")
# Languages in which a line end ends a header, or a call looks like one.
_WITHOUT_HEADERS = frozenset(("ruby", "crystal", "julia", "cmake", "vim", "sql", "makefile"))


def _wants_body(code: str, language_id: str) -> bool:
    """Check whether a line is the header of a block that has not begun."""
    if language_id in _WITHOUT_HEADERS or code.endswith("}"):
        return False
    if language_id != "lua" and (_DECLARATION.fullmatch(code) or _LAMBDA.fullmatch(code)):
        return True
    header = _HEADER.fullmatch(code)
    return header is not None and _closes_at_its_end(header["bracket"])


def _closes_at_its_end(code: str) -> bool:
    """Check whether the bracket that begins a piece of code is closed by its last character."""
    return [at for _, at in loose(code[1:]).closers] == [len(code) - 2]


_KEYWORD = re.compile(r"\b(class|interface|enum|struct|impl|trait|record)\b")
# Code around a line, by language: at the top level, in a body of members, in a function.
_MEMBERS = MappingProxyType(
    {
        "go": "type A {keyword} {{\n{line}\n}}",
        "java": "{keyword} A {{\n{line}\n}}",
        "javascript": "class A {{\n{line}\n}}",
        "javascriptreact": "class A {{\n{line}\n}}",
        "rust": "{keyword} A {{\n{line}\n}}",
        "typescript": "{keyword} A {{\n{line}\n}}",
        "typescriptreact": "{keyword} A {{\n{line}\n}}",
    }
)
_FUNCTIONS = MappingProxyType(
    {
        "go": "package p\nfunc f() {{\n{line}\n}}",
        "java": "class A {{ void f() {{\n{line}\n}} }}",
        "rust": "fn f() {{\n{line}\n}}",
    }
)
# Openers for unmatched closers; in Go a brace of a value has a type before it.
_OPENERS = MappingProxyType({")": "x(", "]": "[", "}": "{"})


def _parses(code: str, place: TypedLine) -> bool:
    """Check whether a line is complete by its language's grammar, with openers for its unmatched closers."""
    brace = "T{" if place.language_id == "go" else "{"
    openers = (_OPENERS[closer] for closer, _ in reversed(loose(code).closers) if closer in _OPENERS)
    line = "".join(openers).replace("{", brace) + code
    tree = parse(_wrapper(place).format(line=line, keyword=_keyword(place)) + "\n", place.language_id)
    return tree is None or not tree.has_error


def _wrapper(place: TypedLine) -> str:
    """Return the code around a line, as a template."""
    if _keyword(place) and place.language_id in _MEMBERS:
        return _MEMBERS[place.language_id]
    is_inside = indent_of(place.before) > 0
    return _FUNCTIONS.get(place.language_id, "{line}") if is_inside else "{line}"


def _keyword(place: TypedLine) -> str:
    """Return what the nearest less indented line above declares, if it opens a body of members."""
    depth = indent_of(place.before)
    above = (line for line in reversed(place.above) if line.strip() and indent_of(line) < depth)
    header = next(above, "")
    found = _KEYWORD.search(header)
    return found[1] if found and opens_block(header, language_of(place.language_id)) else ""
