"""Says what to write instead, where a file of rules or runbooks says something that it cannot mean."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic_core import ErrorDetails

_GOOD = {
    "id": "use lower-case letters, digits and dashes, such as drain-node",
    "pack": "use lower-case letters, digits and dashes, such as fleet",
    "reason": "begin with `would`, for it is read as: refused, because it would drain node-7",
}


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or what there is where nothing is near."""
    every = sorted(known)
    near = difflib.get_close_matches(str(word), every, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"there are {', '.join(every)}" if len(every) <= 40 else f"there are {len(every)}, none of them like it"


def shown(value: object) -> str:
    """A value as it was read, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def mend(model: type[BaseModel], error: ErrorDetails) -> str:
    """What is wrong with the value that pydantic complains of, and what to write instead."""
    where, value, kind = error["loc"], error["input"], error["type"]
    name = next((str(step) for step in reversed(where) if isinstance(step, str)), "file")
    example = _example(model, where)
    if value is None:
        return "is empty; write something behind it" + (f", as in `{name}: {example}`" if example else "")
    match kind:
        case "missing":
            said = f"is missing; add `{name}: {example}`"
        case "extra_forbidden":
            said = _unknown(model, where)
        case "enum" | "literal_error":
            said = f"{shown(value)} is none that is known; {nearest(str(value), _choices(error))}"
        case "list_type":
            listed = f"[{value}]" if isinstance(value, str) else "- …"
            said = f"is {shown(value)}, and a list is wanted; write `{name}: {listed}`"
        case "string_type":
            said = _no_text(value)
        case "model_type" | "dict_type":
            keys = ", ".join(list(_at(model, where).model_fields)[:4]) if kind == "model_type" else "slot: value"
            said = f"is {shown(value)}, and keys with values are wanted ({keys} …), one a line, indented below it"
        case "string_pattern_mismatch":
            said = f"{shown(value)} does not fit; {_GOOD.get(name, error['msg'])}"
        case "too_short" | "string_too_short":
            said = f"{shown(value)} is too short" + (f"; write it as in `{name}: {example}`" if example else "")
        case _:
            said = f"{shown(value)}: {error['msg'][0].lower()}{error['msg'][1:]}"
    return said


def _no_text(value: object) -> str:
    if isinstance(value, dict):
        first = next(iter(value), "")
        return f"is {shown(value)}, for YAML reads `{first}: ` as a key; put the whole text in quotes"
    if isinstance(value, bool):
        return f"is read as {value} by YAML; put it in quotes"
    return f"is {shown(value)}, and a text is wanted; put it in quotes"


def _unknown(model: type[BaseModel], where: Sequence[str | int]) -> str:
    key = str(where[-1])
    here = _at(model, where[:-1])
    near = difflib.get_close_matches(key, here.model_fields, n=1)
    if not near:
        for field, inner in _inner(here):
            if key in inner.model_fields:
                return f"belongs one level deeper, below `{field}:`"
        above = _at(model, _outer(where)) if len(where) > 2 else here
        if key in above.model_fields:
            return "belongs one level higher; indent it less"
    return f"is no key here; {nearest(key, here.model_fields)}"


def _outer(where: Sequence[str | int]) -> Sequence[str | int]:
    """The way to the mapping around the one a key stands in."""
    shorter = list(where[:-1])
    while shorter and isinstance(shorter[-1], int):
        shorter.pop()
    return shorter[:-1]


def _inner(model: type[BaseModel]) -> list[tuple[str, type[BaseModel]]]:
    return [(name, inner) for name, field in model.model_fields.items() if (inner := _held(field.annotation))]


def _held(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((held for part in get_args(annotation) if (held := _held(part))), None)


def _at(model: type[BaseModel], where: Sequence[str | int]) -> type[BaseModel]:
    for step in where:
        if isinstance(step, str) and step in model.model_fields:
            held = _held(model.model_fields[step].annotation)
            model = held or model
    return model


def _example(model: type[BaseModel], where: Sequence[str | int]) -> str:
    here = _at(model, where[:-1])
    field = here.model_fields.get(str(where[-1])) if where else None
    if field is None:
        return ""
    given = field.examples or [e for part in field.metadata for e in getattr(part, "examples", None) or []]
    return str(given[0]) if given else ""


def _choices(error: ErrorDetails) -> list[str]:
    expected = str((error.get("ctx") or {}).get("expected", ""))
    return re.findall(r"'([^']+)'", expected)
