"""Makes the call for an attempt: builds the prompt, and caches the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from llm_lsp.core.context.notebook_cells import OpenCell, below_cells
from llm_lsp.core.context.ranking import ContextSelection
from llm_lsp.core.generation import Finish, Generation
from llm_lsp.core.privacy.cut_texts import redact_snippets, redact_window
from llm_lsp.core.prompt.prompt_builder import build_prompt, forced_start, stop_rule
from llm_lsp.core.prompt.prompts import Prompt
from llm_lsp.core.provider_profile import Profile
from llm_lsp.core.request import Patience
from llm_lsp.core.response.postprocess import postprocess
from llm_lsp.core.response.read_ahead import READ_AHEAD_LINES, ReadAhead
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point
from llm_lsp.core.text.window import Window, cut_window
from llm_lsp.core.usage.request_log import RequestLog
from llm_lsp.engine.clock import Clock
from llm_lsp.engine.completion.attempt import CompletionAttempt
from llm_lsp.engine.completion.cache import GenerationCache
from llm_lsp.engine.completion.executor import StreamReader
from llm_lsp.engine.completion.last_shown import LastShown
from llm_lsp.engine.context.collector import ContextCollector
from llm_lsp.engine.models.model_access import ModelAccess
from llm_lsp.engine.models.model_stream import ModelStream
from llm_lsp.engine.workspace.workspace import Workspace

# For further answers: high enough to differ, and still correct code (HumanEval's pass@k is measured at 0.2 to 0.8,
# https://arxiv.org/abs/2107.03374, section 3.3).
SAMPLE_TEMPERATURE = 0.7

Progress = Callable[[str], None]
"""Called with the text so far while it streams."""


@dataclass(frozen=True, slots=True)
class PreparedPrompt:
    """What would be sent to a provider."""

    prompt: Prompt
    profile: Profile
    context: ContextSelection
    """The context pieces in it, and those left out."""


@dataclass(frozen=True, slots=True)
class JobTools:
    """Dependencies of every job."""

    models: ModelAccess
    collector: ContextCollector
    workspace: Workspace
    cache: GenerationCache
    last_shown: LastShown
    clock: Clock


class CompletionJob:
    """Makes an attempt's call if the scheduler starts one; builds nothing before that."""

    def __init__(
        self, attempt: CompletionAttempt, tools: JobTools, log: RequestLog, progress: Progress | None = None
    ) -> None:
        self._attempt = attempt
        self._tools = tools
        self._log = log
        self._progress = progress

    def begin(self) -> ModelStream:
        """Build the prompt and return the call."""
        attempt, tools = self._attempt, self._tools
        stream = tools.models.stream(
            attempt.request.for_model,
            attempt.choice,
            self._build_prompt,
            # A thinking model needs as much time as a command allows.
            Patience.COMMAND if attempt.ask.route.thinks else None,
        )
        now = tools.clock.now()
        self._log.left("waiting", "for a pause in typing, and for a free slot", now)
        self._log.left("context", self._context.in_words, now)
        return stream

    def prepared(self) -> PreparedPrompt:
        """Return what would be sent."""
        prompt = self._tools.models.prompt(self._attempt.choice, self._build_prompt)
        return PreparedPrompt(prompt, self._attempt.profile, self._context)

    def reader(self) -> StreamReader:
        """Return the reader that decides when the stream is complete."""
        attempt = self._attempt
        may_grow = attempt.choice.runtime.config.completion.multiline != "never"
        rule = stop_rule(self._window, attempt.profile, attempt.mode, attempt.chat_style, may_grow=may_grow)
        # If closing does not stop the billing, the request already asked to stop at the end of the line.
        lines = READ_AHEAD_LINES if attempt.profile.cancel_stops_billing else 0
        words = self._tools.last_shown.phrase_words(attempt.ask.route, is_small=attempt.profile.is_small)
        if attempt.profile.sends_logprobs:
            words = 1  # every place is judged
        return ReadAhead(rule, lines, words, forced_start(self._window, attempt.profile))

    def streamed(self, generation: Generation) -> None:
        """Show the text so far as it would be inserted, without lines that are read ahead."""
        if self._progress is None or generation.units:
            return
        last_line = generation.text.rpartition("\n")[2].strip()
        if last_line and self._attempt.ask.cursor.context_key.below.startswith(last_line):
            # The line may turn out to repeat the next line of the text.
            return
        result = postprocess(generation.text, Finish.CUT, self._attempt.request)
        if not isinstance(result, Skip):
            self._progress(result.text)

    def done(self, generation: Generation) -> None:
        """Cache a generation for its place, even if no request waits for it any more."""
        self._tools.cache.put(self._attempt.ask, generation)

    def _build_prompt(self) -> Prompt:
        attempt = self._attempt
        redact = self._tools.models.redact(attempt.choice.runtime)
        document, point = self._place
        window = redact_window(self._window, document.text, point, redact)
        snippets = redact_snippets(self._context.snippets, redact)
        prompt = build_prompt(window, attempt.profile, attempt.mode, snippets, attempt.chat_style)
        return replace(prompt, temperature=SAMPLE_TEMPERATURE) if attempt.request.sample else prompt

    @cached_property
    def _context(self) -> ContextSelection:
        attempt = self._attempt
        return self._tools.collector.gather(
            self._place[0],
            attempt.choice.budget_tokens,
            attempt.choice.runtime,
            attempt.profile,
            {cell.document.uri for cell in self._cells},
        )

    @cached_property
    def _cells(self) -> tuple[OpenCell, ...]:
        """The cells before this one in its notebook that may be sent."""
        tools = self._tools
        above = tools.workspace.cells_above(self._attempt.request.document.uri)
        return tuple(cell for cell in above if tools.models.admit_document(cell.document) is None)

    @cached_property
    def _place(self) -> tuple[Document, Point]:
        """The document and the cursor as the prompt has them: a notebook's cell stands below those before it."""
        request = self._attempt.request
        return below_cells(request.document, request.point, self._cells)

    @cached_property
    def _window(self) -> Window:
        context = self._context
        budget_tokens = self._attempt.choice.budget_tokens - context.tokens
        window = cut_window(*self._place, budget_tokens)
        return replace(window, path=context.path) if context.path else window
