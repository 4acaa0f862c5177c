"""The edit history keeps visited places as snapshots and line numbers, changes as the texts before and after."""

from __future__ import annotations

import pytest

from llm_lsp.core.context.edit_history import FRESH_S, MAX_CHANGED_LINES, MAX_VISITS, EditHistory
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text

START = "".join(f"line {idx}\n" for idx in range(200))


class Typist:
    """Edits documents, and keeps the trail."""

    def __init__(self, text: str = START) -> None:
        self.documents = {name: Document(f"file:///p/{name}", "python", 1, Text.of(text)) for name in "ab"}
        self.edit_history = EditHistory()
        self.now = 0.0

    def edit(self, name: str, *changes: tuple[int, int, str]) -> None:
        """Put each text in the place of the lines from one up to another."""
        old = self.documents[name]
        text, edits = old.text, []
        for start, stop, new in changes:
            edit = Edit(Point(start, 0), Point(stop, 0), new)
            text = text.edit(edit.start, edit.end, new)
            edits.append(edit)
        document = Document(old.uri, old.language, old.version + 1, text)
        self.edit_history = self.edit_history.edited(old, document, tuple(edits), self.now)
        self.documents[name] = document

    def changes(self) -> list[tuple[list[str], list[str]] | None]:
        return [burst.changed() for burst in self.edit_history.fresh_bursts(self.now)]


def test_edits_near_each_other_are_one_change() -> None:
    typist = Typist()
    typist.edit("a", (10, 11, "ten\n"))
    typist.edit("a", (12, 13, "twelve\nand more\n"))

    assert typist.changes() == [
        (
            ["line 10\n", "line 11\n", "line 12\n"],
            ["ten\n", "line 11\n", "twelve\n", "and more\n"],
        )
    ]


def test_edits_far_apart_or_in_another_document_are_changes_of_their_own() -> None:
    typist = Typist()
    typist.edit("a", (10, 11, "ten\n"))
    typist.edit("a", (90, 91, "ninety\n"))
    typist.edit("b", (90, 91, "ninety\n"))
    typist.edit("a", (91, 91, "more\n"))

    new = [new[0] for _, new in filter(None, typist.changes())]
    assert new == ["ten\n", "ninety\n", "ninety\n", "more\n"]


def test_several_edits_in_one_notification_count_in_their_own_texts() -> None:
    typist = Typist()
    typist.edit("a", (10, 10, "new\nnew\n"), (14, 15, "twelve\n"))

    ((old, new),) = filter(None, typist.changes())

    assert old[:3] == ["line 10\n", "line 11\n", "line 12\n"]
    assert new[:5] == ["new\n", "new\n", "line 10\n", "line 11\n", "twelve\n"]


def test_what_was_undone_and_what_is_large_is_no_change() -> None:
    typist = Typist()
    typist.edit("a", (10, 11, "ten\n"))
    typist.edit("a", (10, 11, "line 10\n"))
    typist.edit("b", (0, 0, "pasted\n" * (MAX_CHANGED_LINES + 2)))

    assert typist.changes() == [None, None]


def test_old_changes_are_forgotten() -> None:
    typist = Typist()
    typist.edit("a", (10, 11, "ten\n"))
    typist.now += FRESH_S + 1

    assert typist.changes() == []


def test_a_text_that_lost_its_lines_is_no_error() -> None:
    typist = Typist()
    typist.edit("a", (0, 200, ""))
    typist.edit("a", (0, 0, "x\n"))

    assert typist.changes() == [None]


@pytest.mark.parametrize(
    ("lines", "visits"),
    [
        pytest.param((10, 20, 30), (30,), id="near moves along"),
        pytest.param((10, 100, 12), (10, 100, 12), id="far is a new place"),
        pytest.param(
            tuple(range(0, 4000, 40)), tuple(range(0, 4000, 40))[-MAX_VISITS:], id="the last ones are kept"
        ),
    ],
)
def test_places(lines: tuple[int, ...], visits: tuple[int, ...]) -> None:
    document = Document("file:///p/a", "python", 1, Text.of("x\n" * 5000))
    edit_history = EditHistory()
    for line in lines:
        edit_history = edit_history.at(document, Point(line, 0))

    assert tuple(visit.line for visit in edit_history.visits) == visits
    assert edit_history.place_in(document) == Point(visits[-1], 0)


def test_a_closed_document_is_forgotten() -> None:
    typist = Typist()
    typist.edit("a", (10, 11, "ten\n"))
    typist.edit("b", (90, 91, "ninety\n"))

    edit_history = typist.edit_history.without("file:///p/a")

    assert [visit.document.uri for visit in edit_history.visits] == ["file:///p/b"]
    assert [burst.after.uri for burst in edit_history.bursts] == ["file:///p/b"]


def test_typing_copies_no_text() -> None:
    typist = Typist()
    for idx in range(100):
        typist.edit("a", (5 + idx, 5 + idx, "typed\n"))

    (burst,) = typist.edit_history.bursts
    assert burst.after is typist.documents["a"]
    assert burst.before.text.blocks == Text.of(START).blocks


def test_a_change_of_line_ends_or_blank_lines_is_no_change() -> None:
    typist = Typist("a\nb\n")
    typist.edit("a", (0, 1, "a\r\n"))
    typist.edit("b", (1, 1, "\n\n"))

    assert typist.changes() == [None, None]


def test_nothing_is_left_of_changes_that_were_thrown_away() -> None:
    typist = Typist()
    typist.edit("b", (10, 11, "kept\n"))
    typist.edit("a", (10, 11, "draft\n"))
    typist.edit("a", (150, 151, "another draft\n"))
    typist.edit(
        "a", (10, 151, START.partition("line 10\n")[1] + "".join(f"line {idx}\n" for idx in range(11, 151)))
    )

    history = typist.edit_history.as_of(typist.documents.values())

    assert [new for _, new in filter(None, (burst.changed() for burst in history.bursts))] == [["kept\n"]]
    shown = "".join(line for visit in history.visits for line in visit.chunk()[1])
    assert "draft" not in shown
    assert "kept" in shown


def test_what_was_rewritten_since_is_not_shown_as_it_was() -> None:
    typist = Typist()
    typist.edit("a", (10, 11, "first\n"))
    typist.edit("b", (10, 11, "other\n"))
    typist.edit("a", (10, 11, "second\n"))

    history = typist.edit_history.as_of(typist.documents.values())

    assert ["first\n"] not in [new for _, new in filter(None, (burst.changed() for burst in history.bursts))]


def test_a_document_that_is_not_open_has_no_history() -> None:
    typist = Typist()
    typist.edit("a", (10, 11, "ten\n"))

    assert typist.edit_history.as_of([]) == EditHistory()
