from __future__ import annotations

from llm_lsp.core.edits.dismissals import FADE_S, MAX_PAUSE_S, MAX_REMEMBERED, PAUSE_S, Dismissals
from llm_lsp.core.edits.next_edit import EditKind, NextEdit
from llm_lsp.core.text.text import Point


def edit(new: str = "b") -> NextEdit:
    return NextEdit(EditKind.RENAME, Point(1, 0), Point(1, 1), "a", new, 0.9)


def test_a_dismissed_edit_is_known_in_its_document_wherever_it_stands() -> None:
    found = Dismissals().dismissed("file:///a", edit(), 0.0)

    assert found.has("file:///a", edit())
    assert not found.has("file:///b", edit())
    assert not found.has("file:///a", edit("c"))


def test_pauses_grow_to_a_bound_and_fade() -> None:
    found, now = Dismissals(), 0.0
    for number in range(10):
        found = found.dismissed("file:///a", edit(), now)
        pause = min(PAUSE_S * 2**number, MAX_PAUSE_S)
        assert found.is_paused(now + pause - 0.1)
        assert not found.is_paused(now + pause)
    assert not found.is_paused(now + FADE_S)


def test_an_accepted_edit_ends_the_pauses() -> None:
    found = Dismissals().dismissed("file:///a", edit(), 0.0).accepted()

    assert not found.is_paused(1.0)
    assert found.has("file:///a", edit())


def test_what_was_written_otherwise_is_followed_by_no_pause() -> None:
    found = Dismissals().passed_over("file:///a", edit())

    assert found.has("file:///a", edit())
    assert not found.is_paused(0.0)


def test_what_is_remembered_is_bounded() -> None:
    found = Dismissals()
    for number in range(MAX_REMEMBERED + 1):
        found = found.passed_over("file:///a", edit(str(number)))

    assert not found.has("file:///a", edit("0"))
    assert found.has("file:///a", edit(str(MAX_REMEMBERED)))
