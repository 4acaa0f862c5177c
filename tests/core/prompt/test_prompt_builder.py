from __future__ import annotations

from dataclasses import replace

import pytest

from llm_lsp.core.context.snippet import Snippet
from llm_lsp.core.prompt.fim_families import FAMILIES, FimFamily
from llm_lsp.core.prompt.prompt_builder import build_prompt, escape_tokens
from llm_lsp.core.prompt.prompts import ChatPrompt, FimPrompt, RawPrompt
from llm_lsp.core.provider_profile import Fim, Profile
from llm_lsp.core.request import Mode
from llm_lsp.core.text.window import Window

WINDOW = Window("import math\n", "def area(r", "):", "\n    pass\n", "python", "geo/circle.py")
SNIPPET = Snippet("geo/square.py", "def area(a):\n    return a * a\n")


COMMENTED = "# Path: geo/square.py\n# def area(a):\n#     return a * a\n\n"


def profile(fim: Fim, *, cancel_stops_billing: bool = True) -> Profile:
    return Profile("test", "model", fim, max_tokens=128, cancel_stops_billing=cancel_stops_billing)


def raw(fim: Fim, window: Window = WINDOW, snippets: tuple[Snippet, ...] = ()) -> str:
    prompt = build_prompt(window, profile(fim), Mode.LINE, snippets)
    assert isinstance(prompt, RawPrompt)
    return prompt.text


@pytest.mark.parametrize(
    ("fim", "text"),
    [
        pytest.param(
            "qwen",
            "<|fim_prefix|>import math\ndef area(r<|fim_suffix|>):\n    pass\n<|fim_middle|>",
            id="prefix, suffix, middle",
        ),
        pytest.param(
            "codellama",
            "<PRE> import math\ndef area(r <SUF>):\n    pass\n <MID>",
            id="blanks that belong to the tokens",
        ),
        pytest.param(
            "codestral", "[SUFFIX]):\n    pass\n[PREFIX]import math\ndef area(r", id="no middle token"
        ),
        pytest.param(
            "mellum",
            "<fim_suffix>):\n    pass\n<fim_prefix>import math\ndef area(r<fim_middle>",
            id="suffix first",
        ),
        pytest.param(
            "codegeex4",
            "<|user|>\n###PATH:geo/circle.py\n###LANGUAGE:python\n###MODE:BLOCK\n<|code_suffix|>):\n    pass\n"
            "<|code_prefix|>import math\ndef area(r<|code_middle|><|assistant|>\n",
            id="a head",
        ),
        pytest.param("none", "import math\ndef area(r", id="left to right"),
        pytest.param("unheard-of", "import math\ndef area(r", id="an unknown family is asked left to right"),
    ],
)
def test_a_family_has_its_template(fim: str, text: str) -> None:
    assert raw(fim) == text


@pytest.mark.parametrize(
    ("fim", "before"),
    [
        (
            "qwen",
            "<|repo_name|>project\n<|file_sep|>geo/square.py\ndef area(a):\n    return a * a\n\n"
            "<|file_sep|>geo/circle.py\n<|fim_prefix|>import math\n",
        ),
        (
            "deepseek",
            "<｜fim▁begin｜>#geo/square.py\ndef area(a):\n    return a * a\n\n#geo/circle.py\nimport math\n",
        ),
        (
            "starcoder2",
            "<repo_name>project<file_sep>geo/square.py\ndef area(a):\n    return a * a\n"
            "<file_sep><fim_prefix>geo/circle.py\nimport math\n",
        ),
        (
            "codestral",
            "[SUFFIX]):\n    pass\n[PREFIX]+++++ geo/square.py\ndef area(a):\n    return a * a\n\n\n"
            "+++++ geo/circle.py\nimport math\n",
        ),
        (
            "codegemma",
            "geo/square.py\ndef area(a):\n    return a * a\n<|file_separator|><|fim_prefix|>import math\n",
        ),
        (
            "mellum",
            "<reponame>project<filename>geo/square.py\ndef area(a):\n    return a * a\n"
            "<filename>geo/circle.py\n<fim_suffix>",
        ),
        (
            "codegeex4",
            "<|user|>\n###REFERENCE:\n###PATH:geo/square.py\ndef area(a):\n    return a * a\n\n"
            "###PATH:geo/circle.py\n###LANGUAGE:python\n",
        ),
        ("codellama", f"<PRE> {COMMENTED}import math\n"),
        ("none", f"{COMMENTED}import math\n"),
    ],
)
def test_other_files_stand_in_the_familys_format_or_as_comments(fim: str, before: str) -> None:
    assert raw(fim, snippets=(SNIPPET,)).startswith(before)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_control_tokens_in_the_text_are_broken(family: FimFamily) -> None:
    hostile = "".join(family.tokens)
    window = Window(hostile + "\n", hostile, hostile, "\n" + hostile, "python", hostile)

    text = raw(family.name, window, (Snippet(hostile, hostile),))

    plain = raw(family.name, Window("\n", "", "", "\n", "python"), (Snippet("a.py", ""),))
    for token in family.tokens:
        assert text.count(token) == plain.count(token)


