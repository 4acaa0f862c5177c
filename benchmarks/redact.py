"""Time the search for secrets on real, ordinary and hostile texts, and count what it masks without need.

    python -m benchmarks.redact                                  # times, and Python's own library
    python -m benchmarks.redact /usr/lib /usr/share /etc         # and 2,000 files below some folders

Milliseconds of processor time for 8,192 characters that were never seen before: median and worst of each text. Then
the finds in Python's own library outside of its tests, which holds no secret: each is a false one.
Of files below folders, chosen by a seed and at most once by name and size, each mask is printed with its line. One is
counted as false where the value has less than eight characters, or less than three bits each.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sysconfig
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

from llm_lsp.core.privacy.redact import Redactor
from llm_lsp.core.secrets.randomness import entropy_bits

CHARS = 8192
ROUNDS = 30
# Files of code and settings, and their sizes in bytes.
KINDS = frozenset(
    (
        *(
            "py",
            "js",
            "mjs",
            "ts",
            "go",
            "rs",
            "java",
            "c",
            "h",
            "cpp",
            "rb",
            "pl",
            "pm",
            "sh",
            "json",
            "yaml",
            "yml",
        ),
        *(
            "toml",
            "xml",
            "conf",
            "ini",
            "html",
            "css",
            "md",
            "cfg",
            "sql",
            "php",
            "vim",
            "lua",
            "el",
            "cmake",
        ),
    )
)
MIN_BYTES, MAX_BYTES = 200, 1 << 18
# Folders of the library that hold tests, others' packages, or copies of either.
NOT_OURS = frozenset({"test", "tests", "idle_test", "site-packages", "lib2to3", "__pycache__"})


def samples() -> dict[str, str]:
    """Return texts of every kind, including those that make a careless regular expression backtrack."""
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
        "bearers of something": "bearer abc1 " * (CHARS // 12),
        "parts of tokens": ".eyJaaaaaaaaaa" * (CHARS // 14),
        "words that look like keys": "sk-The1Thing-" * (CHARS // 13),
        "open quotes": "password='a\\'" * (CHARS // 13),
        "assignments without end": "password=a;" * (CHARS // 11),
        "options": "--password abcdefgh1 " * (CHARS // 21),
        "sheets": "\n".join(noise[at : at + 64] for at in range(0, CHARS, 64)),
        "ends of keys": "-----END PRIVATE KEY-----\n" * (CHARS // 26),
        "keys in one line": "-----BEGIN PRIVATE KEY-----" * (CHARS // 27),
        "values in values": "secret=a1B2" * (CHARS // 11),
        "names with dots": "pwd...." * (CHARS // 7),
        "names that go on": "secret_" * (CHARS // 7),
        "blanks behind a value": "password = a" + " " * (CHARS - 14) + "b",
        "beginnings of long tokens": "AQE" * (CHARS // 3),
        "keys of one service": "-us1 " + noise[: CHARS - 5].lower(),
        "different passwords": "".join(f"pwd={noise[n * 9 : n * 9 + 9]};" for n in range(CHARS // 14)),
        "letters of other scripts": "密码 = '秘密' # é\n" * (CHARS // 15),
    }


def time_samples() -> dict[str, dict[str, float]]:
    """Time each text, each time with an empty cache."""
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
    """Return the files of Python's standard library, without its tests."""
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        if NOT_OURS.isdisjoint(path.relative_to(root).parts):
            yield path.read_text(encoding="utf-8", errors="replace")


def false_finds() -> Counter[str]:
    """Count what is masked in Python's own library, by format."""
    redactor = Redactor()
    return Counter(name for text in library_texts() for name in redactor.redact(text).found)


@dataclass(frozen=True, slots=True)
class Mask:
    """What was masked on a line."""

    file: Path
    line: int
    value: str

    @property
    def is_false(self) -> bool:
        """Whether the value is no literal like a secret's."""
        return len(self.value) < 8 or entropy_bits(self.value) < 3.0


def source_files(roots: Iterable[Path], count: int, seed: int) -> list[Path]:
    """Choose source files below some folders, of each kind as many as there are."""
    by_kind: dict[str, dict[tuple[str, int], Path]] = {}
    for root in roots:
        for folder, _, names in os.walk(root):
            for path in (Path(folder, name) for name in names if name.rpartition(".")[2] in KINDS):
                if not path.is_symlink() and path.is_file() and MIN_BYTES <= path.stat().st_size <= MAX_BYTES:
                    by_kind.setdefault(path.suffix, {})[path.name, path.stat().st_size] = path
    dice, kinds = random.Random(seed), []
    for _, found in sorted(by_kind.items()):
        files = sorted(found.values())
        dice.shuffle(files)
        kinds.append(files)
    turns = (path for turn in zip_longest(*kinds) for path in turn if path)
    return list(islice(turns, count))


def masks(files: Iterable[Path]) -> Iterator[Mask]:
    """Yield what is masked in some files."""
    redactor = Redactor()
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        pairs = zip(text.split("\n"), redactor.redact(text).text.split("\n"), strict=True)
        for number, (line, masked) in enumerate(pairs, 1):
            changed = [at for at, (one, other) in enumerate(zip(line, masked, strict=True)) if one != other]
            if changed:
                yield Mask(path, number, line[changed[0] : changed[-1] + 1])


def main() -> None:
    """Print all figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    figures: dict[str, object] = {"ms": time_samples(), "false_finds": false_finds()}
    if chosen.folders:
        files = source_files(chosen.folders, chosen.count, chosen.seed)
        found = list(masks(files))
        for mask in found:
            print("false" if mask.is_false else "     ", f"{mask.file}:{mask.line}", mask.value)
        n_lines = sum(path.read_bytes().count(b"\n") for path in files)
        n_false = sum(mask.is_false for mask in found)
        figures |= {"files": len(files), "lines": n_lines, "masks": len(found), "false": n_false}
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
