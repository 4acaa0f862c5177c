"""Estimates how many tokens a text is, by script, and by a rate learned from what an API reports."""

from __future__ import annotations

from dataclasses import dataclass

# Characters a token, for ASCII text: 4.1 to 5 for Python and Markdown with Qwen2.5's tokenizer, 3.5 is Cody's figure.
ASCII_CHARS_PER_TOKEN = 3.5
# UTF-8 bytes a token, for other text. Qwen2.5's tokenizer: Chinese 5.1, Japanese 4.5, Korean and Russian over 5;
# the older ones are denser, and a prompt over the model's window costs more than one that is a little short.
OTHER_BYTES_PER_TOKEN = 4.0
# The weight of a new report in the running mean: about the last ten count.
_REPORT_WEIGHT = 0.1
# Estimated tokens. A shorter prompt is mostly the template's own tokens, and says little of the text.
_LEAST_REPORT = 100
# Real tokens for an estimated one, as far as it is believed: beyond that an API counts something else.
_LOWEST, _HIGHEST = 0.6, 2.5
# The rate in use moves in steps of this, so that a window does not start elsewhere after every report.
_STEP = 0.1


def estimate_tokens(text: str) -> float:
    """Estimate how many tokens a model reads for a text; 0 for an empty one."""
    if text.isascii():
        return len(text) / ASCII_CHARS_PER_TOKEN
    ascii_chars = len(text.encode("ascii", "ignore"))
    other_bytes = len(text.encode("utf-8", "surrogatepass")) - ascii_chars
    return ascii_chars / ASCII_CHARS_PER_TOKEN + other_bytes / OTHER_BYTES_PER_TOKEN


@dataclass(frozen=True, slots=True)
class TokenRate:
    """What one model's tokenizer makes of our estimate, learned from the usage that its API reports."""

    in_use: float = 1.0
    """Real tokens for an estimated one."""
    mean: float = 1.0

    def learned(self, estimated: float, reported: int | None) -> TokenRate:
        """Return the rate with what an API counted for a prompt; None changes nothing."""
        if reported is None or estimated < _LEAST_REPORT:
            return self
        ratio = min(_HIGHEST, max(_LOWEST, reported / estimated))
        mean = self.mean + _REPORT_WEIGHT * (ratio - self.mean)
        in_use = self.in_use if abs(mean - self.in_use) < _STEP else round(mean, 1)
        return TokenRate(in_use, mean)

    def budget(self, tokens: float) -> float:
        """Turn a budget of real tokens into one of estimated tokens."""
        return tokens / self.in_use
