"""Parses the file and position that a command is to complete."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from llm_lsp.cli.terminal.console import say
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.language_ids import language_for_path
from llm_lsp.core.text.text import Point, Text
from llm_lsp.engine.context.source_files import decode
from llm_lsp.system import read_plain_file

TARGET = re.compile(r"(?P<file>.+?)(?::(?P<line>\d+))?(?::(?P<column>\d+))?$")

# Bytes. No editor opens larger text for completion, and a device file may never end.
MAX_BYTES = 64 << 20
# Digits that are read of a number: no file has so many lines, and Python refuses to convert thousands of digits.
MAX_DIGITS = 18
# Paths of this process's own open files: `<(…)` in a shell, `/dev/stdin`.
OWN_DESCRIPTOR = re.compile(r"/dev/stdin|/dev/fd/\d{1,9}|/proc/self/fd/\d{1,9}")
PART = re.compile(r"(?P<file>.+?)(?::(?P<first>\d+)(?:-(?P<last>\d+))?)?$")


@dataclass(frozen=True, slots=True)
class CompletionTarget:
    """What to complete: a document, and a point in it."""

    document: Document
    point: Point


def read_target(place: str, language: str) -> CompletionTarget:
    """Read what FILE[:LINE[:COLUMN]] names; raises click.ClickException if it cannot be read."""
    match = TARGET.fullmatch(place)
    name = match["file"] if match else place
    line, column = (_number(match[key]) if match and match[key] else None for key in ("line", "column"))
    document = _read(name, language, "FILE:LINE:COLUMN")
    return CompletionTarget(document, point_of(document.text, line, column))


def read_part(place: str, language: str) -> tuple[Document, tuple[int, int] | None]:
    """Read what FILE[:FIRST[-LAST]] names; the returned lines are 0-based and half-open, None means the whole file.

    Raises click.ClickException if it cannot be read.
    """
    match = PART.fullmatch(place)
    document = _read(match["file"] if match else place, language, "FILE:FIRST-LAST")
    if match is None or match["first"] is None:
        return document, None
    first, count = _number(match["first"]), document.text.line_count
    last = _number(match["last"]) if match["last"] else first
    if not 1 <= first <= last <= count:
        raise click.ClickException(f"lines {first} to {last} do not exist: the file has {count}")
    return document, (first - 1, last)


def _read(name: str, language: str, form: str) -> Document:
    try:
        raw = sys.stdin.buffer.read(MAX_BYTES + 1) if name == "-" else _read_bytes(Path(name))
    except OSError as exc:
        hint = f"; write a position as {form}" if ":" in name else ""
        raise click.ClickException(f"cannot read {name}: {exc.strerror}{hint}") from exc
    if raw is None or len(raw) > MAX_BYTES:
        what = "standard input is larger than" if name == "-" else f"{name} is not a regular file of at most"
        raise click.ClickException(f"{what} {MAX_BYTES >> 20} MiB")
    uri = "untitled:stdin" if name == "-" else Path(name).resolve().as_uri()
    return Document(uri, language or language_for_path(name), 1, Text.of(_decode(raw, name)))


def _read_bytes(path: Path) -> bytes | None:
    """Read a regular file or a shell's `<(…)`; return None for other devices and pipes, and for larger files."""
    if OWN_DESCRIPTOR.fullmatch(str(path)):
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return read_plain_file(path, MAX_BYTES)


def _number(digits: str) -> int:
    """Parse a number; only its first MAX_DIGITS digits count, which is beyond any file's lines anyway."""
    return int(digits[:MAX_DIGITS])


def _decode(raw: bytes, name: str) -> str:
    text = decode(raw)
    if text is not None:
        return text
    if b"\0" not in raw:  # Binary files are refused later.
        # The file is in a legacy encoding such as GBK, and nothing in it names which.
        about = f"{name} is not UTF-8: unreadable characters are replaced; save it as UTF-8"
        say(f"warning: {about}", fg="yellow")
    return raw.decode("utf-8", "replace")


def point_of(text: Text, line: int | None, column: int | None) -> Point:
    """Return the point of a 1-based line and column; raises click.ClickException if it is beyond the text."""
    if line is None:
        return text.end
    if not 1 <= line <= text.line_count:
        raise click.ClickException(f"line {line} does not exist: the file has {text.line_count} lines")
    length = len(text.line(line - 1))
    if column is not None and not 1 <= column <= length + 1:
        raise click.ClickException(f"column {column} does not exist: line {line} ends at column {length + 1}")
    return Point(line - 1, length if column is None else column - 1)


def read_batch(file: Path) -> Iterator[CompletionTarget]:
    """Yield the targets of a JSON Lines file; each line is {"place"} or {"text", "language", "line", "column"}.

    Only "place" or "text" is required. Raises click.ClickException with the line's number for anything else.
    """
    raw = _read_bytes(file)
    if raw is None or len(raw) > MAX_BYTES:
        raise click.ClickException(f"{file} is not a regular file of at most {MAX_BYTES >> 20} MiB")
    # Split at line feeds only: a JSON string may contain U+2028, which `splitlines` splits at.
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            yield _target_of(json.loads(line), number)
        except (ValueError, TypeError, AttributeError, KeyError) as exc:
            raise click.ClickException(f'{file}:{number}: write {{"place": …}} or {{"text": …}}') from exc


def _target_of(item: dict[str, object], number: int) -> CompletionTarget:
    language = str(item.get("language", ""))
    if "place" in item:
        return read_target(str(item["place"]), language)
    text = Text.of(str(item["text"]))
    line, column = (int(str(item[key])) if key in item else None for key in ("line", "column"))
    return CompletionTarget(Document(f"untitled:{number}", language, 1, text), point_of(text, line, column))
