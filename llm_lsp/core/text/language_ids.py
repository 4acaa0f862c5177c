"""Which language a document is in: by its file name, its first line, or another editor's name for the language.

Our identifiers are LSP 3.17's list. The small tables hold what is usual; what they do not have is looked up in
`identify` (file names, interpreters) and Pygments (names of languages), which are imported only then.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from functools import lru_cache
from types import MappingProxyType

# Languages whose files use each other.
_KIN = {
    "typescriptreact": "typescript",
    "javascript": "typescript",
    "javascriptreact": "typescript",
    "vue": "typescript",
    "svelte": "typescript",
    "c": "cpp",
}
_BY_LANGUAGE = {
    "bat": "bat cmd", "c": "c h", "cpp": "cc cpp cxx hh hpp hxx ipp", "csharp": "cs", "css": "css", "dart": "dart",
    "diff": "diff patch", "dockerfile": "dockerfile", "elixir": "ex exs", "elm": "elm", "erlang": "erl hrl",
    "fsharp": "fs fsx", "go": "go", "groovy": "groovy gradle", "haskell": "hs", "html": "htm html", "ini": "cfg ini",
    "java": "java", "javascript": "cjs js mjs", "javascriptreact": "jsx", "json": "json", "julia": "jl",
    "kotlin": "kt kts", "latex": "tex", "less": "less", "lua": "lua", "makefile": "mk", "markdown": "markdown md",
    "nix": "nix", "objective-c": "m", "ocaml": "ml mli", "perl": "pl pm", "php": "php", "powershell": "ps1 psm1",
    "proto": "proto", "python": "py pyi pyw", "r": "r", "ruby": "gemspec rake rb", "rust": "rs", "scala": "sbt scala",
    "scss": "scss", "shellscript": "bash sh zsh", "solidity": "sol", "sql": "sql", "svelte": "svelte",
    "swift": "swift", "terraform": "tf", "toml": "toml", "typescript": "cts mts ts", "typescriptreact": "tsx",
    "vim": "vim", "vue": "vue", "xml": "xml xsd xsl", "yaml": "yaml yml", "zig": "zig",
    "just": "just", "starlark": "bzl star", "fish": "fish",
}  # fmt: skip
_BY_EXTENSION = MappingProxyType(
    {extension: language for language, extensions in _BY_LANGUAGE.items() for extension in extensions.split()}
)
_BY_NAME = MappingProxyType(
    {
        "dockerfile": "dockerfile",
        "makefile": "makefile",
        "gnumakefile": "makefile",
        "gemfile": "ruby",
        "rakefile": "ruby",
        # What `identify` does not have.
        "justfile": "just",
        ".justfile": "just",
        "snakefile": "python",
        "sconstruct": "python",
        "sconscript": "python",
        ".vimrc": "vim",
        "_vimrc": "vim",
        ".gvimrc": "vim",
        ".exrc": "vim",
        "build": "starlark",
        "workspace": "starlark",
        "commit_editmsg": "git-commit",
        "merge_msg": "git-commit",
        ".eslintrc": "jsonc",
        ".emacs": "emacs-lisp",
        ".npmrc": "ini",
        ".condarc": "yaml",
    }
)
# Names that the editors' modes and Pygments' aliases have no identifier of ours for; Vim, Emacs and Helix send these.
_ALIASES = {
    "html": "mhtml htmldjango html-django django django-html eruby erb html+erb html-erb heex eex ejs jinja jinja-html jinja2"
            " html+jinja html+django twig mustache liquid blade htmlangular angular gohtml gotmpl web xhtml htmlheex aspx",
    "xml": "nxml xslt svg docbook",
    "git-commit": "gitcommit scminput gitrebase git-rebase vc-git-log-edit text-mode-commit",
    "plaintext": "text txt fundamental plain help mail man",
    "javascriptreact": "jsx javascript.jsx javascript-jsx javascriptjsx rjsx js-jsx js2-jsx",
    "typescriptreact": "tsx typescript.tsx typescript-tsx typescripttsx tsx-ts",
    "javascript": "js2 js3 javascript-ts js-ts mjs node ecma",
    "typescript": "typescript-ts ts-ts deno",
    "objective-c": "objc objectivec", "objective-cpp": "objcpp objc++", "cpp": "c++ cplusplus arduino",
    "cuda-cpp": "cuda", "ini": "dosini conf cfg gitconfig git-config desktop systemd editorconfig confini toml-like",
    "shellscript": "ash dash ksh posix-shell shell-script bats pkgbuild ebuild sh-ts bash-ts direnv",
    "properties": "jproperties conf-javaprop javaprop dotenv env sshconfig ssh-config gitignore gitattributes git-attributes"
                  " git-ignore requirements pip-requirements crontab",
    "yaml": "helm helmfile docker-compose dockercompose ansible yaml-ts github-actions cloudformation",
    "jsonc": "json5 jsonl json-ts hjson", "sql": "mysql plsql plpgsql pgsql postgresql psql sqlite tsql sqloracle",
    "makefile": "make gmake makefile-gmake makefile-bsdmake automake bsdmake gnumakefile", "just": "justfile",
    "latex": "plaintex context latex-mode ltx", "ocaml": "ocamlinterface tuareg reason", "lisp": "fennel hy lfe janet",
    "emacs-lisp": "lisp-interaction inferior-emacs-lisp lisp-data", "clojure": "clojurescript clojurec edn",
    "terraform": "hcl tofu opentofu terraform-vars tfvars terragrunt", "dockerfile": "containerfile dockerfile-ts",
    "verilog": "verilogams", "systemverilog": "verilog_systemverilog system-verilog", "starlark": "bazel bzl tilt",
    "elixir": "elixir-ts", "erlang": "escript", "csharp": "csharp-ts", "restructuredtext": "rest", "perl": "perl6 raku cperl",
    "matlab": "octave", "markdown": "gfm pandoc vimwiki telekasten markdown-ts", "fortran": "f90 fixed-form-fortran",
    "python": "python-ts sage.python xonsh snakemake", "powershell": "ps1xml", "cmake": "cmake-ts", "vim": "viml vimscript vim9", "kotlin": "kt kts kotlin-ts",
}  # fmt: skip
_BY_ALIAS = MappingProxyType(
    {alias: language for language, aliases in _ALIASES.items() for alias in aliases.split()}
)
# Identifiers that clients send for documents of an unknown language.
_UNSPECIFIC = frozenset(("", "plaintext", "text", "txt", "fundamental", "plain", "unknown"))
# Characters of a first line that are read.
MAX_LINE_CHARS = 200


def document_language(path: str, language_id: str, first_line: str = "") -> str:
    """Return a document's language: as its client says, or by its name and first line if that says nothing."""
    if language_id.lower() not in _UNSPECIFIC:
        return language_id
    return language_for_path(path) or language_for_interpreter(first_line) or language_id


