"""The settings as frozen values, one class a section.

The annotations give the checks, the schema and the ranges in docs/settings.md; the strings under the fields are
its text. They are real objects, not strings (no `from __future__ import annotations`), so that reading settings
needs no evaluation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from llm_lsp.config.value_types import Between, Checked, EachAlone, Matching, OneOf
from llm_lsp.core.context.snippet import ContextSource
from llm_lsp.core.privacy.addresses import origin_of
from llm_lsp.core.privacy.exclusion import check_glob
from llm_lsp.core.request import GATES, Gate

Auto = Literal["auto"]
# Two values of `provider` that are no entry under [providers]: find one, and our own model server.
AUTO = "auto"
LOCAL = "local"
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

# Capitals only, as such names are written: a key that is put here by mistake must not be read as a name, and
# then printed in "the variable … is not set".
VariableName = Annotated[
    str,
    Matching(
        r"|[A-Z_][A-Z0-9_]{0,127}", "the name of an environment variable in capitals, never the key itself"
    ),
]
ProviderName = Annotated[
    str, Matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a name of letters, digits, '.', '_' and '-'")
]
Address = Annotated[
    str, Checked(origin_of, "an http or https address without user, password, query and fragment")
]

Glob = Annotated[str, Checked(check_glob, "a glob in .gitignore syntax")]
Currency = Annotated[str, Matching(r"[A-Z]{3}", "a currency's three letters, as USD or CNY")]
NoLimit = Literal["none"]

# One slip in a list must not send what its other globs exclude.
Globs = Annotated[tuple[Glob, ...], EachAlone()]


def ways_to_fill() -> tuple[str, ...]:
    """List what `fim` may be."""
    # Imported here: most users leave it to "auto", and the server's start waits for this module.
    from llm_lsp.core.prompt.fim_families import FAMILIES

    return ("auto", "native", "chat", "none", *(family.name for family in FAMILIES))


Filling = Annotated[str, OneOf(ways_to_fill, '"auto", "native", "chat", "none" or a template family')]


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """One model API, under `[providers.NAME]`."""

    name: ProviderName
    """The table's name; not a key of it."""
    api: Api
    """The wire dialect; may be left out under a preset's name."""
    base_url: Address
    """Address of the API, up to and without the last part of the path that the dialect adds; may be left out under a preset's name."""
    model: str = ""
    """The model's name; empty takes the first that the API lists."""
    api_key_env: VariableName = ""
    """Name of the environment variable that holds the key."""
    api_key_command: tuple[str, ...] = ()
    """A command, word by word, whose first line of output is the key; no shell is used."""
    allow_http: bool = False
    """Allow an address with `http://` that is not on this machine: code and key then travel readable to all on the way."""
    ca_file: str = ""
    """A file of further certificates to trust, in PEM form; the system's are trusted, or those of SSL_CERT_FILE."""
    fim: Filling = "auto"
    """How the hole is filled: "auto" (by the model's name), a template family's name, "native" (the API has a suffix field), "chat", or "none" (left to right)."""
    context_tokens: Annotated[int, Between(64, 1_000_000)] | Auto = "auto"
    """Budget of prompt and answer together in tokens; "auto" is 2048, less where a llama.cpp that was found has a smaller window or our own model reads slowly."""
    max_tokens: Annotated[int, Between(1, 8192)] = 128
    """Most tokens of one answer."""
    temperature: Annotated[float, Between(0, 2)] = 0.0
    """Sampling temperature; sent only where the API takes it."""
    takes_temperature: bool | Auto = "auto"
    """Whether the API takes `temperature`; "auto" knows it of the presets' models."""
    max_stops: Annotated[int, Between(0, 1000)] | Auto = "auto"
    """How many stop strings the API takes; "auto" is 4 where it is not known. The rest is cut off here."""
    max_tokens_field: Annotated[str, Matching(r"\w{0,64}", "the name of a field")] = ""
    """The field that carries `max_tokens`; empty takes the preset's, else "max_tokens"."""
    ask_usage: bool | Auto = "auto"
    """Whether an OpenAI-shaped API is asked to count tokens in a stream; "auto" where it is known to take that."""
    prefill: Prefill | Auto = "auto"
    """How a dialogue may end with the beginning of the answer: "never", "plain" (as the assistant's message), or with that message marked by a field `prefix` or `partial`."""
    thinking: Literal["never", "manual"] = "never"
    """Whether a model that is asked by a dialogue may think step by step first: never, or where it is asked by hand; the answer then takes seconds, and the thoughts are paid."""
    key_header: KeyHeader | Auto = "auto"
    """The HTTP header that carries the key; "auto" is the dialect's or the preset's own."""
    stream: bool = True
    """Read the answer as it is written; off only for an API that cannot."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further HTTP headers."""
    extra_body: Mapping[str, object] = field(default_factory=dict)
    """Further fields of the request's body; they win over ours."""
    timeout_s: Annotated[float, Between(0.1, 600)] | Auto = "auto"
    """Seconds a whole call may take; "auto" is 8 while typing, 15 by hand, 60 for a command and where the model thinks, and no limit for a local model."""
    local: bool | Auto = "auto"
    """It runs on this machine; "auto": our own model server, or a recognised llama.cpp or Ollama one."""
    free: bool | Auto = "auto"
    """Calls cost nothing; "auto" follows `local`; what comes after a suggestion is then asked before it is accepted."""
    fallback: tuple[ProviderName, ...] = ()
    """Providers that are asked in its place, in this order, while it fails or may not be asked: names under `[providers]`, "local" or "auto"."""
    max_in_flight: Annotated[int, Between(1, 64)] | Auto = "auto"
    """Calls at the same time; "auto" is 2 for a remote provider whose bill stops with the call, else 1."""
    cancel_stops_billing: bool = True
    """Whether closing the connection stops the bill; where it does not, the API itself ends a single line, and fewer tokens are asked for."""
    price_input: Annotated[float, Between(0, 1_000_000)] | Auto = "auto"
    """Price of a million tokens that are read; "auto" by our own table (llm_lsp/core/usage/prices.py), or by the package genai-prices where that is installed."""
    price_output: Annotated[float, Between(0, 1_000_000)] | Auto = "auto"
    """Price of a million tokens that are written; needed where `price_input` is set."""
    price_cached: Annotated[float, Between(0, 1_000_000)] | Auto = "auto"
    """Price of a million tokens that are read from the API's cache; "auto" is `price_input`, where that is set."""
    price_currency: Currency = "USD"
    """What the prices are in."""
    unvouched: bool = False
    """Its being on this machine is nobody's word that counts, so that it is looked at before it is used; not a key of the table."""


