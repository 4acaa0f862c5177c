"""Answers of chat models in every form that they were seen in: the code is found, or nothing is shown."""

from __future__ import annotations

import json

import pytest

from llm_lsp.core.generation import Finish
from llm_lsp.core.prompt.prompt_builder import stop_rule
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Mode
from llm_lsp.core.response.chat_answer.reader import MAX_ANSWER_CHARS, ChatAnswer
from llm_lsp.core.text.window import Window

CHAT = Profile("test", "gpt", "chat")
BEFORE = "import math\n\n\nclass Circle:\n    def area(self) -> float:\n"
AFTER = "\n\n    def scaled(self, factor):\n        return 2\n"
# Inside a word; on a blank line; behind a blank.
WORD = Window(BEFORE, "        return ma", "", AFTER, "python", "a/circle.py")
BLANK = Window(BEFORE, "        ", "", AFTER, "python", "a/circle.py")
ASSIGNED = Window(BEFORE, "        area = ", "", AFTER, "python", "a/circle.py")
TOP = Window("import math\n\n", "", "", "", "python", "a.py")
CODE = "th.pi * self.radius**2"
LINE = "        return math.pi * self.radius**2"
FUNCTION = f"    def area(self) -> float:\n{LINE}\n"


def read(answer: str, window: Window, size: int = 10_000, finish: Finish = Finish.STOP) -> tuple[str, Finish]:
    """Read an answer in pieces; return the code without blank ends, and why it ended."""
    rule = stop_rule(window, CHAT, Mode.LINE)
    for start in range(0, len(answer), size):
        if rule.feed(answer[start : start + size]):
            return rule.text.rstrip(), Finish.CUT if rule.text else rule.finish or Finish.CUT
    ended = rule.end(finish)
    return rule.text.rstrip(), ended


