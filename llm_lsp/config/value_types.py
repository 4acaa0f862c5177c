"""Which values a setting accepts, derived from its annotation.

A single annotation yields the check, the error message, the line in the reference and the JSON schema.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Protocol, Union, get_args, get_origin


class Constraint(Protocol):
    """Part of `Annotated[type, …]` that restricts the type's values."""

    def admits(self, value: Any) -> bool:
        """Check whether a value of the right type is acceptable."""
        ...

    def describe(self, noun: str) -> str:
        """Describe the accepted values, given the type's noun: "a whole number from 0 to 9"."""
        ...

    def schema(self) -> dict[str, object]:
        """Return the restriction as JSON schema."""
        ...


@dataclass(frozen=True, slots=True)
class Between:
    """Inclusive limits of a number."""

    low: float
    high: float

    def admits(self, value: Any) -> bool:
        return bool(self.low <= value <= self.high)

    def describe(self, noun: str) -> str:
        return f"{noun} from {self.low} to {self.high}"

    def schema(self) -> dict[str, object]:
        return {"minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Matching:
    """A regular expression that must match the whole text, and a description of such a text."""

    pattern: str
    noun: str

    def admits(self, value: Any) -> bool:
        return re.fullmatch(self.pattern, value) is not None

    def describe(self, noun: str) -> str:
        return self.noun

    def schema(self) -> dict[str, object]:
        return {"pattern": f"^(?:{self.pattern})$"}


@dataclass(frozen=True, slots=True)
class Checked:
    """A function that raises ValueError for unacceptable text, and a description of acceptable text."""

    check: Callable[[str], object]
    noun: str

    def admits(self, value: Any) -> bool:
        try:
            self.check(value)
        except ValueError:
            return False
        return True

    def describe(self, noun: str) -> str:
        return self.noun

    def schema(self) -> dict[str, object]:
        return {}


@dataclass(frozen=True, slots=True)
class OneOf:
    """A list of words that is computed only when needed, and a description of it."""

    words: Callable[[], tuple[str, ...]]
    noun: str

    def admits(self, value: Any) -> bool:
        return value in self.words()

    def describe(self, noun: str) -> str:
        return self.noun

    def schema(self) -> dict[str, object]:
        return {"enum": list(self.words())}


@dataclass(frozen=True, slots=True)
class EachAlone:
    """Marks a list whose items are checked independently: valid items are kept even if others are not."""

    def admits(self, value: Any) -> bool:
        return True

    def describe(self, noun: str) -> str:
        return noun

    def schema(self) -> dict[str, object]:
        return {}


class UnfitValue(Exception):
    """A value does not match its type; internal to this package."""


def read_value(kind: Any, value: object) -> object:
    """Return `value` converted to `kind`: lists become tuples, and whole floats integers if an integer is expected.

    Lua and some JSON writers do not distinguish integers from floats, or an empty list from an empty table.
    Raises UnfitValue.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        result = read_value(arguments[0], value)
        if not all(constraint.admits(result) for constraint in arguments[1:]):
            raise UnfitValue
        return result
    if origin in (Union, UnionType):
        return _first_fit(arguments, value)
    if origin is Literal:
        return _one_of(arguments, value)
    if origin is tuple:
        return tuple(read_value(arguments[0], item) for item in array(value))
    if origin is Mapping:
        return {_key(key): read_value(arguments[1], item) for key, item in table(value).items()}
    return _scalar(kind, value)


def describe(kind: Any) -> str:
    """Describe which values `kind` accepts."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        words = describe(arguments[0])
        for constraint in arguments[1:]:
            words = constraint.describe(words)
        return words
    if origin in (Union, UnionType):
        return " or ".join(describe(argument) for argument in arguments)
    if origin is Literal:
        return _alternatives([f'"{choice}"' for choice in arguments])
    if origin is tuple:
        return f"a list, each {describe(arguments[0])}"
    if origin is Mapping:
        return "a table" if arguments[1] is object else f"a table, each {describe(arguments[1])}"
    return _NOUNS.get(kind, "anything")


def alone(kind: Any) -> Any:
    """Return the item type if `kind` is a list whose items are checked independently, else None."""
    if get_origin(kind) is Annotated and EachAlone() in get_args(kind)[1:]:
        return get_args(get_args(kind)[0])[0]
    return None


def choices(kind: Any) -> tuple[str, ...]:
    """Return the literal words among the values of `kind`."""
    if get_origin(kind) is Literal:
        return tuple(str(choice) for choice in get_args(kind))
    if get_origin(kind) in (Union, UnionType):
        return tuple(word for argument in get_args(kind) for word in choices(argument))
    if get_origin(kind) is Annotated:
        return tuple(word for each in get_args(kind) if isinstance(each, OneOf) for word in each.words())
    return ()


def schema(kind: Any) -> dict[str, object]:
    """Return the JSON schema for values of `kind`."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        result = schema(arguments[0])
        for constraint in arguments[1:]:
            result |= constraint.schema()
        return result
    if origin in (Union, UnionType):
        return {"anyOf": [schema(argument) for argument in arguments]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        return {"type": "array", "items": schema(arguments[0])}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": schema(arguments[1])}
    return {"type": _JSON_TYPES[kind]} if kind in _JSON_TYPES else {}


def table(value: object) -> Mapping[str, object]:
    """Return `value` as a table; accepts an empty list, which Lua cannot distinguish from an empty table.

    Raises UnfitValue.
    """
    if isinstance(value, Mapping):
        return value
    if value == []:
        return {}
    raise UnfitValue


def section_of(kind: Any) -> type | None:
    """Return the dataclass if `kind` is a settings section, else None."""
    return kind if is_dataclass(kind) and isinstance(kind, type) else None


def named_section_of(kind: Any) -> type | None:
    """Return the dataclass if `kind` is a table of named sections, such as `[providers.NAME]`, else None."""
    return section_of(get_args(kind)[1]) if get_origin(kind) is Mapping else None


def listed_section_of(kind: Any) -> type | None:
    """Return the dataclass if `kind` is a list of sections, such as `[[routes]]`, else None."""
    return section_of(get_args(kind)[0]) if get_origin(kind) is tuple else None


def array(value: object) -> list[object]:
    """Return `value` as a list; accepts an empty table, which Lua cannot distinguish from an empty list.

    Raises UnfitValue.
    """
    if isinstance(value, list):
        return value
    if value == {}:
        return []
    raise UnfitValue


_NOUNS: Mapping[object, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_JSON_TYPES: Mapping[object, str] = {bool: "boolean", int: "integer", float: "number", str: "string"}


def _first_fit(kinds: tuple[Any, ...], value: object) -> object:
    for kind in kinds:
        try:
            return read_value(kind, value)
        except UnfitValue:
            continue
    raise UnfitValue


def _one_of(words: tuple[object, ...], value: object) -> object:
    # Compare types too: 1 == True.
    for word in words:
        if type(word) is type(value) and word == value:
            return word
    raise UnfitValue


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise UnfitValue
    return key


def _scalar(kind: Any, value: object) -> object:
    if kind is object:
        return value
    if isinstance(value, bool):
        if kind is bool:
            return value
        raise UnfitValue
    if isinstance(value, float) and not math.isfinite(value):
        raise UnfitValue
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind is float and isinstance(value, int):
        return float(value) if abs(value) < 2**53 else _refuse()
    if isinstance(value, kind):
        return value
    raise UnfitValue


def _refuse() -> object:
    raise UnfitValue


def _alternatives(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
