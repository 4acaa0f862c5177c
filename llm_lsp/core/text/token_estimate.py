"""Estimates the number of tokens in a text by its script, and by a rate learned from what an API reports."""

from __future__ import annotations

from dataclasses import dataclass

# For ASCII text: 4.1 to 5 for Python and Markdown with Qwen2.5's tokenizer; 3.5 is Cody's value.
ASCII_CHARS_PER_TOKEN = 3.5
# For other text: Qwen2.5's tokenizer has 5.1 for Chinese, 4.5 for Japanese, over 5 for Korean and Russian. Older
# tokenizers need more tokens, and exceeding the context window is worse than a slightly shorter prompt.
OTHER_BYTES_PER_TOKEN = 4.0
# Weight of a new report in the moving average: about the last ten count.
_REPORT_WEIGHT = 0.1
# Estimated tokens. A shorter prompt mainly consists of the template's tokens, and shows little about the text.
_LEAST_REPORT = 100
# Plausible ratios of real to estimated tokens: beyond them an API counts something else.
_LOWEST, _HIGHEST = 0.6, 2.5
# The rate in use changes in these steps, so that windows do not start elsewhere after every report.
_STEP = 0.1


def estimate_tokens(text: str) -> float:
    """Return the estimated number of tokens in a text; 0 for an empty one."""
    if text.isascii():
        return len(text) / ASCII_CHARS_PER_TOKEN
    ascii_chars = len(text.encode("ascii", "ignore"))
    other_bytes = len(text.encode("utf-8", "surrogatepass")) - ascii_chars
    return ascii_chars / ASCII_CHARS_PER_TOKEN + other_bytes / OTHER_BYTES_PER_TOKEN


@dataclass(frozen=True, slots=True)
class TokenRate:
    """The ratio of real to estimated tokens for one model, learned from the usage that its API reports."""

    in_use: float = 1.0
    """Real tokens per estimated token."""
    mean: float = 1.0

    def learned(self, estimated: float, reported: int | None) -> TokenRate:
        """Return the rate updated with an API's count for a prompt; None changes nothing."""
        if reported is None or estimated < _LEAST_REPORT:
            return self
        ratio = min(_HIGHEST, max(_LOWEST, reported / estimated))
        mean = self.mean + _REPORT_WEIGHT * (ratio - self.mean)
        in_use = self.in_use if abs(mean - self.in_use) < _STEP else round(mean, 1)
        return TokenRate(in_use, mean)

    def budget(self, tokens: float) -> float:
        """Convert a limit in real tokens to one in estimated tokens."""
        return tokens / self.in_use
