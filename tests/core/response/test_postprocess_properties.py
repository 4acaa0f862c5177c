"""What holds of any answer in any place."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llm_lsp.core.generation import Finish
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.response.postprocess import Insertion, postprocess
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.invisible_chars import unsafe_characters
from llm_lsp.core.text.text import Text

CODE = st.text(alphabet="ab(){}[]\"'`:;,.# \t\n\r\u2028计（）", max_size=40)
HIDDEN = st.text(alphabet="a b\n\x00\x1b\x7f\u200b\u202e\u2066\ufeff\ufe0f☕", min_size=1, max_size=12)
LINES = st.lists(
    st.sampled_from(
        (
            "if a:", "else:", "    return b", "    x = f(1, [2])", "x = 1", "}", "foo({", "})", "end", "",
            "# 计算", "\tgo()", "def f():", "        deep()", 'print("a")', "for x in y {", "    }",
        )
    ),
    min_size=1,
    max_size=5,
)  # fmt: skip
WORDS = st.text(alphabet="ab计_ .", min_size=1, max_size=12).filter(lambda text: text.strip() != "")
FORMED = st.sampled_from(
    (
        ("python", ("total = compute(1, [2, 3])",)),
        ("python", ("if ready:", "    go()", "    stop()", "else:", "    wait('计算')")),
        ("typescript", ("for (const x of xs) {", "    use(x);", "}", "done();")),
        ("ruby", ("items.each do |item|", "    puts item", "end")),
        ("html", ("<ul>", "    <li>One</li>", "    <li>Two</li>", "</ul>")),
        ("yaml", ("name: build", "steps:", "    - run: make", "    - run: test")),
        ("typescript", ("return {", '    "a": 1,', '    "b": [2, 3],', "};")),
        ("", ("return {", '    "a": 1,', '    "b": [2, 3],', "};")),
    )
)
LANGUAGES = st.sampled_from(("python", "typescript", "ruby", "html", "yaml", ""))


def run(
    before: str, after: str, answer: str, finish: Finish = Finish.CUT, language: str = "python"
) -> Insertion | Skip:
    document = Document("file:///a", language, 1, Text.of(before + after))
    point = document.text.clamp(Text.of(before).end)
    request = CompletionRequest(1, document, point, Trigger.AUTOMATIC, "inline", 0.0)
    return postprocess(answer, finish, request)


@given(before=CODE, after=CODE, answer=CODE, finish=st.sampled_from(Finish), language=LANGUAGES)
@settings(max_examples=120)
def test_any_answer_gives_an_insertion_on_the_line_or_a_reason(
    before: str, after: str, answer: str, finish: Finish, language: str
) -> None:
    text = Text.of(before + after)
    point = text.clamp(Text.of(before).end)

    done = run(before, after, answer, finish, language)

    if isinstance(done, Insertion):
        assert done.text.strip()
        assert done.end.line == point.line
        assert point.column <= done.end.column <= len(text.line(done.end.line))


@given(before=CODE, after=CODE | HIDDEN, answer=HIDDEN)
@settings(max_examples=120)
def test_no_hidden_character_is_inserted_that_the_document_has_not(
    before: str, after: str, answer: str
) -> None:
    done = run(before, after, answer)

    if isinstance(done, Insertion):
        assert unsafe_characters(done.text.replace("\r\n", "\n")) <= set(before + after)


@given(
    before=WORDS, wanted=WORDS, rest=st.sampled_from((")", ");", '")', "]", "})", "b, c)", " else 1", '"'))
)
@settings(max_examples=120)
def test_the_rest_of_the_line_is_never_written_twice(before: str, wanted: str, rest: str) -> None:
    opener = {")": "(", '"': '"', "]": "[", "}": "({", "b": "(", " ": ""}[rest[0]]
    opener = '("' if rest == '")' else opener
    assume(not wanted.endswith((" ", ".")) and not before.endswith(" "))
    # Else it is an echo of the line.
    assume(not wanted.strip().startswith(before.strip()))

    done = run(before + opener, rest, wanted + rest)

    assert isinstance(done, Insertion)
    line = before + opener + done.text + rest[done.end.column - len(before + opener) :]
    assert line == before + opener + wanted + rest


@given(wanted=LINES, below=LINES, language=LANGUAGES)
@settings(max_examples=120)
def test_the_lines_below_are_never_written_twice(wanted: list[str], below: list[str], language: str) -> None:
    telling = [line for line in below if len(line.strip()) >= 5]
    assume(telling and not set(map(str.strip, telling)) & set(map(str.strip, wanted)))

    done = run("start()\n", "\n" + "\n".join(telling), "\n".join([*wanted, *telling]), language=language)

    if isinstance(done, Insertion):
        assert telling[0].strip() not in map(str.strip, done.text.split("\n"))


def _is_new(answer: list[str], around: list[str]) -> bool:
    """Of a line that comes again one is taken off each time; such answers are left out."""
    bare = [line.strip() for line in answer]
    return len(set(bare)) == len(bare) and not set(bare) & {line.strip() for line in around}


@given(above=LINES, below=LINES, answer=LINES, indent=st.sampled_from(("", "    ", "\t")), language=LANGUAGES)
@settings(max_examples=120)
def test_what_is_fit_once_stays_as_it_is(
    above: list[str], below: list[str], answer: list[str], indent: str, language: str
) -> None:
    assume(_is_new(answer, above + below))
    before, after = "\n".join([*above, indent]), "\n" + "\n".join(below)
    done = run(before, after, "\n".join(answer), language=language)
    assume(isinstance(done, Insertion))
    assert isinstance(done, Insertion)

    assert run(before, after, done.text, language=language) == done


@given(above=LINES, below=LINES, formed=FORMED, indent=st.sampled_from(("", "    ", "\t")))
@settings(max_examples=120)
def test_what_is_typed_along_keeps_fitting(
    above: list[str], below: list[str], formed: tuple[str, tuple[str, ...]], indent: str
) -> None:
    language, answer = formed
    assume(language != "yaml" or indent != "\t")
    assume(_is_new(list(answer), above + below))
    before, after = "\n".join([*above, indent]), "\n" + "\n".join(below)
    text = f"\n{indent}".join(answer)
    done = run(before, after, text, language=language)
    # What was changed is not in the cache as it is shown.
    assume(isinstance(done, Insertion) and done.text == text)

    for typed in range(1, len(text)):
        line = text[:typed].rpartition("\n")[2]
        if line and not line.strip() and text[typed].isspace():
            continue  # Half of an indentation is a depth of its own.
        now = run(before + text[:typed], after, text[typed:], language=language)
        assert isinstance(now, Insertion) and now.text == text[typed:], (typed, text[typed:], now)
