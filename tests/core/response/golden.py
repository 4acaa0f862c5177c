"""Reads the golden cases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text

CURSOR = "‸"
FOLDER = Path(__file__).parents[2] / "golden"


@dataclass(frozen=True, slots=True)
class Case:
    """One file: its head, and its sections by name."""

    name: str
    head: dict[str, str]
    sections: dict[str, str]

    def document(self) -> tuple[Document, Point]:
        """Return the document without its cursor mark, and the mark's position."""
        before, _, after = self.sections["document"].partition(CURSOR)
        text = before + after
        if self.head.get("line ends") == "crlf":
            text = text.replace("\n", "\r\n")
        point = Point(before.count("\n"), len(before) - before.rfind("\n") - 1)
        return Document("file:///project/main", self.head["language"], 1, Text.of(text)), point


def cases(folder: str) -> list[Case]:
    """Read every case of a folder, by name."""
    return [_read(path) for path in sorted((FOLDER / folder).glob("*.txt"))]


def _read(path: Path) -> Case:
    head, *parts = path.read_bytes().decode("utf-8").replace("\r\n", "\n").split("\n--- ")
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    sections = {}
    for part in parts:
        name, _, content = part.partition("\n")
        sections[name] = content
    # The file's own last line end belongs to no section.
    sections[name] = sections[name].removesuffix("\n")
    return Case(path.stem, fields, {key: value.replace("\\r", "\r") for key, value in sections.items()})
