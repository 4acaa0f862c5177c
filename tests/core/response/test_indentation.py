"""At which columns the lines of an answer stand."""

from __future__ import annotations

import pytest

from llm_lsp.core.generation import Finish
from llm_lsp.core.request import Trigger
from llm_lsp.core.response.postprocess import Insertion
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text
from tests.core.response.golden import CURSOR
from tests.core.suggestion import suggest


def filled(language: str, marked: str, answer: str, stated: str = "") -> str:
    before, _, after = marked.partition(CURSOR)
    document = Document("file:///a", language, 1, Text.of(before + after))
    point = Point(before.count("\n"), len(before) - before.rfind("\n") - 1)
    done = suggest(document, point, answer, Finish.STOP, Trigger.AUTOMATIC, stated)
    assert isinstance(done, Insertion), done
    text = document.text.edit(point, done.end, done.text)
    return text.slice(Point(0, 0), text.end)


CLASS = "class A:\n"
METHOD = "    def f(self):\n        return 1\n"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("    def f(self):\n        return 1\n", id="as it belongs there"),
        pytest.param("def f(self):\n    return 1\n", id="all from column 0"),
        pytest.param("def f(self):\n        return 1\n", id="only the first line from column 0"),
        pytest.param("       def f(self):\n        return 1\n", id="seven columns"),
        pytest.param("   def f(self):\n        return 1\n", id="three columns"),
        pytest.param("        def f(self):\n            return 1\n", id="one step too many"),
        pytest.param("\n    def f(self):\n        return 1\n", id="below a blank line"),
    ],
)
@pytest.mark.parametrize("before", ["", "    "], ids=["column 0", "indented by the editor"])
def test_a_method_stands_one_step_below_its_class(before: str, answer: str) -> None:
    assert filled("python", f"{CLASS}{before}{CURSOR}", answer) == CLASS + METHOD.rstrip()


@pytest.mark.parametrize(
    ("language", "head", "answers", "wanted"),
    [
        pytest.param("python", "def f(x):\n", ("return x", "    return x", "   return x"), "    return x", id="python"),
        pytest.param("python", "def f(x):\n", ("  return x",), "  return x", id="python in steps of two"),
        pytest.param("python", "async def f(\n    x,\n) -> int:\n", ("return x", "    return x"), "    return x", id="a head of several lines"),
        pytest.param("javascript", "function f() {\n", ("return 1;", "  return 1;", "   return 1;"), "  return 1;", id="javascript"),
        pytest.param("javascript", "function f() {\n", ("    return 1;",), "    return 1;", id="javascript in steps of four"),
        pytest.param("javascript", "function f() {\n", ("\treturn 1;",), "\treturn 1;", id="javascript in tabs"),
        pytest.param("go", "func main() {\n", ("println(1)", "    println(1)", "\tprintln(1)", "  println(1)"), "\tprintln(1)", id="go"),
        pytest.param("makefile", "all:\n", ("cc a.c", "    cc a.c", "\tcc a.c", "        cc a.c"), "\tcc a.c", id="a recipe"),
        pytest.param("makefile", "all: a.o b.o\n", ("cc a.c", "  cc a.c"), "\tcc a.c", id="a recipe below what it needs"),
        pytest.param("css", ".a {\n", ("color: red;", "  color: red;"), "  color: red;", id="css"),
        pytest.param("html", "<ul>\n", ("<li>a</li>", "  <li>a</li>"), "  <li>a</li>", id="html"),
        pytest.param("rust", "fn main() {\n", ("run();", "    run();", "     run();"), "    run();", id="rust"),
        pytest.param("java", "class A {\n", ("int a;", "    int a;"), "    int a;", id="java"),
        pytest.param("c", "int main(void)\n{\n", ("return 0;", "    return 0;"), "    return 0;", id="a brace of its own"),
        pytest.param("ruby", "def f\n", ("x", "  x", "   x"), "  x", id="ruby"),
        pytest.param("lua", "function f()\n", ("return 1", "    return 1"), "    return 1", id="lua"),
        pytest.param("shellscript", "if true; then\n", ("echo a", "  echo a"), "  echo a", id="shell"),
        pytest.param("json", "{\n", ('"a": 1', '  "a": 1'), '  "a": 1', id="json"),
        pytest.param("yaml", "steps:\n", ("- a",), "- a", id="an item at its key"),
        pytest.param("yaml", "steps:\n", ("  - a", "      - a", "   - a"), "  - a", id="an item below its key"),
        pytest.param("yaml", "jobs:\n", ("build: x", "  build: x"), "  build: x", id="a key below its key"),
        pytest.param("yaml", "a: 1\n", ("  b: 2", "b: 2"), "b: 2", id="a key beside another"),
        pytest.param("yaml", "- name: a\n", ("  run: b", "    run: b"), "  run: b", id="the second key of an item"),
        pytest.param("latex", "\\section{A}\n", ("Text.",), "Text.", id="latex below a section"),
        pytest.param("latex", "\\begin{itemize}\n", ("\\item a",), "\\item a", id="latex at the depth of its environment"),
        pytest.param("latex", "\\begin{itemize}\n", ("  \\item a",), "  \\item a", id="latex deeper"),
        pytest.param("python", "x = foo(\n", ("a, b", "    a, b"), "    a, b", id="an open bracket"),
    ],
)  # fmt: skip
def test_a_line_stands_below_its_head(
    language: str, head: str, answers: tuple[str, ...], wanted: str
) -> None:
    for answer in answers:
        assert filled(language, f"{head}{CURSOR}", answer + "\n") == head + wanted


