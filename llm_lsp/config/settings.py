"""The settings as frozen values, one class per section.

The annotations define the checks, the schema and the ranges in docs/settings.md, and the strings below the fields are
its text. Annotations are evaluated (no `from __future__ import annotations`), so that reading settings at startup
does not have to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from llm_lsp.config.value_types import Between, Checked, EachAlone, Matching, OneOf
from llm_lsp.core.context.snippet import ContextSource
from llm_lsp.core.privacy.addresses import origin_of
from llm_lsp.core.privacy.exclusion import check_glob
from llm_lsp.core.request import GATES, Gate
from llm_lsp.core.usage.audit import check_audit_file

Auto = Literal["auto"]
# Values of `provider` that name no table under [providers]: find a server, and our own model server.
AUTO = "auto"
LOCAL = "local"
# The slot of a model that is trained for next edits and served on this machine; no table can have a name with a blank.
EDIT_MODEL = "edit model"
Api = Literal[
    "openai-completions",
    "openai-chat",
    "anthropic",
    "gemini",
    "mistral-fim",
    "llamacpp-infill",
    "ollama",
    "tgi",
]
KeyHeader = Literal["authorization", "api-key", "x-api-key", "x-goog-api-key"]
Prefill = Literal["never", "plain", "prefix", "partial"]

# Environment variables in capitals only: a key pasted here by mistake is rejected, and not printed as a name in
# "the variable … is not set".
VariableName = Annotated[
    str,
    Matching(
        r"|[A-Z_][A-Z0-9_]{0,127}", "the name of an environment variable in capitals, never the key itself"
    ),
]
ProviderName = Annotated[
    str, Matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a name made of letters, digits, '.', '_' and '-'")
]
Address = Annotated[
    str, Checked(origin_of, "an http or https address without user, password, query and fragment")
]

Glob = Annotated[str, Checked(check_glob, "a glob in .gitignore syntax")]
AuditFile = Annotated[str, Checked(check_audit_file, "an absolute path, or one that begins with ~/")]
Currency = Annotated[str, Matching(r"[A-Z]{3}", "a three-letter currency code such as USD or CNY")]
NoLimit = Literal["none"]

# Each glob is checked alone: one typo must not discard the others, which would send what they exclude.
Globs = Annotated[tuple[Glob, ...], EachAlone()]


def ways_to_fill() -> tuple[str, ...]:
    """List the valid values of `fim`."""
    # Imported here: most users keep "auto", and the server's startup waits for this module.
    from llm_lsp.core.prompt.fim_families import FAMILIES

    return ("auto", "native", "chat", "none", *(family.name for family in FAMILIES))


Filling = Annotated[str, OneOf(ways_to_fill, '"auto", "native", "chat", "none" or a template family')]


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """One model API, under `[providers.NAME]`."""

    name: ProviderName
    """The table's name, not a key in it."""
    api: Api
    """Wire format of the API. Optional for a preset."""
    base_url: Address
    """Address of the API, without the last part of the path, which llm-lsp adds (such as `/completions`). Optional for a preset."""
    model: str = ""
    """Name of the model. Empty: the preset's, or the first one that the server lists; a hosted API without a preset model needs a name."""
    api_key_env: VariableName = ""
    """Name of the environment variable that holds the key."""
    api_key_command: tuple[str, ...] = ()
    """A command, as a list of words, whose first line of output is the key, or that prints a JSON object with `access_token` and `expires_in`. It runs without a shell, and again before its key expires."""
    allow_http: bool = False
    """Allow an `http://` address on another machine. Code and key are then readable on the way."""
    ca_file: str = ""
    """PEM file with certificates to trust in addition to the system's (or to those of SSL_CERT_FILE)."""
    fim: Filling = "auto"
    """How the model fills the middle: "auto" (by its name), the name of a template family, "native" (the API has a field for the text after the cursor), "chat", or "none" (only the text before the cursor is sent)."""
    context_tokens: Annotated[int, Between(64, 1_000_000)] | Auto = "auto"
    """Most tokens of prompt and answer together. "auto": 2048, or less for a llama.cpp server with a smaller window and for a model that reads slowly on this machine."""
    max_tokens: Annotated[int, Between(1, 8192)] = 128
    """Most tokens of an answer."""
    temperature: Annotated[float, Between(0, 2)] = 0.0
    """Sampling temperature. Sent only if the API takes one."""
    takes_temperature: bool | Auto = "auto"
    """Whether the API takes `temperature`. "auto": known for the presets' models; otherwise true."""
    max_stops: Annotated[int, Between(0, 1000)] | Auto = "auto"
    """How many stop strings the API takes; llm-lsp applies the others itself. "auto": known for presets; otherwise 4."""
    max_tokens_field: Annotated[str, Matching(r"\w{0,64}", "the name of a field")] = ""
    """Name of the request field for `max_tokens`. Empty: the preset's, or "max_tokens"."""
    affinity_field: Annotated[str, Matching(r"\w{0,64}", 'the name of a field, or "none"')] = ""
    """Name of the request field for a random name of the document, by which an API sends its calls to the cache that knows the prompt. Empty: the preset's; "none" sends none."""
    affinity_header: Annotated[str, Matching(r"[A-Za-z0-9_-]{0,64}", 'the name of a header, or "none"')] = ""
    """As `affinity_field`, but an HTTP header, as gateways and routers in front of several servers take it. Empty: the preset's; "none" sends none."""
    ask_usage: bool | Auto = "auto"
    """Whether to ask an OpenAI-compatible API for token counts in a stream. "auto": if it is known to support that."""
    ask_logprobs: bool | Auto = "auto"
    """Whether to ask the API how likely each token of an answer is, which decides what is shown. "auto": if it is documented to send that."""
    prefill: Prefill | Auto = "auto"
    """Whether a chat may end with the beginning of the answer: "never", "plain" (as an assistant message), or "prefix" and "partial" (as an assistant message with a field of that name)."""
    thinking: Literal["never", "manual"] = "never"
    """Whether a chat model may think before it answers: "never", or "manual" (for manual requests only). The answer then takes seconds, and you pay for the thoughts."""
    key_header: KeyHeader | Auto = "auto"
    """HTTP header for the key. "auto": the usual one of the API."""
    stream: bool = True
    """Whether to read the answer while it is written. Switch it off only for an API that cannot stream."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Additional HTTP headers."""
    extra_body: Mapping[str, object] = field(default_factory=dict)
    """Additional fields of the request body. They override llm-lsp's."""
    timeout_s: Annotated[float, Between(0.1, 600)] | Auto = "auto"
    """Seconds that a call may take. "auto": 8 for automatic requests, 15 for manual ones, 60 for commands and models that think, no limit for a model on this machine."""
    local: bool | Auto = "auto"
    """Whether it runs on this machine. "auto": true for llm-lsp's own model server and for llama.cpp and Ollama servers that were recognized."""
    free: bool | Auto = "auto"
    """Whether calls cost nothing. The text after a suggestion is then prefetched. "auto": the same as `local`."""
    fallback: tuple[ProviderName, ...] = ()
    """Providers to use while this one fails or its budget is spent, in this order: names under `[providers]`, "local" or "auto"."""
    max_in_flight: Annotated[int, Between(1, 64)] | Auto = "auto"
    """Most calls at the same time. "auto": 2 for a remote provider with `cancel_stops_billing`, otherwise 1."""
    cancel_stops_billing: bool = True
    """Whether closing the connection stops the bill. If not, single lines are requested with a stop string and fewer tokens."""
    price_input: Annotated[float, Between(0, 1_000_000)] | Auto = "auto"
    """Price of a million tokens read. "auto": from llm-lsp's price table, or from the package genai-prices if it is installed."""
    price_output: Annotated[float, Between(0, 1_000_000)] | Auto = "auto"
    """Price of a million tokens written. Required if `price_input` is set."""
    price_cached: Annotated[float, Between(0, 1_000_000)] | Auto = "auto"
    """Price of a million tokens read from the API's cache. "auto": `price_input`, if set."""
    price_currency: Currency = "USD"
    """Currency of the prices."""
    unvouched: bool = False
    """That it is on this machine was not claimed by the user, so it is checked before use; not a key of the table."""