FORMS = [
    pytest.param(f"<fill>{LINE}</fill>", id="as asked for"),
    pytest.param(LINE, id="the line alone"),
    pytest.param(LINE.strip(), id="the line without indentation"),
    pytest.param(CODE, id="the rest of the line alone"),
    pytest.param(f"Sure! Here is the completed line:\n\n{LINE}", id="behind a preamble"),
    pytest.param(f"Here's the code that belongs in the place of {{{{HOLE}}}}:\n<fill>{LINE}</fill>", id="preamble and tag"),
    pytest.param(f"Certainly.\n```python\n{LINE}\n```\nThis returns the area.", id="in a fence between sentences"),
    pytest.param(f"I apologize for the confusion. The line is:\n```\n{LINE}\n```", id="behind an apology"),
    pytest.param(f"~~~python\n{LINE}\n~~~", id="in a fence of tildes"),
    pytest.param(f"```python\n{FUNCTION}```", id="the whole function in a fence"),
    pytest.param(f"<fill>\n{FUNCTION}</fill>", id="the whole function in the tag"),
    pytest.param(FUNCTION, id="the whole function bare"),
    pytest.param(f"class Circle:\n{FUNCTION}", id="the whole class bare"),
    pytest.param(f"Here is the complete class:\n\n```python\nclass Circle:\n{FUNCTION}```\n", id="the class in a fence"),
    pytest.param(f"    def area(self):\n{LINE}\n", id="the function without its types"),
    pytest.param(f"<COMPLETION>{LINE}</COMPLETION>", id="another tag in capitals"),
    pytest.param(f"<code>\n{LINE}\n</code>", id="the tag code"),
    pytest.param(f"<answer>{LINE.strip()}</answer>", id="the tag answer"),
    pytest.param(f"<fim_middle>{CODE}</fim_middle>", id="the tag of a template"),
    pytest.param(f"<python>{LINE}</python>", id="a tag of its own making around the line"),
    pytest.param(f"The answer is: <answer>{LINE}</answer>", id="a tag behind a sentence"),
    pytest.param(f"`{LINE.strip()}`", id="inline code"),
    pytest.param(f"The missing code is `{CODE}`.", id="inline code in a sentence"),
    pytest.param(f"You should replace `{{{{HOLE}}}}` with `{CODE}`.", id="inline code beside the mark"),
    pytest.param(f"<fill>`{CODE}`</fill>", id="inline code in the tag"),
    pytest.param(json.dumps({"completion": LINE}), id="JSON"),
    pytest.param(f"```json\n{json.dumps({'code': LINE, 'explanation': 'It is the area.'}, indent=2)}\n```", id="JSON in a fence"),
    pytest.param(json.dumps({"result": {"code": LINE}}), id="JSON in JSON"),
    pytest.param(json.dumps([{"code": LINE}]), id="JSON in a list"),
    pytest.param(f'{{"answer": "{LINE}', id="JSON that is cut"),
    pytest.param(f"{{{{HOLE}}}}\n{LINE}", id="the mark before the line"),
    pytest.param(f"<fill>{{{{HOLE}}}}{CODE}</fill>", id="the mark before the rest"),
    pytest.param(f"        return  {LINE.split()[1]} * self.radius**2", id="the line with other blanks"),
    pytest.param("math.pi * self.radius**2", id="the last word again"),
    pytest.param(f"Okay, so we need the area.\nIt is pi r squared.\n</think>\n\n<fill>{LINE}</fill>", id="thoughts without a beginning"),
    pytest.param(f"We need to fill <fill> and stop.</think>{LINE}", id="thoughts that name the tag"),
    *(
        pytest.param(f"{begin}Let me see: </fill>? `x` or ```y```\n\n{end}\n<fill>{LINE}</fill>", id=f"thoughts in {begin}")
        for begin, end in [
            ("<think>", "</think>"),
            ("<thinking>", "</thinking>"),
            ("<THINK>", "</THINK>"),
            ("[THINK]", "[/THINK]"),
            ("<thought>", "</thought>"),
            ("<thoughts>", "</thoughts>"),
            ("<reasoning>", "</reasoning>"),
            ("<seed:think>", "</seed:think>"),
            ("◁think▷", "◁/think▷"),
            ("<|START_THINKING|>", "<|END_THINKING|>"),
            ("<|begin_of_thought|>", "<|end_of_thought|>"),
            ("<|channel>thought\n", "<channel|>"),
            ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
            ("analysisWe need code. ", "assistantfinal"),
            ("<think>\n</think>\n<think>", "</think>"),
        ]
    ),
    pytest.param(f"<think>\n\n</think>\n\n```python\n{FUNCTION}```", id="empty thoughts and the function"),
    pytest.param(f"<|channel|>final<|message|>{LINE}<|return|>", id="the final channel alone"),
    pytest.param(f"当然，这是补全的代码：\n```python\n{LINE}\n```\n希望对你有帮助。", id="Chinese sentences"),
    pytest.param(f"Hier ist der vollständige Code:\n\n{LINE}\n\nDas ist die Fläche des Kreises.", id="German sentences"),
    pytest.param(f"**Answer:**\n\n{LINE}", id="a label"),
    pytest.param(f"### Completion\n```py\n{LINE}\n```", id="a heading"),
    pytest.param(f"The missing code is: {CODE}", id="behind a colon"),
    pytest.param(f"{LINE}\n\nThis computes the area of the circle.", id="an explanation behind"),
    pytest.param(f"{LINE}\n```", id="a fence that only ends"),
    pytest.param(f"{LINE}</answer>", id="another tag's end"),
    pytest.param(f"[ANSWER]{LINE}[/ANSWER]", id="square tags"),
    pytest.param(f"Of course! Below is the function.\n\n    def area(self) -> float:\n        \"\"\"Return it.\"\"\"\n{LINE}\n", id="the function with its documentation"),
    pytest.param(f"Voici la ligne complétée :\n\n{LINE}", id="French sentences"),
    pytest.param(f"以下是代码：`{LINE.strip()}`", id="a Chinese sentence and inline code"),
    pytest.param(f"<|message|>{LINE}", id="a token of a turn"),
    pytest.param(f'"{LINE.strip()}"', id="in quotes"),
    pytest.param(f"'''python\n{LINE}\n'''", id="a fence of quotes"),
    pytest.param(f"```diff\n-        return ma\n+{LINE}\n```", id="a diff"),
]  # fmt: skip


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("answer", FORMS)
def test_the_code_is_found_in_whatever_is_around_it(answer: str, size: int) -> None:
    assert read(answer, WORD, size)[0] == CODE


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("answer", [
    form for form in FORMS if "the rest" not in str(form.id) and CODE not in str(form.values[0]).replace(LINE.strip(), "")
    and "the last word" not in str(form.id)
    and not str(form.id).endswith(("its documentation", "quotes"))
])  # fmt: skip
def test_the_code_is_found_on_a_blank_line(answer: str, size: int) -> None:
    code, _ = read(answer, BLANK, size)

    assert " ".join(code.split()) == LINE.strip()
    assert not code.startswith(" ")


