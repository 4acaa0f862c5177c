"""Language identifiers by file name, for texts that no editor has named; the identifiers are LSP 3.17's list."""

from __future__ import annotations

from types import MappingProxyType

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
    }
)


def language_for_path(path: str) -> str:
    """Guess the language identifier of a file from its name; "" if nothing tells."""
    name = path.replace("\\", "/").rpartition("/")[2].lower()
    return _BY_NAME.get(name) or _BY_EXTENSION.get(name.rpartition(".")[2] if "." in name else "", "")
