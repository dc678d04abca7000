"""The words every check and every caller of the guard shares.

A check looks at one text on one channel and answers with exactly one outcome: `Passed`, `Found` or `Unchecked`. The
guard turns outcomes into one `Verdict`. A check that crashed or ran out of budget is `Unchecked`: it did not pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from guardrails.commands.effects import Effect, Target


class Channel(StrEnum):
    """Where a text stands; the contract's `kind`."""

    COMMAND = "command"
    PARAMETER = "parameter"
    PROMPT = "prompt"
    OUTPUT = "output"


class Shell(StrEnum):
    """The language a command is written in; `auto` lets the parser tell."""

    AUTO = "auto"
    BASH = "bash"
    POWERSHELL = "powershell"
    CMD = "cmd"
    SQL = "sql"


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Action(StrEnum):
    """What a verdict asks of the gateway, weakest first. *Stopped* means `escalate` or `block`."""

    ALLOW = "allow"
    REWRITE = "rewrite"
    ESCALATE = "escalate"
    BLOCK = "block"

    @property
    def stops(self) -> bool:
        return self in (Action.ESCALATE, Action.BLOCK)


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason to act on one stretch of a text.

    Attributes:
        check: Name of the check that found it (`commands`, `injection` …), also a metrics label.
        rule: Identifier of the rule inside the check, `pack.name`.
        severity: How bad it would be.
        span: Half-open offsets (characters) into the text as it was sent.
        message: One sentence for a person: what it would do and why it is stopped.
        action: What the rule asks for; a policy may weaken or strengthen it.
        alternative: The runbook's safe command, with its slots filled where the text told them.
        effect: What a command would do, of `commands.effects.Effect`; None where no command was understood.
        target: What it would do it to, where the command names it.
    """

    check: str
    rule: str
    severity: Severity
    span: tuple[int, int]
    message: str
    action: Action = Action.BLOCK
    alternative: str | None = None
    effect: Effect | None = None
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """The check looked at the whole text and has no objection."""


@dataclass(frozen=True, slots=True)
class Found:
    """The check objects; never empty."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Unchecked:
    """The check could not look; `reason`, a metrics label, is one of `crashed`, `budget`, `timeout`, `too_long`."""

    check: str
    reason: str


Outcome = Passed | Found | Unchecked


@dataclass(frozen=True, slots=True)
class Subject:
    """One text to be judged.

    Attributes:
        text: As it was sent.
        channel: Where it stands.
        shell: Language of a command, if the caller knows it.
        type: Declared type of a parameter value.
        values: Allowed values of an `enum` parameter.
    """

    text: str
    channel: Channel
    shell: Shell = Shell.AUTO
    type: str = "free_text"
    values: tuple[str, ...] = ()


class Progress(NamedTuple):
    """How far a watch has come in a text that arrives in pieces.

    Attributes:
        settled: Offset up to which the watch has judged and will claim nothing any more.
        outcomes: What it found or could not check in what was settled by this step.
        late: The same of a watch that waits for the others, each with the offset up to which they must have settled
            before it counts; None of a watch that does not.
    """

    settled: int
    outcomes: tuple[Found | Unchecked, ...] = ()
    late: tuple[tuple[int, Found | Unchecked], ...] | None = None


class Watch(Protocol):
    """One check's eye on one text that arrives in pieces; however it is cut, the text gets the verdict of the whole."""

    def feed(self, piece: str) -> Progress: ...

    def finish(self) -> Progress: ...


class Check(Protocol):
    """One check, one file."""

    @property
    def name(self) -> str: ...

    @property
    def channels(self) -> frozenset[Channel]: ...

    def examine(self, subject: Subject) -> Outcome: ...

    def watch(self, after: Watch | None = None) -> Watch | None:
        """A new watch for one streamed output, or None where the check does not judge outputs.

        Args:
            after: This check's watch over an earlier text of the same answer.
        """


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard decided about one text.

    Attributes:
        action: The strongest action asked for by findings and unchecked checks, as policy has it.
        findings: In the order of their spans.
        unchecked: Checks that did not look, with their reason.
        rewritten: The text to use instead, where `action` is `rewrite`.
        alternative: The safe command to offer, where `action` is `block` and a runbook has one.
        ran: Names of the checks that looked, for a truthful audit.
    """

    action: Action
    findings: tuple[Finding, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    rewritten: str | None = None
    alternative: str | None = None
    ran: tuple[str, ...] = field(default=())


_STRENGTH = {action: strength for strength, action in enumerate(Action)}


def strongest(actions: Iterable[Action]) -> Action:
    """The strongest of some actions; `allow` for none."""
    return max(actions, key=_STRENGTH.__getitem__, default=Action.ALLOW)


def merged(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict over several texts: the strongest action, everything found, the first alternative.

    Spans stay relative to the text each finding came from, and `rewritten` does not survive: it belongs to one text.
    """
    every = tuple(verdicts)
    if len(every) == 1:
        return every[0]
    return Verdict(
        action=strongest(verdict.action for verdict in every),
        findings=tuple(finding for verdict in every for finding in verdict.findings),
        unchecked=tuple(outcome for verdict in every for outcome in verdict.unchecked),
        alternative=next((verdict.alternative for verdict in every if verdict.alternative), None),
        ran=tuple(dict.fromkeys(name for verdict in every for name in verdict.ran)),
    )
