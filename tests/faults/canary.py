"""Words that must be nowhere, and where to look for them: in whatever form a careless program writes them."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests.faults.upstream import ANSWER, BUFFER, KEY

# Bytes. No file of ours is larger; those of tests may be.
MAX_BYTES = 16 << 20


def found_in(text: str) -> list[str]:
    """Return the canaries in a text; half of a key counts as one."""
    return [canary for canary in CANARIES if canary in text]


def found_below(folder: Path) -> list[tuple[str, str]]:
    """Return the files below a folder that contain a canary, each with it."""
    return [(str(file), canary) for file in _files(folder) for canary in found_in(_text(file))]


def _forms(word: str) -> set[str]:
    data = word.encode()
    # Inside of a longer text, base64 has a word in one of three phases; the ends of each depend on its neighbours.
    phases = (base64.b64encode(b"\0" * phase + data).decode()[4:-4] for phase in range(3))
    return {word, quote(word, safe=""), repr(word)[1:-1], json.dumps(word)[1:-1], data.hex(), *phases}


CANARIES = tuple(
    sorted(
        {
            *_forms(KEY),
            *_forms(BUFFER.strip(" =")),
            *_forms(ANSWER),
            KEY[:8],
            KEY[-8:],
        }
    )
)


def _files(folder: Path) -> Iterator[Path]:
    for at, _, names in os.walk(folder):
        for path in (Path(at) / name for name in names):
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_BYTES:
                yield path


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "replace")
