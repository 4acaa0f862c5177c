"""Import lines name files by guesses, the likeliest first."""

from __future__ import annotations

import pytest

from llm_lsp.core.context.imports import MAX_IMPORTS, imports_of, is_import


def found(language: str, path: str, text: str) -> list[tuple[str, set[str]]]:
    """Return the most likely path of each import, and its names."""
    lines = text.splitlines(keepends=True)
    return [(one.paths[0], set(one.names)) for one in imports_of(lines, language, path)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import app.models as m, os\n", [("app/models.py", set()), ("os.py", set())]),
        (
            "from app.models import User as U, Cart\n",
            [
                ("app/models.py", {"User", "Cart"}),
                ("app/models/User.py", set()),
                ("app/models/Cart.py", set()),
            ],
        ),
        (
            "from .models import (\n    User,  # the one\n    Cart,\n)\n",
            [
                ("app/api/models.py", {"User", "Cart"}),
                ("app/api/models/User.py", set()),
                ("app/api/models/Cart.py", set()),
            ],
        ),
        ("from .. import db\n", [("app/db.py", set())]),
        ("    from x import *\n", [("x.py", set())]),
        ("text = 'from nowhere'\nimporting = 1\n", []),
    ],
    ids=["modules", "names", "relative and over lines", "a sibling of the package", "all", "no import"],
)
def test_python(text: str, expected: list[tuple[str, set[str]]]) -> None:
    assert found("python", "app/api/views.py", text) == expected


def test_python_packages_may_stand_in_the_top_in_src_or_above_the_file() -> None:
    (one,) = imports_of(["import models\n"], "python", "lib/app/a.py")

    assert one.paths[::3] == ("models.py", "src/models.py", "lib/app/models.py", "lib/models.py")
    assert "src/models/__init__.py" in one.paths


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import { User, type Cart as C } from './models'\n", [("web/models.ts", {"User", "Cart"})]),
        ("import type {\n  A,\n  B,\n} from '../lib/types';\n", [("lib/types.ts", {"A", "B"})]),
        ('import App from "./App.js"\n', [("web/App.js", set())]),
        ("export * from './all'\n", [("web/all.ts", set())]),
        (
            "const x = require('./x'); const y = await import('./y')\n",
            [("web/x.ts", set()), ("web/y.ts", set())],
        ),
        ("import '@/setup'\n", [("src/setup.ts", set())]),
        ("import React from 'react'\nimport fs from 'node:fs'\nimport z from '../../out'\n", []),
    ],
    ids=[
        "names",
        "types over lines",
        "with an ending",
        "passed on",
        "calls",
        "an alias",
        "packages and outside",
    ],
)
def test_scripts(text: str, expected: list[tuple[str, set[str]]]) -> None:
    assert found("typescript", "web/main.ts", text) == expected


def test_go_paths_may_begin_with_the_modules_name() -> None:
    text = 'package a\n\nimport (\n\t"fmt"\n\tm "example.org/shop/internal/models"\n)\nimport "x/y"\n'
    paths = [one.paths for one in imports_of(text.splitlines(keepends=True), "go", "cmd/main.go")]

    assert paths == [
        ("fmt/",),
        ("example.org/shop/internal/models/", "shop/internal/models/", "internal/models/", "models/"),
        ("x/y/", "y/"),
    ]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("src/a/b.rs", "use crate::db::Pool;\n", [("src/db.rs", {"Pool"}), ("src/db/Pool.rs", set())]),
        (
            "src/a/b.rs",
            "use super::{c, d::E};\n",
            [("src/a.rs", {"c"}), ("src/a/c.rs", set()), ("src/a/d.rs", {"E"}), ("src/a/d/E.rs", set())],
        ),
        ("src/main.rs", "mod config;\n", [("src/config.rs", set())]),
        ("core/src/a/mod.rs", "pub(crate) mod inner;\n", [("core/src/a/inner.rs", set())]),
        ("src/a.rs", "use std::fmt;\nuse serde::Serialize;\n", []),
        ("src/a.rs", "use crate::Top;\n", [("src/lib.rs", {"Top"}), ("src/Top.rs", set())]),
    ],
    ids=["crate", "super and braces", "mod in main", "mod in mod", "other crates", "the crate's root"],
)
def test_rust(path: str, text: str, expected: list[tuple[str, set[str]]]) -> None:
    assert found("rust", path, text) == expected


def test_java_knows_its_root_by_its_package() -> None:
    text = "package org.shop.api;\n\nimport org.shop.models.User;\nimport static org.shop.Util.max;\nimport java.util.*;\n"
    path = "src/test/java/org/shop/api/ATest.java"
    found = imports_of(text.splitlines(keepends=True), "java", path)

    assert [one.paths for one in found] == [
        ("src/test/java/org/shop/models/User.java", "src/main/java/org/shop/models/User.java"),
        ("src/test/java/org/shop/Util.java", "src/main/java/org/shop/Util.java"),
    ]
    assert found[1].names == {"Util"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("from a.b import c", True),
        ("    import os, sys\n", True),
        ('import { a } from "b";', True),
        ('const fs = require("fs");', True),
        ("use std::io;", True),
        ("#include <stdio.h>", True),
        ("importer = 1", False),
        ("from_a = b", False),
        ("pub use a::b;", True),
        ("use ::std::io;", True),
        ("require_relative 'b'", True),
        ('local m = require "m"', True),
        ('import("b").then(run)', False),
        ("using var file = open()", False),
        ("using (var file = open()) {", False),
        ("require(sender == owner)", False),
        ("use: true", False),
        ("", False),
    ],
)
def test_imports_are_told_by_their_looks(line: str, expected: bool) -> None:
    assert is_import(line) is expected


def test_other_languages_have_none() -> None:
    assert imports_of(["import x\n"], "brainfuck", "a") == ()


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("python", "import a\n"),
        ("python", "from a import (" + "b, " * 200),
        ("typescript", "import " * 60 + "\n"),
        ("rust", "use a::{" * 60 + "\n"),
        ("go", 'import ("' + "a/" * 190 + '"\n'),
    ],
    ids=["many", "an open bracket", "words", "braces", "a long path"],
)
def test_hostile_texts_cost_a_bounded_time(language: str, line: str) -> None:
    assert len(imports_of([line] * 100_000, language, "src/a.py")) <= MAX_IMPORTS
