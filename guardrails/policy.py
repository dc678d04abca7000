"""The policy file as frozen data.

One YAML or JSON file, every key optional; `policies/default.yaml` holds the defaults and explains each key. No key
switches a guard off: a policy may choose between blocking and calling a person, and what may pass unjudged on the way
in is named field by field.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from guardrails.interface import Action, Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

Stop = Literal["block", "escalate"]
Telling = Literal["allow", "block", "escalate"]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class PolicyError(Exception):
    """A policy that cannot be used.

    Attributes:
        file: The file, or `policy` where the document came from elsewhere.
        line: Line in the file, counted from 1; None where no line is to blame.
        field: Dotted field, empty where the file as a whole is wrong.
        value: The value that stood there, as it was read.
        mend: What to write instead.
    """

    def __init__(self, file: str, line: int | None, field: str, value: object, mend: str) -> None:
        where = file if line is None else f"{file}:{line}"
        what = f"{field} = {json.dumps(value, default=str)[:120]}: " if field else ""
        super().__init__(f"{where}: {what}{mend}")
        self.file = file
        self.line = line
        self.field = field
        self.value = value
        self.mend = mend


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CheckPolicy(Frozen):
    """What one check's findings lead to.

    Attributes:
        action: For every rule of the check; None leaves it to the rule.
        rules: For one rule, by its identifier; wins over `action`.
    """

    action: Stop | None = None
    rules: dict[str, Stop] = Field(default_factory=dict)


class InventedPolicy(Frozen):
    """What names that nobody gave lead to; None tells of them and lets the answer go on."""

    action: Telling | None = None
    rules: dict[Literal["invented.host", "invented.service", "invented.path", "invented.flag"], Telling] = Field(
        default_factory=dict
    )

    @property
    def stops(self) -> bool:
        """Whether a finding may stop an answer."""
        return any(Action(action).stops for action in (self.action, *self.rules.values()) if action is not None)


class Checks(Frozen):
    commands: CheckPolicy = CheckPolicy()
    injection: CheckPolicy = CheckPolicy()
    invented: InventedPolicy = InventedPolicy()


class Budgets(Frozen):
    """How much is looked at before a text counts as unchecked; see the default file."""

    text_characters: Annotated[int, Field(ge=1000, le=10_000_000)] = 1 << 20
    held_characters: Annotated[int, Field(ge=256, le=1_000_000)] = 32_768
    seconds: Annotated[float, Field(gt=0, le=60)] = 5.0


class EscalationPolicy(Frozen):
    """After how many turns of one conversation a person takes over."""

    requested_after: Annotated[int, Field(ge=1, le=2)] = 1
    frustration_after: Annotated[int, Field(ge=1, le=20)] = 3
    blocks_after: Annotated[int, Field(ge=1, le=20)] = 3


class PermitPolicy(Frozen):
    """For how long what was judged may be run; counts only where the gateway has a key to sign with."""

    seconds: Annotated[int, Field(ge=1, le=86_400)] = 300


class Refusal(Frozen):
    """What the user reads instead of a stopped text."""

    input: Text = (
        "I can't act on this request: it contains something that could run as a command or overrule my instructions."
    )
    output: Text = (
        "I stopped here: the next step would have been a command that can destroy data or take a service down."
    )
    escalated: Text = (
        "I stopped here: what this command would do can't be told for certain, so a person should look at it first."
    )
    invented: Text = (
        "I stopped here: the next step would have named something that nobody mentioned, so a person should look at it."
    )
    unchecked: Text = "I can't answer this: it could not be checked completely, and what is not checked does not pass."
    alternative: Text = "A safer way:"


class Policy(Frozen):
    """Everything an operator may decide; the default file explains each key."""

    blocked_status: Literal[200, 400] = 200
    allow_fields: tuple[Name, ...] = ()
    rule_paths: tuple[str, ...] = ()
    runbook_paths: tuple[str, ...] = ()
    on_unchecked: Stop = "block"
    checks: Checks = Checks()
    budgets: Budgets = Budgets()
    escalation: EscalationPolicy = EscalationPolicy()
    permits: PermitPolicy = PermitPolicy()
    refusal: Refusal = Refusal()
    logprobs: bool = True
    max_body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 4 << 20

    _folder: Path = PrivateAttr(default=Path())

    @classmethod
    def parse(cls, document: object, folder: Path = Path()) -> Self:
        """The policy that `document` (what a JSON or YAML reader returned) describes.

        Args:
            document: A mapping; None is an empty one.
            folder: What `rule_paths` and `runbook_paths` are relative to.

        Raises:
            ValidationError: A key is unknown or a value does not fit.
        """
        # Through JSON: strict mode takes a list for a tuple there and nowhere else.
        policy = cls.model_validate_json(json.dumps({} if document is None else document))
        policy._folder = folder  # noqa: SLF001 - its own
        return policy

    @property
    def rule_files(self) -> tuple[Path, ...]:
        return tuple(self._folder / path for path in self.rule_paths)

    @property
    def runbook_files(self) -> tuple[Path, ...]:
        return tuple(self._folder / path for path in self.runbook_paths)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the policy's content, equal for equal decisions however the file was laid out."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()

    def action(self, finding: Finding) -> Action:
        """What `finding` leads to: this policy's word on the rule, on its check, else the rule's own."""
        check: CheckPolicy | InventedPolicy | None = getattr(self.checks, finding.check, None)
        rules: Mapping[Any, str] = check.rules if check is not None else {}
        override = check and (rules.get(finding.rule) or check.action)
        return Action(override) if override else finding.action


def load_policy(path: Path | None) -> Policy:
    """The policy in `path`, or the default one.

    Raises:
        PolicyError: The file cannot be read, is no mapping, holds an unknown key or a value that does not fit.
    """
    if path is None:
        return default_policy()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(str(path), None, "", None, f"cannot be read: {error}") from error
    return read_policy(text, str(path), path.parent)


@cache
def default_policy() -> Policy:
    """The policy that is in force where no file is named."""
    return read_policy(
        files("guardrails.policies").joinpath("default.yaml").read_text(encoding="utf-8"), "default", Path()
    )


def read_policy(text: str, file: str, folder: Path) -> Policy:
    """The policy written in `text`, YAML or JSON; `file` names it in errors.

    Raises:
        PolicyError: As `load_policy`.
    """
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise PolicyError(file, line, "", None, f"is not YAML or JSON: {error.problem}") from error
    except yaml.YAMLError as error:
        raise PolicyError(file, None, "", None, f"is not YAML or JSON: {error}") from error
    if document is not None and not isinstance(document, dict):
        raise PolicyError(file, 1, "", None, f"must hold keys and values, not a {type(document).__name__}")
    _refuse_doubles(tree, file, "")
    try:
        return Policy.parse(document, folder)
    except ValidationError as error:
        raise _explain(error.errors()[0], tree, file) from error
    except TypeError as error:  # YAML has values that JSON has not, such as dates
        raise PolicyError(file, None, "", None, f"holds a value that is no JSON: {error}") from error


def _refuse_doubles(node: yaml.Node | None, file: str, field: str) -> None:
    """A key written twice would silently lose its first value."""
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        name = f"{field}.{key.value}".lstrip(".")
        if key.value in seen:
            raise PolicyError(file, key.start_mark.line + 1, name, None, "is written twice; keep one")
        seen.add(key.value)
        _refuse_doubles(value, file, name)


def _explain(error: ErrorDetails, tree: yaml.Node | None, file: str) -> PolicyError:
    place = [part for part in error["loc"] if part != "[key]"]
    field = ".".join(str(part) for part in place)
    if error["type"] == "extra_forbidden":
        known = _fields_at(place[:-1])
        near = difflib.get_close_matches(str(place[-1]), known, n=1)
        mend = (
            f"is no key of a policy; did you mean {near[0]}?" if near else f"is no key here; known: {', '.join(known)}"
        )
    elif error["type"] in ("tuple_type", "list_type"):
        mend = f"is no list; write [{error['input']}]" if isinstance(error["input"], str) else "is no list; write [...]"
    else:
        mend = error["msg"][0].lower() + error["msg"][1:]
    return PolicyError(file, _line(tree, place), field, error["input"], mend)


def _fields_at(place: list[Any]) -> list[str]:
    model: Any = Policy
    for part in place:
        model = model.model_fields[part].annotation
    return sorted(model.model_fields)


def _line(node: yaml.Node | None, place: list[Any]) -> int | None:
    """The line (from 1) of the key or item that `place` leads to."""
    line = None
    for part in place:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
