"""Reads the answer of a chat model in any form, and returns the code for the cursor's place.

An answer in the requested form, or one that begins with the beginning of the line, is passed on as it arrives. Any other
is collected until its end, up to MAX_ANSWER_CHARS, and searched once: thoughts are dropped, the code is extracted from
its wrapper, and repetitions of the text before the cursor are removed. An answer without code is refused.
"""

from __future__ import annotations

import re
from functools import cached_property, partial

from llm_lsp.core.generation import Finish
from llm_lsp.core.response.chat_answer.echo import HOLE, LOOK_LINES, has_hole, without_echo
from llm_lsp.core.response.chat_answer.prose import is_prose, may_be_prose
from llm_lsp.core.response.chat_answer.thoughts import MAX_MARK_CHARS, may_be_thoughts, without_thoughts
from llm_lsp.core.response.chat_answer.wrappers import Surroundings, find_code
from llm_lsp.core.response.line_likeness import bare
from llm_lsp.core.response.text_kind import TextKind, kind_at_end
from llm_lsp.core.text.languages import language_of
from llm_lsp.core.text.window import Window

OPEN, CLOSE = "<fill>", "</fill>"
# For an answer in unknown form: enough for thoughts of 2048 tokens and the code after them. Recognized thoughts are not
# collected.
MAX_ANSWER_CHARS = 16_000
# Characters within which an answer must show that it can be passed on as it arrives.
MAX_FIRST_CHARS = 500
_FENCE = re.compile(r"\s*`{3,}[^\n`]*\n")
_PARTIAL_FENCE = re.compile(r"\s*(?:`{1,3}|`{3,}[^\n`]{0,40})")
# The end of a first line, or a possible beginning of the end.
_FIRST_END = re.compile(r"\n|</fill>|<(?:/(?:f(?:i(?:l(?:l)?)?)?)?)?$")
_CLOSING_TAG = re.compile(r"</[\w:-]+>")
_JSON_IDS = frozenset(("json", "jsonc", "json5", "jsonl"))


