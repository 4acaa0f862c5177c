"""Decides while an answer streams when it is complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from llm_lsp.core.generation import Finish
from llm_lsp.core.request import Mode
from llm_lsp.core.response.completion_extent import MAX_ANSWER_CHARS, CompletionExtent
from llm_lsp.core.response.suggestion_length import PhraseFinder
from llm_lsp.core.text.cursor_context import INERT_REST
from llm_lsp.core.text.window import Window


class AnswerOpening(Protocol):
    """Removes what is not code from the start of an answer."""

    @property
    def refused(self) -> bool:
        """Whether the answer contradicts the text before it, so that nothing of it is wanted."""
        ...

    @property
    def finish(self) -> Finish | None:
        """Why the answer has no text, if that is known; None as long as it may have some."""
        ...

    def feed(self, piece: str) -> str:
        """Return the code that is certain after this piece."""
        ...

    def end(self) -> str:
        """Return the code that was still held back when the answer ended."""
        ...


class StopRule:
    """Reads an answer piece by piece, keeps what is wanted, and decides when to stop.

    The work is proportional to each piece, and at most MAX_ANSWER_CHARS are read in all. `CompletionExtent` decides
    which lines are wanted.
    """

    def __init__(
        self,
        window: Window,
        mode: Mode,
        stops: Sequence[str] = (),
        *,
        may_grow: bool = True,
        opening: AnswerOpening | None = None,
        restore: Mapping[str, str] | None = None,
    ) -> None:
        self.done = False
        """Whether the answer is complete."""
        self.is_overlong = False
        """Whether reading ended within a first line that is too long to be shown."""
        self.rest = ""
        """What was read beyond the answer's last line."""
        self._window = window
        self._extent = CompletionExtent(window, mode, may_grow=may_grow)
        self._stops = tuple(stop for stop in stops if stop.strip())
        self._opening = opening
        self._restore = dict(restore or {})
        self._has_phrases = mode is Mode.LINE and _stands_open(window)
        self._is_closed = False
        """Whether the model or a stop string ended it."""
        self._n_chars = 0
        """Number of characters read."""
        self._line = ""
        """The current line so far."""
        self._held = ""
        """Text that may be the beginning of a stop string."""

    @property
    def mode(self) -> Mode:
        """How much is wanted; a LINE becomes a BLOCK if it opens one."""
        return self._extent.mode

    @property
    def first_line_done(self) -> bool:
        """Whether the first non-blank line is complete."""
        return self._extent.has_first

    @property
    def text(self) -> str:
        """The text kept so far. It only grows: text that may turn out to be unwanted is not included."""
        lines, line = self._extent.lines, self._line
        if self.first_line_done:
            lines, line = self._extent.sure_lines, self._line if self.done else ""
        kept = "".join(f"{one}\n" for one in lines) + line
        for harmless, token in self._restore.items():
            kept = kept.replace(harmless, token)
        return kept

    def feed(self, piece: str) -> bool:
        """Add the next piece; return whether the answer is complete and the rest is not wanted."""
        if not self.done:
            self._read(self._opening.feed(piece) if self._opening else piece)
            if self._opening is not None and self._opening.refused:
                self.done = self._is_closed = True
        return self.done

    @property
    def finish(self) -> Finish | None:
        """Why there is no text, if the opening has found that out."""
        return self._opening.finish if self._opening else None

    def end(self, finish: Finish = Finish.STOP) -> Finish:
        """Record that the answer ended: a partial stop string is text.

        Returns why it ended: a token limit after the code's own end has cut nothing off.
        """
        if not self.done and self._opening:
            finish = self._end_opening(self._opening, finish)
        if not self.done:
            held, self._held = self._held, ""
            self._take(held)
        if not self.done:
            self._close(by_model=finish is Finish.STOP)
        return self.finish if self.finish and not self.text else finish

    def _end_opening(self, opening: AnswerOpening, finish: Finish) -> Finish:
        self._read(opening.end())
        return Finish.CUT if self.done and finish is Finish.LENGTH else finish

    def _read(self, piece: str) -> None:
        text = self._held + piece
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        held = 0 if found else _held_chars(text, self._stops)
        end = min(found, default=len(text) - held)
        self._held = text[end:] if held else ""
        self._take(text[:end])
        if self.done:
            self.rest, self._held = self.rest + text[end:], ""
        elif found:
            self._close(by_model=True)

    def _take(self, text: str) -> None:
        room = MAX_ANSWER_CHARS - self._n_chars
        self._n_chars += len(text)
        self._take_lines(text[:room])
        if self.done:
            self.rest += text[room:]
        elif len(text) > room:
            self._break_off()

    def _break_off(self) -> None:
        """End an answer that is longer than what is ever shown: its complete lines stay."""
        self.done = self._is_closed = True
        self.is_overlong = not self.first_line_done
        if self.first_line_done:
            self._line = ""

    def _take_lines(self, text: str) -> None:
        *whole, rest = text.split("\n")
        for line_idx, part in enumerate(whole):
            line, self._line = (self._line + part).removesuffix("\r"), ""
            known = len(self._extent.lines)
            if self._extent.take(line):
                self.done = True
                # Lines that were read but do not belong to this answer belong to the next one.
                beyond = self._extent.lines[len(self._extent.sure_lines) :]
                unkept = [line] if len(self._extent.lines) == known else []
                self.rest = "\n".join([*beyond, *unkept, *whole[line_idx + 1 :], rest])
                return
        self._line += rest

    def phrase_finder(self, words: int) -> PhraseFinder | None:
        """Return a finder of places where the first line may be cut, every few words; None if a block is wanted."""
        return PhraseFinder(words, self._window) if self._has_phrases else None

    def follow(self) -> StopRule | None:
        """Return the rule for the line that would be requested next if all of this were accepted.

        None if this is not done, or the model or the document ended it.
        """
        if (
            not self.done
            or self._is_closed
            or not self._extent.may_follow
            or self._window.line_suffix.strip()
        ):
            return None
        window = self._window.after(self.text)
        return StopRule(window, Mode.LINE, self._stops, may_grow=False, restore=self._restore)

    def _close(self, *, by_model: bool) -> None:
        self._line = self._extent.end(self._line, by_model=by_model)
        self.done = self._is_closed = True


def _stands_open(window: Window) -> bool:
    """Check whether part of a line can be shown: nothing follows it but automatically closed brackets."""
    if not window.line_suffix.strip():
        return True
    return bool(window.line_prefix.strip()) and not window.line_suffix.strip(INERT_REST)


def _held_chars(text: str, stops: Sequence[str]) -> int:
    """Count the characters at the end of a text that may begin a stop string."""
    longest = 0
    for stop in stops:
        # Most pieces do not contain a stop string's first character, and this runs for every piece.
        if stop[0] not in text:
            continue
        for size in range(min(len(stop) - 1, len(text)), longest, -1):
            if text.endswith(stop[:size]):
                longest = size
                break
    return longest
