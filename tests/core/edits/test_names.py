from __future__ import annotations

import pytest

from llm_lsp.core.edits.names import MAX_OCCURRENCES, bindings, occurrences
from llm_lsp.core.text.syntax import SyntaxTree
from llm_lsp.core.text.text import Text


def bound(language: str, text: str, name: str) -> list[tuple[int, str, str]]:
    """Return line, role and the kind of scope of each binding."""
    tree = SyntaxTree.of(Text.of(text), language)
    assert tree is not None
    found = bindings(tree, language, name)
    return [(each.occurrence.point.line, each.occurrence.role.value, each.scope.type) for each in found]


def roles(language: str, text: str, name: str) -> list[str]:
    tree = SyntaxTree.of(Text.of(text), language)
    assert tree is not None
    return [each.role.value for each in occurrences(tree, language, name)]


PYTHON = """\
import u.v as a
from t import b
def c(d, e: int, f=1, g: int = 2, *h, **i):
    j, (k, *l) = d
    for m, n in e:
        with f as o:
            p = [q for q in g if (r := q)]
    return lambda s: s
class t:
    v: int = 1
    def w(self):
        self.x = 1
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *[(name, [(2, "variable", "function_definition")]) for name in "defghi"],
        *[(name, [(3, "variable", "function_definition")]) for name in "jkl"],
        *[(name, [(4, "variable", "function_definition")]) for name in "mn"],
        ("a", [(0, "variable", "module")]),
        ("b", [(1, "variable", "module")]),
        ("c", [(2, "variable", "module")]),
        ("o", [(5, "variable", "function_definition")]),
        ("q", [(6, "variable", "list_comprehension")]),
        ("s", [(7, "variable", "lambda")]),
        ("t", [(8, "variable", "module")]),
        ("v", [(9, "member", "module")]),
        ("w", [(10, "member", "module")]),
        ("x", [(11, "member", "module")]),
    ],
)
def test_python_binds(name: str, expected: list[tuple[int, str, str]]) -> None:
    text = PYTHON.replace("import u.v as a", "import u.vv as a").replace("from t import", "from tt import")

    assert bound("python", text, name) == expected


TYPESCRIPT = """\
import a, { b, c as d } from "x";
function e(f, g = 1, { h, k: i }: T, ...j) {
  const l = f, [m] = g;
  for (const n of h) { try { } catch (o) { } }
  return (p) => p;
}
class q { r = 1; s(t) { this.u = t; } }
interface v { w: number }
enum y { z }
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *[(name, [(0, "variable", "program")]) for name in "abd"],
        *[(name, [(1, "variable", "function_declaration")]) for name in "fgij"],
        ("e", [(1, "variable", "program")]),
        ("h", [(1, "shorthand", "function_declaration")]),
        *[(name, [(2, "variable", "statement_block")]) for name in "lm"],
        ("n", [(3, "variable", "for_in_statement")]),
        ("o", [(3, "variable", "catch_clause")]),
        ("p", [(4, "variable", "arrow_function")]),
        ("q", [(6, "variable", "program")]),
        *[(name, [(6, "member", "program")]) for name in "rsu"],
        ("t", [(6, "variable", "method_definition")]),
        ("v", [(7, "variable", "program")]),
        ("w", [(7, "member", "program")]),
        ("y", [(8, "variable", "program")]),
        ("z", [(8, "member", "program")]),
    ],
)
def test_typescript_binds(name: str, expected: list[tuple[int, str, str]]) -> None:
    assert bound("typescript", TYPESCRIPT, name) == expected


