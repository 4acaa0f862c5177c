"""Time post-processing on easy and on hostile answers; needs no model.

    python -m benchmarks.postprocess

Each figure is milliseconds of processor time for one answer: median and 95th percentile.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass

from llm_lsp.core.generation import Finish
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.response.postprocess import postprocess
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text

ANSWER_CHARS = 8000
LONG_LINE_CHARS = 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """A document, a cursor and what a model wrote."""

    name: str
    document: Document
    point: Point
    answer: str
    finish: Finish = Finish.CUT


def samples() -> list[Sample]:
    """Return answers of every kind that a filter has to process."""
    body = "".join(f"    value_{n} = compute({n})\n" for n in range(400))
    code = Text.of(f"def f(x):\n{body}    return x\n")
    inside = Point(200, 4)
    minified = Text.of("a=f(1);" * (LONG_LINE_CHARS // 7) + "\n")
    far = Point(0, LONG_LINE_CHARS // 2)
    brackets = Text.of("f(" * 500 + ")" * 500)
    return [
        _sample("one line", code, inside, "total = compute(1, 2)\n"),
        _sample("a block of 12 lines", code, inside, body[4:340]),
        _sample("a block of 12 lines at the token limit", code, inside, body[4:330], Finish.LENGTH),
        _sample("40 brackets a line at the limit", code, inside, ("f(" * 40 + "\n") * 40, Finish.LENGTH),
        _sample("8,000 characters of code", code, inside, (body * 2)[4:ANSWER_CHARS]),
        _sample("8,000 brackets", brackets, Point(0, 1000), "([{" * (ANSWER_CHARS // 3)),
        _sample("8,000 closers", brackets, Point(0, 1000), ")" * ANSWER_CHARS),
        _sample("8,000 quotes", brackets, Point(0, 1000), "\"'`" * (ANSWER_CHARS // 3)),
        _sample("8,000 blanks", code, inside, " " * ANSWER_CHARS + "x"),
        _sample("4,000 lines", code, inside, "a\n" * (ANSWER_CHARS // 2)),
        _sample("4,000 lines, no two alike in a row", code, inside, "a\nb\nc\nd\ne\n" * (ANSWER_CHARS // 10)),
        _sample("one letter 8,000 times", code, inside, "a" * ANSWER_CHARS),
        _sample("one line of 1 MB", minified, far, "g(2);" + "b=f(3);" * 30),
        _sample("one line of 1 MB, 8,000 characters", minified, far, ("a=f(1);" * 1200)[:ANSWER_CHARS]),
        _sample("one line of 1 MB, hidden characters", minified, far, "a\u200b\u202e\u2066"),
    ]


def _sample(name: str, text: Text, point: Point, answer: str, finish: Finish = Finish.CUT) -> Sample:
    return Sample(name, Document("file:///sample", "python", 1, text), point, answer, finish)


def times_ms(sample: Sample, rounds: int) -> list[float]:
    """Process one answer again and again."""
    request = CompletionRequest(1, sample.document, sample.point, Trigger.AUTOMATIC, "inline", 0.0)
    times = []
    for _ in range(rounds):
        began = time.process_time()
        postprocess(sample.answer, sample.finish, request)
        times.append((time.process_time() - began) * 1000)
    return times


def main() -> None:
    """Print a line for each sample."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    for sample in samples():
        times = times_ms(sample, rounds)
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"{sample.name:40} {statistics.median(times):8.3f} {p95:8.3f}")


if __name__ == "__main__":
    main()
