"""An editor that does anything in any order: its texts are the server's, and each of its requests has one answer."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from tests.fuzz.examples import fuzzed
from tests.lsp.fakes import CAPABLE, URI, Wire, edit, started
from tests.lsp.positions import positions

INLINE, MENU = "textDocument/inlineCompletion", "textDocument/completion"
CANCELLED = -32800
PIECES = [
    "a",
    " ",
    "\n",
    "\r\n",
    "\r",
    "\f",
    "\u2028",
    "\x85",
    "é",
    "漢",
    "😀",
    "-----BEGIN PRIVATE KEY-----\n",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
URIS = st.sampled_from([URI, "file:///project/b.py", "untitled:Untitled-1", "file:///project/.env"])


class AnyEditor(RuleBasedStateMachine):
    """Several documents, edited, closed and opened again, and requests that are cancelled or wait for an answer."""

    asked = Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.encoding = "utf-16"
        self.texts: dict[str, str] = {}
        self.version = 1
        self.ids: list[int] = []
        self.wire = Wire()
        self.wire.shake_hands(CAPABLE)
        self.wire.engine.hold = asyncio.Event()

    def teardown(self) -> None:
        self.wire.send("shutdown", None, id="shutdown")
        self.let_work()
        self.loop.close()
        assert [len(self.wire.answers(msg_id)) for msg_id in [*self.ids, "shutdown"]] == [1] * (
            len(self.ids) + 1
        )

    def let_work(self) -> None:
        """Let tasks run until they wait."""
        self.loop.run_until_complete(asyncio.sleep(0.0))
        self.loop.run_until_complete(asyncio.sleep(0.0))

    def in_loop(self, method: str, params: object, **more: object) -> None:
        async def send() -> None:
            self.wire.send(method, params, **more)

        self.loop.run_until_complete(send())

    @rule(uri=URIS, text=TEXTS)
    def open(self, uri: str, text: str) -> None:
        self.texts[uri] = text
        self.wire.open(text, uri)

    @precondition(lambda self: self.texts)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        uri = data.draw(st.sampled_from(sorted(self.texts)))
        del self.texts[uri]
        self.wire.send("textDocument/didClose", {"textDocument": {"uri": uri}})

    @precondition(lambda self: self.texts)
    @rule(data=st.data(), count=st.integers(1, 4))
    def change(self, data: st.DataObject, count: int) -> None:
        uri = data.draw(st.sampled_from(sorted(self.texts)))
        changes = [self._change(uri, data) for _ in range(count)]
        self.version += 1
        document = {"uri": uri, "version": self.version}
        self.wire.send("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def _change(self, uri: str, data: st.DataObject) -> dict[str, Any]:
        text, new = self.texts[uri], data.draw(TEXTS)
        if data.draw(st.integers(0, 9)) == 0:
            self.texts[uri] = new
            return {"text": new}
        places = positions(text, self.encoding)
        first, last = sorted(data.draw(st.tuples(*[st.sampled_from(sorted(places))] * 2)))
        self.texts[uri] = text[:first] + new + text[last:]
        start, end = places[first], places[last]
        if text[last : last + 1] in ("", "\n", "\r"):
            # Past a line's end is its end.
            end = end[0], data.draw(st.sampled_from([end[1], end[1] + 1, 2**31 - 1]))
        return edit(start, end, new)

    @precondition(lambda self: self.texts)
    @rule(data=st.data(), change=st.sampled_from([{"range": {}}, edit((0, -1), (0, 0), "x")]))
    def change_what_cannot_be_read(self, data: st.DataObject, change: dict[str, Any]) -> None:
        uri = data.draw(st.sampled_from(sorted(self.texts)))
        del self.texts[uri]
        self.wire.change(edit((0, 0), (0, 0), "good"), change, uri=uri)

    @rule(
        target=asked,
        uri=URIS,
        method=st.sampled_from([INLINE, MENU]),
        place=st.tuples(*[st.integers(0, 9)] * 2),
    )
    def ask(self, uri: str, method: str, place: tuple[int, int]) -> int:
        self.ids.append(len(self.ids) + 1)
        position = {"line": place[0], "character": place[1]}
        params = {"textDocument": {"uri": uri}, "position": position, "context": {"triggerKind": 1}}
        self.in_loop(method, params, id=self.ids[-1])
        return self.ids[-1]

    @rule(msg_id=consumes(asked))
    def cancel(self, msg_id: int) -> None:
        is_open = not self.wire.answers(msg_id)
        self.in_loop("$/cancelRequest", {"id": msg_id})
        [answer] = self.wire.answers(msg_id)
        assert not is_open or answer["error"]["code"] == CANCELLED

    @rule()
    def model_answers(self) -> None:
        assert self.wire.engine.hold is not None
        self.wire.engine.hold.set()
        self.let_work()
        self.wire.engine.hold.clear()

    @invariant()
    def texts_are_the_same(self) -> None:
        documents = self.wire.engine.documents
        assert {uri: str(document.text) for uri, document in documents.items()} == self.texts


TestAnyEditor = AnyEditor.TestCase
TestAnyEditor.settings = fuzzed


PLACE = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 2}}
MESSAGES: dict[str, dict[str, Any]] = {
    INLINE: {**PLACE, "context": {"triggerKind": 2, "selectedCompletionInfo": None}},
    MENU: {**PLACE, "context": {"triggerKind": 2, "triggerCharacter": "."}},
    "workspace/executeCommand": {"command": "llm-lsp.snooze", "arguments": [5]},
    "textDocument/didOpen": {"textDocument": {"uri": URI, "languageId": "python", "version": 1, "text": "x"}},
    "textDocument/didChange": {
        "textDocument": {"uri": URI, "version": 2},
        "contentChanges": [edit((0, 0), (0, 1), "y")],
    },
    "textDocument/didClose": {"textDocument": {"uri": URI}},
    "workspace/didChangeConfiguration": {"settings": {"llm-lsp": {"enabled": True}}},
    "workspace/didChangeWorkspaceFolders": {
        "event": {"added": [{"uri": "file:///project", "name": "p"}], "removed": []}
    },
    "$/cancelRequest": {"id": 7},
}
WRONG: st.SearchStrategy[object] = st.sampled_from(
    [None, True, -1, 2**31, 2**63, 1e308, "", "\ud800", "file://[", [], {}, [[]], {"uri": 3}, "x" * 5000]
)
ALLOWED = {-32600, -32601, -32602, -32803}


def paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Yield the path to each place in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, inner in items for found in paths(inner, (*path, key)))]


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, object]:
    """Return a message's method, and its params with one or two places missing or wrong."""
    method = draw(st.sampled_from(sorted(MESSAGES)))
    params: Any = {"params": copy.deepcopy(MESSAGES[method])}
    for _ in range(draw(st.integers(1, 2))):
        *way, last = draw(st.sampled_from(paths(params)[1:]))
        place = params
        for step in way:
            place = place[step]
        if draw(st.booleans()) and way:
            del place[last]
        else:
            # A copy: the next round may spoil this very value, and it is drawn again.
            place[last] = copy.deepcopy(draw(WRONG))
    return method, params["params"]


@fuzzed
@given(spoilt())
@example(("workspace/executeCommand", {"command": "llm-lsp.snooze", "arguments": [2**63]}))
def test_a_spoilt_request_has_one_answer_and_a_spoilt_notification_none(message: tuple[str, object]) -> None:
    async def send() -> None:
        wire = started("x = \n")
        method, params = message
        wire.raw(json.dumps({"jsonrpc": "2.0", "id": "spoilt", "method": method, "params": params}).encode())
        answer = await wire.answer("spoilt")
        assert "result" in answer or answer["error"]["code"] in ALLOWED
        assert len(wire.answers("spoilt")) == 1
        assert wire.send(method, params) == []
        wire.open("y = ")
        assert (await wire.ask(INLINE, MESSAGES[INLINE]))["result"]["items"]

    asyncio.run(send())