@dataclass(frozen=True, slots=True)
class RouteConfig:
    """Which provider a request goes to: one table `[[routes]]` for each rule; the first that matches decides, else `provider` does."""

    provider: ProviderName
    """Who is asked: a name under `[providers]`, "local" or "auto"."""
    language: str | tuple[str, ...] = ()
    """LSP language identifiers, one or a list; empty fits all."""
    path: Glob | tuple[Glob, ...] = ()
    """Files as a .gitignore in the workspace folder would name them, one glob or a list; empty fits all."""
    trigger: Literal["any", "auto", "manual"] = "any"
    """"auto" fits what is asked while typing, "manual" what is asked for by hand."""


@dataclass(frozen=True, slots=True)
class CompletionConfig:
    """When and how completions are made, under `[completion]`."""

    trigger: Literal["auto", "manual"] = "auto"
    """"auto" answers while typing, "manual" only when asked for."""
    languages: tuple[str, ...] = ()
    """LSP language identifiers to complete; empty means all."""
    debounce_ms: Annotated[int, Between(0, 5000)] | Auto = "auto"
    """Milliseconds of quiet before a model is asked; "auto" adapts from 20 to 60, since calls are joined."""
    multiline: Literal["auto", "never", "always"] = "auto"
    """Whether an answer may have several lines; "auto" decides by the syntax around the cursor."""
    length: Literal["auto", "line"] = "auto"
    """How much of a line is shown at once while typing: "auto" as many words as were usually right before, "line" all of it."""
    menu: Literal["auto", "never", "always"] = "auto"
    """Whether completion menus get items; "auto" only for clients without inline completion."""
    menu_timeout_ms: Annotated[int, Between(0, 10_000)] = 150
    """Milliseconds a menu waits for a model before it is answered without it."""
    gates: tuple[Gate, ...] = GATES
    """Where no model is asked while typing: "mid-line" (text follows on the line, and none was just typed), "statement-end" (after `;` or a closing bracket, where the language wants nothing more on the line), "deleting" (the first two deletions in a row)."""
    calls_per_minute: Annotated[int, Between(1, 6000)] = 90
    """Calls that are made in a minute without being asked for by hand, to a provider that is not on this machine; bursts of 10 are allowed."""


@dataclass(frozen=True, slots=True)
class ContextConfig:
    """What of other places goes with a prompt, under `[context]`."""

    sources: Auto | tuple[ContextSource, ...] = "auto"
    """Where it comes from: "auto" (all that the model was found to gain from), or a list of "signatures" (of what the file imports, and of what it defines out of sight), "similar" (alike pieces of open and neighbouring files), "visited" (places that you were at), "edits" (your last changes, as diffs); empty sends the file alone. Nothing outside of the file's workspace folder is taken, and nothing that is excluded or that `.gitignore`, `.aiignore` or `.noai` keep away."""
    share: Annotated[float, Between(0, 0.75)] = 0.25
    """Share of the prompt that it may have where the file itself would fill it; a small file leaves it more."""