@pytest.mark.parametrize(
    ("language", "marked", "answer", "wanted"),
    [
        pytest.param("python", "def f(x):\n‸", '"""Do."""', 'def f(x):\n    """Do."""', id="a docstring"),
        pytest.param("python", 'def f(x):\n    """\n‸\n    """\n', "Return x.", 'def f(x):\n    """\n    Return x.\n    """\n', id="in a docstring, from column 0"),
        pytest.param("python", 'def f(x):\n    """\n    ‸\n    """\n', "    Return x.", 'def f(x):\n    """\n    Return x.\n    """\n', id="in a docstring, indented again"),
        pytest.param("python", 'def f(x):\n    """Do.\n\n    Args:\n    ‸\n    """\n', "    x: it.", 'def f(x):\n    """Do.\n\n    Args:\n        x: it.\n    """\n', id="in a docstring, deeper"),
        pytest.param("python", 'A = """\n‸\n"""\n', "text", 'A = """\ntext\n"""\n', id="in a string"),
        pytest.param("python", "class A:\n    def f(self):\n        return 1\n\n‸", "    def g(self):\n        return 2", "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2", id="a second method"),
        pytest.param("python", "class A:\n    def f(self):\n        return 1\n\n‸", "def g(self):\n        return 2", "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2", id="a second method, its first line from column 0"),
        pytest.param("python", "class A:\n    def f(self):\n        return 1\n\n‸", "def g(self):\n    return 2", "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2", id="a second method from column 0"),
        pytest.param("python", "class A:\n    def f(self):\n        return 1\n\n‸", "def g():\n    return 2", "class A:\n    def f(self):\n        return 1\n\ndef g():\n    return 2", id="a function below a class"),
        pytest.param("python", "def f():\n    a = 1\n\n‸", "return a", "def f():\n    a = 1\n\n    return a", id="what only stands in a function"),
        pytest.param("python", "def f():\n    a = 1\n\n‸", "    return a", "def f():\n    a = 1\n\n    return a", id="below a blank line"),
        pytest.param("python", "def f():\n    a = 1\n\n    ‸", "    return a", "def f():\n    a = 1\n\n    return a", id="below a blank line, indented again"),
        pytest.param("python", "def f():\n    a = 1\n\n‸\n    return b\n", "b = 2", "def f():\n    a = 1\n\n    b = 2\n    return b\n", id="between lines of a function"),
        pytest.param("python", "if a:\n    if b:\n        c()\n‸", "    else:\n        d()", "if a:\n    if b:\n        c()\n    else:\n        d()", id="an else"),
        pytest.param("python", "for a in b:\n    if c:\n        d()\n‸", "        else:\n        e()", "for a in b:\n    if c:\n        d()\n    else:\n        e()", id="an else at a depth of no block"),
        pytest.param("python", "def f():\n  a = 1\n  ‸", "if a:\n      return 1", "def f():\n  a = 1\n  if a:\n    return 1", id="the steps of the file"),
        pytest.param("python", "def f():\n  a = 1\n  if a:\n‸", "        return 1", "def f():\n  a = 1\n  if a:\n    return 1", id="one step of the file"),
        pytest.param("python", "class A:‸", "\ndef f(self):\n    return 1", "class A:\n    def f(self):\n        return 1", id="behind a head, from column 0"),
        pytest.param("python", "    x = foo(a,\n            ‸", "b)", "    x = foo(a,\n            b)", id="an alignment"),
        pytest.param("python", "def f():\n    ‸", "x = foo(a,\n            b)", "def f():\n    x = foo(a,\n            b)", id="an alignment in the answer"),
        pytest.param("python", "def f():\n    a = b\n‸", "      c = d", "def f():\n    a = b\n    c = d", id="a depth of no block"),
        pytest.param("javascript", "if (a) {\n\tb();\n‸\n}\n", "    c();\n    d();", "if (a) {\n\tb();\n\tc();\n}\n", id="the first line in tabs"),
        pytest.param("javascript", "function f() {\n‸", "const a = 1;\nreturn a;\n}", "function f() {\n  const a = 1;\n  return a;\n}", id="a body and its closer from column 0"),
        pytest.param("javascript", "  function f() {\n‸", "if (a) {\n  b();\n}\n}", "  function f() {\n    if (a) {\n      b();\n    }\n  }", id="a block in a body from column 0"),
        pytest.param("javascript", "function f() {\n  a();\n\n‸\n}\n", "b();", "function f() {\n  a();\n\n  b();\n}\n", id="in braces below a blank line"),
        pytest.param("javascript", "switch (a) {\n‸", "case 1:\n  b();", "switch (a) {\ncase 1:\n  b();", id="a case at its switch"),
        pytest.param("javascript", "foo()\n  ‸", "  .bar()", "foo()\n    .bar()", id="a call on a result"),
        pytest.param("c", "  if (a)\n  ‸", "  b();", "  if (a)\n    b();", id="a body without braces"),
        pytest.param("cpp", "namespace a {\n‸", "class B;", "namespace a {\nclass B;", id="a namespace"),
        pytest.param("typescriptreact", "return (\n‸\n)\n", "<ul>\n  <li>a</li>\n</ul>", "return (\n  <ul>\n    <li>a</li>\n  </ul>\n)\n", id="tags from column 0"),
        pytest.param("go", "func a() {\n\tx()\n}\n\nfunc main() {\n‸\n}\n", "    if y {\n        z()\n    }", "func a() {\n\tx()\n}\n\nfunc main() {\n\tif y {\n\t\tz()\n\t}\n}\n", id="blocks in blanks, in a file in tabs"),
        pytest.param("go", "func a() {\n\tx()\n}\n\nfunc main() {\n\t‸\n}\n", "if y {\n    z()\n}", "func a() {\n\tx()\n}\n\nfunc main() {\n\tif y {\n\t\tz()\n\t}\n}\n", id="the lines below from column 0"),
        pytest.param("makefile", "all:\n\tcc a.c\n‸", "cc b.c", "all:\n\tcc a.c\n\tcc b.c", id="a second line of a recipe"),
        pytest.param("makefile", "all:\n\tcc a.c\n\n‸", "clean:\n    rm a", "all:\n\tcc a.c\n\nclean:\n\trm a", id="a second target"),
        pytest.param("makefile", "CC = cc\n‸", "LD = ld", "CC = cc\nLD = ld", id="a variable"),
        pytest.param("yaml", "a:\n  - name: b\n‸", "    run: c", "a:\n  - name: b\n    run: c", id="a key of a deeper item"),
        pytest.param("yaml", "a:\n  - name: b\n‸", "  run: c", "a:\n  - name: b\n    run: c", id="a key of an item, at its dash"),
        pytest.param("markdown", "- one\n‸", "  - two", "- one\n  - two", id="a list in a list"),
        pytest.param("html", "<html>\n‸", "<head>", "<html>\n<head>", id="a page's own parts"),
    ],
)  # fmt: skip
def test_an_answer_stands_where_it_belongs(language: str, marked: str, answer: str, wanted: str) -> None:
    assert filled(language, marked, answer + "\n") == wanted
    assert filled(language, marked, answer).rstrip("\n") == wanted.rstrip("\n")


@pytest.mark.parametrize(
    ("stated", "wanted"), [("  ", "  "), ("    ", "    "), ("\t", "\t"), ("        ", "        ")]
)
@pytest.mark.parametrize("answer", ["return 1;", "  return 1;", "    return 1;", "\treturn 1;"])
def test_a_new_file_is_indented_as_its_editor_says(stated: str, wanted: str, answer: str) -> None:
    marked = f"function f() {{\n{CURSOR}\n}}\n"

    assert filled("javascript", marked, answer, stated) == f"function f() {{\n{wanted}return 1;\n}}\n"


def test_the_file_s_own_indentation_wins_over_what_its_editor_says() -> None:
    marked = f"if (a) {{\n\tb();\n}}\nif (c) {{\n{CURSOR}\n}}\n"

    assert "\n\td();" in filled("javascript", marked, "    d();", "  ")
