from __future__ import annotations

import pytest

from llm_lsp.core.text.languages import (
    UNKNOWN,
    indent_of,
    indent_unit,
    language_of,
    opens_block,
    without_comment,
)


@pytest.mark.parametrize(
    ("language", "line", "opens"),
    [
        ("python", "if a:", True),
        ("python", "x = {", True),
        ("python", "x = {}", False),
        ("python", "else:", True),
        ("python", "# note:", False),
        ("python", "", False),
        ("go", "func f() {", True),
        ("go", "}", False),
        ("rust", "match x { // why", True),
        ("typescript", "foo(", True),
        ("ruby", "items.each do |x|", True),
        ("ruby", "class A", True),
        ("ruby", "defer(x)", False),
        ("ruby", "if a then b end", False),
        ("lua", "if a then", True),
        ("lua", "local function f(a)", True),
        ("lua", "return a", False),
        ("elixir", "def f(a) do", True),
        ("fish", "function greet", True),
        ("fish", "if test -f a", True),
        ("fish", "if test -f a; rm a; end", False),
        ("fish", "formatted", False),
        ("cmake", "if(UNIX)", True),
        ("cmake", "IF(UNIX)", True),
        ("cmake", "foreach(item IN LISTS items)", True),
        ("cmake", "endif()", False),
        ("cmake", "set(", True),
        ("cmake", "set(name value)", False),
        ("vim", "function! s:f() abort", True),
        ("vim", "def F(): number", True),
        ("vim", "if a", True),
        ("vim", "if a | echo 1 | endif", False),
        ("vim", "let a = 1", False),
        ("vim", "augroup mine", True),
        ("vim", "augroup END", False),
        ("vim", "call forward()", False),
        ("verilog", "always @(posedge clk) begin", True),
        ("verilog", "begin : name", True),
        ("verilog", "case (state)", True),
        ("verilog", "module top(", True),
        ("verilog", "assign a = b;", False),
        ("verilog", "end else begin", True),
        ("vhdl", "process (clk)", True),
        ("vhdl", "IF rising_edge(clk) THEN", True),
        ("vhdl", "end if;", False),
        ("vhdl", "architecture rtl of top is", True),
        ("vhdl", "a <= b;", False),
        ("fortran", "IF (a) THEN", True),
        ("fortran", "if (a) b = 1", False),
        ("fortran", "do i = 1, n", True),
        ("fortran", "end do", False),
        ("fortran", "pure real function f(x)", True),
        ("fortran", "type :: point", True),
        ("fortran", "type(point) :: p", False),
        ("fortran", "subroutine s(x)", True),
        ("fortran", "end function f", False),
        ("fortran", "call function_of(x)", False),
        ("matlab", "for i = 1:n", True),
        ("lua", "for _, v in ipairs(t) do", True),
        ("ruby", "unless done", True),
        ("shellscript", "if true; then", True),
        ("shellscript", "done", False),
        ("html", "<ul>", True),
        ("html", "<li>One</li>", False),
        ("html", "<br>", False),
        ("html", "<input name='a'>", False),
        ("html", "</ul>", False),
        ("html", "<!-- note -->", False),
        ("vue", '<p v-if="open">', True),
        ("typescriptreact", '<Row key="a">', True),
        ("typescriptreact", '  key="a">', True),
        ("typescriptreact", '<Icon name="b" />', False),
        ("typescriptreact", "const a: Map<string, Row>", False),
        ("typescriptreact", "const f = () =>", False),
        ("typescript", "const a: Row<string>", False),
        ("unheard-of", "block {", True),
        ("", "block {", True),
    ],
)
def test_a_line_opens_a_block(language: str, line: str, opens: bool) -> None:
    assert opens_block(line, language_of(language)) is opens


@pytest.mark.parametrize(
    ("language", "line", "code"),
    [
        ("python", "a = 1  # one", "a = 1  "),
        ("python", 'a = "#"  # one', 'a = "#"  '),
        ("python", "a = '# no'", "a = '# no'"),
        ("python", "# all", ""),
        ("javascript", 'a = "http://x" // y', 'a = "http://x" '),
        ("json", "x", "x"),
        ("markdown", "# Title", "# Title"),
    ],
)
def test_a_comment_is_cut(language: str, line: str, code: str) -> None:
    assert without_comment(line, language_of(language)) == code


def test_a_language_is_known_in_any_case() -> None:
    assert language_of("Python") is language_of("python")
    assert language_of("brainfuck") is UNKNOWN


@pytest.mark.parametrize(("line", "columns"), [("", 0), ("  a", 2), ("\ta", 4), ("  \ta", 4), ("\t  ", 6)])
def test_depth_is_counted_in_columns(line: str, columns: int) -> None:
    assert indent_of(line) == columns


@pytest.mark.parametrize(
    ("lines", "unit"),
    [
        ((), "    "),
        (("a", "  b"), "  "),
        (("a", "    b", "c"), "    "),
        (("a", "", "\tb"), "\t"),
        (("a", "        b", "  c", "    d"), "  "),
        (("/**", " * doc", " */"), "    "),
    ],
)
def test_one_step_of_depth_is_the_smallest(lines: tuple[str, ...], unit: str) -> None:
    assert indent_unit(lines) == unit