@dataclass(frozen=True, slots=True)
class RouteConfig:
    """Which provider answers which requests: one table `[[routes]]` for each rule. The first match is used; without one, `provider` is."""

    provider: ProviderName
    """The provider: a name under `[providers]`, "local" or "auto"."""
    language: str | tuple[str, ...] = ()
    """LSP language identifiers, one or a list. Empty: all."""
    path: Glob | tuple[Glob, ...] = ()
    """Globs as in a .gitignore in the workspace folder, one or a list. Empty: all files."""
    trigger: Literal["any", "auto", "manual"] = "any"
    """Which requests: "auto" (while typing), "manual" (on demand) or "any"."""


@dataclass(frozen=True, slots=True)
class CompletionConfig:
    """When and how completions are made, under `[completion]`."""

    trigger: Literal["auto", "manual"] = "auto"
    """When completions are made: "auto" (while typing, and on demand) or "manual" (only on demand)."""
    languages: tuple[str, ...] = ()
    """LSP language identifiers to complete. Empty: all."""
    debounce_ms: Annotated[int, Between(0, 5000)] | Auto = "auto"
    """Milliseconds without a keystroke before a model is called. "auto": 20 to 60, depending on how fast you type."""
    multiline: Literal["auto", "never", "always"] = "auto"
    """Whether a completion may have several lines. "auto": depends on the syntax around the cursor."""
    length: Literal["auto", "line"] = "auto"
    """How much of a line is shown at once while typing: "auto" (as many words as the model is usually right about) or "line" (all of it)."""
    eagerness: Literal["low", "medium", "high"] = "medium"
    """How sure the model must be of what is shown while typing: "low" (few suggestions, mostly right), "medium" or "high" (many, more of them wrong). For models whose API tells how likely each token is; manual requests always show."""
    menu: Literal["auto", "never", "always"] = "auto"
    """Whether completion menus get items. "auto": only for editors without inline completion."""
    menu_timeout_ms: Annotated[int, Between(0, 10_000)] = 150
    """Milliseconds that a completion menu waits for a model before it opens without its item."""
    gates: tuple[Gate, ...] = GATES
    """Places where no model is called while typing: "mid-line" (text follows on the line, and you have not just typed there), "statement-end" (after a `;` or closing bracket that ends the line's statement), "deleting" (you have just deleted something)."""
    calls_per_minute: Annotated[int, Between(1, 6000)] = 90
    """Most automatic calls a minute to a remote provider, with bursts of 10. Manual requests are not counted."""


