"""Time the search for secrets on real, ordinary and hostile texts, and count what it masks without need.

    python -m benchmarks.redact

Milliseconds of processor time for 8,192 characters that were never seen before: median and worst of each text. Then
the finds in Python's own library outside of its tests, which holds no secret: each is a false one.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from llm_lsp.core.privacy.redact import Redactor

CHARS = 8192
ROUNDS = 30
# Folders of the library that hold tests, others' packages, or copies of either.
NOT_OURS = frozenset({"test", "tests", "idle_test", "site-packages", "lib2to3", "__pycache__"})


def samples() -> dict[str, str]:
    """Give texts of every kind, among them those on which a careless expression goes back and forth."""
    dice = random.Random(1)
    library = Path(sysconfig.get_path("stdlib"))
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
    noise = "".join(dice.choices(alphabet, k=CHARS))
    lines = (f'name_{n} = "{noise[n : n + 40]}"' for n in range(200))
    return {
        "code": (library / "argparse.py").read_text(encoding="utf-8")[20_000:],
        "types": "\n".join(f"def method_{n}(self, value: int | None = None) -> str: ..." for n in range(150)),
        "a lock file": "\n".join(f'  "package-{n}": "sha512-{noise[n : n + 86]}",' for n in range(90)),
        "settings": "\n".join(f"service_{n}_password = ${{PASSWORD_{n}}}" for n in range(200)),
        "quoted values": "\n".join(lines),
        "minified": "a=f(1);" * (CHARS // 7),
        "base64": noise,
        "dashes": "-" * CHARS,
        "beginnings of keys": "-----BEGIN " * (CHARS // 11),
        "private keys without end": "-----BEGIN PRIVATE KEY-----\n" * (CHARS // 28),
        "users of addresses": "://a:" * (CHARS // 5),
        "prefixes": "sk-" * (CHARS // 3),
        "tokens of three parts": "eyJ" * (CHARS // 3),
        "many prefixes": "sk-ant-ghp_glpat-xoxb-AKIAhf_" * (CHARS // 29),
        "words of secrets": 'password = "' * (CHARS // 12),
        "bearers": "bearer " * (CHARS // 7),
    }


def time_samples() -> dict[str, dict[str, float]]:
    """Time each text, each time by somebody who has seen none of its lines."""
    figures = {}
    for name, text in samples().items():
        text, redactor = text[:CHARS], Redactor()
        times: list[float] = []
        redactor.redact(text)  # Expressions are compiled when they are first of use.
        for _ in range(ROUNDS):
            redactor.hide(f"another value {len(times):04}")  # Forgets what was seen.
            began = time.process_time()
            redactor.redact(text)
            times.append(1e3 * (time.process_time() - began))
        figures[name] = {"median_ms": round(statistics.median(times), 2), "worst_ms": round(max(times), 2)}
    return figures


def library_texts() -> Iterator[str]:
    """Give the files of Python's own library, without its tests."""
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        if NOT_OURS.isdisjoint(path.relative_to(root).parts):
            yield path.read_text(encoding="utf-8", errors="replace")


def false_finds() -> Counter[str]:
    """Count what is masked in Python's own library, by format."""
    redactor = Redactor()
    return Counter(name for text in library_texts() for name in redactor.redact(text).found)


def main() -> None:
    """Print all figures as JSON."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    print(json.dumps({"ms": time_samples(), "false_finds": false_finds()}, indent=1))


if __name__ == "__main__":
    main()
