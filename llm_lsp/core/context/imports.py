"""Finds the project files that a text imports; every path is a guess that must be looked up.

Import lines are matched with regular expressions, since a text that is being edited may not parse. The
expressions are bounded, so a hostile text takes limited time.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

# Lines that are read, of each only the start: imports are at the top.
MAX_LINES = 400
_LINE_CHARS = 400
MAX_IMPORTS = 48


@dataclass(frozen=True, slots=True)
class Import:
    """One import: where its file may be, and which names are imported."""

    paths: tuple[str, ...]
    """Relative to the workspace folder, most likely first; those that end in `/` are folders."""
    names: frozenset[str]
    """The imported names; empty if the whole module is imported."""


def imports_of(lines: Iterable[str], language: str, path: str) -> tuple[Import, ...]:
    """Return a text's imports, in order; `path` is its own, relative to the workspace folder."""
    read = _READERS.get(language)
    if read is None:
        return ()
    head = "".join(
        f"{line.rstrip()[:_LINE_CHARS]}\n" for _, line in zip(range(MAX_LINES), lines, strict=False)
    )
    found = (one for one in read(head, path) if one.paths)
    return tuple(one for _, one in zip(range(MAX_IMPORTS), found, strict=False))


def is_import(line: str) -> bool:
    """Check whether a line looks like the start of an import; False for an empty one."""
    return bool(_IMPORT.match(line[:_LINE_CHARS]))


# Excludes calls and statements such as `import(…)`, `use(…)`, `using (…)` and `require(a > b)`, and data such as
# `use: true`.
_IMPORT = re.compile(
    r"\s*((import|(pub\s+)?use|using)\b(?!\s*([(=.]|:(?!:))|\s+var\b)|from\b.+\bimport\b|export\b.+\bfrom\b|"
    r"#\s*include\b|require(_relative)?\b\s*\(?\s*[\"']|(const|let|var|local)\b.+=\s*require\b)"
)
_PYTHON_FROM = re.compile(
    r"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(\([^()]{0,4000}\)|[^\n#;(]+)", re.M
)
_PYTHON_IMPORT = re.compile(r"^[ \t]*import[ \t]+([\w., \t]+)$", re.M)


def _python(head: str, path: str) -> Iterator[Import]:
    folder = posixpath.dirname(path)
    for match in _PYTHON_FROM.finditer(head):
        dots, module, listed = match.groups()
        names = _listed(re.sub(r"#[^\n]*", "", listed.strip("()")))
        base = module.replace(".", "/")
        roots = [_up(folder, len(dots) - 1)] if dots else _roots(folder)
        if base:
            yield Import(_python_paths(roots, base), frozenset(names))
        # An imported name may itself be a module.
        for name in names:
            yield Import(_python_paths(roots, posixpath.join(base, name)), frozenset())
    for match in _PYTHON_IMPORT.finditer(head):
        for name in _listed(match[1]):
            yield Import(_python_paths(_roots(folder), name.replace(".", "/")), frozenset())


def _python_paths(roots: list[str], module: str) -> tuple[str, ...]:
    return tuple(
        posixpath.join(root, module + ending) for root in roots for ending in (".py", "/__init__.py", ".pyi")
    )


_SCRIPT = re.compile(
    r"""(?:import|export)[ \t]+(?:type[ \t]+)?([\w*\s{},$]{0,600}?)[ \t\n]from[ \t]*["']([^"'\n]{1,200})["']"""
)
_SCRIPT_CALL = re.compile(r"""(?:require|import)\([ \t]*["']([^"'\n]{1,200})["']""")
_SCRIPT_BARE = re.compile(r"""^import[ \t]+["']([^"'\n]{1,200})["']""", re.M)
_SCRIPT_ENDINGS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", "/index.ts", "/index.tsx", "/index.js")


def _script(head: str, path: str) -> Iterator[Import]:
    folder = posixpath.dirname(path)
    for match in _SCRIPT.finditer(head):
        braces = re.search(r"\{([^}]*)\}", match[1])
        names = _listed(re.sub(r"\btype\s", "", braces[1])) if braces else []
        yield Import(_script_paths(folder, match[2]), frozenset(names))
    for pattern in (_SCRIPT_CALL, _SCRIPT_BARE):
        for match in pattern.finditer(head):
            yield Import(_script_paths(folder, match[1]), frozenset())


def _script_paths(folder: str, module: str) -> tuple[str, ...]:
    if module.startswith("."):
        bases = [posixpath.normpath(posixpath.join(folder, module))]
    elif module.startswith(("@/", "~/")):
        # The usual templates map `@/` to the source folder.
        bases = [posixpath.join(root, module[2:]) for root in ("src", "")]
    else:
        return ()
    paths = []
    for base in bases:
        stem = re.sub(r"\.[cm]?jsx?$", "", base)
        paths += [base] if stem != base else []
        paths += [stem + ending for ending in _SCRIPT_ENDINGS]
    return tuple(path for path in paths if not path.startswith("../"))


