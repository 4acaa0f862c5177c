"""The signatures of each language's definitions, without bodies and private parts."""

from __future__ import annotations

import pytest

from llm_lsp.core.context.outline import MAX_DEFINITION_LINES, MAX_LINES, definitions, outline

PYTHON = '''\
"""A docstring."""
import os

LIMIT: int = 3
print(LIMIT)


@dataclass(frozen=True)
class Circle(Shape):
    """Another."""

    radius: float
    name: str = "circle"

    def __init__(self, radius: float,
                 name: str = "") -> None:
        self.radius = radius

    @property
    def area(self) -> float:
        return 3 * self.radius

    def _hidden(self): ...


async def load(path: str) -> Circle:
    def inner(): ...
    return Circle(1)
'''
TYPESCRIPT = """\
export interface User { id: number; name: string }
export class Cart<T> extends Base {
  private items: Item[] = [];
  count = 0;
  constructor(private a: number) { super() }
  async total(tax: number): Promise<number> { return 1 }
  #secret() {}
}
export const add = (a: number, b: number): number => { return a + b }
enum Color { Red, Green }
namespace N { export function inner() {} }
"""
GO = """\
package a

type User struct {
	ID int
}

func (u *User) Name(a string) (string, error) { return "", nil }

func New() *User {
	return nil
}
"""
RUST = """\
pub struct P { x: f32 }
impl P {
    pub fn new(x: f32) -> Self { P { x } }
}
pub trait Shape {
    fn area(&self) -> f32;
}
pub fn map<T: Clone>(a: T) -> Option<T> where T: Copy { None }
"""
JAVA = """\
package a;

public class Foo extends Bar {
  private int x = 1;
  public static final String NAME = "a";
  public Foo(int a) { }
  public String get(int a, List<String> b) throws E { return ""; }
  private void hidden() {}
}
record Pair(int a, String b) { int sum() { return 1; } }
"""


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "python",
            PYTHON,
            {
                "LIMIT": ["LIMIT: int = 3"],
                "Circle": [
                    "class Circle(Shape):",
                    "    radius: float",
                    '    name: str = "circle"',
                    "    def __init__(self, radius: float,",
                    '                 name: str = "") -> None: ...',
                    "    def area(self) -> float: ...",
                ],
                "load": ["async def load(path: str) -> Circle: ..."],
            },
        ),
        (
            "typescript",
            TYPESCRIPT,
            {
                "User": ["interface User { id: number; name: string }"],
                "Cart": [
                    "class Cart<T> extends Base",
                    "  count = 0",
                    "  constructor(private a: number)",
                    "  async total(tax: number): Promise<number>",
                ],
                "add": ["const add = (a: number, b: number): number"],
                "Color": ["enum Color { Red, Green }"],
                "N": ["namespace N", "    function inner()"],
            },
        ),
        (
            "go",
            GO,
            {
                "User": ["type User struct {", "\tID int", "}"],
                "Name": ["func (u *User) Name(a string) (string, error)"],
                "New": ["func New() *User"],
            },
        ),
        (
            "rust",
            RUST,
            {
                "P": ["impl P", "    pub fn new(x: f32) -> Self"],
                "Shape": ["pub trait Shape", "    fn area(&self) -> f32;"],
                "map": ["pub fn map<T: Clone>(a: T) -> Option<T> where T: Copy"],
            },
        ),
        (
            "java",
            JAVA,
            {
                "Foo": [
                    "public class Foo extends Bar",
                    '  public static final String NAME = "a";',
                    "  public Foo(int a)",
                    "  public String get(int a, List<String> b) throws E",
                ],
                "Pair": ["record Pair(int a, String b)", "    int sum()"],
            },
        ),
    ],
    ids=["python", "typescript", "go", "rust", "java"],
)
def test_signatures(language: str, text: str, expected: dict[str, list[str]]) -> None:
    found = {one.name: list(one.lines) for one in definitions(text, language)}

    assert found == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("javascript", "export function add(a, b) { return a + b }"),
        ("typescriptreact", "const App = () => { return <b/> }"),
    ],
)
def test_their_kin_is_read_too(language: str, text: str) -> None:
    assert len(definitions(text, language)) == 1


def test_a_text_that_does_not_parse_gives_what_is_whole() -> None:
    text = "def whole(a): return 1\n\ndef broken(a, = [\n\nclass Later:\n    def there(self): return 2\n"

    assert definitions(text, "python")[0].lines == ("def whole(a): ...",)


@pytest.mark.parametrize(
    "text",
    ["", "\ud83d x = 1", "x" * 300_000, "(" * 20_000, "class A:" * 20_000],
    ids=["empty", "half an emoji", "huge", "deep", "deep classes"],
)
def test_odd_texts_are_no_error(text: str) -> None:
    definitions(text, "python")
    definitions("namespace A {{" * 5000 + text, "typescript")


def test_a_language_without_a_grammar_has_none() -> None:
    assert definitions("int main() {}", "brainfuck") == ()


def test_an_outline_has_the_wanted_ones_in_the_files_order() -> None:
    found = definitions("def a(): ...\ndef b(): ...\ndef c(): ...\n", "python")

    assert outline(found, {"c", "a", "z"}) == ("def a(): ...", "def c(): ...")


def test_large_definitions_and_files_are_cut() -> None:
    members = "".join(f"    member_{idx}: int\n" for idx in range(100))
    found = definitions("".join(f"class C{idx}:\n{members}" for idx in range(9)), "python")

    assert {len(one.lines) for one in found} == {MAX_DEFINITION_LINES}
    assert 0 < len(outline(found, {one.name for one in found})) <= MAX_LINES
