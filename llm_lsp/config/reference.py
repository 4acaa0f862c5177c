"""Generates the settings reference, the JSON schema and the commented first file from `settings`.

Reads the source of `settings` for the strings below its fields; the server never does this.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from itertools import pairwise
from typing import Any

from llm_lsp.config import settings as values
from llm_lsp.config.parse import NO_KEYS, is_required
from llm_lsp.config.settings import Config
from llm_lsp.config.value_types import describe, listed_section_of, named_section_of, schema, section_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLE = "Settings of llm-lsp"


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the settings; the top level has an empty name."""

    name: str
    kind: type
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting in a section."""

    key: str
    kind: Any
    default: str
    """As TOML; "" if there is none."""
    text: str


def sections() -> list[Section]:
    """List the top level, then every table, in the order of `settings`."""
    return [Section("", Config, "Keys at the top of the file, before any table."), *_tables("", Config)]


def entries(section: Section) -> Iterator[Entry]:
    """Yield the settings of a section, without its nested tables."""
    texts = _texts(section.kind)
    for each in fields(section.kind):
        if each.name not in NO_KEYS and not _is_table(each.type):
            yield Entry(each.name, each.type, _default(each), texts[each.name])


def settings_page() -> str:
    """Return the text of docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "<!-- Written by `llm-lsp config docs` from llm_lsp/config/settings.py; change it there. -->",
        "",
        "Settings can be set in five places, all with the same keys:",
        "",
        "- your own file `config.toml`: `llm-lsp config path` prints where it is, "
        "`llm-lsp config init` writes one with every setting explained;",
        "- your editor's settings under `llm-lsp` (there in camelCase too);",
        "- a workspace's `.llm-lsp.toml`;",
        "- a defaults file and a policy file of the machine, which its administrator writes: "
        "[docs/team.md](team.md#roll-out).",
        "",
        "`llm-lsp config show` prints every setting, its value and where it came from.",
        "A later source overrides an earlier one, in the order: defaults, the machine's defaults file, your file, "
        "workspace file, editor, command line, policy file. But only you can loosen a setting: a cloned repository "
        "may contain a `.llm-lsp.toml` or settings for your editor, so these have fewer rights:",
        "",
        "- Only your own file, the machine's defaults file and the command line decide where code is sent.",
        "- Editor settings choose among the providers that your file enables, or name a server on this machine, "
        "without a key, that runs under your user or as a system service.",
        "- Editor settings can make calls rarer than your file (or its defaults) allows, never more frequent: "
        "`trigger`, `languages`, `debounce_ms`, `gates`, `calls_per_minute`. The user settings of VS Code count as "
        "your own file, except for providers and `[privacy]`.",
        "- A workspace file and the policy file can only make settings stricter.",
        "",
        "An invalid setting gives one message, and its default is used.",
        "An edited file takes effect without a restart: when the editor reports the change, or when a document is "
        "opened or saved or a completion requested. While the edited file has a new mistake, the previous settings "
        "stay in use.",
    ]
    for section in sections():
        title = f"`[{section.name}]`" if section.name else "Top level"
        lines += ["", f"## {title}", "", section.text, ""]
        lines += ["| Setting | Values | Default | Meaning |", "| --- | --- | --- | --- |"]
        lines += [
            f"| `{entry.key}` | {_cell(describe(entry.kind))} | {_code(entry.default)} | {_cell(entry.text)} |"
            for entry in entries(section)
        ]
    return "\n".join(lines) + "\n"


def first_file() -> str:
    """Return a settings file that explains every setting and sets none."""
    lines = ["# Settings of llm-lsp. Every line shows a default; remove the # to change it."]
    for section in sections():
        if section.name:
            lines += ["", f"# {section.text}", f"# [{section.name}]"]
        for entry in entries(section):
            lines += ["", f"# {entry.text}", f"# {entry.key} = {entry.default or '...'}"]
    return "\n".join(lines) + "\n"


def json_schema() -> dict[str, object]:
    """Return the JSON schema of a settings file, for editors that check TOML."""
    return {"$schema": DIALECT, "title": TITLE, **_table(Config)}


def _table(kind: Any) -> dict[str, object]:
    texts = _texts(kind)
    properties = {
        each.name: {**_property(each), "description": texts[each.name]}
        for each in fields(kind)
        if each.name not in NO_KEYS
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _tables(prefix: str, kind: type) -> Iterator[Section]:
    for each in fields(kind):
        inner, name = section_of(each.type), f"{prefix}{each.name}"
        if named := named_section_of(each.type):
            inner, name = named, f"{name}.NAME"
        if listed := listed_section_of(each.type):
            inner, name = listed, f"[{name}]"
        if inner:
            yield Section(name, inner, inspect.getdoc(inner) or "")
            yield from _tables(f"{name}.", inner)


def _is_table(kind: Any) -> bool:
    return any(of(kind) for of in (section_of, named_section_of, listed_section_of))


def _property(each: Field[Any]) -> dict[str, object]:
    if inner := section_of(each.type):
        return _table(inner)
    if inner := named_section_of(each.type):
        return {"type": "object", "additionalProperties": _table(inner)}
    if inner := listed_section_of(each.type):
        required = [field.name for field in fields(inner) if is_required(field)]
        return {"type": "array", "items": {**_table(inner), "required": required}}
    result = schema(each.type)
    default = _default(each)
    return {**result, "default": json.loads(default)} if default else result


def _texts(kind: Any) -> Mapping[str, str]:
    """Return the strings below the fields of a class; a section's own text is its class's docstring."""
    tree = ast.parse(inspect.getsource(values))
    body = next(
        node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == kind.__name__
    )
    found = {each.name: inspect.getdoc(section_of(each.type)) or "" for each in fields(kind)}
    for node, after in pairwise(body):
        match node, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = text
    return found


def _default(each: Field[Any]) -> str:
    """Return a default in notation common to TOML and JSON; the only table among the defaults is the empty one."""
    if each.default is not MISSING:
        return json.dumps(each.default)
    return json.dumps(each.default_factory()) if each.default_factory is not MISSING else ""


def _code(text: str) -> str:
    return f"`{text}`" if text else "none"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
