"""The audit file: one JSON object a line, appended by all processes of all users of a machine."""

from __future__ import annotations

import json
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_lsp.errors import BooksError

# Permissions of a new file: a shared one is created by the administrator.
NEW_FILE_MODE = 0o600
# Characters of a line that is read; ours have below 500.
MAX_LINE_CHARS = 4096


def append_lines(file: str, lines: Sequence[str]) -> int:
    """Append lines, each in one write, so that those of several processes do not mix.

    Returns how many were written, at least one. Raises BooksError, which names the file, if none was.
    """
    path = Path(file).expanduser()
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for name in ("O_CLOEXEC", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    try:
        handle = os.open(path, flags, NEW_FILE_MODE)
        with closing(os.fdopen(handle, "wb", buffering=0)) as opened:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise BooksError(f"{path} is not a regular file")
            return _append(opened.fileno(), lines)
    except OSError as exc:
        raise BooksError(f"{path} cannot be written: {exc.strerror or exc}") from exc


def _append(handle: int, lines: Sequence[str]) -> int:
    for n_written, line in enumerate(lines):
        data = line.encode() + b"\n"
        try:
            is_whole = os.write(handle, data) == len(data)
        except OSError:
            if not n_written:
                raise
            return n_written
        if not is_whole:
            # The disk is full: what was written of the line is no line, and the reader leaves it out.
            os.write(handle, b"\n")
            return n_written
    return len(lines)


@dataclass(slots=True)
class AuditFigures:
    """Sums over the lines of audit files."""

    calls: int = 0
    failed: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a call."""
        self.calls += 1
        self.failed += line["outcome"] == "failed"
        for kind in ("read", "cached", "written"):
            self.tokens[kind] += line["tokens"][kind]
        self.outcomes[line["outcome"]] += 1
        self.reasons.update(line["reasons"])

    def as_mapping(self) -> dict[str, object]:
        """Return everything as JSON fields."""
        return {
            "calls": self.calls,
            "calls_failed": self.failed,
            "tokens": dict(self.tokens),
            "outcomes": dict(self.outcomes),
            "reasons": dict(self.reasons),
        }


@dataclass(slots=True)
class AuditSums:
    """The sums of several files, in total and by group; `unreadable` counts lines that are no audit lines."""

    total: AuditFigures = field(default_factory=AuditFigures)
    by: dict[str, dict[str, AuditFigures]] = field(
        default_factory=lambda: {"day": {}, "model": {}, "origin": {}}
    )
    unreadable: int = 0

    def add(self, line: Mapping[str, Any]) -> None:
        """Add a call."""
        self.total.add(line)
        keys = (line["time"][:10], f"{line['provider']} {line['model']}".strip(), line["origin"])
        for groups, key in zip(self.by.values(), keys, strict=True):
            groups.setdefault(key, AuditFigures()).add(line)


def sum_files(files: Iterable[Path], since: str) -> AuditSums:
    """Return the sums of the calls from a day (UTC) on; raises BooksError if a file cannot be read."""
    sums = AuditSums()
    for path in files:
        try:
            with path.open(encoding="utf-8", errors="replace") as opened:
                for line in _lines(opened):
                    if line is None:
                        sums.unreadable += 1
                    elif line["time"][:10] >= since:
                        sums.add(line)
        except OSError as exc:
            raise BooksError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    return sums


def _lines(opened: Iterable[str]) -> Iterator[Mapping[str, Any] | None]:
    """Yield each line that is not blank: decoded, or None if it is no audit line."""
    for text in opened:
        if text.strip():
            yield _decoded(text)


def _decoded(text: str) -> Mapping[str, Any] | None:
    try:
        line = json.loads(text) if len(text) <= MAX_LINE_CHARS else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict) or not isinstance(line.get("tokens"), dict):
        return None
    texts = [line.get(name) for name in ("time", "provider", "model", "origin", "outcome")]
    counts = [line["tokens"].get(kind) for kind in ("read", "cached", "written")]
    reasons = line.get("reasons")
    is_sound = (
        all(isinstance(each, str) for each in texts)
        and all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in counts)
        and isinstance(reasons, list)
        and all(isinstance(each, str) for each in reasons)
    )
    return line if is_sound else None
