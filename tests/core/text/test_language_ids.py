"""A document's language is known by its name, its first line, or by the name that another editor has for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from llm_lsp.core.text.language_ids import document_language, language_for_interpreter, language_for_path
from llm_lsp.core.text.languages import UNKNOWN, language_of


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("CMakeLists.txt", "cmake"),
        ("Containerfile", "dockerfile"),
        ("Dockerfile.dev", "dockerfile"),
        ("Justfile", "just"),
        ("justfile", "just"),
        ("Makefile.am", "makefile"),
        ("GNUmakefile", "makefile"),
        ("Vagrantfile", "ruby"),
        ("Jenkinsfile", "groovy"),
        ("BUILD.bazel", "starlark"),
        (".bashrc", "shellscript"),
        (".zshrc", "shellscript"),
        (".profile", "shellscript"),
        ("PKGBUILD", "shellscript"),
        (".vimrc", "vim"),
        (".gitconfig", "ini"),
        (".babelrc", "json"),
        (".clang-format", "yaml"),
        ("Pipfile", "toml"),
        ("wscript", "python"),
        ("Snakefile", "python"),
        ("a.fish", "fish"),
        ("a.sv", "systemverilog"),
        ("a.vhd", "vhdl"),
        ("a.f90", "fortran"),
        ("C:\\p\\a.py", "python"),
        ("notes.txt", ""),
        ("README", ""),
        ("a.unheard-of", ""),
        ("", ""),
    ],
)
def test_a_file_name_tells_its_language(name: str, language: str) -> None:
    assert language_for_path(f"/p/{name}" if name else "") == language


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("#!/bin/sh", "shellscript"),
        ("#!/usr/bin/env bash", "shellscript"),
        ("#!/usr/bin/python3.11 -u", "python"),
        ("#!/usr/bin/env -S python3 -u", "python"),
        ("#!/usr/bin/env node", "javascript"),
        ("#! /usr/bin/perl", "perl"),
        ("#!/usr/bin/env ruby", "ruby"),
        ("#!/usr/bin/env fish", "fish"),
        ("#!/usr/bin/lua5.4", "lua"),
        ("#!/usr/bin/env unheard-of", ""),
        ("#!", ""),
        ("# no script", ""),
        ("#!\ud800", ""),
    ],
)
def test_a_shebang_tells_its_language(line: str, language: str) -> None:
    assert language_for_interpreter(line) == language


def test_what_the_client_says_comes_first() -> None:
    assert document_language("/p/a.py", "sage", "#!/bin/sh") == "sage"
    assert document_language("/p/a.py", "", "#!/bin/sh") == "python"
    assert document_language("/p/CMakeLists.txt", "plaintext") == "cmake"
    assert document_language("/p/run", "plaintext", "#!/bin/sh") == "shellscript"
    assert document_language("/p/notes.txt", "plaintext") == "plaintext"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        *[(name, "makefile") for name in ("make", "makefile-gmake", "bsdmake")],
        *[(name, "html") for name in ("mhtml", "htmldjango", "eruby", "html-erb", "heex", "jinja", "twig", "html.handlebars")],
        *[(name, "typescriptreact") for name in ("tsx", "typescript.tsx", "tsx-ts-mode")],
        *[(name, "javascriptreact") for name in ("jsx", "javascript.jsx", "rjsx")],
        *[(name, "python") for name in ("py", "python3", "python-ts", "sage.python", "Python")],
        *[(name, "cpp") for name in ("c++", "c++-ts-mode")],
        *[(name, "shellscript") for name in ("ksh", "shell", "sh-mode", "bash-ts")],
        *[(name, "emacs-lisp") for name in ("elisp", "lisp-interaction")],
        *[(name, "yaml") for name in ("yaml.docker-compose", "helm", "yaml.ansible")],
        ("gitcommit", "git-commit"), ("scminput", "git-commit"), ("plaintex", "latex"), ("dosini", "ini"),
        ("viml", "vim"), ("ps1", "powershell"), ("rst", "restructuredtext"), ("common-lisp", "lisp"), ("objc", "objective-c"),
        ("golang", "go"), ("rb", "ruby"), ("rs", "rust"), ("kt", "kotlin"), ("hcl", "terraform"), ("verilog_systemverilog", "systemverilog"),
        ("octave", "matlab"), ("justfile", "just"), ("containerfile", "dockerfile"), ("psql", "sql"), ("text", "plaintext"),
    ],
)  # fmt: skip
def test_another_editors_name_stands_for_the_language(sent: str, meant: str) -> None:
    assert language_of(sent) == language_of(meant)
    assert language_of(sent) is not UNKNOWN


@pytest.mark.parametrize("name", ["unheard-of", "", "..", "a." * 1000, "x" * 10_000])
def test_an_unknown_name_is_c_like(name: str) -> None:
    assert language_of(name) is UNKNOWN


def test_the_large_tables_are_read_only_when_they_are_needed() -> None:
    code = (
        "import sys\n"
        "import llm_lsp.lsp.server, llm_lsp.engine.engine\n"
        "from llm_lsp.core.text.language_ids import document_language\n"
        "from llm_lsp.core.text.languages import language_of\n"
        "language_of('python'), language_of('make'), document_language('/p/a.py', '', '')\n"
        "print([name for name in ('identify', 'pygments') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
