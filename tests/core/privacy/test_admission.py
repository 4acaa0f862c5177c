"""Whether a model is asked at all."""

from __future__ import annotations

import pytest

from llm_lsp.core.privacy.admission import AdmissionRules, admit
from llm_lsp.core.request import CompletionRequest, Trigger
from llm_lsp.core.skip import Reason
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text


def request(uri: str = "file:///a.py", trigger: Trigger = Trigger.AUTOMATIC) -> CompletionRequest:
    return CompletionRequest(1, Document(uri, "python", 1, Text.of("")), Point(0, 0), trigger, "inline", 0.0)


@pytest.mark.parametrize(
    ("asked", "rules", "reason"),
    [
        pytest.param(request(), AdmissionRules(), None, id="ordinary"),
        pytest.param(request(), AdmissionRules(enabled=False), Reason.DISABLED, id="switched-off"),
        pytest.param(request(), AdmissionRules(languages=("go",)), Reason.LANGUAGE, id="another-language"),
        pytest.param(request(), AdmissionRules(languages=("python",)), None, id="a-listed-language"),
        pytest.param(request("git:///a.py"), AdmissionRules(), Reason.SCHEME, id="a-diff"),
        pytest.param(
            request("git:///a.py"), AdmissionRules(schemes=("git",)), None, id="a diff that a setting adds"
        ),
        pytest.param(
            request("vscode-scm:git/scm0/input?rootUri%3Dfile"), AdmissionRules(), None, id="a commit message"
        ),
        pytest.param(
            request("vscode-vfs://github/o/r/a.py"), AdmissionRules(), None, id="a virtual workspace"
        ),
        pytest.param(
            request("vscode-interactive-input:/InteractiveInput-1"),
            AdmissionRules(),
            None,
            id="the interactive window",
        ),
        pytest.param(request("output:extension-output"), AdmissionRules(), Reason.SCHEME, id="a log"),
        pytest.param(request("untitled:Untitled-1"), AdmissionRules(), None, id="unsaved"),
        pytest.param(request(), AdmissionRules(automatic=False), Reason.MANUAL_ONLY, id="only-when-asked"),
        pytest.param(request(trigger=Trigger.MANUAL), AdmissionRules(automatic=False), None, id="asked"),
    ],
)
def test_admission(asked: CompletionRequest, rules: AdmissionRules, reason: Reason | None) -> None:
    skip = admit(asked.document, asked.point, asked.trigger, rules)

    assert (skip and skip.reason) == reason
