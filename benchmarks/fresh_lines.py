"""Count how often a real model's first line comes at a wrong column, where no indentation was typed yet.

    python -m benchmarks.fresh_lines http://127.0.0.1:8012

Each place is a short file whose cursor is at column 0, at the editor's indentation, or behind a blank line. The engine asks
a llama.cpp server as an editor would, by a manual request. Printed is a JSON object for each place, with the column at which
the first line came and whether the language wants it there, then one with the sums.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass

from llm_lsp.cli.running_engine import running
from llm_lsp.cli.terminal.console import ConsoleClient
from llm_lsp.config.settings_layers import SettingsStack
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.request import Completion, CompletionRequest, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.languages import indent_of
from llm_lsp.core.text.text import Point, Text
from llm_lsp.engine.engine import CompletionEngine

CURSOR = "‸"
# By language: texts with a cursor, and the columns at which the next line with text may stand; a tab is four columns.
PLACES: dict[str, tuple[tuple[str, tuple[int, ...]], ...]] = {
    "python": (
        ("class Account:\n‸\n", (4,)),
        ("def area(width, height):\n‸\n", (4,)),
        ('def area(width, height):\n    """Return it."""\n\n‸\n', (4,)),
        ("for name in names:\n    if name:\n‸\n", (8,)),
        ("class Stack:\n    def __init__(self):\n        self.items = []\n\n    def push(self, item):\n‸\n", (8,)),
    ),
    "javascript": (
        ("function area(width, height) {\n‸\n}\n", (2, 4)),
        ("class Stack {\n  constructor() {\n‸\n  }\n}\n", (4,)),
        ("for (const name of names) {\n‸\n}\n", (2, 4)),
        ("const total = (xs) => {\n‸\n};\n", (2, 4)),
        ("if (user) {\n  greet(user);\n} else {\n‸\n}\n", (2,)),
    ),
    "typescript": (
        ("interface User {\n‸\n}\n", (2, 4)),
        ("export function area(width: number): number {\n‸\n}\n", (2, 4)),
        ("class Stack {\n    private items: string[] = [];\n\n    push(item: string) {\n‸\n    }\n}\n", (8,)),
        ("switch (kind) {\n  case 'a':\n‸\n}\n", (4, 2)),
        ("enum Color {\n‸\n}\n", (2, 4)),
    ),
    "go": (
        ("package main\n\nfunc area(w, h int) int {\n‸\n}\n", (4,)),
        ("package main\n\ntype User struct {\n‸\n}\n", (4,)),
        ("package main\n\nfunc f(xs []int) {\n\tfor _, x := range xs {\n‸\n\t}\n}\n", (8,)),
        ('package main\n\nimport (\n‸\n)\n', (4,)),
        ("package main\n\nfunc f(err error) {\n\tif err != nil {\n‸\n\t}\n}\n", (8,)),
    ),
    "rust": (
        ("fn area(width: u32, height: u32) -> u32 {\n‸\n}\n", (4,)),
        ("struct User {\n‸\n}\n", (4,)),
        ("impl User {\n    fn name(&self) -> &str {\n‸\n    }\n}\n", (8,)),
        ("enum Shape {\n‸\n}\n", (4,)),
        ("fn f(a: u8) {\n    match a {\n‸\n    }\n}\n", (8,)),
    ),
    "java": (
        ("class Account {\n‸\n}\n", (4, 2)),
        ("class Account {\n    int balance() {\n‸\n    }\n}\n", (8,)),
        ("class A {\n  void f(int[] xs) {\n    for (int x : xs) {\n‸\n    }\n  }\n}\n", (6,)),
        ("interface Shape {\n‸\n}\n", (4, 2)),
        ("enum Color {\n‸\n}\n", (4, 2)),
    ),
    "c": (
        ("int area(int w, int h) {\n‸\n}\n", (4, 2, 8)),
        ("struct user {\n‸\n};\n", (4, 2, 8)),
        ("int main(void)\n{\n\tint i;\n\tfor (i = 0; i < 3; i++) {\n‸\n\t}\n}\n", (8,)),
        ("int max(int a, int b)\n{\n    if (a > b)\n‸\n}\n", (8,)),
        ("enum color {\n‸\n};\n", (4, 2, 8)),
    ),
    "ruby": (
        ("class Account\n‸\nend\n", (2, 4)),
        ("def area(width, height)\n‸\nend\n", (2, 4)),
        ("class Stack\n  def push(item)\n‸\n  end\nend\n", (4,)),
        ("names.each do |name|\n‸\nend\n", (2, 4)),
        ("if user\n  greet user\nelse\n‸\nend\n", (2,)),
    ),
    "yaml": (
        ("services:\n‸\n", (2, 0)),
        ("on:\n  push:\n‸\n", (4,)),
        ("jobs:\n  test:\n    steps:\n‸\n", (4, 6)),
        ("version: 2\nbuild:\n‸\n", (2, 0)),
        ("a:\n    b:\n‸\n", (8, 4)),
    ),
    "html": (
        ("<ul>\n‸\n</ul>\n", (2, 4, 0)),
        ("<body>\n  <div>\n‸\n  </div>\n</body>\n", (4,)),
        ("<table>\n  <tr>\n‸\n  </tr>\n</table>\n", (4,)),
        ("<div>\n    <p>\n‸\n    </p>\n</div>\n", (8,)),
        ("<nav>\n  <a href='/'>Home</a>\n‸\n</nav>\n", (2,)),
    ),
    "css": (
        ("body {\n‸\n}\n", (2, 4)),
        ("a {\n    color: red;\n}\n\np {\n‸\n}\n", (4,)),
        ("@media (max-width: 600px) {\n  nav {\n‸\n  }\n}\n", (4,)),
        (".card {\n  color: red;\n‸\n}\n", (2,)),
        ("h1 {\n\tcolor: red;\n}\n\nh2 {\n‸\n}\n", (4,)),
    ),
    "makefile": (
        ("all: main.o\n‸\n", (4,)),
        ("CC = gcc\n\nmain.o: main.c\n‸\n", (4,)),
        (".PHONY: clean\nclean:\n‸\n", (4,)),
        ("build:\n\tgo build ./...\n\ntest: build\n‸\n", (4,)),
        ("install: all\n\tmkdir -p $(BIN)\n‸\n", (4,)),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came at a place."""

    language: str
    text: str
    column: int | None
    """Of the first line with text that came; None if nothing did."""
    is_right: bool


