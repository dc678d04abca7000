"""Read the `wardgate` object of a request."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from gateway.errors import InvalidRequest, UnsupportedParameter, shown
from gateway.protocols.interface import Extras
from guardrails.parameters import Parameter, ParameterError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFERED = ("conversation_id", "user_id", "parameters", "store", "facts")
LONGEST_ID = 256
MOST_FACTS = 10_000


def read(raw: object, user: str) -> Extras:
    """Check the object; `user` is the API's own field for the same purpose, used where `user_id` is absent.

    Raises:
        InvalidRequest: A value of the wrong type, an unknown parameter type.
        UnsupportedParameter: A key that this version does not act on: ignoring `confidential` would break a promise.
    """
    if raw is None:
        return Extras(user_id=user)
    if not isinstance(raw, dict):
        raise InvalidRequest(f"'wardgate' must be an object, got {shown(raw)}.", param="wardgate", code="invalid_type")
    for key in raw:
        if key not in OFFERED:
            near = get_close_matches(key, OFFERED, 1)
            mend = f"Did you mean '{near[0]}'?" if near else f"Offered are: {', '.join(OFFERED)}."
            raise UnsupportedParameter(
                f"'wardgate.{key}' is not offered by this version. {mend}",
                code="unsupported_parameter",
                param=f"wardgate.{key}",
            )
    store = raw.get("store")
    if store is not None and not isinstance(store, bool):
        raise InvalidRequest(
            f"'wardgate.store' must be true or false, got {shown(store)}.", param="wardgate.store", code="invalid_type"
        )
    return Extras(
        conversation_id=_identifier(raw, "conversation_id"),
        user_id=_identifier(raw, "user_id") or user,
        parameters=_parameters(raw.get("parameters")),
        store=store is not False,
        facts=tuple(_facts(raw.get("facts"), "facts")),
    )


def _identifier(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or "\0" in value:
        raise InvalidRequest(
            f"'wardgate.{key}' must be a string of 1 to {LONGEST_ID} characters, none of them NUL, got {shown(value)}.",
            param=f"wardgate.{key}",
            code="invalid_value",
        )
    return value


def _facts(raw: object, field: str) -> Iterator[tuple[str, str]]:
    """The texts of facts: one text, a list of them, or an object of values, each of which may be a list.

    They are for checking what an answer names, and are not sent to the model.
    """
    found = [(field, raw)] if isinstance(raw, str) else list(_values(raw, field))
    if len(found) > MOST_FACTS:
        raise InvalidRequest(
            f"'wardgate.{field}' holds {len(found)} values. Send at most {MOST_FACTS}.",
            param=f"wardgate.{field}",
            code="invalid_value",
        )
    for name, value in found:
        if isinstance(value, int | float):
            yield name, str(value)
        elif isinstance(value, str):
            yield name, value
        elif value is not None:
            raise InvalidRequest(
                f"'wardgate.{name}' must be a text or a number, got {shown(value)}.",
                param=f"wardgate.{name}",
                code="invalid_type",
            )


def _values(raw: object, field: str) -> Iterator[tuple[str, object]]:
    if isinstance(raw, list):
        yield from ((f"{field}[{index}]", value) for index, value in enumerate(raw))
    elif isinstance(raw, dict):
        for name, value in raw.items():
            yield f"{field}.{name}", name
            if isinstance(value, list):
                yield from _values(value, f"{field}.{name}")
            else:
                yield f"{field}.{name}", value
    elif raw is not None:
        raise InvalidRequest(
            f"'wardgate.{field}' must be a text, a list of texts or an object of values, got {shown(raw)}.",
            param=f"wardgate.{field}",
            code="invalid_type",
        )


def _parameters(raw: object) -> dict[str, Parameter] | None:
    if raw is None:
        return None
    try:
        return parse(raw)
    except ParameterError as error:
        where = (
            f"wardgate.{error.field}" if error.field.startswith("parameters") else f"wardgate.parameters.{error.field}"
        )
        raise InvalidRequest(str(error), param=where, code="invalid_parameter") from error
