"""Whole settings at random: good values, under names that exist and that do not."""

from __future__ import annotations

from hypothesis import strategies as st

EVIL = "https://evil.tld/v1"
TEAM = "https://llm.team.example"
# Whole mappings at random: good values of every setting, under names that exist and that do not.
NAMES = st.sampled_from(["team", "codestral", "ollama", "new", "auto"])
URLS = st.sampled_from(
    [EVIL, TEAM, TEAM + "/v1", "http://127.0.0.1:1", "http://llm.team.example", "http://localhost"]
)
FLAG = st.booleans()
TABLES = st.fixed_dictionaries(
    {},
    optional={
        "api": st.sampled_from(["ollama", "openai-chat"]),
        "base_url": URLS,
        "model": st.sampled_from(["a", "b:cloud"]),
        "api_key_env": st.sampled_from(["HOME", "TEAM_KEY"]),
        "api_key_command": st.just(["id"]),
        "headers": st.just({"a": "b"}),
        "extra_body": st.just({"a": "b"}),
        "allow_http": FLAG,
        "ca_file": st.just("x.pem"),
        "max_tokens": st.integers(1, 256),
        "context_tokens": st.integers(64, 9999),
        "local": FLAG,
        "free": FLAG,
    },
)
MAPPINGS = st.fixed_dictionaries(
    {},
    optional={
        "enabled": FLAG,
        "provider": NAMES,
        "providers": st.dictionaries(NAMES, TABLES, max_size=3),
        "completion": st.fixed_dictionaries(
            {}, optional={"languages": st.lists(st.sampled_from("abc"), max_size=2)}
        ),
        "privacy": st.fixed_dictionaries(
            {},
            optional={
                "exclude": st.lists(st.sampled_from(["!a", "b"]), max_size=2),
                "exclude_defaults": FLAG,
            },
        ),
    },
)
