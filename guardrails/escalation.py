"""When a person must take over: a function of the conversation and of counters handed in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from guardrails.intents import asks_for_person, frustrated, resolved
from guardrails.interface import Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from guardrails.interface import Finding, Verdict
    from guardrails.policy import EscalationPolicy

_TURNS = 40  # newest turns looked at
_QUOTE = 240
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation; `role` as in the OpenAI API."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Signals:
    """What the gateway knows beside the words.

    Attributes:
        input: Verdict on the request.
        output: Verdict on the answer, as far as there was one.
        engine_failed: No answer came, or only a part of one.
        blocks_before: Stopped turns of this conversation before this one.
    """

    input: Verdict | None = None
    output: Verdict | None = None
    engine_failed: bool = False
    blocks_before: int = 0

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        return tuple(verdict for verdict in (self.input, self.output) if verdict is not None)

    @property
    def blocks(self) -> int:
        """Stopped turns of the conversation, this one included."""
        return self.blocks_before + any(verdict.action.stops for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Escalation:
    """A hand-over; the fields are the contract's escalation object.

    Attributes:
        reason: `requested`, `frustration`, `unresolvable_command`, `policy`, `repeated_block` or `engine_failure`.
        summary: Two or three sentences for the person who takes over.
        attempted: What the assistant has suggested so far, oldest first.
        diagnostics: Counters, findings and what the user named (hosts, orders, error codes).
        runbook: The command that a runbook offers, if any.
    """

    reason: str
    summary: str
    attempted: tuple[str, ...] = ()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    runbook: str | None = None


def assess(turns: Sequence[Turn], signals: Signals, policy: EscalationPolicy) -> Escalation | None:
    """The hand-over that this turn of a conversation calls for, or None.

    Args:
        turns: The conversation, oldest first, its newest user message included.
        signals: What the gateway knows beside the words.
        policy: After how many turns of each kind a person takes over.
    """
    asked = [turn.text for turn in turns[-_TURNS:] if turn.role == "user"]
    newest = asked[-1] if asked else ""
    requests = _requests(asked, newest)
    anger = _anger(asked, newest)
    reason = _reason(requests, anger, signals, policy)
    if reason is None:
        return None
    findings = [finding for verdict in signals.verdicts for finding in verdict.findings]
    return Escalation(
        reason=reason,
        summary=_summary(reason, asked, requests, anger, signals),
        attempted=_attempted(turns),
        diagnostics=_diagnostics(asked, requests, anger, signals, findings),
        runbook=next((finding.alternative for finding in findings if finding.alternative), None),
    )


def _requests(asked: Sequence[str], newest: str) -> int:
    """In how many turns a person was asked for; 0 where the newest does not."""
    return sum(map(asks_for_person, asked)) if asks_for_person(newest) else 0


def _anger(asked: Sequence[str], newest: str) -> int:
    """In how many turns since the last settled one the user was out of patience; 0 where the newest is calm."""
    if not frustrated(newest):
        return 0
    count = 0
    for text in reversed(asked):
        if resolved(text):
            break
        count += frustrated(text)
    return count


def _reason(requests: int, anger: int, signals: Signals, policy: EscalationPolicy) -> str | None:
    escalating = [verdict for verdict in signals.verdicts if verdict.action is Action.ESCALATE]
    unresolvable = any(
        finding.rule.endswith("unresolvable")
        for verdict in signals.verdicts
        if verdict.action.stops
        for finding in verdict.findings
    )
    reasons = (
        ("requested", requests >= policy.requested_after),
        ("frustration", anger >= policy.frustration_after),
        ("unresolvable_command", unresolvable),
        ("policy", bool(escalating)),
        ("repeated_block", signals.blocks >= policy.blocks_after and signals.blocks > signals.blocks_before),
        ("engine_failure", signals.engine_failed),
    )
    return next((reason for reason, holds in reasons if holds), None)


_WHY = {
    "requested": "The user asked for a person.",
    "frustration": "The user is out of patience: {anger} turns without progress.",
    "unresolvable_command": "A command came up whose effect is known only at run time, and was stopped.",
    "policy": "The policy asks for a person to look at what was found: {rules}.",
    "repeated_block": "The guard has stopped {blocks} turns of this conversation.",
    "engine_failure": "The model server gave no complete answer.",
}


def _summary(reason: str, asked: Sequence[str], requests: int, anger: int, signals: Signals) -> str:
    rules = ", ".join(sorted({finding.rule for verdict in signals.verdicts for finding in verdict.findings}))
    unchecked = ", ".join(sorted({miss.check for verdict in signals.verdicts for miss in verdict.unchecked}))
    parts = [_WHY[reason].format(anger=anger, rules=rules or f"unchecked by {unchecked}", blocks=signals.blocks)]
    if requests > 1:
        parts.append(f"It is the request number {requests} for one.")
    if len(asked) > 1:
        parts.append(f'It began with: "{_short(asked[0])}".')
    if asked:
        parts.append(f'Last message: "{_short(asked[-1])}".')
    return " ".join(parts)


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _QUOTE else f"{flat[: _QUOTE - 1]}…"


_CODE = re.compile(r"```[^\n`]*\n(.+?)```|`([^`\n]{4,160})`", re.DOTALL)
_FIRST = re.compile(r"[^.!?\n]+[.!?]?")


def _attempted(turns: Sequence[Turn]) -> tuple[str, ...]:
    """The commands an assistant's turn proposed, or else its first sentence; the newest few, oldest first."""
    steps: list[str] = []
    for turn in turns[-_TURNS:]:
        if turn.role != "assistant":
            continue
        commands = [_short(match[1] or match[2]) for match in _CODE.finditer(turn.text)]
        first = _FIRST.search(turn.text)
        steps += commands or ([_short(first[0])] if first else [])
    return tuple(dict.fromkeys(steps))[-_ATTEMPTS:]


_NAMED = re.compile(
    r"\b(?:(?:order|ticket|incident|invoice|case|error|code|alert|pod|host|node|service|job|build)\s+#?[\w.-]*\d[\w.-]*"
    r"|[A-Za-z][\w.]*-\d[\w.-]*|[A-Z]{2,}[-_]\d+|(?:\d{1,3}\.){3}\d{1,3})\b",
    re.IGNORECASE,
)


def _diagnostics(
    asked: Sequence[str], requests: int, anger: int, signals: Signals, findings: Sequence[Finding]
) -> dict[str, Any]:
    named = dict.fromkeys(chain.from_iterable((match[0] for match in _NAMED.finditer(text[:4000])) for text in asked))
    return {
        "user_turns": len(asked),
        "requests": requests,
        "frustrated_turns": anger,
        "blocks": signals.blocks,
        "engine_failed": signals.engine_failed,
        "rules": sorted({finding.rule for finding in findings}),
        "unchecked": sorted({f"{miss.check}: {miss.reason}" for v in signals.verdicts for miss in v.unchecked}),
        "named": list(named)[:10],
    }