_GO_BLOCK = re.compile(r"^import[ \t]*(?:\(([^()]{0,8000})\)|([^\n]+))", re.M)
_GO_PATH = re.compile(r'"([\w./~-]{1,200})"')


def _go(head: str, path: str) -> Iterator[Import]:
    for block in _GO_BLOCK.finditer(head):
        for match in _GO_PATH.finditer(block[1] or block[2]):
            parts = match[1].split("/")
            # The path begins with the module's name, whose length only go.mod tells.
            paths = tuple("/".join(parts[start:]) + "/" for start in range(len(parts)))
            yield Import(paths, frozenset())


_RUST_USE = re.compile(r"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?use[ \t]+([^;]{1,1000});", re.M)
_RUST_MOD = re.compile(r"^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?mod[ \t]+(\w+);", re.M)


def _rust(head: str, path: str) -> Iterator[Import]:
    parts = path.split("/")
    top = parts.index("src") + 1 if "src" in parts else len(parts) - 1
    root, inside = "/".join(parts[:top]), parts[top:]
    stem = inside[-1].removesuffix(".rs")
    module = inside[:-1] if stem in ("mod", "lib", "main") else [*inside[:-1], stem]
    for match in _RUST_MOD.finditer(head):
        yield Import(_rust_paths(root, [*module, match[1]]), frozenset())
    for match in _RUST_USE.finditer(head):
        for used in _expanded(re.sub(r"\s+", " ", match[1])):
            names = [part.split(" as ")[0].strip() for part in used.split("::")]
            absolute = _rust_module(names, module)
            if absolute:
                # The last part is a module, or something inside the module before it.
                yield Import(_rust_paths(root, absolute[:-1]), frozenset(absolute[-1:]))
                yield Import(_rust_paths(root, absolute), frozenset())


def _rust_module(names: list[str], module: list[str]) -> list[str]:
    if names[0] == "crate":
        return names[1:]
    here = list(module)
    while names and names[0] in ("super", "self"):
        here = here[:-1] if names[0] == "super" else here
        names = names[1:]
        if not names or names[0] not in ("super", "self"):
            return [*here, *names]
    return []


def _rust_paths(root: str, module: list[str]) -> tuple[str, ...]:
    base = posixpath.join(root, *module)
    if not module:
        return tuple(posixpath.join(root, name) for name in ("lib.rs", "main.rs"))
    return (f"{base}.rs", f"{base}/mod.rs")


def _expanded(used: str) -> Iterator[str]:
    """Expand a `use` with braces: `a::{b, c::D}` to `a::b` and `a::c::D`; deeper nesting is skipped."""
    before, brace, rest = used.partition("{")
    if not brace:
        yield used.strip()
        return
    for part in rest.partition("}")[0].split(","):
        if part.strip() and "{" not in part:
            yield f"{before.strip()}{part.strip()}"


_JAVA_IMPORT = re.compile(r"^[ \t]*import[ \t]+(static[ \t]+)?([\w.]+)[ \t]*;", re.M)
_JAVA_PACKAGE = re.compile(r"^[ \t]*package[ \t]+([\w.]+)[ \t]*;", re.M)


def _java(head: str, path: str) -> Iterator[Import]:
    package = _JAVA_PACKAGE.search(head)
    own = package[1].replace(".", "/") if package else ""
    root = posixpath.dirname(path).removesuffix(own).rstrip("/")
    # Tests use the code they test.
    roots = list(dict.fromkeys((root, root.replace("src/test/", "src/main/"))))
    for match in _JAVA_IMPORT.finditer(head):
        parts = match[2].split(".")[: -1 if match[1] else None]
        paths = tuple(posixpath.join(each, *parts) + ".java" for each in roots)
        yield Import(paths, frozenset(parts[-1:]))


def _roots(folder: str) -> list[str]:
    """Return the folders that may contain a project's packages: the root, `src`, and those above the file."""
    parts = folder.split("/") if folder else []
    above = ["/".join(parts[:depth]) for depth in range(len(parts), 0, -1)]
    return list(dict.fromkeys(("", "src", *above)))


def _up(folder: str, steps: int) -> str:
    for _ in range(steps):
        folder = posixpath.dirname(folder)
    return folder


def _listed(names: str) -> list[str]:
    """Return the original names in a list such as `a, b as c`."""
    words = (part.split() for part in names.split(","))
    return [part[0] for part in words if part and part[0] != "*"]


_READERS: MappingProxyType[str, Callable[[str, str], Iterator[Import]]] = MappingProxyType(
    {
        "python": _python,
        "javascript": _script,
        "javascriptreact": _script,
        "typescript": _script,
        "typescriptreact": _script,
        "vue": _script,
        "svelte": _script,
        "go": _go,
        "rust": _rust,
        "java": _java,
    }
)
