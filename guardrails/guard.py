"""Runs the checks and decides; the one object that a gateway, a CI job or an agent needs."""

from __future__ import annotations

import difflib
import hashlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from guardrails.audit import TimedWatch, current
from guardrails.checks.commands import CommandsCheck
from guardrails.checks.injection import InjectionCheck
from guardrails.checks.invented import NAME as INVENTED
from guardrails.checks.invented import InventedWatch
from guardrails.commands.concealed import CONCEALED, HIDDEN
from guardrails.commands.judge import CommandJudge
from guardrails.commands.mends import nearest
from guardrails.commands.rules import RuleError, load_rules
from guardrails.commands.runbooks import load_runbooks, vetted
from guardrails.commands.units import UNRESOLVABLE
from guardrails.dialogue import together
from guardrails.interface import Action, Channel, Found, Severity, Shell, Subject, Unchecked, Verdict, merged, strongest
from guardrails.policy import PolicyError
from guardrails.stream import GuardStream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from guardrails.commands.rules import RuleSet
    from guardrails.commands.runbooks import Catalogue
    from guardrails.given import Given
    from guardrails.interface import Check, Finding, Outcome, Watch
    from guardrails.policy import Policy

_BADNESS = {severity: badness for badness, severity in enumerate(Severity)}
_ALLOWED = Verdict(Action.ALLOW)


def _unheard(_check: str, _error: Exception) -> None:
    """Nobody asked to hear of crashes; the verdict tells of them all the same."""


def _worst(findings: Sequence[Finding]) -> list[Finding]:
    """In the order of their spans; of several about one stretch, the worst: a person needs one reason to stop."""
    kept: dict[tuple[str, tuple[int, int]], Finding] = {}
    for finding in sorted(findings, key=lambda finding: (finding.span, -_BADNESS[finding.severity], finding.rule)):
        kept.setdefault((finding.check, finding.span), finding)
    return list(kept.values())


