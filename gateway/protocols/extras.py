"""Read the `wardgate` object of a request."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from gateway.errors import InvalidRequest, UnsupportedParameter, shown
from gateway.protocols.interface import Extras
from guardrails.parameters import Parameter, ParameterError, parse

OFFERED = ("conversation_id", "user_id", "parameters", "store")
LONGEST_ID = 256


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
