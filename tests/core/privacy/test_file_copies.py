"""A backup, a lock or a copy is recognized by its name."""

from __future__ import annotations

import pytest

from llm_lsp.core.privacy.file_copies import MAX_NAME_CHARS, original_folder, originals


@pytest.mark.parametrize(
    ("copy", "original"),
    [
        *((f"a.key{end}", "a.key") for end in ("~", ".~1~", ".~12~", ".bak", ".BAK", ".bak2", ".backup", ".old", ".orig")),
        *((f"a.key{end}", "a.key") for end in (".save", ".save.1", ".tmp", "_bak", "-old", " copy", ".copy", ".rej", ".1")),
        *((f"a.key{end}", "a.key") for end in (".rpmsave", ".dpkg-old", ".ucf-dist", ".pacnew", ".20240131", "_20240131093000")),
        *((f"a.key{end}", "a.key") for end in (".", " ", ". .", "::$DATA", ":stream", " (1)", " (copy)", " - Copy", " 2")),
        (".a.key.swp", "a.key"),
        (".a.key.swo", "a.key"),
        (".a.key.un~", "a.key"),
        (".env.swp", ".env"),
        ("#a.key#", "a.key"),
        (".#a.key", "a.key"),
        ("Copy of a.key", "a.key"),
        ("a (1).key", "a.key"),
        ("a (copy 2).key", "a.key"),
        ("a - Copy.key", "a.key"),
        ("a copy 2.key", "a.key"),
        ("a_BACKUP_4711.key", "a.key"),
        ("a.LOCAL.4711.key", "a.key"),
        ("%home%u%a.key", "a.key"),
        ("#!home!u!a.key#", "a.key"),
        ("!home!u!a.key~", "a.key"),
        ("#.env.bak#", ".env"),
        (".env.bak~", ".env"),
        (".env.old.1", ".env"),
    ],
)  # fmt: skip
def test_a_copy_belongs_to_its_original(copy: str, original: str) -> None:
    assert original in originals(copy)


@pytest.mark.parametrize(
    "name",
    [
        "main.py",
        "test_1.py",
        "0001_initial.py",
        "a.b.c.ts",
        "README.md",
        ".env",
        "backup.py",
        "copy.go",
        "~",
        "..",
        ".bak",
    ],
)
def test_an_ordinary_name_is_no_copy(name: str) -> None:
    assert originals(name) == frozenset()


def test_a_name_of_marks_alone_has_few_originals() -> None:
    assert len(originals(".bak" * 60)) < 60
    assert originals("a" + ".bak" * MAX_NAME_CHARS) == frozenset()


@pytest.mark.parametrize(
    ("name", "original"),
    [
        (".ssh.bak", ".ssh"),
        (".aws~", ".aws"),
        (".ssh.old.bak", ".ssh"),
        ("build-old", "build-old"),
        ("lib.2", "lib.2"),
        (".bak", ".bak"),
    ],
)
def test_a_folders_backup_belongs_to_it(name: str, original: str) -> None:
    assert original_folder(name) == original