class Guard:
    """Judges texts under one policy; immutable, and safe to share between threads.

    Attributes:
        policy: What to do with what is found.
        rules: The command rules in force.
        catalogue: The safe steps that may be offered; what it dropped is told there.
        judge: Rules and catalogue on one command.
        rules_digest: SHA-256 (hex) of the files of both.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        crashed: Callable[[str, Exception], None] = _unheard,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Load the rules and runbooks that `policy` names.

        Args:
            policy: What to do with what is found.
            crashed: Told the check's name and its exception where one crashed, for a log.
            clock: Seconds, monotonic, for the wall-clock fuse; None for no fuse.

        Raises:
            RuleError: A rule file or runbook file of the policy cannot be used.
            PolicyError: The policy decides about a command rule that does not exist.
        """
        rules = load_rules(policy.rule_files)
        loaded = load_runbooks(policy.runbook_files)
        _refuse_unknown(policy, {rule.id for rule in rules.rules} | {UNRESOLVABLE, CONCEALED, HIDDEN})
        _refuse_missing(rules, loaded)
        runbooks = vetted(loaded, CommandJudge(rules, loaded)) if loaded.steps else loaded
        judge = CommandJudge(rules, runbooks)
        self.rules = rules
        self.catalogue = runbooks
        self.judge = judge
        self.policy = policy
        self.rules_digest: str = hashlib.sha256(f"{rules.digest}\n{runbooks.digest}".encode()).hexdigest()
        self._crashed = crashed
        self._clock = clock
        self._checks: tuple[Check, ...] = (
            CommandsCheck(judge, held=policy.budgets.held_characters),
            InjectionCheck(judge),
        )
        self._by_channel = {
            channel: tuple(check for check in self._checks if channel in check.channels) for channel in Channel
        }

    def examine(
        self,
        text: str,
        channel: Channel,
        *,
        shell: Shell = Shell.AUTO,
        type: str = "free_text",  # noqa: A002 - the contract's word for a parameter's type
        values: Sequence[str] = (),
        given: Given | None = None,
    ) -> Verdict:
        """The verdict on one whole text; on an output it is the one a stream of it gets, however it is cut.

        Args:
            text: As it was sent.
            channel: Where it stands.
            shell: The language of a command.
            type: The declared type of a parameter's value.
            values: Of an `enum` those that are allowed.
            given: What was named before an output was written; without it nobody can say what is invented.
        """
        if channel is Channel.OUTPUT:
            stream = self.stream(given)
            stream.feed(text)
            stream.finish()
            return stream.verdict()
        checks = self._by_channel[channel]
        if len(text) > self.policy.budgets.text_characters:
            return self.decide([Unchecked(check.name, "too_long") for check in checks], ())
        subject = Subject(text, channel, shell, type, tuple(values))
        begun = self._clock() if self._clock else 0.0
        outcomes = [self._run(check, subject) for check in checks]
        if self._clock and self._clock() - begun > self.policy.budgets.seconds:
            outcomes.append(Unchecked("guard", "timeout"))
        return self.decide(outcomes, tuple(check.name for check in checks))

    def examine_together(
        self, texts: Sequence[str], channel: Channel, *, begun: str = "", given: Given | None = None
    ) -> Verdict:
        """The verdict on texts that belong together: each alone, and what they say as one.

        Spans are offsets into the text that a finding stands in; where it stands in none alone, into all of them joined
        by line ends.

        Args:
            texts: In their order.
            channel: Where they stand.
            begun: What the first of an output's texts goes on from; it is not judged again, but read.
            given: As of `examine`.
        """
        if channel is Channel.OUTPUT:
            verdicts = []
            stream: GuardStream | None = None
            for text in texts:
                stream = self.stream(given, stream)
                if begun and text is texts[0]:
                    stream.prime(begun)
                stream.feed(text)
                stream.finish()
                verdicts.append(stream.verdict())
            return merged(verdicts)
        verdicts = [self.examine(text, channel) for text in texts]
        if not any(verdict.action.stops for verdict in verdicts):
            verdicts.append(self.examine_window(texts))
        return merged(verdicts)

    def examine_window(self, texts: Sequence[str]) -> Verdict:
        """The verdict on what one speaker's texts say together that none says alone (`dialogue.together`)."""
        whole = len("\n".join(texts))
        for text in together(texts):
            verdict = self.examine(text, Channel.PROMPT)
            if verdict.action.stops:
                findings = tuple(replace(finding, span=(0, whole)) for finding in verdict.findings)
                return replace(verdict, findings=findings)
        return Verdict(Action.ALLOW)

    def stream(self, given: Given | None = None, after: GuardStream | None = None) -> GuardStream:
        """A new watch over one answer that arrives in pieces.

        Args:
            given: As of `examine`.
            after: The watch over a text of the same answer; what was assigned, defined or written there is known here.
        """
        before = after.watches if after else {}
        watches: list[tuple[str, Watch]] = [
            (check.name, watch)
            for check in self._by_channel[Channel.OUTPUT]
            if (watch := check.watch(before.get(check.name)))
        ]
        if given is not None:
            stops = self._stops if self.policy.checks.invented.stops else None
            held = self.policy.budgets.held_characters
            watches.append((INVENTED, InventedWatch(given, self.catalogue.words, held, stops)))
        if (audit := current()) is not None:
            watches = [(name, TimedWatch(watch, audit.begin(name))) for name, watch in watches]
        return GuardStream(watches, self.decide, self._crashed, clock=self._clock, seconds=self.policy.budgets.seconds)

    def _stops(self, finding: Finding) -> bool:
        return self.policy.action(finding).stops

    def decide(self, outcomes: Sequence[Outcome], ran: tuple[str, ...]) -> Verdict:
        """One verdict of many outcomes: the strongest action that the policy gives any of them."""
        findings: list[Finding] = []
        unchecked: list[Unchecked] = []
        for outcome in outcomes:
            if isinstance(outcome, Found):
                findings.extend(outcome.findings)
            elif isinstance(outcome, Unchecked):
                unchecked.append(outcome)
        if not findings and not unchecked:
            return Verdict(Action.ALLOW, ran=ran) if ran else _ALLOWED
        asked = [self.policy.action(finding) for finding in findings]
        findings = _worst(findings)
        action = strongest(asked + [Action(self.policy.on_unchecked)] * bool(unchecked))
        worst_first = sorted(findings, key=lambda finding: -_BADNESS[finding.severity])
        alternative = next((finding.alternative for finding in worst_first if finding.alternative), None)
        skipped = {miss.check for miss in unchecked}
        return Verdict(
            action=action,
            findings=tuple(findings),
            unchecked=tuple(unchecked),
            alternative=alternative if action is Action.BLOCK else None,
            ran=tuple(name for name in ran if name not in skipped),
        )

    def refusal(self, verdict: Verdict) -> str:
        """What the user reads instead of the stopped text; the safe alternative stands in it, what was found never."""
        words = self.policy.refusal
        if not verdict.findings:
            return words.unchecked
        stopping = {finding.check for finding in verdict.findings if self._stops(finding)}
        if stopping == {INVENTED}:
            return words.invented
        if verdict.action is Action.ESCALATE:
            return words.escalated
        text = words.input if any(finding.check == "injection" for finding in verdict.findings) else words.output
        if not verdict.alternative:
            return text
        return f"{text}\n\n{words.alternative}\n\n```\n{verdict.alternative}\n```"

    def idle(self, channel: Channel) -> tuple[str, ...]:
        """Names of the checks that do not judge a channel."""
        return tuple(check.name for check in self._checks if channel not in check.channels)

    def _run(self, check: Check, subject: Subject) -> Outcome:
        audit = current()
        began = time.perf_counter_ns() if audit else 0
        try:
            return check.examine(subject)
        except Exception as error:  # noqa: BLE001 - the boundary: whatever broke, the check did not pass
            self._crashed(check.name, error)
            return Unchecked(check.name, "crashed")
        finally:
            if audit:
                audit.begin(check.name).nanoseconds += time.perf_counter_ns() - began


def _refuse_missing(rules: RuleSet, catalogue: Catalogue) -> None:
    """A rule that names a step which nobody wrote would silently offer nothing."""
    known = {one.id for one in catalogue.alternatives}
    for rule in rules.rules:
        if rule.runbook is not None and rule.runbook not in known:
            message = f"{rule.runbook!r} is no step of the built-in catalogue or of runbook_paths; "
            raise RuleError(rule.file, rule.line, "runbook", message + nearest(rule.runbook, known))


def _refuse_unknown(policy: Policy, known: set[str]) -> None:
    """A decision about a rule that nobody has would never be heard of again."""
    for name, action in policy.checks.commands.rules.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            mend = (
                f"is no rule; did you mean {near[0]}?" if near else "is no rule of the built-in packs or of rule_paths"
            )
            raise PolicyError("policy", None, f"checks.commands.rules.{name}", action, mend)
