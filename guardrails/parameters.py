"""Bound variables: typed values that fill `{{name}}` in a text, the way a prepared statement takes its arguments.

What a type allows stands in `guardrails.grammars`; the guard checks each value (`Channel.PARAMETER`) before `bind`
puts it into the texts. A value is never read for placeholders again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from guardrails.quoting import commands, open_quote, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST = 256
"""Most parameters one request may carry."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_PLACEHOLDER = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_.-]{0,63})[ \t]*\}\}")


class ParameterType(StrEnum):
    """The contract's types; a value without one is `free_text`."""

    SERVICE = "service"
    HOST = "host"
    PATH = "path"
    NUMBER = "number"
    ENUM = "enum"
    IDENTIFIER = "identifier"
    VERSION = "version"
    TIME = "time"
    CRON = "cron"
    REGEX = "regex"
    SELECTOR = "selector"
    QUERY = "query"
    JSON = "json"
    URL = "url"
    EMAIL = "email"
    FREE_TEXT = "free_text"


class ParameterError(ValueError):
    """A parameter that cannot be read, with the field it stands in and how to mend it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class UnboundParameter(ValueError):
    """A placeholder without a value, or a value without a placeholder."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class Parameter:
    """One bound variable.

    Attributes:
        value: As it was sent; numbers and booleans as JSON writes them.
        type: What it has to be.
        values: Allowed values of an `enum`; empty where it lists none.
    """

    value: str
    type: ParameterType = ParameterType.FREE_TEXT
    values: tuple[str, ...] = ()


def parameter_type(name: str, field: str = "type") -> ParameterType:
    """The type of that name.

    Raises:
        ParameterError: There is none.
    """
    try:
        return ParameterType(name)
    except ValueError:
        known = ", ".join(ParameterType)
        raise ParameterError(field, f"{name!r} is no parameter type; use one of {known}") from None


def parse(raw: object) -> dict[str, Parameter]:
    """Reads `{"name": value}` or `{"name": {"value", "type", "values"?}}`, as JSON was decoded.

    Raises:
        ParameterError: A name, value, type or key cannot be used; `field` is dotted, below `parameters`.
    """
    if not isinstance(raw, dict):
        raise ParameterError("parameters", f"is {_kind(raw)}; send an object of names and values")
    if len(raw) > MOST:
        raise ParameterError("parameters", f"has {len(raw)} entries; send at most {MOST}")
    return {name: _parameter(name, value) for name, value in raw.items()}


def _parameter(name: object, raw: object) -> Parameter:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ParameterError(
            "parameters", f"{name!r} is no name; use a letter, then letters, digits and _ . - (64 at most)"
        )
    field = f"parameters.{name}"
    if not isinstance(raw, dict):
        return Parameter(_value(field, raw))
    if strange := raw.keys() - {"value", "type", "values"}:
        raise ParameterError(field, f"has no key {min(map(str, strange))!r}; use value, type and values")
    if "value" not in raw:
        raise ParameterError(field, 'has no "value"; send {"value": …, "type": …}')
    named = raw.get("type", ParameterType.FREE_TEXT.value)
    if not isinstance(named, str):
        raise ParameterError(f"{field}.type", f"is {_kind(named)}; send the name of a type")
    kind = parameter_type(named, f"{field}.type")
    return Parameter(_value(f"{field}.value", raw["value"]), kind, _values(field, kind, raw.get("values")))


def _values(field: str, kind: ParameterType, raw: object) -> tuple[str, ...]:
    if raw is None:
        return ()
    field = f"{field}.values"
    if kind is not ParameterType.ENUM:
        raise ParameterError(field, f"belong to type enum, not to {kind}; leave them out or change the type")
    if not isinstance(raw, list) or not raw:
        raise ParameterError(field, f"is {_kind(raw)}; send a list of at least one allowed value")
    return tuple(_value(f"{field}[{index}]", value) for index, value in enumerate(raw))


def _value(field: str, raw: object) -> str:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int | float):
        return str(raw)
    raise ParameterError(field, f"is {_kind(raw)}; send a string, a number, true or false")


def _kind(raw: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return "null" if raw is None else names.get(type(raw), type(raw).__name__) if raw != [] else "an empty list"


def bind(texts: Sequence[str], parameters: Mapping[str, Parameter]) -> list[str]:
    """The texts with each `{{name}}` replaced by its value, in one pass; in a command quoted for its shell.

    Raises:
        UnboundParameter: A placeholder without a value, or a value without a placeholder.
    """
    used: set[str] = set()

    def fill(text: str) -> str:
        spans = list(commands(text))

        def one(match: re.Match[str]) -> str:
            name = match[1]
            parameter = parameters.get(name)
            if parameter is None:
                raise UnboundParameter(name, f"{{{{{name}}}}} has no value; add {name!r} to the parameters")
            used.add(name)
            for start, end, shell in spans:
                if start <= match.start() < end:
                    line = max(start, text.rfind("\n", start, match.start()) + 1)
                    return quoted(parameter.value, shell, open_quote(text[line : match.start()]))
            return parameter.value

        return _PLACEHOLDER.sub(one, text)

    filled = [fill(text) if "{{" in text else text for text in texts]
    for name in parameters:
        if name not in used:
            message = (
                f"the parameter {name!r} stands in no text; write {{{{{name}}}}} where it belongs, or leave it out"
            )
            raise UnboundParameter(name, message)
    return filled
