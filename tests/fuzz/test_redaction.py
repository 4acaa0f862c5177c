"""What a redactor remembers of lines without a secret never changes what it masks."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llm_lsp.core.privacy.redact import MAX_KNOWN_LINES, MIN_EXACT_CHARS, Redactor
from llm_lsp.core.text.text import Point, Text
from tests.core.privacy.keys import BODY, KEY, PRIVATE_KEY
from tests.fuzz.examples import fuzzed

LINES = [
    "x = 1",
    "",
    f'key = "{KEY}"',
    KEY[:20],
    KEY[20:],
    'password = "tr0ub4dor&3x"',
    'password = "correct horse"',
    "-----BEGIN RSA PRIVATE KEY-----",
    BODY,
    "-----END RSA PRIVATE KEY-----",
    "postgres://app:hunter2@db/x",
    "\u2028" + KEY + "\x85",
    "密码 password='kl9Qw8Er7Zx'",
    "secret words of mine",
]
VALUES = ["secret words of mine", "words of mi", BODY[:20], "x" * MIN_EXACT_CHARS]


class Typing(RuleBasedStateMachine):
    """A prompt that changes by lines, values that are hidden, and one redactor for all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.it = Redactor()
        self.hidden: list[str] = []
        self.lines: list[str] = []

    @rule(at=st.integers(0, 20), line=st.sampled_from(LINES))
    def write(self, at: int, line: str) -> None:
        self.lines.insert(at, line)

    @precondition(lambda self: self.lines)
    @rule(at=st.integers(0, 20))
    def delete(self, at: int) -> None:
        del self.lines[at % len(self.lines)]

    @rule()
    def write_much(self) -> None:
        """So many lines that it has to forget the others."""
        self.it.redact("\n".join(map(str, range(MAX_KNOWN_LINES))))

    @precondition(lambda self: self.lines)
    @rule(at=st.integers(0, 20), column=st.integers(0, 60))
    def point(self, at: int, column: int) -> None:
        """Ask at a place, which remembers its line, too."""
        text = Text.of("\n".join(self.lines))
        point = text.clamp(Point(at, column))
        fresh = Redactor()
        for value in self.hidden:
            fresh.hide(value)
        assert self.it.touches(text, point) == fresh.touches(text, point)

    @rule(value=st.sampled_from(VALUES))
    def hide(self, value: str) -> None:
        self.hidden.append(value)
        self.it.hide(value)

    @rule()
    def paste_a_key(self) -> None:
        self.lines += PRIVATE_KEY.split("\n")

    @invariant()
    def it_masks_as_one_that_never_saw_a_line_before(self) -> None:
        fresh, text = Redactor(), "\n".join(self.lines)
        for value in self.hidden:
            fresh.hide(value)
        result = self.it.redact(text)
        assert result == fresh.redact(text)
        assert len(result.text) == len(text)
        assert KEY not in result.text
        assert fresh.redact(result.text).text == result.text
        for value in self.hidden:
            assert len(value) < MIN_EXACT_CHARS or value not in result.text


TestTyping = Typing.TestCase
TestTyping.settings = fuzzed
