"""What is to be completed, as a command's user names it."""

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

# Bytes. Editors hold no larger text either, and a device has no end.
MAX_BYTES = 64 << 20
# Digits of a number that are read: no file has so many lines, and Python refuses thousands of them.
MAX_DIGITS = 18
# What a shell opened for this process: `<(…)`, `/dev/stdin`.
OWN_DESCRIPTOR = re.compile(r"/dev/stdin|/dev/fd/\d{1,9}|/proc/self/fd/\d{1,9}")
PART = re.compile(r"(?P<file>.+?)(?::(?P<first>\d+)(?:-(?P<last>\d+))?)?$")


@dataclass(frozen=True, slots=True)
class CompletionTarget:
    """What to complete: a document, and a point in it."""

    document: Document
    point: Point


def read_target(place: str, language: str) -> CompletionTarget:
    """Read what FILE[:LINE[:COLUMN]] names; raises click.ClickException where it cannot be read."""
    match = TARGET.fullmatch(place)
    name = match["file"] if match else place
    line, column = (_number(match[key]) if match and match[key] else None for key in ("line", "column"))
    document = _read(name, language, "FILE:LINE:COLUMN")
    return CompletionTarget(document, point_of(document.text, line, column))


def read_part(place: str, language: str) -> tuple[Document, tuple[int, int] | None]:
    """Read what FILE[:FIRST[-LAST]] names; the lines are 0-based and half-open, None for all of them.

    Raises click.ClickException where it cannot be read.
    """
    match = PART.fullmatch(place)
    document = _read(match["file"] if match else place, language, "FILE:FIRST-LAST")
    if match is None or match["first"] is None:
        return document, None
    first, count = _number(match["first"]), document.text.line_count
    last = _number(match["last"]) if match["last"] else first
    if not 1 <= first <= last <= count:
        raise click.ClickException(f"there are no lines {first} to {last}: the file has {count}")
    return document, (first - 1, last)


def _read(name: str, language: str, form: str) -> Document:
    try:
        raw = sys.stdin.buffer.read(MAX_BYTES + 1) if name == "-" else _read_bytes(Path(name))
    except OSError as exc:
        hint = f"; a place is written {form}" if ":" in name else ""
        raise click.ClickException(f"cannot read {name}: {exc.strerror}{hint}") from exc
    if raw is None or len(raw) > MAX_BYTES:
        what = "standard input is larger than" if name == "-" else f"{name} is no plain file of at most"
        raise click.ClickException(f"{what} {MAX_BYTES >> 20} MiB")
    uri = "untitled:stdin" if name == "-" else Path(name).resolve().as_uri()
    return Document(uri, language or language_for_path(name), 1, Text.of(_decode(raw, name)))


def _read_bytes(path: Path) -> bytes | None:
    """Read a plain file, or what a shell's `<(…)` writes; None for another device or pipe, or a larger one."""
    if OWN_DESCRIPTOR.fullmatch(str(path)):
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return read_plain_file(path, MAX_BYTES)


def _number(digits: str) -> int:
    """Read a number; one of more digits than any file has lines is large, whichever it is."""
    return int(digits[:MAX_DIGITS])


def _decode(raw: bytes, name: str) -> str:
    text = decode(raw)
    if text is not None:
        return text
    if b"\0" not in raw:  # Else it is binary, and refused as that.
        # It is some system's code page, such as GBK, which no file names.
        about = f"{name} is not UTF-8: what cannot be read in it is replaced, save it as UTF-8"
        say(f"warning: {about}", fg="yellow")
    return raw.decode("utf-8", "replace")


def point_of(text: Text, line: int | None, column: int | None) -> Point:
    """Return the point of a line and column that count from 1; raises click.ClickException past the text's end."""
    if line is None:
        return text.end
    if not 1 <= line <= text.line_count:
        raise click.ClickException(f"there is no line {line}: the file has {text.line_count}")
    length = len(text.line(line - 1))
    if column is not None and not 1 <= column <= length + 1:
        raise click.ClickException(
            f"there is no column {column} on line {line}: its end is column {length + 1}"
        )
    return Point(line - 1, length if column is None else column - 1)


def read_batch(file: Path) -> Iterator[CompletionTarget]:
    """Read a JSON object a line: {"place"}, or {"text", "language", "line", "column"}; all but the text may lack.

    Raises click.ClickException, with the line's number, for what is neither.
    """
    raw = _read_bytes(file)
    if raw is None or len(raw) > MAX_BYTES:
        raise click.ClickException(f"{file} is no plain file of at most {MAX_BYTES >> 20} MiB")
    # At line feeds only: U+2028 may stand in a JSON string.
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
