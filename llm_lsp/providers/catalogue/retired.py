"""Models that their vendors have retired, and their successors."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retired:
    """Models of one vendor that are retired on the same day."""

    pattern: str
    """Regular expression, searched in the lower-case model name."""
    on: str
    """The date, or only the year if no more is known."""
    successor: str
    """The closest model that completes code as fast."""
    source: str


_OPENAI = "https://developers.openai.com/api/docs/deprecations"
_ANTHROPIC = "https://docs.claude.com/en/docs/about-claude/model-deprecations"
_GOOGLE = "https://ai.google.dev/gemini-api/docs/deprecations"
_MISTRAL = "https://docs.mistral.ai/getting-started/models/models_overview"
_DEEPSEEK = "https://api-docs.deepseek.com/quick_start/pricing"
_ALIBABA = "https://docs.apiyi.com/live/2026-10/bailian-models-offline.md"
_MOONSHOT = "https://platform.moonshot.ai/docs/pricing/chat"

# As of 2026-11-22. If a model is not found, the vendor's own list is used too, and is more current.
RETIRED: tuple[Retired, ...] = (
    Retired(r"^(gpt-3\.5-turbo-instruct|davinci-002|babbage-002)", "2026-09-28", "gpt-6-luna", _OPENAI),
    Retired(r"^(gpt-5(-mini|-nano|-pro)?|o3(-pro)?)(-20\d\d|$)", "2026-12-11", "gpt-6-luna", _OPENAI),
    Retired(r"^gpt-4(o|\.1)(-mini)?(-20\d\d|$)", "2027-01-14", "gpt-6-luna", _OPENAI),
    Retired(r"claude-(instant|2|3-sonnet)", "2025-07-21", "claude-haiku-5-5", _ANTHROPIC),
    Retired(r"claude-3-opus", "2026-01-05", "claude-haiku-5-5", _ANTHROPIC),
    Retired(r"claude-3-5-haiku", "2026-02-19", "claude-haiku-5-5", _ANTHROPIC),
    Retired(r"gemini-(1|2\.0)", "2026-06-01", "gemini-3.5-flash-lite", _GOOGLE),
    Retired(r"gemini-2\.5-(pro|flash)($|-0)", "2026-12-01", "gemini-3.5-flash-lite", _GOOGLE),
    Retired(r"codestral-(2405|2501)", "2025-11-30", "codestral-latest", _MISTRAL),
    Retired(r"^deepseek-(chat|coder|reasoner)", "2026-07-24", "deepseek-flash", _DEEPSEEK),
    Retired(r"^kimi-(latest|k2-.*preview)", "2026", "kimi-k2.6", _MOONSHOT),
    Retired(r"^qwen3-coder-(plus|480b)", "2026-10-10", "qwen3-coder-flash", _ALIBABA),
)


def retired(model: str) -> Retired | None:
    """Return the entry of a retired model, or None."""
    return next((each for each in RETIRED if re.search(each.pattern, model.lower())), None)
