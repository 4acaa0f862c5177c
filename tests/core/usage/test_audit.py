"""An audit line has what a team must account for, and nothing that names a person or a place on the disk."""

from __future__ import annotations

import json

import pytest

from llm_lsp.config.settings import Config
from llm_lsp.config.source_rules import SettingsSource
from llm_lsp.core.usage.audit import audit_line, model_name
from tests.config.examples import WAYS_IN, resolve
from tests.usage_store.audit_rows import CALL


def test_a_line_is_one_json_object() -> None:
    line = audit_line(CALL, "https://llm.team.example")
    assert json.loads(line) == {
        "time": "2026-12-01T05:21:06.250Z",
        "provider": "team",
        "model": "coder",
        "origin": "https://llm.team.example",
        "tokens": {"read": 120, "cached": 100, "written": 9, "estimated": False},
        "outcome": "failed",
        "reasons": ["automatic", "RateLimitError"],
    }
    assert "\n" not in line


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Qwen/Qwen2.5-Coder-7B", "Qwen/Qwen2.5-Coder-7B"),
        ("qwen2.5-coder:7b", "qwen2.5-coder:7b"),
        ("/home/canary/models/qwen.gguf", "qwen.gguf"),
        ("/home/canary/models/qwen/", "qwen"),
        ("~canary/qwen", "qwen"),
        ("./canary/qwen", "qwen"),
        ("C:\\Users\\canary\\qwen.gguf", "qwen.gguf"),
        ("\\\\server\\canary\\qwen", "qwen"),
        ("file:///home/canary/qwen", "qwen"),
        ("canary/qwen.GGUF", "qwen.GGUF"),
    ],
)
def test_a_models_name_has_no_folders(model: str, name: str) -> None:
    assert model_name(model) == name


@pytest.mark.parametrize("way", [way for way in WAYS_IN if way is not SettingsSource.POLICY_FILE])
def test_only_the_machine_and_its_user_name_the_file(way: SettingsSource) -> None:
    resolved = resolve((way, {"audit": {"file": "/tmp/elsewhere"}}))
    assert resolved.config == Config()
    assert resolved.problems


def test_the_policys_file_is_the_one() -> None:
    layers = [
        (source, {"audit": {"file": f"/var/log/{source.name}"}})
        for source in (SettingsSource.DEFAULTS_FILE, SettingsSource.USER_FILE, SettingsSource.POLICY_FILE)
    ]
    assert resolve(*layers).config.audit.file == "/var/log/POLICY_FILE"
    assert resolve(*layers[:2]).config.audit.file == "/var/log/USER_FILE"


@pytest.mark.parametrize(
    "file", ["audit.jsonl", "./audit.jsonl", "../audit.jsonl", "~other/audit.jsonl", "/a\0b"]
)
def test_a_relative_path_is_refused(file: str) -> None:
    resolved = resolve((SettingsSource.POLICY_FILE, {"audit": {"file": file}}))
    assert resolved.config.audit.file == ""
    assert len(resolved.problems) == 1
