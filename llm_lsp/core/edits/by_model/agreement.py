"""Ends an answer as soon as it agrees with the old text again: the lines after a change need not be written.

The rule is Copilot's (microsoft/vscode-copilot-chat, responseProcessor.ts): two lines with letters or digits, or three.
"""

from __future__ import annotations

from collections.abc import Sequence

AGREEING_LINES, AGREEING_WORDS = 3, 2


def completed(old: Sequence[str], written: Sequence[str]) -> tuple[str, ...] | None:
    """Return the whole rewrite if the lines written so far agree with the old ones after a change; else None.

    A group of lines that the old text has twice decides nothing.
    """
    change = next((at for at, line in enumerate(written) if at >= len(old) or line != old[at]), None)
    if change is None:
        return None
    for count in range(1, min(AGREEING_LINES, len(written) - change) + 1):
        tail = tuple(written[len(written) - count :])
        if count < AGREEING_LINES and sum(_has_word(line) for line in tail) < AGREEING_WORDS:
            continue
        places = [at for at in range(change, len(old) - count + 1) if tuple(old[at : at + count]) == tail]
        if len(places) == 1:
            return (*written, *old[places[0] + count :])
    return None


def _has_word(line: str) -> bool:
    return any(map(str.isalnum, line))
