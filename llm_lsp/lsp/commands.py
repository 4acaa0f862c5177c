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


def _text_argument(arguments: Arguments) -> str:
    if len(arguments) != 1 or not isinstance(arguments[0], str):
        raise JsonRpcInvalidParams("this command needs one string")
    return arguments[0]


COMMANDS: dict[str, Callable[[Engine, EditorClient, Arguments], object]] = {
    convert.ACCEPTED: _accepted,
    convert.ASK: _ask,
    "llm-lsp.dismissed": _dismissed,
    "llm-lsp.toggle": _toggle,
    "llm-lsp.snooze": _snooze,
    "llm-lsp.selectProvider": _select_provider,
    "llm-lsp.providers": _providers,
    "llm-lsp.explain": _explain,
}