async def outcomes(engine: CompletionEngine) -> AsyncIterator[Outcome]:
    """Yield what comes at each place."""
    for language, places in PLACES.items():
        for n, (marked, columns) in enumerate(places):
            before, _, after = marked.partition(CURSOR)
            document = Document(f"file:///fresh/{language}{n}", language, 1, Text.of(before + after))
            column = await _first_column(engine, document, before)
            yield Outcome(language, marked, column, column is None or column in columns)


async def _first_column(engine: CompletionEngine, document: Document, before: str) -> int | None:
    engine.open(document)
    await engine.ready(document)
    line = before.count("\n")
    point = Point(line, len(before) - before.rfind("\n") - 1)
    request = CompletionRequest(engine.next_id(), document, point, Trigger.MANUAL, "command", engine.now())
    done = await engine.complete(request)
    engine.close(document.uri)
    if not isinstance(done, Completion):
        return None
    text = document.text.edit(done.start, done.end, done.text)
    lines = (text.line(n) for n in range(line, text.line_count))
    return next((indent_of(one) for one in lines if one.strip()), None)


def stack(url: str) -> SettingsStack:
    """Return settings with the server as the only provider."""
    provider = {
        "api": "llamacpp-infill", "base_url": url, "model": "qwen2.5-coder-0.5b", "max_tokens": 48, "local": True, "free": True,
    }  # fmt: skip
    settings = {"provider": "server", "providers": {"server": provider}, "usage": {"save": False}}
    return SettingsStack().with_layer(SettingsSource.USER_FILE, settings)


async def measured(url: str) -> None:
    """Ask at all places, and print each outcome as it comes, then their sums."""
    n_places = n_answers = n_wrong = 0
    async with running(stack(url), ConsoleClient()) as engine:
        async for outcome in outcomes(engine):
            n_places += 1
            n_answers += outcome.column is not None
            n_wrong += not outcome.is_right
            print(json.dumps(asdict(outcome), ensure_ascii=False), flush=True)
    print(json.dumps({"places": n_places, "answers": n_answers, "wrong": n_wrong}))


def main() -> None:
    """Measure and print JSON lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", metavar="URL", help="of a llama.cpp server")
    asyncio.run(measured(parser.parse_args().url))


if __name__ == "__main__":
    main()