@pytest.mark.parametrize(
    ("model", "above"),
    [
        pytest.param(
            "codestral-latest",
            "+++++ geo/square.py\ndef area(a):\n    return a * a\n\n\n+++++ geo/circle.py\n",
            id="a format inside the prefix",
        ),
        pytest.param("qwen2.5-coder", COMMENTED, id="a format that only the server can write"),
        pytest.param("unheard-of", COMMENTED, id="an unknown model"),
    ],
)
def test_an_api_without_a_field_for_files_gets_them_above_the_prefix(model: str, above: str) -> None:
    bare = replace(profile("native"), model=model)

    prompt = build_prompt(WINDOW, bare, Mode.LINE, (SNIPPET,))
    without = build_prompt(WINDOW, bare, Mode.LINE)

    assert isinstance(prompt, FimPrompt)
    assert isinstance(without, FimPrompt)
    assert prompt == replace(without, prefix=above + without.prefix)


def test_an_api_with_a_field_for_files_gets_them_there() -> None:
    prompt = build_prompt(WINDOW, replace(profile("native"), takes_files=True), Mode.LINE, (SNIPPET,))

    assert isinstance(prompt, FimPrompt)
    assert prompt.snippets == (SNIPPET,)
    assert "square" not in prompt.prefix


def test_a_language_without_line_comments_goes_without() -> None:
    assert raw("codellama", replace(WINDOW, language="html"), (SNIPPET,)) == raw("codellama")


def test_text_without_control_tokens_is_left_alone() -> None:
    assert escape_tokens("a < b", ("<PRE>",)) == "a < b"


@pytest.mark.parametrize(
    ("window", "sent"),
    [
        pytest.param(
            Window("def f():\n", "    ", "", "\n", "python"), "   ", id="the last blank is the model's"
        ),
        pytest.param(Window("", "x = ", "", "", "python"), "", id="a line with text stands elsewhere"),
        pytest.param(Window("func f() {\n", "\t", "", "\n}\n", "go"), "", id="also a tab"),
        pytest.param(Window("def f():\n", "", "", "\n", "python"), "   ", id="the body of a head"),
        pytest.param(Window("\tif a {\n", "", "", "\n\t}\n", "go"), "", id="below a brace may be its end"),
        pytest.param(Window("x()\n\n", "", "", "  y()", "python"), "", id="a block may end at a blank line"),
        pytest.param(Window("def f():\n", "  ", "", "\n", "python"), " ", id="the depth that was chosen"),
    ],
)
def test_the_current_line_begins_as_a_model_knows_it(window: Window, sent: str) -> None:
    assert raw("qwen", window).partition("<|fim_middle|>")[2] == sent


@pytest.mark.parametrize(
    ("fim", "line_prefix", "text"),
    [
        pytest.param(
            "qwen", "x = ", "<|fim_prefix|>a\nx = <|fim_suffix|>\n<|fim_middle|>", id="between words"
        ),
        pytest.param("qwen", "", "<|fim_prefix|>a\n<|fim_suffix|>\n<|fim_middle|>", id="at the line's start"),
        pytest.param(
            "qwen", "x.ap", "<|fim_prefix|>a\nx.ap<|fim_suffix|>\n<|fim_middle|>", id="inside a word"
        ),
        pytest.param("qwen", "f(", "<|fim_prefix|>a\nf(<|fim_suffix|>\n<|fim_middle|>", id="after a bracket"),
        pytest.param("qwen", "  ", "<|fim_prefix|>a\n<|fim_suffix|>\n<|fim_middle|> ", id="indented"),
        pytest.param(
            "qwen", "if a <=", "<|fim_prefix|>a\n<|fim_suffix|>\n<|fim_middle|>if a", id="after an operator"
        ),
        pytest.param("qwen", "//", "<|fim_prefix|>a\n//<|fim_suffix|>\n<|fim_middle|>", id="a mark alone"),
        pytest.param(
            "codellama", "x =", "<PRE> a\nx = <SUF>\n <MID>", id="never where the tokenizer forbids it"
        ),
    ],
)
def test_the_current_line_stands_after_the_middle_token_without_text_or_its_operator(
    fim: str, line_prefix: str, text: str
) -> None:
    assert raw(fim, Window("a\n", line_prefix, "", "\n", "python")) == text


