"""JSON-RPC on pygls, with pygls' faults fixed.

A handler is a function of the structured params that returns a result or an awaitable of one. It is called before the
next message is processed, so what it reads before its first await is the state at the time of the request (pygls
starts coroutines one loop iteration later).

What is fixed, all found in pygls 2.1.1; a fix can go when the oldest supported pygls no longer has the fault:

- reading and writing happen outside of the event loop (`llm_lsp.lsp.message_streams`)
- JSON is structured once, by its method; pygls does it for every nested object, so that a key "jsonrpc" in the
  settings ends a request without an answer
- parse errors, invalid params and wrong states are answered with -32700, -32602, -32600 and -32002; pygls shows a
  popup instead and never answers
- a request is answered exactly once, and immediately after `$/cancelRequest` and `shutdown`
- nothing is stored for a notification; pygls stores a future for each (2 KB per keystroke)
- `exit` without `shutdown` ends with status 1
- triggerKind counts from 1; vscode-languageclient up to version 9 counts from 0
- neither logs nor error responses contain params, document text or the text of foreign exceptions
- pygls' own documents, which can differ from the editor's, are not kept
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal, cast

from lsprotocol import types
from pygls import exceptions as rpc
from pygls.protocol import LanguageServerProtocol

from llm_lsp.errors import LlmLspError
from llm_lsp.lsp.documents.leniency import fill_in
from llm_lsp.lsp.formatting_options import with_indent
from llm_lsp.lsp.oversized_messages import KEPT_BYTES, OversizedMessage

MsgId = int | str
Handler = Callable[[Any], Any]

_log = logging.getLogger(__name__)

# Methods whose params are ignored; clients send null, {}, [] or nothing.
_WITHOUT_PARAMS = frozenset({types.SHUTDOWN, types.EXIT, types.INITIALIZED})
_CHANGES = frozenset({types.TEXT_DOCUMENT_DID_CHANGE, types.NOTEBOOK_DOCUMENT_DID_CHANGE})
# LSP 3.18, "LSPErrorCodes": the request failed for a reason that the user should see, not because of a bug.
_REQUEST_FAILED = -32803


class Protocol(LanguageServerProtocol):
    """The fixed protocol; see the module."""

    writer: Any
    """Has `write(bytes)`, which returns immediately; set it before the first message."""
    end: Callable[[int], None]
    """Called with the exit status when the client sends `exit`; set it before the first message."""
    on_out_of_step: Callable[[str], None]
    """Called with the URI of a document with an unreadable change; set it before the first message."""

    def __init__(self, server: Any, converter: Any) -> None:
        self._state: Literal["new", "running", "stopping"] = "new"
        self._tasks: dict[MsgId, asyncio.Future[Any]] = {}
        self._counts_from_zero = False
        self._logged: set[str] = set()
        super().__init__(server, converter)

    def _register_builtin_features(self) -> None:
        self.fm.add_builtin_feature(types.SHUTDOWN, self._shut_down)
        self.fm.add_builtin_feature(types.EXIT, self._exit)

    def receive(self, body: bytes | OversizedMessage) -> None:
        """Process one message; never raises."""
        if isinstance(body, OversizedMessage):
            self._receive_overlong(body)
            return
        try:
            message = json.loads(body)
        except (ValueError, RecursionError):
            self._refuse(None, rpc.JsonRpcParseError())
            ends = OversizedMessage(len(body), body[:KEPT_BYTES], body[-KEPT_BYTES:])
            if ends.request_id() is None:
                # It may have been a change, such as one with invalid UTF-8 from a client that sends its buffer
                # unchecked.
                self._out_of_step(ends.uris())
            return
        if not isinstance(message, dict):  # batches are not part of LSP
            self._refuse(None, rpc.JsonRpcInvalidRequest())
        elif isinstance(message.get("method"), str):
            if "id" in message:
                self._receive_request(message)
            else:
                self._receive_notification(message)
        elif "result" in message or "error" in message:
            self._receive_response(message)
        else:
            self._refuse(_id_of(message), rpc.JsonRpcInvalidRequest())

    def _receive_overlong(self, message: OversizedMessage) -> None:
        """Refuse a request; for other messages, report the documents that they name as out of step."""
        if (msg_id := message.request_id()) is not None:
            self._refuse(msg_id, rpc.JsonRpcInvalidRequest("the message is too long"))
            return
        if "overlong" not in self._logged:
            self._logged.add("overlong")
            _log.warning(
                "a message of %d bytes was discarded; its document gets no completions", message.length
            )
        self._out_of_step(message.uris())

    def _out_of_step(self, uris: Iterable[str]) -> None:
        """Report documents whose text differs from the client's, so that no outdated text is sent to a model."""
        if self._state == "running":
            for uri in uris:
                self.on_out_of_step(uri)

    def _receive_request(self, message: dict[str, Any]) -> None:
        msg_id = _id_of(message)
        try:
            if msg_id is None or msg_id in self._tasks or message.get("jsonrpc") != self.VERSION:
                raise rpc.JsonRpcInvalidRequest()
            method = message["method"]
            self._check_state(method)
            result = self._get_handler(method)(self._params(method, message))
            if method == types.INITIALIZE:
                self._state = "running"
        except Exception as exc:
            self._refuse(msg_id, exc)
            return
        if inspect.isawaitable(result):
            self._await_result(msg_id, result)
        else:
            self._answer(msg_id, result)

    def _await_result(self, msg_id: MsgId, result: Awaitable[Any]) -> None:
        task = self._tasks[msg_id] = asyncio.ensure_future(result)
        task.add_done_callback(partial(self._finish, msg_id))

    def _finish(self, msg_id: MsgId, task: asyncio.Future[Any]) -> None:
        failure = None if task.cancelled() else task.exception()
        # The request was cancelled and answered, and the client may have reused its id.
        if self._tasks.get(msg_id) is not task:
            return
        del self._tasks[msg_id]
        if task.cancelled():
            self._refuse(msg_id, rpc.JsonRpcRequestCancelled())
        elif failure is not None:
            self._refuse(msg_id, failure)
        else:
            self._answer(msg_id, task.result())

    def _receive_notification(self, message: dict[str, Any]) -> None:
        method = message["method"]
        try:
            if method == types.CANCEL_REQUEST:
                self._cancel(_id_of(message.get("params")))
            elif self._state == "running" or method == types.EXIT:
                self._get_handler(method)(self._params(method, message))
        except rpc.JsonRpcMethodNotFound:
            pass  # LSP: unknown notifications are ignored
        except Exception as exc:
            self._log_once(method, exc)
            if method in _CHANGES:
                self._out_of_step(_uris_in(message))

    def _cancel(self, msg_id: MsgId | None) -> None:
        """Answer now, whatever the task is still doing; an unknown id belongs to a request that has been
        answered.
        """
        task = None if msg_id is None else self._tasks.pop(msg_id, None)
        if task is not None:
            task.cancel()
            self._refuse(msg_id, rpc.JsonRpcRequestCancelled())

    def _receive_response(self, message: dict[str, Any]) -> None:
        msg_id = _id_of(message)
        future = None if msg_id is None else self._request_futures.pop(msg_id, None)
        kind = None if msg_id is None else self._result_types.pop(msg_id, None)
        if future is None or not future.set_running_or_notify_cancel():
            return
        try:
            if "error" in message:
                raise rpc.JsonRpcException("the client refused a request")
            future.set_result(
                self._converter.structure(message, kind).result if kind else message.get("result")
            )
        except Exception as exc:
            future.set_exception(exc)

    def _check_state(self, method: str) -> None:
        if self._state == "new" and method != types.INITIALIZE:
            raise rpc.JsonRpcServerNotInitialized()
        if self._state == "stopping" or (self._state == "running" and method == types.INITIALIZE):
            raise rpc.JsonRpcInvalidRequest()

    def _params(self, method: str, message: dict[str, Any]) -> Any:
        kind = self.get_message_type(method)
        if kind is None or method in _WITHOUT_PARAMS:
            return message.get("params")
        missing = fill_in(method, message.get("params"))
        if method == types.TEXT_DOCUMENT_INLINE_COMPLETION:
            self._count_trigger_kind_from_one(message.get("params"))
        if method == types.WORKSPACE_EXECUTE_COMMAND:
            message = {"id": 0, **message}  # copilot.el sends it as a notification
        try:
            params = self._converter.structure(message, kind).params
        except Exception as exc:
            raise rpc.JsonRpcInvalidParams() from exc
        if missing:
            self._log_missing(method, missing)
        is_inline = method == types.TEXT_DOCUMENT_INLINE_COMPLETION
        return with_indent(params, message.get("params")) if is_inline else params

    def _log_missing(self, method: str, names: list[str]) -> None:
        if (cause := f"{method} without {', '.join(sorted(set(names)))}") not in self._logged:
            self._logged.add(cause)
            _log.warning("the client sends %s, against the protocol; it is served nevertheless", cause)

    def _count_trigger_kind_from_one(self, params: Any) -> None:
        # In LSP 3.18 Invoked is 1 and Automatic is 2. A client that has ever sent 0 means 0 and 1.
        context = params.get("context") if isinstance(params, dict) else None
        kind = context.get("triggerKind") if isinstance(context, dict) else None
        self._counts_from_zero = self._counts_from_zero or (kind == 0 and kind is not False)
        if self._counts_from_zero and kind in (0, 1):
            cast("dict[str, Any]", context)["triggerKind"] = kind + 1

    def _shut_down(self, params: Any) -> None:
        self._state = "stopping"
        for msg_id in list(self._tasks):
            self._cancel(msg_id)
        for future in self._request_futures.values():
            future.cancel()
        if (handler := self.fm.features.get(types.SHUTDOWN)) is not None:
            handler(params)

    def _exit(self, params: Any) -> None:
        self.end(0 if self._state == "stopping" else 1)

    def _answer(self, msg_id: MsgId, result: Any) -> None:
        try:
            self._send_data(
                {"jsonrpc": self.VERSION, "id": msg_id, "result": self._converter.unstructure(result)}
            )
        except Exception as exc:
            self._refuse(msg_id, exc)

    def _refuse(self, msg_id: MsgId | None, exc: BaseException) -> None:
        error = self._error_of(exc)
        if msg_id is None:
            self._log_once(f"a message without a usable id: {error['message']}", exc)
        self._send_data({"jsonrpc": self.VERSION, "id": msg_id, "error": error})

    def _error_of(self, exc: BaseException) -> dict[str, Any]:
        if isinstance(exc, rpc.JsonRpcException):
            return {"code": exc.code, "message": exc.message}
        if isinstance(exc, LlmLspError):
            return {"code": _REQUEST_FAILED, "message": str(exc)}
        self._log_once("a request", exc)
        # Without the exception's text, which may contain a key or document text.
        return {"code": rpc.JsonRpcInternalError.CODE, "message": f"internal error: {type(exc).__name__}"}

    def _log_once(self, what: str, exc: BaseException) -> None:
        """Log where something failed, without the exception's text; repeated failures are logged once."""
        if (cause := f"{what}: {type(exc).__name__}") not in self._logged:
            self._logged.add(cause)
            _log.warning("%s\n%s", cause, "".join(traceback.format_tb(exc.__traceback__)))

    def _send_data(self, data: Any) -> None:
        # As ASCII, so that a lone surrogate in the document is sent back as the client sent it.
        body = json.dumps(data, default=self._serialize_message, separators=(",", ":")).encode("ascii")
        self.writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


def _id_of(message: Any) -> MsgId | None:
    msg_id = message.get("id") if isinstance(message, dict) else None
    return msg_id if isinstance(msg_id, int | str) and not isinstance(msg_id, bool) else None


def _uris_in(message: dict[str, Any]) -> Iterator[str]:
    """Yield every string under a key "uri", at any depth."""
    waiting: list[Any] = [message]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(uri := value.get("uri"), str):
                yield uri
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
