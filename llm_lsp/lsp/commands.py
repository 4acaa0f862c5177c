"""The commands of `workspace/executeCommand`; COMMANDS at the end lists them by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pygls.exceptions import JsonRpcInvalidParams

from llm_lsp.engine.client.interface import Engine
from llm_lsp.lsp import conversion as convert
from llm_lsp.lsp.editor_client import EditorClient

if TYPE_CHECKING:
    from llm_lsp.core.chat.dialogue import ChatQuestion

Arguments = tuple[object, ...]

# Default duration: long enough to think something through, and soon over if forgotten.
_SNOOZE_MINUTES = 10.0
# Characters of an instruction, about a page, and of the client's name for a rewrite.
_MAX_INSTRUCTION, _MAX_TOKEN = 4000, 100


def _accepted(engine: Engine, editor: EditorClient, arguments: Arguments) -> None:
    engine.accepted(_text_argument(arguments))


def _dismissed(engine: Engine, editor: EditorClient, arguments: Arguments) -> None:
    engine.dismissed(_text_argument(arguments))


def _toggle(engine: Engine, editor: EditorClient, arguments: Arguments) -> bool:
    return engine.toggle()


def _snooze(engine: Engine, editor: EditorClient, arguments: Arguments) -> None:
    minutes = arguments[0] if arguments else _SNOOZE_MINUTES
    if not isinstance(minutes, int | float) or not 0 <= minutes < float("inf"):
        raise JsonRpcInvalidParams("snooze needs a number of minutes")
    engine.snooze(minutes)


def _select_provider(engine: Engine, editor: EditorClient, arguments: Arguments) -> None:
    engine.select_provider(_text_argument(arguments))


def _providers(engine: Engine, editor: EditorClient, arguments: Arguments) -> list[str]:
    return engine.provider_names()


def _explain(engine: Engine, editor: EditorClient, arguments: Arguments) -> str:
    return engine.explain()


async def _ask(engine: Engine, editor: EditorClient, arguments: Arguments) -> str:
    inquiry = _inquiry(engine, arguments[0] if arguments else None)
    reply = await engine.ask(inquiry)
    editor.open_file(reply.page, reply.text)
    return reply.text


def _inquiry(engine: Engine, argument: object) -> ChatQuestion:
    from llm_lsp.lsp.code_actions import to_inquiry

    fields = convert.to_settings(argument)
    document = engine.document(str(fields.get("uri")))
    inquiry = to_inquiry(fields, document) if document else None
    if inquiry is None:
        raise JsonRpcInvalidParams("ask needs the uri of an open document, and the first and stop lines")
    return inquiry


async def _rewrite(engine: Engine, editor: EditorClient, arguments: Arguments) -> dict[str, object]:
    from llm_lsp.core.chat.rewriting import RewriteQuestion

    fields = convert.to_settings(arguments[0] if arguments else None)
    document = engine.document(str(fields.get("uri")))
    first, stop, instruction = fields.get("first"), fields.get("stop"), fields.get("instruction")
    is_text = (
        isinstance(instruction, str) and len(instruction.strip()) > 0 and len(instruction) <= _MAX_INSTRUCTION
    )
    if document is None or not (isinstance(first, int) and isinstance(stop, int) and is_text):
        raise JsonRpcInvalidParams(
            "rewrite needs the uri of an open document, first and stop lines, an instruction"
        )
    stop = min(stop, document.text.line_count)
    if not 0 <= first < stop:
        raise JsonRpcInvalidParams("rewrite needs lines of the document")
    token = str(fields.get("token", ""))[:_MAX_TOKEN]
    question = RewriteQuestion(document, first, stop, str(instruction).strip())
    answer = await engine.rewrite(question, lambda text: editor.rewriting(token, text))
    return {"text": answer.text, "isWhole": answer.is_whole, "version": document.version}


async def _commit_message(engine: Engine, editor: EditorClient, arguments: Arguments) -> str:
    fields = convert.to_settings(arguments[0] if arguments else None)
    folder = fields.get("folder")
    if not isinstance(folder, str):
        raise JsonRpcInvalidParams("commitMessage needs the uri of a workspace folder")
    return await engine.commit_message(folder)


def _text_argument(arguments: Arguments) -> str:
    if len(arguments) != 1 or not isinstance(arguments[0], str):
        raise JsonRpcInvalidParams("this command needs one string")
    return arguments[0]


COMMANDS: dict[str, Callable[[Engine, EditorClient, Arguments], object]] = {
    convert.ACCEPTED: _accepted,
    convert.ASK: _ask,
    "llm-lsp.rewrite": _rewrite,
    "llm-lsp.commitMessage": _commit_message,
    "llm-lsp.dismissed": _dismissed,
    "llm-lsp.toggle": _toggle,
    "llm-lsp.snooze": _snooze,
    "llm-lsp.selectProvider": _select_provider,
    "llm-lsp.providers": _providers,
    "llm-lsp.explain": _explain,
}
