"""Measure where a prompt is best cut, by the kind of token that the cursor is behind, with a real model.

    python -m benchmarks.seams http://127.0.0.1:8012 FOLDER… --fim qwen-small

Holes are drawn right behind a token of each kind, as many from each folder; the rest of the line is missing. A cut is the
end of the line that the prompt leaves out. The answer is forced to begin with it by a grammar ("forced"), or expected to
("hoped"); or the whole line stands before the middle token ("before"). Printed is one JSON object for each kind: how many
rests of a line come out exactly, by cut. All cuts are tried on the same holes.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from llm_lsp.core.privacy.exclusion import Exclusion
from llm_lsp.core.prompt.fim_families import FimFamily, family_named
from llm_lsp.core.prompt.line_start import last_token
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.language_ids import language_for_path
from llm_lsp.core.text.text import Point, Text
from llm_lsp.core.text.window import cut_window
from llm_lsp.evaluation.corpus.repository import Repository
from llm_lsp.providers.dialects.llamacpp_infill import beginning_with

# Tokens of a prompt, and of an answer: the rest of a line.
BUDGET_TOKENS, MAX_TOKENS = 600, 40
# Characters of the rest of a line: fewer tell nothing, and more comes out exactly by chance only.
MIN_REST, MAX_REST = 2, 60

_CJK = "\u3040-\u30ff\u3400-\u9fff"
KINDS: dict[str, re.Pattern[str]] = {
    "word": re.compile(rf"(?<=[^\W\d_{_CJK}])(?=[^\w\s]|\s\S)"),
    "half word": re.compile(rf"(?<=(?<!\w)[^\W\d_{_CJK}])(?=\w\w)"),
    "operator": re.compile(r"(?<=[=<>!&|+\-*/%^~?:.])(?![=<>!&|+\-*/%^~?:.])(?=.)"),
    "bracket": re.compile(r"(?<=[(\[{])(?=[^\s)\]}])"),
    "closer": re.compile(r"(?<=[)\]}])(?=.)"),
    "comma": re.compile(r"(?<=,)(?=.)"),
    "quote": re.compile(r"(?<=[\s(\[{=,])(?:(?<=.)[\"'`](?=\w))"),
    "blank": re.compile(r"(?<=\S )(?=\S)"),
    "indentation": re.compile(r"^[ \t]+(?=\S)"),
    "CJK": re.compile(rf"(?<=[{_CJK}])(?=[{_CJK}])"),
}
"""Where a hole may begin: at the end of a match."""

# How lines of comments begin: prose tells little of how code goes on.
_PROSE = ("//", "#", "*", "/*", '"""')
_WORD = r"(\s|[^\w\s])?\w{1,32}$"
_LETTERS = r"(?:[^\S\n]|[^\w\s]|_)?[^\W\d_]+$"
_RUN = r" ?[^\w\s]+$"
CUTS: dict[str, Callable[[str], str]] = {
    "nothing": lambda line: "",
    "server": last_token,
    "mark": lambda line: _found(rf"{_WORD}|\s$|[^\w\s]$", line),
    "letters": lambda line: _found(rf"{_LETTERS}|\s$|{_RUN}", line),
    "marks-blank": lambda line: _found(rf"{_WORD}| ?[^\w\s]+ $|\s$|{_RUN}", line),
    "word-blank": lambda line: _found(r"(\s|[^\w\s])?\w{1,32} $|\s$", line),
    "blanks": lambda line: _found(r"\s+$", line),
    "1": lambda line: line[-1:],
    "2": lambda line: line[-2:],
    "4": lambda line: line[-4:],
}
"""What of a line before the cursor is left to the model, by name: "server" is what the server does."""


def _found(pattern: str, line: str) -> str:
    match = re.search(pattern, line)
    return match.group() if match else ""


@dataclass(frozen=True, slots=True)
class SeamHole:
    """A place in a file, and what is missing there to the end of the line."""

    document: Document
    point: Point
    missing: str


def holes(root: Path, kind: str, n_holes: int, seed: int) -> list[SeamHole]:
    """Draw holes of a kind from a folder, at most two from each file."""
    rng = random.Random(f"{seed} {root.name} {kind}")
    repository = Repository(root, Exclusion((), (root.as_uri(),)))
    paths = repository.paths()
    rng.shuffle(paths)
    found = [hole for path in paths for hole in _in_file(root / path, kind, rng)]
    return found[:n_holes]