@dataclass(frozen=True, slots=True)
class ContextConfig:
    """What is added to a prompt from other places, under `[context]`."""

    sources: Auto | tuple[ContextSource, ...] = "auto"
    """Sources of context: "auto" (all that the model was found to gain from), or a list of "signatures" (of imported names, and of names defined elsewhere in the file), "similar" (similar code in open and neighbouring files), "visited" (places that you visited) and "edits" (your recent changes, as diffs). An empty list sends the file alone. Nothing outside the file's workspace folder and no excluded or ignored file is used."""
    share: Annotated[float, Between(0, 0.75)] = 0.25
    """Share of the prompt for context if the file itself would fill the prompt. A small file leaves more."""


@dataclass(frozen=True, slots=True)
class EditsConfig:
    """Next edits, which follow from your last change, under `[edits]`."""

    enabled: bool | Auto = "auto"
    """Whether next edits are offered. "auto": those found by rules on this machine, for which nothing is sent; where these find nothing, those of the model under `provider`. true: also those of the model that completes, if none is named. false: none."""
    provider: ProviderName = "auto"
    """Provider of the model that writes next edits: a name under `[providers]`, "local" or a preset. "auto": a model trained for next edits that `llm-lsp model serve` runs, otherwise none."""
    format: Literal["auto", "sweep", "zeta-2", "zeta-2.1", "chat"] = "auto"
    """How that model is asked. "auto": by its name, and as a chat for a chat API."""


@dataclass(frozen=True, slots=True)
class ExampleConfig:
    """Examples for chat models, one table `[[chat.examples]]` for each."""

    before: str
    """The text before the cursor."""
    answer: str
    """The expected completion at the cursor."""
    after: str = ""
    """The text after the cursor."""
    path: str = ""
    """The file name that the model sees."""
    language: str = ""
    """The LSP language identifier."""


@dataclass(frozen=True, slots=True)
class ChatConfig:
    """What chat models are told (`fim = "chat"`), under `[chat]`."""

    system_prompt: str = ""
    """Role and rules, replacing the built-in ones. They must describe the same form of question and answer; see docs/prompts.md."""
    examples: tuple[ExampleConfig, ...] = ()
    """Examples that are shown before the question. Empty: the built-in ones."""


