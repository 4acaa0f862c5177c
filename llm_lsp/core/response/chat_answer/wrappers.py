"""Finds the code inside what chat models put around it: tags, fences, JSON, inline code, sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from llm_lsp.core.response.chat_answer.echo import HOLE
from llm_lsp.core.response.chat_answer.prose import is_prose
from llm_lsp.core.response.text_kind import TextKind


@dataclass(frozen=True, slots=True)
class Found:
    """Code found in an answer."""

    code: str
    is_closed: bool = True
    """Whether its end was seen, so that nothing after it belongs to it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What decides which of several pieces of an answer is the code."""

    line_start: str
    """The current line before the cursor, without indentation."""
    is_markup: bool
    """Whether tags are code at the cursor."""
    is_json: bool
    kind_after: Callable[[str], TextKind]
    """Returns the kind of text that would follow if an answer's text were inserted."""

    def begins_line(self, code: str) -> bool:
        """Check whether one of a text's first lines repeats the beginning of the current line."""
        start = "".join(self.line_start.split())
        lines = code.split("\n", MAX_LINES)[:MAX_LINES]
        return bool(start) and any("".join(line[:MAX_COLUMNS].split()).startswith(start) for line in lines)


# Tags of an answer that are looked at.
MAX_TAGS = 30
# Lines and columns in which the repeated line is searched.
MAX_LINES, MAX_COLUMNS = 80, 400
_FILL = re.compile(r"<fill>(?P<code>.*?)(?P<end></fill>|(?=<fill>)|\Z)", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<(?P<name>[A-Za-z][\w:-]{0,30})(?:\s[^<>\n]{0,100})?>")
# Tags that models put around an answer. Those that are HTML elements too do not count where tags are code.
_ANSWER_TAG = re.compile(
    r"(?:\w+[_-])?(?:completions?|complete|fill|fim|answer|code|result|output|response|solution|insert|insertion|infill"
    r"|middle|missing|hole|replacement|snippet|final|content|text|line|block)(?:[_-]\w+)?",
    re.IGNORECASE,
)
_HTML_TAGS = frozenset(("code", "output", "text", "content", "line", "insert"))
_FENCE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})(?P<info>[^\n`]*)\n(?P<code>.*?)"
    r"(?:^[ \t]*(?P=mark)[ \t]*(?=\n|\Z)|(?P<open>\Z))",
    re.DOTALL | re.MULTILINE,
)
_SHORT_FENCE = re.compile(r"```(?:\w+[ \t]+)?(?P<code>[^\n`]+)```")
_SPAN = re.compile(r"(?<!`)(?P<mark>`{1,2})(?!`)(?P<code>[^\n]{1,300}?)(?<!`)(?P=mark)(?!`)")
_JSON_VALUE = re.compile(
    r'"(?P<key>[\w -]{1,40})"\s*:\s*(?:"(?P<text>(?:[^"\\]|\\.)*)(?P<end>"?)|(?P<list>\[))', re.DOTALL
)
_JSON_START = re.compile(r'\s*[\[{][\s\[{]*(?:"|\Z)')
# A sentence followed by code on the same line.
_LABELLED = re.compile(r"(?P<label>[^\n`:]{4,120}:)[ \t]+(?P<code>\S[^\n]*)")


# An answer as one string, and a fence of quotes.
_QUOTED = re.compile(r"""\s*(?P<mark>["'])(?P<code>.*)(?P=mark)\s*""", re.DOTALL)
_QUOTE_FENCE = re.compile(r"""\s*(?P<mark>'''|\"\"\")\w+\n(?P<code>.*?)\n?(?P=mark)\s*""", re.DOTALL)
_SQUARE_TAG = re.compile(r"\[(?P<end>/?)(?P<name>[A-Z][A-Z_]{2,20})\]")


def find_code(answer: str, around: Surroundings) -> Found | None:
    """Return the code in a whole answer, or None; each search reads the answer once."""
    if "[/" in answer:
        answer = _SQUARE_TAG.sub(r"<\g<end>\g<name>>", answer)
    for pattern in (_QUOTE_FENCE, _QUOTED):
        if (quoted := pattern.fullmatch(answer)) and around.begins_line(quoted["code"]):
            return Found(quoted["code"])
    for search in (_in_fill, _in_tags, _in_fences, _in_json, _in_spans):
        if found := search(answer, around):
            return found
    return _in_lines(answer, around)


def _in_fill(answer: str, around: Surroundings) -> Found | None:
    found = [match for match in _FILL.finditer(answer) if match["code"].strip()]
    if not found:
        return Found("") if "<fill>" in answer.lower() else None
    # The last one, since sentences before it may mention the tag.
    match = next((one for one in found if around.begins_line(one["code"])), found[-1])
    return _unwrapped(match["code"], is_closed=bool(match["end"]), around=around)


def _in_tags(answer: str, around: Surroundings) -> Found | None:
    for match in islice(_TAG.finditer(answer), MAX_TAGS):
        name = match["name"]
        # Between the tags; the closing one may be missing.
        end = answer.find(f"</{name}", match.end())
        code = answer[match.end() : end if end >= 0 else len(answer)]
        is_named = _ANSWER_TAG.fullmatch(name) and not (around.is_markup and name.lower() in _HTML_TAGS)
        stands_first = not answer[: match.start()].rpartition("\n")[2].strip()
        if not (stands_first or answer[: match.start()].rstrip().endswith((":", "."))):
            continue
        is_around = stands_first and answer.rstrip().endswith(f"</{name}>") and end >= 0
        if is_named or (not around.is_markup and end >= 0 and (is_around or around.begins_line(code))):
            return _unwrapped(code, is_closed=end >= 0, around=around)
    return None


def _in_fences(answer: str, around: Surroundings) -> Found | None:
    if "```" not in answer and "~~~" not in answer:
        return None
    if around.kind_after("") is TextKind.PROSE and not answer.lstrip().startswith(("```", "~~~")):
        return None
    fences = list(_FENCE.finditer(answer))
    found = [match for match in fences if match["code"].strip()]
    if not found:
        if fences:
            return Found("")
        short = _SHORT_FENCE.search(answer)
        return Found(short["code"].strip()) if short else None
    match = next((one for one in found if around.begins_line(one["code"])), found[0])
    code = _patched(match["code"]) if match["info"].strip().lower() in ("diff", "patch") else match["code"]
    return _unwrapped(code, is_closed=match["open"] is None, around=around)


def _patched(diff: str) -> str:
    """Return the text that a diff leads to."""
    lines = [line for line in diff.split("\n") if not line.startswith(("-", "+++", "@@"))]
    return "\n".join(line[1:] if line[:1] in ("+", " ") else line for line in lines)


def _unwrapped(code: str, *, is_closed: bool, around: Surroundings) -> Found:
    """Unwrap doubly wrapped code: a tag or JSON in a fence, a fence in a tag."""
    code = _without_edges(code)
    bare = code.lstrip()
    inner: Found | None = None
    if bare.startswith(("```", "~~~")) and around.kind_after("") is not TextKind.PROSE:
        match = _FENCE.search(code)
        inner = Found(match["code"], match["open"] is None) if match else None
    elif bare.startswith("<") and (tag := _TAG.match(bare)) and _ANSWER_TAG.fullmatch(tag["name"]):
        inner = _in_fill(bare, around) or _in_tags(bare, around)
    elif bare.startswith("`") and bare.rstrip().endswith("`"):
        inner = Found(bare.strip().strip("`"))
    else:
        inner = _in_json(code, around)
    if inner is not None:
        return Found(_without_edges(inner.code), is_closed or inner.is_closed)
    # There may be a refusal, or a sentence before the code, inside the tags.
    if around.kind_after("") is TextKind.CODE and is_prose(bare.partition("\n")[0]):
        lines = _in_lines(code, around)
        return Found("") if lines is None else Found(lines.code, is_closed)
    return Found(code, is_closed)


def _without_edges(code: str) -> str:
    """Remove the line end after an opening mark."""
    return code.removeprefix("\r").removeprefix("\n")


def _in_json(answer: str, around: Surroundings) -> Found | None:
    start = _JSON_START.match(answer)
    if start is None:
        return None
    strings = list(_json_strings(answer.strip()))
    if not strings:
        return None
    named = [found for key, found in strings if _ANSWER_TAG.fullmatch(key)]
    echoed = next((found for _, found in strings if around.begins_line(found.code)), None)
    if echoed is not None:
        return echoed
    # An object is code in places where a value may be.
    is_value_place = around.line_start.rstrip()[-1:] in tuple("=([{,:") or around.line_start.endswith(
        "return "
    )
    if around.is_json or (around.line_start and is_value_place) or not named:
        return None
    return named[0]


def _json_strings(text: str) -> Iterator[tuple[str, Found]]:
    """Yield the strings of a JSON object with their keys, even if it is cut off or badly escaped."""
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        for match in _JSON_VALUE.finditer(text):
            if match["text"] is not None:
                yield match["key"], Found(_unescaped(match["text"]), bool(match["end"]))
        return
    objects = value if isinstance(value, list) else [value]
    for one in objects:
        if isinstance(one, str):
            yield "text", Found(one)
        for key, item in one.items() if isinstance(one, dict) else ():
            if isinstance(item, list) and item and all(isinstance(line, str) for line in item):
                yield key, Found("\n".join(item))
            elif isinstance(item, dict):
                yield from ((name, Found(text)) for name, text in item.items() if isinstance(text, str))
            elif isinstance(item, str):
                yield key, Found(item)


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')


def _in_spans(answer: str, around: Surroundings) -> Found | None:
    """Return inline code in sentences: the piece that repeats the line, or the only one."""
    if "`" not in answer or around.kind_after("") is not TextKind.CODE:
        return None
    spans = [match["code"] for match in _SPAN.finditer(answer)]
    if not spans or not (is_prose(answer.strip().partition("\n")[0]) or answer.strip().startswith("`")):
        return None
    start = around.line_start.strip()
    spans = [span for span in spans if span.strip() not in (start, HOLE)] or spans[:0]
    echoed = next((span for span in spans if around.begins_line(span)), None)
    if echoed is not None:
        return Found(echoed)
    return Found(spans[0]) if len(set(spans)) == 1 else Found("")


def _in_lines(answer: str, around: Surroundings) -> Found | None:
    """Return the lines between the sentences at the beginning and at the end; None if all are sentences."""
    if around.kind_after("") is not TextKind.CODE:
        return Found(answer, is_closed=False) if answer.strip() else None
    lines = answer.split("\n")
    first = next((idx for idx, line in enumerate(lines) if line.strip() and not is_prose(line)), None)
    if first is None:
        labelled = [_LABELLED.fullmatch(line.strip()) for line in lines if line.strip()]
        code = next(
            (m["code"] for m in labelled if m and is_prose(m["label"]) and not is_prose(m["code"])), None
        )
        return Found(code) if code is not None else None
    before = [line for line in lines[:first] if line.strip()]
    if (labelled_first := _LABELLED.fullmatch(lines[first].strip())) and is_prose(labelled_first["label"]):
        return Found(labelled_first["code"])
    kept: list[str] = []
    # Blank lines belong to the answer only if no sentence precedes them.
    for line in lines[first if before else 0 :]:
        if kept and is_prose(line) and around.kind_after("\n".join(kept)) is TextKind.CODE:
            return Found("\n".join(kept))
        kept.append(line)
    return Found("\n".join(kept), is_closed=False)
