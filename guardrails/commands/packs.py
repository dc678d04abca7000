"""Reads one YAML file of rules or runbooks; whatever cannot be meant is said with file, line, field, value and mend."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from guardrails.commands.mends import mend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_Model = TypeVar("_Model", bound=BaseModel)
_SLIPS = (
    ("mapping values are not allowed", "a text that holds `: ` stands in quotes, and keys of one mapping align"),
    ("cannot start any token", "indent with blanks, not with tabs, and put a text that begins with a sign in quotes"),
    ("expected <block end>", "lines of one list or mapping begin at the same column"),
    ("did not find expected key", "lines of one list or mapping begin at the same column, and every quote is closed"),
    ("did not find expected '-'", "lines of one list begin at the same column, each with `- `"),
    ("did not find expected ',' or", "close the bracket, and put an entry that holds a bracket or comma in quotes"),
    ("unexpected end of stream", "close the quote"),
    ("unknown escape", "use single quotes where a backslash is meant as it stands"),
    ("tab character", "indent with blanks"),
    ("undefined alias", "put a text that begins with * in quotes"),
    ("expected alphabetic or numeric", "put a text that begins with * or & in quotes"),
)


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
    except OSError as wrong:
        raise RuleError(file, 1, "path", f"cannot be read ({wrong.strerror}); mend the path in the policy") from wrong
    return (*read_text(file, raw, model), raw)


def read_text(file: Path, raw: bytes | str, model: type[_Model], above: int = 0) -> tuple[_Model, Any]:
    """YAML as data and as nodes; `above` lines of its file stand before it.

    Raises:
        RuleError: where it is not YAML or not of the model.
    """
    try:
        node = yaml.compose(raw, Loader=yaml.CSafeLoader)
        data = yaml.load(raw, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as wrong:
        raise _broken(file, wrong, above) from wrong
    if data is None:
        wanted = " and ".join(f"`{name}:`" for name in model.model_fields)
        raise RuleError(file, 1 + above, "file", f"is empty; it begins with {wanted}")
    try:
        _refuse_doubles(file, node, "", above)
    except RecursionError as wrong:
        raise RuleError(file, 1 + above, "yaml", "holds itself by an alias, or is nested too deep") from wrong
    try:
        return model.model_validate(data), node
    except ValidationError as wrong:
        # A key that is misspelt is missing, too, and what stands there says more than what does not.
        first = min(wrong.errors(), key=lambda error: (error["type"] == "missing", _standing(node, error["loc"])))
        where = first["loc"]
        field = ".".join(map(str, where)) or "file"
        raise RuleError(file, _standing(node, where) + above, field, mend(model, first)) from wrong


def _broken(file: Path, wrong: yaml.YAMLError, above: int) -> RuleError:
    mark = getattr(wrong, "problem_mark", None)
    began = getattr(wrong, "context_mark", None)
    said = getattr(wrong, "problem", None) or "it holds characters that YAML does not allow; save it as UTF-8"
    hint = next((text for sign, text in _SLIPS if sign in said), "")
    if began is not None and hint.startswith("close"):
        mark = began
    message = f"not YAML: {said}" + (f"; {hint}" if hint else "")
    return RuleError(file, (mark.line + 1 if mark else 1) + above, "yaml", message)


def _refuse_doubles(file: Path, node: Any, field: str, above: int) -> None:
    """A key written twice would silently lose its first value."""
    if isinstance(node, yaml.SequenceNode):
        for at, inner in enumerate(node.value):
            _refuse_doubles(file, inner, f"{field}.{at}", above)
    if not isinstance(node, yaml.MappingNode):
        return
    seen = set()
    for key, value in node.value:
        name = f"{field}.{key.value}".lstrip(".")
        if str(key.value) in seen:
            raise RuleError(file, key.start_mark.line + 1 + above, name, "is written twice; keep one")
        seen.add(str(key.value))
        _refuse_doubles(file, value, name, above)


def _standing(node: Any, where: Sequence[str | int]) -> int:
    """The line of a key that should not be there, of a value, or of what lacks something."""
    found = line(node, where)
    inner = at(node, where[:-1])
    if where and isinstance(inner, yaml.MappingNode):
        return next((key.start_mark.line + 1 for key, _ in inner.value if key.value == where[-1]), found)
    return found


def line(node: Any, where: Sequence[str | int]) -> int:
    """Line, from 1, of the deepest node on the way `where` leads."""
    found = 1
    for step in where:
        inner = _step(node, step)
        if inner is None:
            break
        node, found = inner, inner.start_mark.line + 1
    return found


def at(node: Any, where: Sequence[str | int]) -> Any:
    """The node that `where` leads to, or None."""
    for step in where:
        node = _step(node, step)
    return node


def _step(node: Any, step: str | int) -> Any:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step]
    return None


def slots(text: str) -> list[str]:
    """The `{slots}` of a reason or a command, in their order."""
    return re.findall(r"\{(\w+)\}", text)