def language_for_path(path: str) -> str:
    """Guess a file's language identifier from its name; "" if unknown."""
    name = path.replace("\\", "/").rpartition("/")[2]
    lower = name.lower()
    known = _BY_NAME.get(lower) or _BY_EXTENSION.get(lower.rpartition(".")[2] if "." in lower else "")
    return _by_tags(name) if known is None and name else known or ""


def language_for_interpreter(first_line: str) -> str:
    """Guess the language of a script from its first line, `#!/usr/bin/env python3`; "" if that names none."""
    if not first_line.startswith("#!"):
        return ""
    from identify import identify

    command = identify.parse_shebang(
        io.BytesIO(first_line[:MAX_LINE_CHARS].encode("utf-8", "replace") + b"\n")
    )
    name = command[0].rpartition("/")[2] if command else ""
    return _first_known([name.rstrip("0123456789."), *sorted(identify.tags_from_interpreter(name))])


def known_names(language_id: str, known: Collection[str]) -> Iterator[str]:
    """Yield the identifiers among `known` that another name for a language stands for, the likeliest first.

    Vim joins several filetypes by dots.
    """
    names = [language_id, *language_id.split(".")] if "." in language_id else [language_id]
    for name in names:
        for each in (name, name.removesuffix("-mode").removesuffix("-ts")):
            if (found := _BY_ALIAS.get(each, each)) in known:
                yield found
    for name in names:
        yield from (
            _BY_ALIAS.get(alias, alias) for alias in _aliases(name) if _BY_ALIAS.get(alias, alias) in known
        )


@lru_cache(maxsize=256)
def _by_tags(name: str) -> str:
    from identify import identify

    return _first_known(sorted(identify.tags_from_filename(name) - _NO_LANGUAGE))


# Tags of `identify` that name no language, or a kind of several.
_NO_LANGUAGE = frozenset(("text", "binary", "plain-text", "file", "jenkins", "alpm"))
# Tags that are not identifiers of ours.
_BY_TAG = {
    "shell": "shellscript", "bash": "shellscript", "zsh": "shellscript", "sh": "shellscript", "ksh": "shellscript",
    "c++": "cpp", "objective-c": "objective-c", "jsx": "javascriptreact", "tsx": "typescriptreact", "node": "javascript",
    "system-verilog": "systemverilog", "go-mod": "go.mod", "tex": "latex", "scons": "python", "bazel": "starlark",
    "c#": "csharp", "f#": "fsharp", "ts": "typescript", "jinja": "html", "dash": "shellscript", "rst": "restructuredtext",
    "scheme": "scheme", "emacs-lisp": "emacs-lisp", "protobuf": "proto", "batch": "bat", "deno": "typescript",
}  # fmt: skip
_TAGS = frozenset(
    (
        *_BY_LANGUAGE,
        *_ALIASES,
        "cmake",
        "fortran",
        "vhdl",
        "meson",
        "tcl",
        "coffeescript",
        "restructuredtext",
        "graphql",
    )
)


def _first_known(tags: Collection[str]) -> str:
    """Return the identifier for the first tag that names a language, those of our own list before the others."""
    names = [_BY_TAG.get(tag, tag) for tag in tags if tag]
    return next((name for name in names if name in _TAGS), "") or next(
        (name for name in names if name in _BY_TAG.values()), ""
    )


@lru_cache(maxsize=256)
def _aliases(name: str) -> tuple[str, ...]:
    """Return the other names that Pygments has for a language."""
    from pygments.lexers import get_all_lexers  # type: ignore[import-untyped] # it ships no types

    for _, aliases, _, _ in get_all_lexers(plugins=False):
        if name in aliases:
            return tuple(aliases)
    return ()


def kin_of(language: str) -> str:
    """Return the common name of a language and those whose files it uses."""
    return _KIN.get(language, language)