@pytest.mark.parametrize("size", [1, 10_000])
@pytest.mark.parametrize(
    ("answer", "finish"),
    [
        pytest.param("I'm sorry, but I can't help with that.", Finish.PROSE, id="a refusal"),
        pytest.param("<fill>I'm sorry, I cannot complete this code.</fill>", None, id="a refusal in the tag"),
        pytest.param("The function returns the area of the circle, so nothing is missing here.", Finish.PROSE, id="talk"),
        pytest.param("Unfortunately the context is insufficient", Finish.PROSE, id="a sentence without an end"),
        pytest.param("I don't know", Finish.PROSE, id="a short sentence"),
        pytest.param("Sorry", Finish.PROSE, id="a word"),
        pytest.param("很抱歉，我无法完成这段代码。", Finish.PROSE, id="a refusal in Chinese"),
        pytest.param("Here is the completed code:\n\nPlease let me know if you need more.", Finish.PROSE, id="promises"),
        pytest.param("<think>Let me see what is", Finish.THOUGHTS, id="thoughts without an end"),
        pytest.param("<think>All is well.</think>\n", Finish.THOUGHTS, id="thoughts and nothing"),
        pytest.param("<|channel|>analysis<|message|>We need", Finish.THOUGHTS, id="a channel without an end"),
        pytest.param("<fill>{{HOLE}}</fill>", None, id="the mark alone"),
        pytest.param("", Finish.STOP, id="nothing at all"),
        pytest.param("<fill></fill>", None, id="an empty tag"),
        pytest.param("You can use `a` or `b` here.", None, id="two pieces of inline code"),
        pytest.param("```python\n```", None, id="an empty fence"),
    ],
)  # fmt: skip
def test_what_holds_no_code_shows_nothing(answer: str, finish: Finish | None, size: int) -> None:
    for window in (WORD, BLANK, TOP, ASSIGNED):
        code, ended = read(answer, window, size)

        assert code == ""
        assert finish is None or ended is finish


@pytest.mark.parametrize(
    ("line", "answer", "kept"),
    [
        pytest.param("print('a', \"", "print('a', 'b')", "b\")", id="another quote, open at the cursor"),
        pytest.param("print('a', ", 'print("a", b)', "b)", id="another quote"),
        pytest.param("x=foo( ", "x = foo(1)", "1)", id="no blanks"),
        pytest.param("total = self.", "self.price * 2", "price * 2", id="a name and its dot"),
        pytest.param("value = compute(", "compute(x)", "x)", id="a call's beginning"),
        pytest.param("    return ", "return x", "x", id="a keyword"),
        pytest.param("if x: return ", "return y", "y", id="a keyword inside the line"),
        pytest.param("f(None, ", "None, None)", "None, None)", id="an argument that comes again is one"),
        pytest.param("a + ", "a", "a", id="a short name is no repetition"),
        pytest.param("items = [", "{'code': 'x'}]", "{'code': 'x'}]", id="an object where a value stands"),
        pytest.param("data = ", '{"code": "x"}', '{"code": "x"}', id="JSON where a value stands"),
        pytest.param("# Return the ", "area of the circle.", "area of the circle.", id="a comment's sentence"),
        pytest.param("# ", "The area of the circle is computed here.", "The area of the circle is computed here.", id="a whole comment"),
        pytest.param('"""', "Return the area of the circle.", "Return the area of the circle.", id="documentation"),
        pytest.param("message = '", "Please enter your name and the code.'", "Please enter your name and the code.'", id="text in a string"),
        pytest.param("for item in ", "items:", "items:", id="words of code"),
        pytest.param("", "for item in items:", "for item in items:", id="a line of words"),
        pytest.param("", "if a is not None and b is not None:", "if a is not None and b is not None:", id="more words"),
        pytest.param("", "from the import that", "from the import that", id="an import with words of sentences"),
        pytest.param("", "True", "True", id="one word"),
        pytest.param("x = ", "Foo(bar).baz", "Foo(bar).baz", id="a class"),
        pytest.param("", "<fill>@property</fill>", "@property", id="a decorator"),
        pytest.param("assert HOLE == ", "'{{HOLE}}'", "'", id="the mark is none of ours"),
    ],
)  # fmt: skip
def test_only_what_is_repeated_is_taken_off(line: str, answer: str, kept: str) -> None:
    window = Window("import math\n\n", line, "", "", "python", "a.py")

    assert read(answer, window, 3)[0] == kept