GO = """\
package pp
func a(b, c int, d ...string) (e int) {
	f, g := b, c
	var h int
	for i, j := range d { }
	if k := f; k > 0 { }
}
func (l *m) n(o int) { l.p = o }
type m struct { p, q int }
type r interface { s(t int) }
const u = 1
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *[(name, [(1, "variable", "function_declaration")]) for name in "bcde"],
        ("a", [(1, "variable", "source_file")]),
        *[(name, [(2, "variable", "block")]) for name in "fg"],
        ("h", [(3, "variable", "block")]),
        *[(name, [(4, "variable", "for_statement")]) for name in "ij"],
        ("k", [(5, "variable", "if_statement")]),
        *[(name, [(7, "variable", "method_declaration")]) for name in "lo"],
        ("m", [(8, "variable", "source_file")]),
        ("n", [(7, "member", "source_file")]),
        ("p", [(7, "member", "source_file"), (8, "member", "source_file")]),
        ("q", [(8, "member", "source_file")]),
        ("r", [(9, "variable", "source_file")]),
        ("s", [(9, "member", "source_file")]),
        ("u", [(10, "variable", "source_file")]),
    ],
)
def test_go_binds(name: str, expected: list[tuple[int, str, str]]) -> None:
    assert bound("go", GO, name) == expected


RUST = """\
use xx::yy as a;
fn b(c: u8, (d, e): T, mut f: u8) {
    let g = c; let (h, mut i) = d;
    for j in e { }
    let k = |l, m: u8| l;
    match f { U(n) => n, o => o }
}
struct p { q: u8 }
impl p { fn r(&self, s: u8) { self.q = s; } }
const t: u8 = 1;
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", [(0, "variable", "source_file")]),
        ("b", [(1, "variable", "source_file")]),
        *[(name, [(1, "variable", "function_item")]) for name in "cdef"],
        *[(name, [(2, "variable", "block")]) for name in "ghi"],
        ("j", [(3, "variable", "for_expression")]),
        ("k", [(4, "variable", "block")]),
        *[(name, [(4, "variable", "closure_expression")]) for name in "lm"],
        *[(name, [(5, "variable", "match_arm")]) for name in "no"],
        ("p", [(7, "variable", "source_file")]),
        ("q", [(7, "member", "source_file"), (8, "member", "source_file")]),
        ("r", [(8, "member", "source_file")]),
        ("s", [(8, "variable", "function_item")]),
        ("t", [(9, "variable", "source_file")]),
    ],
)
def test_rust_binds(name: str, expected: list[tuple[int, str, str]]) -> None:
    assert bound("rust", RUST, name) == expected


JAVA = """\
import xx.a;
class b<c> {
  int d, e = 1;
  b(int f) { this.d = f; }
  void g(final int h, String... i) {
    int j = 1;
    for (int k : h) { }
    try (R l = i) { } catch (E m) { }
    run(n -> n);
    run((o, p) -> o);
  }
  enum q { r }
}
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a", [(0, "either", "program")]),
        *[(name, [(2, "member", "program")]) for name in "e"],
        ("d", [(2, "member", "program"), (3, "member", "program")]),
        ("f", [(3, "variable", "constructor_declaration")]),
        ("g", [(4, "member", "program")]),
        *[(name, [(4, "variable", "method_declaration")]) for name in "hi"],
        ("j", [(5, "variable", "block")]),
        ("k", [(6, "variable", "enhanced_for_statement")]),
        ("l", [(7, "variable", "try_with_resources_statement")]),
        ("m", [(7, "variable", "catch_clause")]),
        ("n", [(8, "variable", "lambda_expression")]),
        *[(name, [(9, "variable", "lambda_expression")]) for name in "op"],
        ("q", [(11, "member", "program")]),
        ("r", [(11, "member", "program")]),
    ],
)
def test_java_binds(name: str, expected: list[tuple[int, str, str]]) -> None:
    assert bound("java", JAVA, name) == expected


def test_names_in_strings_and_comments_are_none() -> None:
    assert roles("python", "a = 'a'  # a\nb = f'a {a}'\n", "a") == ["variable", "variable"]


def test_uses_are_told_by_where_they_stand() -> None:
    assert roles("python", "a = 1\nb.a = a\nf(a=a)\n", "a") == [
        "variable",
        "member",
        "variable",
        "keyword",
        "variable",
    ]
    assert roles("javascript", "let a = b.a; f({ a, a: a });\n", "a") == [
        "variable",
        "member",
        "shorthand",
        "member",
        "variable",
    ]


def test_a_name_that_stands_everywhere_is_not_followed() -> None:
    assert roles("python", "a\n" * MAX_OCCURRENCES, "a")
    assert roles("python", "a\n" * (MAX_OCCURRENCES + 1), "a") == []


def test_columns_are_code_points() -> None:
    assert bound("python", "数, a = '😀', 1\n", "a") == [(0, "variable", "module")]


def test_a_language_without_a_grammar_has_no_tree() -> None:
    assert SyntaxTree.of(Text.of("a = 1"), "lua") is None


def test_a_text_with_lone_carriage_returns_has_no_tree() -> None:
    assert SyntaxTree.of(Text.of("a = 1\rb = 2\n"), "python") is None
    assert SyntaxTree.of(Text.of("a = 1\r\nb = 2\n"), "python") is not None
