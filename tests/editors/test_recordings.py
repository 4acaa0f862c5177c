"""What real editors once said to the server, said again: each question gets one answer, and the model's text is in it.

The recordings were made by the tests that run the editors, with LLM_LSP_TEST_RECORD set.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.editors.model_api import PROVIDER, fixed_model
from tests.editors.recording import RECORDINGS, load
from tests.editors.replaying import answers_of, is_answer, replay
from tests.lspclient import running

NAMES = sorted(path.stem for path in RECORDINGS.glob("*.json"))
ASKED = ("textDocument/completion", "textDocument/inlineCompletion")
CANCELLED = -32800  # LSPErrorCodes.RequestCancelled
SETTINGS = PROVIDER + "\n[completion]\nmenu_timeout_ms = 10000\ndebounce_ms = 0\n"


def texts(answer: Any) -> list[str]:
    """Return the text of each item in an answer of either kind."""
    items = answer.get("items", []) if isinstance(answer, dict) else []
    return [item["insertText"] if "insertText" in item else item["textEdit"]["newText"] for item in items]


def test_there_is_a_recording_of_each_kind_of_client() -> None:
    methods = {
        line["message"].get("method")
        for name in NAMES
        for line in json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
    }
    assert methods.issuperset(ASKED)


@pytest.mark.parametrize("name", NAMES)
async def test_each_question_is_answered_and_with_the_models_text_where_it_was(
    name: str, tmp_path: Path
) -> None:
    recording = load(name, tmp_path)
    recorded = {line["message"]["id"]: line["message"] for line in recording if is_answer(line)}
    shown = [
        id_ for id_, answer in recorded.items() if any("sum(" in text for text in texts(answer.get("result")))
    ]
    assert shown, "nothing was shown when this was recorded"
    with fixed_model("sum(cart)\n") as model:
        (config := tmp_path / "llm-lsp").mkdir()
        (config / "config.toml").write_text(SETTINGS.format(base_url=model.base_url))
        async with running(tmp_path, results=answers_of(recording)) as client:
            answers = await replay(client, recording)
    # A question that the editor took back may end either way: which comes first is the system's choice.
    for id_, answer in answers.items():
        error = answer.get("error", {}).get("code")
        assert error in (None, CANCELLED, recorded.get(id_, {}).get("error", {}).get("code"))
    assert "sum(cart)" in texts(answers[shown[-1]]["result"])[0]