@pytest.mark.parametrize(
    ("language", "before", "line", "answer", "kept"),
    [
        pytest.param("html", "<body>\n", "  ", "<code>x = 1</code>", "<code>x = 1</code>", id="an element of HTML"),
        pytest.param("html", "<body>\n", "  <p", "<fill>  <p>Here is the text of this page.</p></fill>", ">Here is the text of this page.</p>", id="HTML's text"),
        pytest.param("json", "{\n", "  ", '"code": "x",', '"code": "x",', id="a JSON document"),
        pytest.param("markdown", "# Title\n\n", "", "Here is the text of this page.", "Here is the text of this page.", id="prose"),
        pytest.param("go", "func f() int {\n", "\t", "Sure, here it is:\n\n```go\n\treturn 1\n```", "return 1", id="Go"),
        pytest.param("rust", "fn f() -> i32 {\n", "    ", "```rust\nfn f() -> i32 {\n    1\n}\n```", "1", id="Rust"),
        pytest.param("sql", "", "SELECT ", "SELECT name FROM users", "name FROM users", id="SQL"),
        pytest.param("typescript", "", "const x: Map<", "string, number> = new Map();", "string, number> = new Map();", id="generics"),
        pytest.param("java", "class A {\n", "    ", "List<String> names = new ArrayList<>();", "List<String> names = new ArrayList<>();", id="Java"),
    ],
)  # fmt: skip
def test_other_languages(language: str, before: str, line: str, answer: str, kept: str) -> None:
    window = Window(before, line, "", "\n", language, "a")

    assert read(answer, window, 3)[0] == kept


@pytest.mark.parametrize(
    "unit",
    ["a... `b`.. ", "``x ", "<a>", "<x>y</x>", "```\n", "<fill>", "<think>", "</think>", "[A]", "{", '{"a":', "\\", " ", "\n", "`", "<|a|> "],
)  # fmt: skip
def test_an_answer_made_to_cost_time_is_read(unit: str) -> None:
    """Would not end if a pattern tried all ways to divide a text."""
    for answer in (unit * (MAX_ANSWER_CHARS // len(unit)) + "§", "It is " + unit * 60 + "§"):
        for window in (WORD, BLANK):
            code, _ = read(answer, window)
            assert len(code) <= MAX_ANSWER_CHARS


def test_an_answer_in_the_right_form_passes_as_it_comes() -> None:
    answer = ChatAnswer(WORD)

    assert answer.feed("<fill>        return math") == "th"
    assert answer.feed(".pi") == ".pi"


def test_a_blank_line_passes_once_it_is_no_sentence_and_no_line_from_above() -> None:
    answer = ChatAnswer(BLANK)

    assert answer.feed("<fill>        re") == "re"


def test_the_code_before_a_limit_in_the_explanation_is_whole() -> None:
    answer = f"```python\n{LINE}\n```\nThis is the are"

    assert read(answer, WORD, finish=Finish.LENGTH) == (CODE, Finish.CUT)


def test_no_more_than_a_bound_is_kept() -> None:
    rule = stop_rule(WORD, CHAT, Mode.LINE)

    assert any(rule.feed("This is a sentence. ") for _ in range(MAX_ANSWER_CHARS))
    assert (rule.text, rule.finish) == ("", Finish.PROSE)


def test_thoughts_of_any_length_are_passed_over() -> None:
    thoughts = "I wonder. " * MAX_ANSWER_CHARS

    assert read(f"<think>{thoughts}</think><fill>{LINE}</fill>", WORD, 100)[0] == CODE
