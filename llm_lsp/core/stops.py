"""When an answer is complete, told while it streams; knows neither the model nor how it is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from llm_lsp.core.brackets import imbalance
from llm_lsp.core.languages import Blocks, indent_of, language_of, opens_block
from llm_lsp.core.types import Mode
from llm_lsp.core.window import Window

# Lines of a block that are read at most: more than is read before it is accepted, and 128 tokens are about 12.
MAX_LINES = 40
# A line that comes this often in a row is a model that turns in circles.
MAX_REPEATS = 3
# Characters. A shorter line may come back by chance, so it must stand equally deep.
TELLING_LINE_CHARS = 5


class Opening(Protocol):
    """Takes from an answer's start what is no code."""

    def feed(self, piece: str) -> str: ...

    def end(self) -> str: ...


class StopRule:
    """Reads an answer piece by piece, keeps what is wanted, and says when to stop reading.

    A LINE ends at the first line end after some text. Where that line opens a block and `may_grow`, it goes
    on as a BLOCK. A BLOCK ends before a line that stands less deep, closes what it did not open, or is the
    next line of the document; at the third equal line, and at two blank lines.
    Each piece costs work in proportion to itself.
    """

    def __init__(
        self,
        window: Window,
        mode: Mode,
        stops: Sequence[str] = (),
        *,
        may_grow: bool = True,
        opening: Opening | None = None,
        restore: Mapping[str, str] | None = None,
    ) -> None:
        self.mode = mode
        """LINE may become BLOCK while the answer is read."""
        self.done = False
        """Whether the answer is complete."""
        self.first_line_done = False
        """Whether the first line with text is complete."""
        self._window = window
        self._language = language_of(window.language)
        self._stops = tuple(stop for stop in stops if stop.strip())
        self._may_grow = may_grow
        self._opening = opening
        self._restore = dict(restore or {})
        self._next_line = _next_line(window)
        self._kept: list[str] = []
        self._line = ""
        self._held = ""
        self._depth: int | None = None
        """The indentation below which the block ends; None until its first line is known."""
        self._header: int | None = None
        """The indentation of the line that opened the block, where the answer begins after it."""
        self._balance = 0
        """Brackets that the answer opened and did not close."""
        self._blank = 0
        self._repeats = 0

    @property
    def text(self) -> str:
        """What is kept so far: whole lines with their ends, and the beginning of the one that is read."""
        kept = "".join(self._kept) + self._line
        for harmless, token in self._restore.items():
            kept = kept.replace(harmless, token)
        return kept

    def feed(self, piece: str) -> bool:
        """Take the next piece; True means that the answer is complete and the rest is not wanted."""
        if not self.done:
            self._read(self._opening.feed(piece) if self._opening else piece)
        return self.done

    def end(self) -> None:
        """Take note that the answer ended by itself: what looked like the beginning of a stop is text."""
        if not self.done and self._opening:
            self._read(self._opening.end())
        if not self.done:
            held, self._held = self._held, ""
            self._take(held)
        self.done = True

    def _read(self, piece: str) -> None:
        text = self._held + piece
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self._held = ""
            self._take(text[: min(found)])
            self.done = True
            return
        held = _held_chars(text, self._stops)
        self._held = text[len(text) - held :]
        self._take(text[: len(text) - held])

    def _take(self, text: str) -> None:
        *whole, rest = text.split("\n")
        for part in whole:
            line, self._line = (self._line + part).removesuffix("\r"), ""
            self._judge(line)
            if self.done:
                return
        self._line += rest

    def _judge(self, line: str) -> None:
        """Keep a whole line, or end the answer before it or after it."""
        if not line.strip():
            self._judge_blank(line)
        elif not self.first_line_done:
            self._judge_first(line)
        elif self._ends_before(line):
            self._finish()
        else:
            self._keep(line)
            self.done = self._ends_after(line)

    def _judge_blank(self, line: str) -> None:
        self._blank += 1
        if self.first_line_done and self._blank >= 2:
            self._finish()
        else:
            self._kept.append(line + "\n")

    def _judge_first(self, line: str) -> None:
        """Take the first line with text, which is part of the current line if nothing blank came before it."""
        whole = line if self._kept else self._window.line_prefix + line
        if self._kept and self._is_next(line):
            self._finish()
            return
        self._keep(line)
        self.first_line_done = True
        opens = opens_block(whole, self._language)
        if self.mode is Mode.LINE:
            if not (opens and self._may_grow) or self._window.line_suffix.strip():
                self.done = True
                return
            self.mode = Mode.BLOCK
        self._depth = indent_of(whole)
        above = whole if opens else self._line_above()
        if opens_block(above, self._language) and indent_of(above) <= self._depth:
            self._header = indent_of(above)

    def _line_above(self) -> str:
        """Give the line above the first line with text; that may be the current one."""
        if self._window.line_prefix.strip():
            return self._window.line_prefix if self._kept[:-1] else ""
        return next((line for line in reversed(self._window.prefix.split("\n")) if line.strip()), "")

    def _keep(self, line: str) -> None:
        self._repeats = self._repeats + 1 if self._kept and self._kept[-1] == line + "\n" else 1
        self._blank = 0
        self._balance += imbalance(line)
        self._kept.append(line + "\n")

    def _ends_before(self, line: str) -> bool:
        depth = indent_of(line)
        if self._is_next(line) or self._at_paragraph(depth):
            return True
        if self._header is not None and depth <= self._header:
            return depth < self._header or not self._belongs_to_header(line)
        if self._header is None and self._depth is not None and depth < self._depth:
            return True
        return self._closes_too_much(line)

    def _ends_after(self, line: str) -> bool:
        if self._repeats >= MAX_REPEATS:
            del self._kept[-MAX_REPEATS + 1 :]
            return True
        if len(self._kept) >= MAX_LINES:
            return True
        # The closer at the opener's depth was the last line of the block.
        return (
            self._header is not None
            and indent_of(line) == self._header
            and self._language.blocks is not Blocks.INDENT
            and not opens_block(line, self._language)
        )

    def _is_next(self, line: str) -> bool:
        """Say whether the document goes on with this very line."""
        if not self._next_line:
            return False
        if line.rstrip() == self._next_line:
            return True
        bare = line.strip()
        return len(bare) >= TELLING_LINE_CHARS and bare == self._next_line.strip()

    def _at_paragraph(self, depth: int) -> bool:
        # At the top level nothing is less deep: there a blank line ends what was asked for.
        return self._blank > 0 and depth == 0 and self._depth == 0

    def _belongs_to_header(self, line: str) -> bool:
        bare = line.strip()
        if bare[0] in ")]}":
            return True
        word = bare.split(None, 1)[0].rstrip(":;")
        return word in self._language.middles

    def _closes_too_much(self, line: str) -> bool:
        bare = line.strip()
        return bare[0] in ")]}" and self._balance <= 0 and self._header is None

    def _finish(self) -> None:
        while self._kept and not self._kept[-1].strip():
            self._kept.pop()
        self._line = ""
        self.done = True


def _held_chars(text: str, stops: Sequence[str]) -> int:
    """Count the characters at the end of a text that may be the beginning of a stop."""
    longest = 0
    for stop in stops:
        for size in range(min(len(stop) - 1, len(text)), longest, -1):
            if text.endswith(stop[:size]):
                longest = size
                break
    return longest


def _next_line(window: Window) -> str:
    """Give the line that the document goes on with, "" where it does not."""
    if window.line_suffix.strip() and not window.line_prefix.strip():
        return (window.line_prefix + window.line_suffix).rstrip()
    return next((line.rstrip() for line in window.suffix.split("\n") if line.strip()), "")