def test_a_hole_is_asked_of_qwen_as_if_the_file_began_with_it() -> None:
    prompt = build_prompt(Window("a\n", "  ", "", "\nb\n", "python"), profile("qwen"), Mode.HOLE)

    assert isinstance(prompt, RawPrompt)
    assert prompt.text == "<|fim_prefix|><|fim_suffix|>\nb\n<|fim_middle|>a\n "


@pytest.mark.parametrize("fim", ["qwen", "native", "none"])
@pytest.mark.parametrize(
    ("line_prefix", "sent", "begins"),
    [
        ("    result.appen", "    result", ".appen"),
        ("    re", "   ", " re"),
        ("x = ", "x =", " "),
        ("foo(", "foo", "("),
        ("word", "", "word"),
        ("", "", ""),
        ("# " + "计" * 100, "# " + "计" * 67, "计" * 33),
        ("if amount <=", "if amount", " <="),
        ("if amount <= ", "if amount <=", " "),
        ("a**", "a", "**"),
        ("\tx :=", "\tx", " :="),
        ("\t&&", "\t", "&&"),
        ("xs.map(x =>", "xs.map(x", " =>"),
        ("#" * 100, "#" * 67, "#" * 33),
    ],
)
def test_the_last_word_is_the_models_where_the_api_holds_it_to_it(
    fim: str, line_prefix: str, sent: str, begins: str
) -> None:
    window = Window("a\n", line_prefix, "", "", "python")

    prompt = build_prompt(window, replace(profile(fim), forces_start=True), Mode.LINE)

    assert not isinstance(prompt, ChatPrompt)
    assert prompt.begins == begins
    text = prompt.text if isinstance(prompt, RawPrompt) else prompt.line_prefix
    assert text.endswith(sent)
    assert line_prefix == sent + begins


@pytest.mark.parametrize(
    ("line_prefix", "before", "after", "begins"),
    [("def area(r", "import math\ndef area(r", "", ""), ("    ", "import math\n", "   ", " ")],
)
def test_an_api_that_renders_gets_both_sides(line_prefix: str, before: str, after: str, begins: str) -> None:
    window = replace(WINDOW, line_prefix=line_prefix)

    prompt = build_prompt(window, replace(profile("native"), takes_files=True), Mode.BLOCK, (SNIPPET,))

    assert prompt == FimPrompt(before, after, "):\n    pass\n", (SNIPPET,), (), 128, begins)


def test_a_chat_model_gets_a_dialogue() -> None:
    assert isinstance(build_prompt(WINDOW, profile("chat"), Mode.LINE), ChatPrompt)


@pytest.mark.parametrize(
    ("line_prefix", "mode", "cancel_stops_billing", "stop", "max_tokens"),
    [
        pytest.param("x = ", Mode.LINE, False, ("\n",), 48, id="a line that is billed to its end"),
        pytest.param("x = ", Mode.LINE, True, (), 128, id="we stop where closing stops the bill"),
        pytest.param("x = ", Mode.BLOCK, False, (), 128, id="a block has line ends"),
        pytest.param(
            "if x:", Mode.LINE, False, (), 48, id="after an opener the answer begins with a line end"
        ),
        pytest.param("f(x);", Mode.LINE, False, (), 48, id="after a statement too"),
        pytest.param("    ", Mode.LINE, False, ("\n",), 48, id="an empty line"),
    ],
)
def test_a_line_end_stops_the_api_only_where_that_saves_money(
    line_prefix: str, mode: Mode, cancel_stops_billing: bool, stop: tuple[str, ...], max_tokens: int
) -> None:
    window = replace(WINDOW, line_prefix=line_prefix)

    prompt = build_prompt(window, profile("native", cancel_stops_billing=cancel_stops_billing), mode)

    assert (prompt.stop, prompt.max_tokens) == (stop, max_tokens)