@dataclass(frozen=True, slots=True)
class PrivacyConfig:
    """What is never sent, under `[privacy]`."""

    exclude: Globs = ()
    """Files that are never completed and never used as context: globs as in a .gitignore in the workspace folder. One that begins with `/` also matches from the root of the disk. Added to the built-in list and to the globs of other settings files."""
    exclude_defaults: bool = True
    """Whether the built-in list of files with secrets (.env, keys, credentials …) is excluded too."""
    ignore_files: bool = True
    """Whether files that .gitignore or .aiignore name, and files below a folder with a .noai, are excluded too."""
    schemes: tuple[str, ...] = ()
    """Further URI schemes of documents to complete, such as "git" for a view of an old version. Files, unsaved documents, notebooks, commit messages and VS Code's remote and virtual workspaces need none."""
    redact_secrets: bool = True
    """Whether keys, tokens and passwords of known formats are redacted in everything that is sent."""
    remote: bool = True
    """Whether remote providers may be used at all."""
    allowed_origins: tuple[Address, ...] = ()
    """Origins that code may be sent to, such as "https://llm.example.com", besides this machine. Empty: any that you enable."""


@dataclass(frozen=True, slots=True)
class LocalConfig:
    """The model server on this machine, under `[local]`."""

    model: str = "auto"
    """A name from `llm-lsp model list`, or the path of a GGUF file. "auto": the best one that was downloaded."""
    idle_minutes: Annotated[float, Between(0.05, 1440)] = 30.0
    """Minutes without a request after which the model server ends."""
    threads: Annotated[int, Between(1, 256)] | Auto = "auto"
    """Threads of the model server. "auto": measured once on this machine."""
    context_tokens: Annotated[int, Between(512, 131_072)] = 8192
    """Context window of the model server, in tokens."""


@dataclass(frozen=True, slots=True)
class UsageConfig:
    """The record of calls, costs and suggestions on this machine, under `[usage]`."""

    save: bool = True
    """Whether to keep the record for `llm-lsp usage` and `llm-lsp explain`. It contains no code. With a budget it is always kept."""


@dataclass(frozen=True, slots=True)
class AuditConfig:
    """A record of remote calls for a team, under `[audit]`. Only the machine's files and your own can set it."""

    file: AuditFile = ""
    """File to which one JSON line per remote call is appended: time, provider, model, origin, tokens, outcome and reasons; no code, no path, no name of yours. Empty: none."""


@dataclass(frozen=True, slots=True)
class BudgetConfig:
    """Limits on what all editors together may spend on calls that are not free, under `[budget]`."""

    currency: Currency = "USD"
    """Currency of `per_day` and `per_month`."""
    per_day: Annotated[float, Between(0, 1_000_000)] | NoLimit = "none"
    """Money a day. Days begin at midnight on this machine."""
    per_month: Annotated[float, Between(0, 1_000_000)] | NoLimit = "none"
    """Money a calendar month."""
    tokens_per_day: Annotated[int, Between(0, 10**12)] | NoLimit = "none"
    """Tokens a day, read and written."""
    tokens_per_month: Annotated[int, Between(0, 10**12)] | NoLimit = "none"
    """Tokens a calendar month."""
    warn_at: Annotated[float, Between(0, 1)] = 0.8
    """Share of a limit at which you get one message."""
    exchange: Mapping[str, Annotated[float, Between(1e-6, 1e6)]] = field(default_factory=dict)
    """Exchange rates for prices in other currencies: what one unit is worth in `currency`, such as `{ USD = 7.1 }`."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings."""

    enabled: bool = True
    """Whether completions are made at all."""
    provider: str = "auto"
    """The provider: "auto" (a model server that runs on this machine, otherwise the model of `[local]`), "local" (that model), the name of a preset, or a name under `[providers]`."""
    providers: Mapping[str, ProviderConfig] = field(default_factory=dict)
    """Model APIs by name."""
    routes: tuple[RouteConfig, ...] = ()
    """Other providers for some languages, files or triggers."""
    completion: CompletionConfig = CompletionConfig()
    edits: EditsConfig = EditsConfig()
    context: ContextConfig = ContextConfig()
    chat: ChatConfig = ChatConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    local: LocalConfig = LocalConfig()
    usage: UsageConfig = UsageConfig()
    audit: AuditConfig = AuditConfig()
    budget: BudgetConfig = BudgetConfig()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in the settings; the rest of them is used."""

    source: str
    """Where it is: a file's path, or "editor settings"."""
    message: str
    """One line that names the key, what is wrong, and the nearest good value or key."""
