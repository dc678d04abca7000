"""What a file of rules may say: the shape of its YAML, documented for authors in `rules/README.md`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from guardrails.commands.effects import Effect, Place
from guardrails.interface import Severity

Names = Annotated[list[str], Field(min_length=1, examples=["[fleetctl]"])]
At = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MatchData(_Strict):
    """One entry of a rule's `match`; see `Matcher` for the meaning."""

    command: Names
    but: list[str] = []
    subcommand: list[str] = []
    options: list[str] = []
    unless: list[str] = []
    values: dict[str, str] = {}
    arguments: str | None = None
    text: str | None = None
    harmless: str | None = None
    harmful: str | None = None
    spares: str | None = None
    same: str | None = None
    places: list[Place] = []
    operands: list[str] = []
    redirects: list[Place] = []
    appends: bool = False
    redirect_path: str | None = None
    fed: str | None = None
    fed_text: str | None = None
    fork: bool = False
    fed_by: list[str] = []
    through: list[str] = []
    abbreviated: bool = False
    names: dict[str, At] = {}
    captures: dict[str, str] = {}


class RuleData(_Strict):
    """One rule, as written."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", examples=["drain-node"])
    effect: Effect = Field(examples=["stop"])
    severity: Severity = Field(examples=["high"])
    action: Literal["block", "escalate", "allow"] = "block"
    shell: Literal["bash", "powershell", "cmd", "sql"] = "bash"
    reason: str = Field(min_length=8, max_length=200, pattern=r"^would ", examples=["would stop every node of {fleet}"])
    reference: str = Field(min_length=4, examples=["https://wiki.example.com/fleetctl"])
    runbook: str | None = None
    alternative: str | None = Field(default=None, min_length=2, max_length=300, examples=["fleetctl status {node}"])
    match: list[MatchData] = Field(min_length=1, examples=["[{command: [fleetctl], subcommand: [drain]}]"])
    positive: list[str] = Field(min_length=1, examples=["[fleetctl drain node-7]"])
    negative: list[str] = Field(min_length=1, examples=["[fleetctl status node-7]"])


class PackData(_Strict):
    """One file of rules."""

    pack: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", examples=["fleet"])
    rules: list[RuleData] = Field(min_length=1, examples=["[{id: drain-node, …}]"])