class ChatAnswer:
    """Reads an answer piece by piece; used like `AnswerOpening`.

    If the end of the code was seen, it is marked by CLOSE, whatever the model wrote there.
    """

    def __init__(self, window: Window, begun: str = "") -> None:
        self.finish: Finish | None = None
        """Why there is no code, once the answer has ended without any."""
        self.refused = False
        self._window = window
        self._is_begun = bool(begun)
        self._language = language_of(window.language)
        self._waiting = begun
        """The collected answer; `begun` is what the chat ended with."""
        self._is_passing = self._is_over = self._is_searched = False
        self._opening_mark = ""
        """The mark that opened the current thoughts, which are not collected; "" outside of thoughts."""
        self._has_thought = False
        self._line: str | None = None
        """The received part of a later line; None while the first one is read."""
        self._passed = ""
        above = window.prefix.split("\n")[-LOOK_LINES:]
        self._above = frozenset(bare(line) for line in above if len(bare(line)) > 1)

    @property
    def stops(self) -> tuple[str, ...]:
        """The strings that end the code in the returned text."""
        tags = () if self._language.has_tags else ("</code>", "</answer>", "</completion>")
        return (CLOSE, *tags, *(() if has_hole(self._window) else (HOLE,)))

    def feed(self, piece: str) -> str:
        """Return the code that is certain after this piece."""
        if self._is_over:
            return ""
        if self._is_passing:
            return self._pass(piece)
        self._waiting += piece
        if self._opening_mark:
            self._drop()
        if not self._opening_mark and len(self._waiting) > MAX_ANSWER_CHARS:
            self._is_over = self.refused = True
            self.finish, self._waiting = Finish.PROSE, ""
            return ""
        code = None if self._opening_mark or self._is_searched else self._recognized()
        if code is None:
            self._is_searched = len(self._waiting) > MAX_FIRST_CHARS + len(self._window.line_prefix)
            return ""
        self._is_passing, self._waiting = True, ""
        return self._pass(code)

    def end(self) -> str:
        """Return the code found in the collected answer, with its end if it was seen."""
        if self._is_over:
            return ""
        if self._is_passing:
            line, self._line = self._line or "", None
            return line if not self._ends_before(line) else CLOSE
        if self._opening_mark:
            self.finish = Finish.THOUGHTS
            return ""
        return self._searched()

    def _searched(self) -> str:
        unthought = without_thoughts(self._waiting)
        if unthought.is_open:
            self.finish = Finish.THOUGHTS
            return ""
        if not unthought.text.strip():
            self.finish = Finish.THOUGHTS if unthought.has_thoughts or self._has_thought else None
            return ""
        found = find_code(unthought.text, self._around())
        if found is None:
            self.finish = Finish.PROSE
            return ""
        code = without_echo(found.code, self._window)
        return code + CLOSE if found.is_closed else code

    def _drop(self) -> None:
        """Drop recognized thoughts, except for a possible partial mark at the end."""
        unthought = without_thoughts(self._opening_mark + self._waiting)
        if unthought.is_open:
            self._waiting = self._waiting[-MAX_MARK_CHARS:]
            return
        self._opening_mark, self._waiting, self._has_thought = "", unthought.text, True

    def _recognized(self) -> str | None:
        """Return the code of an answer that can be passed on as it arrives; None if that is not (yet) known."""
        answer = self._waiting
        if not self._is_begun and may_be_thoughts(answer) and not _may_be_fill(answer):
            self._begin_dropping()
            return None
        if (fence := _FENCE.match(answer)) and self._is_code:
            answer = answer[fence.end() :]
        bare_answer = answer.lstrip()
        has_mark = bare_answer.startswith(OPEN)
        if has_mark:
            answer = bare_answer[len(OPEN) :].removeprefix("\n")
        elif _may_be_fill(answer):
            return None
        return self._first_code(answer, has_mark=has_mark)

    def _begin_dropping(self) -> None:
        unthought = without_thoughts(self._waiting)
        if unthought.is_open:
            self._opening_mark, self._waiting = self._waiting.lstrip()[:MAX_MARK_CHARS], ""
        elif unthought.has_thoughts:
            self._waiting, self._has_thought = unthought.text, True

    def _first_code(self, answer: str, *, has_mark: bool) -> str | None:
        """Return what follows the repeated beginning of the line; None if it is not repeated, or no plain code follows."""
        line = self._window.line_prefix
        for echo in (line, line.lstrip()):
            if not answer.startswith(echo) or not (echo.strip() or has_mark):
                continue
            code = answer[len(echo) :]
            if echo.strip() and code:
                return code
            # On a blank line, the first characters must show that it is neither a sentence nor a line from above.
            end = _FIRST_END.search(code)
            first = code[: end.start()] if end else code
            is_whole = end is not None and end.group() in ("\n", CLOSE)
            if first.strip() and not self._is_doubtful(first, is_whole=is_whole):
                return code
        return None

    def _is_doubtful(self, first: str, *, is_whole: bool) -> bool:
        text = bare(first)
        if first.lstrip()[:1] in ("`", "{", "[") or "{{" in first:
            return True
        if first.lstrip().startswith("<") and not self._language.has_tags:
            return True
        if (is_whole and text in self._above) or (
            not is_whole and any(line.startswith(text) for line in self._above)
        ):
            return True
        return self._is_code and (is_prose(first) if is_whole else may_be_prose(first))

    def _pass(self, piece: str) -> str:
        """Pass on the first line as it arrives, and each later line when it is complete and not a sentence."""
        if self._line is None:
            first, newline, piece = piece.partition("\n")
            self._passed += first + newline
            if not newline:
                return first
            self._line = ""
            return first + newline + self._pass(piece)
        passed = ""
        *whole, self._line = (self._line + piece).split("\n")
        for line in whole:
            if self._ends_before(line):
                self._is_over, self._line = True, ""
                return passed + CLOSE
            passed += line + "\n"
            self._passed += line + "\n"
        return passed

    def _ends_before(self, line: str) -> bool:
        """Check whether the code ended before a line: it closes the wrapper, or is a sentence for the user."""
        text = line.strip()
        if self._is_code and (
            text.startswith("```") or (_CLOSING_TAG.fullmatch(text) and not self._language.has_tags)
        ):
            return True
        return self._is_code and is_prose(text) and self._kind_after(self._passed) is TextKind.CODE

    @cached_property
    def _is_code(self) -> bool:
        return self._kind_after("") is TextKind.CODE

    def _kind_after(self, text: str) -> TextKind:
        return kind_at_end(self._window.prefix + self._window.line_prefix + text, self._language)

    def _around(self) -> Surroundings:
        language = self._window.language
        is_markup = self._language.has_tags
        kind_after = partial(_kind, self._window)
        return Surroundings(self._window.line_prefix.lstrip(), is_markup, language in _JSON_IDS, kind_after)


def _kind(window: Window, text: str) -> TextKind:
    return kind_at_end(window.prefix + window.line_prefix + text, language_of(window.language))


def _may_be_fill(answer: str) -> bool:
    """Check whether an answer begins, or may begin, with the requested mark, or with a fence around it."""
    text = answer.lstrip()
    if text.startswith(OPEN):
        return True
    return OPEN.startswith(text) or bool(_PARTIAL_FENCE.fullmatch(answer))
