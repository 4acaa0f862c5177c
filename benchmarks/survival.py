"""Count how often right answers survive the filters: real files' own next lines, cut out and offered as the answer.

    python -m benchmarks.survival [FOLDER …] [--places 200] [--seed 1] [--languages go,sql]

Without folders the files are those that are installed: this Python's packages, and what a Debian system has of
packages and documentation. Each loss is printed with what the filters made of the answer.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from llm_lsp.core.generation import Finish
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.response.postprocess import Insertion, postprocess
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text

# Language identifier to the endings of its files' names.
ENDINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "python": (".py", ".pyi"),
        "javascript": (".js", ".mjs"),
        "typescript": (".ts",),
        "typescriptreact": (".tsx",),
        "html": (".html",),
        "css": (".css",),
        "scss": (".scss",),
        "vue": (".vue",),
        "svelte": (".svelte",),
        "json": (".json",),
        "yaml": (".yaml", ".yml"),
        "toml": (".toml",),
        "ini": (".ini", ".cfg", ".conf"),
        "xml": (".xml",),
        "markdown": (".md",),
        "restructuredtext": (".rst",),
        "plaintext": (".txt",),
        "latex": (".tex", ".sty"),
        "sql": (".sql",),
        "shellscript": (".sh", ".bats"),
        "powershell": (".ps1",),
        "makefile": (".mk", "Makefile"),
        "cmake": (".cmake",),
        "c": (".c", ".h"),
        "cpp": (".cpp", ".hpp", ".cc"),
        "go": (".go",),
        "rust": (".rs",),
        "java": (".java",),
        "perl": (".pl", ".pm"),
        "php": (".php",),
        "ruby": (".rb",),
        "lua": (".lua",),
        "r": (".R", ".r"),
        "erlang": (".erl",),
        "clojure": (".clj",),
        "lisp": (".el", ".lisp"),
        "tcl": (".tcl",),
        "vim": (".vim",),
        "diff": (".diff", ".patch"),
    }
)
# Where Debian and Python put what they install.
ROOTS = ("/usr/share", "/usr/include", "/usr/lib", "/usr/local")
MAX_LINES = 8
PLACES_A_FILE = 4
# Longer files are data, and longer lines are not read by anybody.
MAX_BYTES, MAX_COLUMNS = 400_000, 300
# Files looked at for a language, of all that were found: the seed chooses.
MAX_NAMES = 20_000


@dataclass(frozen=True, slots=True)
class Place:
    """A cut-out: a document without some of its lines, the cursor there, and the lines."""

    path: str
    document: Document
    point: Point
    lost: str


def files_of(roots: Sequence[Path], languages: Sequence[str]) -> dict[str, list[Path]]:
    """Find the files of each language below some folders, in an order that only their names decide."""
    by_ending = {ending: language for language in languages for ending in ENDINGS[language]}
    found: dict[str, set[Path]] = {language: set() for language in languages}
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in names:
                bare = name.removesuffix(".gz")
                language = by_ending.get(os.path.splitext(bare)[1] or bare)
                if language is not None:
                    found[language].add(Path(folder, name))
    return {language: sorted(paths) for language, paths in found.items()}


def places_of(paths: Sequence[Path], language: str, count: int, seed: int) -> Iterator[Place]:
    """Yield up to `count` places, at most some of a file; the seed chooses files, lines and columns."""
    chance = random.Random(f"{language} {seed}")
    names = list(paths)
    chance.shuffle(names)
    seen: set[str] = set()
    for path in names[:MAX_NAMES]:
        text = _read(path)
        if text is None or text in seen:
            continue
        seen.add(text)
        for _ in range(PLACES_A_FILE):
            place = _cut(str(path), text, language, chance)
            if place is not None:
                yield place
                count -= 1
            if count <= 0:
                return


def _read(path: Path) -> str | None:
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        text = data.decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError):
        return None
    lines = text.split("\n")
    is_code = 100 < len(text) <= MAX_BYTES and "\0" not in text and "\r" not in text
    return text if is_code and max(map(len, lines)) <= MAX_COLUMNS else None


def _cut(path: str, text: str, language: str, chance: random.Random) -> Place | None:
    lines = text.split("\n")
    first = chance.randrange(len(lines))
    last = first + chance.randint(1, MAX_LINES) - 1
    if last >= len(lines) or not lines[first].strip() or not lines[last].strip():
        return None
    lost = "\n".join(lines[first : last + 1]).rstrip()
    line = lines[first]
    where = chance.choice(("line end", "column 0", "indentation", "inside"))
    if where == "line end":
        # The cursor stands behind the line above.
        if not first or not lines[first - 1].strip():
            return None
        point, lost = Point(first - 1, len(lines[first - 1])), "\n" + lost
        kept = [*lines[:first], *lines[last + 1 :]]
    else:
        depth = len(line) - len(line.lstrip())
        inside = chance.randint(depth, len(line.rstrip()) - 1)
        column = {"column 0": 0, "indentation": depth, "inside": inside}[where]
        point, lost = Point(first, column), lost[column:]
        kept = [*lines[:first], line[:column], *lines[last + 1 :]]
    if not lost.strip():
        return None
    return Place(path, Document(f"file://{path}", language, 1, Text.of("\n".join(kept))), point, lost)


def loss(place: Place, finish: Finish) -> str | None:
    """Return what became of the answer, or None where it came through unchanged."""
    request = CompletionRequest(1, place.document, place.point, Trigger.AUTOMATIC, "inline", 0.0)
    done = postprocess(place.lost, finish, request)
    if isinstance(done, Skip):
        return f"refused: {done.reason.value}"
    if isinstance(done, Insertion) and (done.text.rstrip(), done.end) == (place.lost.rstrip(), place.point):
        return None
    return f"became {done.text!r}"


def show(place: Place, found: str) -> str:
    """Write a loss for a reader: the text around the cursor, the answer, and what became of it."""
    lines = str(place.document.text).split("\n")
    at = place.point.line
    line = lines[at]
    around = [*lines[max(0, at - 3) : at], line[: place.point.column] + "‸" + line[place.point.column :]]
    around += lines[at + 1 : at + 4]
    shown = "\n".join(f"    | {one}" for one in around)
    return (
        f"{place.document.language}: {place.path}:{at + 1}\n{shown}\n    answer {place.lost!r}\n    {found}"
    )


def installed() -> list[Path]:
    """Return the folders where installed packages and their documentation are."""
    paths = sysconfig.get_paths()
    roots = [paths["stdlib"], paths["purelib"], *ROOTS]
    return [Path(root) for root in dict.fromkeys(roots) if Path(root).is_dir()]


def main() -> None:
    """Print each loss, and the share of answers that survived, by language."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--places", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--languages", default=",".join(ENDINGS))
    given = parser.parse_args()
    total = lost = 0
    for language, paths in files_of(given.folders or installed(), given.languages.split(",")).items():
        places = list(places_of(paths, language, given.places, given.seed))
        finishes = (Finish.CUT, Finish.STOP)
        found = [(place, loss(place, finishes[idx % 2])) for idx, place in enumerate(places)]
        losses = [(place, what) for place, what in found if what is not None]
        for place, what in losses:
            print(show(place, what), end="\n\n")
        print(f"{language:20} {len(places) - len(losses):5} of {len(places)}", flush=True)
        total, lost = total + len(places), lost + len(losses)
    print(f"{'all':20} {total - lost:5} of {total}: {1 - lost / max(1, total):.4f}")


if __name__ == "__main__":
    main()