@dataclass(frozen=True, slots=True)
class ExampleConfig:
    """A place and its answer, one table `[[chat.examples]]` for each."""

    before: str
    """The text before the cursor."""
    answer: str
    """What is to be answered there: the text from the cursor on."""
    after: str = ""
    """The text after the cursor."""
    path: str = ""
    """The file's name, as the model sees it."""
    language: str = ""
    """The LSP language identifier."""


@dataclass(frozen=True, slots=True)
class ChatConfig:
    """What a model is told that is asked by a dialogue (`fim = "chat"`), under `[chat]`."""

    system_prompt: str = ""
    """Role and rules, in place of ours; they must tell the same form of question and answer, see prompts.md."""
    examples: tuple[ExampleConfig, ...] = ()
    """Places with their answers, shown before the question; empty takes ours."""


@dataclass(frozen=True, slots=True)
class PrivacyConfig:
    """What is never sent, under `[privacy]`."""

    exclude: Globs = ()
    """Files that are never completed nor used as context, as a .gitignore in the workspace folder would name them; one that begins with `/` also counts from the root of the disk; adds to the built-in list and to what other files exclude."""
    exclude_defaults: bool = True
    """Whether the built-in list of secret files (.env, keys, credentials …) is excluded too."""
    ignore_files: bool = True
    """Whether what a project's .gitignore and .aiignore name, and what stands in a folder with a .noai, is neither completed nor used as context."""
    redact_secrets: bool = True
    """Whether keys, tokens and passwords of known formats are masked in all that is sent."""
    remote: bool = True
    """Whether a provider that is not on this machine may be used at all."""
    allowed_origins: tuple[Address, ...] = ()
    """Where code may be sent beside this machine, as "https://llm.example.com"; empty sets no bound."""


@dataclass(frozen=True, slots=True)
class LocalConfig:
    """The model server on this machine, under `[local]`."""

    model: str = "auto"
    """A catalogue name, or a path of a GGUF file; "auto" takes the best that is here."""
    idle_minutes: Annotated[float, Between(0.05, 1440)] = 30.0
    """Minutes without a request after which the model's server ends."""
    threads: Annotated[int, Between(1, 256)] | Auto = "auto"
    """Threads of the model's server; "auto" measures once on this machine."""
    context_tokens: Annotated[int, Between(512, 131_072)] = 8192
    """The model server's window in tokens."""


@dataclass(frozen=True, slots=True)
class UsageConfig:
    """The books of calls, costs and suggestions on this machine, under `[usage]`."""

    save: bool = True
    """Whether they are kept in a file for `llm-lsp usage` and `llm-lsp explain`; they hold no text of any document. A budget keeps them in any case."""


@dataclass(frozen=True, slots=True)
class BudgetConfig:
    """What may be spent on calls that are not free, by all editors together, under `[budget]`."""

    currency: Currency = "USD"
    """What `per_day` and `per_month` are in."""
    per_day: Annotated[float, Between(0, 1_000_000)] | NoLimit = "none"
    """Money for a day, which begins at midnight on this machine."""
    per_month: Annotated[float, Between(0, 1_000_000)] | NoLimit = "none"
    """Money for a calendar month."""
    tokens_per_day: Annotated[int, Between(0, 10**12)] | NoLimit = "none"
    """Tokens for a day, read and written."""
    tokens_per_month: Annotated[int, Between(0, 10**12)] | NoLimit = "none"
    """Tokens for a calendar month."""
    warn_at: Annotated[float, Between(0, 1)] = 0.8
    """The share of a limit at which you are told, once."""
    exchange: Mapping[str, Annotated[float, Between(1e-6, 1e6)]] = field(default_factory=dict)
    """What one unit of another currency is worth in `currency`, as `{ USD = 7.1 }`, where prices are in another one."""


@dataclass(frozen=True, slots=True)
class Config:
    """All settings."""

    enabled: bool = True
    """Whether completions are made at all."""
    provider: str = "auto"
    """"auto" (a model server that runs here, else the model of `[local]`), "local" (that model), a preset's name, or a name under `[providers]`."""
    providers: Mapping[str, ProviderConfig] = field(default_factory=dict)
    """Model APIs by name."""
    routes: tuple[RouteConfig, ...] = ()
    """Other providers than `provider` for some languages, files or triggers."""
    completion: CompletionConfig = CompletionConfig()
    context: ContextConfig = ContextConfig()
    chat: ChatConfig = ChatConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    local: LocalConfig = LocalConfig()
    usage: UsageConfig = UsageConfig()
    budget: BudgetConfig = BudgetConfig()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in the settings; the rest of them is used."""

    source: str
    """Where it stands: a file's path, or "editor settings"."""
    message: str
    """One line that names the key, what is wrong, and the nearest good value or key."""
