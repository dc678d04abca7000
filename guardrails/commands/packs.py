"""Reads one YAML file of rules or runbooks; whatever cannot be meant is said with file, line and field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_Model = TypeVar("_Model", bound=BaseModel)


class RuleError(ValueError):
    """A file of rules or runbooks says something that cannot be meant.

    Attributes:
        file: The file.
        line: Line of the rule or field, from 1.
        field: Dotted name of the field.
        message: What is wrong and how to mend it.
    """

    def __init__(self, file: Path, line: int, field: str, message: str) -> None:
        super().__init__(f"{file}:{line}: {field}: {message}")
        self.file, self.line, self.field, self.message = file, line, field, message


def read_pack(file: Path, model: type[_Model]) -> tuple[_Model, Any, bytes]:
    """One file's data, its YAML nodes (for `line`) and its bytes (for a digest).

    Raises:
        RuleError: where the file cannot be read, is not YAML or not of the model.
    """
    try:
        raw = file.read_bytes()
        node = yaml.compose(raw, Loader=yaml.CSafeLoader)
        data = yaml.load(raw, Loader=yaml.CSafeLoader)
    except OSError as wrong:
        raise RuleError(file, 1, "path", f"cannot be read ({wrong.strerror}); mend the path in the policy") from wrong
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        reason = getattr(wrong, "problem", None) or "it holds characters that YAML does not allow"
        raise RuleError(file, mark.line + 1 if mark else 1, "yaml", f"not YAML: {reason}") from wrong
    try:
        return model.model_validate(data), node, raw
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where, given = first["loc"], first["input"]
        message = first["msg"] if first["type"] in ("missing", "extra_forbidden") else f"{first['msg']}, not {given!r}"
        raise RuleError(file, line(node, where), ".".join(map(str, where)) or "file", message) from wrong


def line(node: Any, where: Sequence[str | int]) -> int:
    """Line, from 1, of the deepest node on the way `where` leads."""
    found = 1
    for step in where:
        if isinstance(node, yaml.MappingNode):
            inner = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            inner = node.value[step]
        else:
            inner = None
        if inner is None:
            break
        node, found = inner, inner.start_mark.line + 1
    return found
