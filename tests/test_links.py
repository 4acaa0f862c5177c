"""Every link of every page leads to a file, and to a heading of it where it names one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parent.parent
PLACES = (
    "*.md",
    "docs/**/*.md",
    "examples/*.md",
    "editor-configs/*/*.md",
    "benchmarks/*.md",
    "tests/**/*.md",
)
PAGES = sorted({path for place in PLACES for path in ROOT.glob(place)})
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [target for target in links(page) if not leads_somewhere(page, target)] == []


def test_all_pages_are_looked_at() -> None:
    assert {ROOT / "README.md", ROOT / "docs" / "settings.md"} <= set(PAGES)


def test_every_decision_is_listed_by_its_title() -> None:
    index = (ROOT / "docs/adr/README.md").read_text("utf-8")
    for page in sorted((ROOT / "docs/adr").glob("0*.md")):
        number, _, title = page.read_text("utf-8").partition("\n")[0].removeprefix("# ").partition(". ")
        assert f"| {number} | [{title}]({page.name}) |" in index


def links(page: Path) -> Iterator[str]:
    text = _CODE.sub("", _FENCE.sub("", page.read_text("utf-8")))
    for match in _LINK.finditer(text):
        if not re.match(r"[a-z]+:", match["target"]):
            yield match["target"]


def leads_somewhere(page: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    file = (page.parent / unquote(name)).resolve() if name else page
    if not file.exists():
        return False
    return not anchor or unquote(anchor) in anchors(file)


@cache
def anchors(file: Path) -> frozenset[str]:
    """Return a page's headings as GitHub writes them in addresses."""
    titles = (match["title"] for match in _HEADING.finditer(_FENCE.sub("", file.read_text("utf-8"))))
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower() for title in titles)
    return frozenset(re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in plain)