def _in_file(path: Path, kind: str, rng: random.Random) -> Iterator[SeamHole]:
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        return
    places = [
        (number, match.end())
        for number, line in enumerate(lines)
        if kind == "CJK" or not line.lstrip().startswith(_PROSE)
        for match in KINDS[kind].finditer(line)
        if MIN_REST <= len(line[match.end() :].strip()) <= MAX_REST
    ]
    for number, column in rng.sample(places, min(2, len(places))):
        line = lines[number]
        text = "\n".join([*lines[:number], line[:column], *lines[number + 1 :]])
        language = language_for_path(str(path)) or "plaintext"
        document = Document(path.as_uri(), language, 1, Text.of(text))
        yield SeamHole(document, Point(number, column), line[column:].rstrip())


class SeamServer:
    """A llama.cpp server that fills holes with a family's tokens."""

    def __init__(self, url: str, family: FimFamily) -> None:
        # Answers are often left in the middle, so no connection is used twice.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(base_url=url, timeout=600, limits=limits)
        self._family = family

    def fills(self, hole: SeamHole, way: str, cut: Callable[[str], str]) -> bool:
        """Check whether the rest of the line comes out exactly."""
        window = cut_window(hole.document, hole.point, BUDGET_TOKENS)
        begins = "" if way == "before" else cut(window.line_prefix)
        sent = window.line_prefix.removesuffix(begins)
        before, after = (window.prefix + sent, "") if way == "before" else (window.prefix, sent)
        family = self._family
        prompt = f"{family.prefix}{before}{family.suffix}{window.suffix}{family.middle}{after}"
        body = {"prompt": prompt, "n_predict": MAX_TOKENS, "temperature": 0, "cache_prompt": True}
        if way == "forced" and begins:
            body["grammar"] = beginning_with(begins)
        return self._comes(body | {"stop": ["\n"], "stream": True}, begins + hole.missing)

    def _comes(self, body: dict[str, object], wanted: str) -> bool:
        """Check whether an answer is a text; read no further than tells."""
        answer = ""
        with self._client.stream("POST", "/completion", json=body) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line.startswith("data: "):
                    answer += json.loads(line.removeprefix("data: "))["content"]
                if not (wanted.startswith(answer) or answer.startswith(wanted)):
                    return False
                if answer.startswith(wanted) and answer.removeprefix(wanted).strip():
                    return False
        return answer.rstrip() == wanted


def measured(
    server: SeamServer, drawn: Sequence[SeamHole], ways: Sequence[tuple[str, str]]
) -> dict[str, int]:
    """Return how many holes each way fills exactly."""
    exact: Counter[str] = Counter()
    for hole in drawn:
        known: dict[tuple[str, str], bool] = {}
        for way, name in ways:
            key = way, "" if way == "before" else CUTS[name](hole.document.text.line(hole.point.line))
            if key not in known:
                known[key] = server.fills(hole, way, CUTS[name])
            exact[f"{way}: {name}" if way != "before" else way] += known[key]
    return dict(exact)


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", metavar="URL", help="of a llama.cpp server")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--fim", default="qwen", help="the model's family")
    parser.add_argument("--holes", type=int, default=9, help="of each kind, from each folder")
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--kinds", nargs="+", default=[*KINDS], choices=[*KINDS])
    parser.add_argument("--forced", nargs="*", default=["nothing", "server"], choices=[*CUTS])
    parser.add_argument("--hoped", nargs="*", default=["server"], choices=[*CUTS])
    options = parser.parse_args()
    family = family_named(options.fim)
    if family is None:
        parser.error(f"{options.fim} is no family")
    server = SeamServer(options.url, family)
    ways = [(way, name) for way in ("forced", "hoped") for name in getattr(options, way)]
    for kind in options.kinds:
        drawn = [
            hole
            for folder in options.folders
            for hole in holes(folder.resolve(), kind, options.holes, options.seed)
        ]
        counts = measured(server, drawn, [("before", "nothing"), *ways])
        print(json.dumps({"kind": kind, "holes": len(drawn), **counts}), flush=True)


if __name__ == "__main__":
    main()
