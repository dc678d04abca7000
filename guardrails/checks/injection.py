"""Commands smuggled in with what was asked: in bound parameters, and in prompts that want one carried out."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from guardrails import ciphers
from guardrails.audit import current
from guardrails.checks.breakouts import broken_out
from guardrails.checks.directed import Readings
from guardrails.checks.evidence import Evidence, alone, carried
from guardrails.checks.orders import UNRESOLVABLE, alerting, ordered
from guardrails.checks.shape import COMMANDS, Kind, arguments, called, head
from guardrails.commands.budget import BudgetExceeded
from guardrails.dialogue import within
from guardrails.encodings import tokens
from guardrails.grammars import OPERATORS, STRICT, offence
from guardrails.interface import Channel, Finding, Found, Passed, Severity, Unchecked
from guardrails.parameters import ParameterType, parameter_type
from guardrails.screens import Sign
from guardrails.text import HIDDEN, LIMIT, TooLong, View, layers

if TYPE_CHECKING:
    from guardrails.checks.orders import Order
    from guardrails.commands.judge import Judgement
    from guardrails.interface import Outcome, Subject, Watch

LONGEST_VALUE = 65_536
"""Longest parameter value, in characters, that is looked at."""

_DEPTH = 4
_MOST_SEGMENTS = 32
_MOST_READ = 300_000  # characters of commands in one view of a value
_LONGEST_NAME = 4096  # characters from a separator on in which a name begins
_PREFIXES = frozenset({"exec", "eval", "time", "env", "command", "nohup", "sudo", "doas", "timeout", "nice", "setsid"})
_SHELLISH = Sign(r"^\s*[({!\\'\"$`]|\w[\"'\\$`^]\S*\w|\{[^\s{},]+,[^\s{}]+\}|;\s*\}|\$\(|[a-z]=\S+[;\s]|\\\n")
_OPERATOR = re.compile(r"\|\||&&|[;|&\n]")
_PASSED = Passed()
_BREAKS_OUT = "would change the query it is put into: it ends a string, cuts the rest off or asks nothing of the data"
# Neither an operator, nor a quote, nor the beginning of an escape or of an expression.
_CALM = re.compile(r"[A-Za-z0-9 .,:_@/#!?=*~+\[\]-]*(?: \((?:[^'\"`$();|&<>\\%{}]*)\)[A-Za-z0-9 .,:_@/#!?=+-]*)?")
_PLAIN = re.compile(r"[^\s&(\\%]*")
_UNREST = re.compile(
    r"\b(?:select|outfile|dumpfile|xp_cmdshell|iex|invoke-|net\.webclient|phpinfo)|/dev/|^\S*=|-e", re.IGNORECASE
)
_STATEMENTS = frozenset(
    {"drop", "truncate", "alter", "delete", "insert", "update", "exec", "execute", "grant", "shutdown"}
)


class Judge(Protocol):
    """The part of `CommandJudge` that is needed here."""

    heads: frozenset[str]

    def judge(self, text: str) -> Judgement: ...


class InjectionCheck:
    """Judges bound parameters and prompts; outputs are the commands check's."""

    name = "injection"
    channels = frozenset({Channel.PARAMETER, Channel.PROMPT})

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._alerting = alerting(judge.heads)
        self._readings = Readings(judge.heads)

    def examine(self, subject: Subject) -> Outcome:
        """Look at one parameter value or prompt.

        Raises:
            ParameterError: The subject's type is none of the contract's.
        """
        try:
            if subject.channel is Channel.PARAMETER:
                return self._parameter(subject)
            return self._prompt(subject.text)
        except TooLong:
            return Unchecked(self.name, "too_long")
        except BudgetExceeded:
            return Unchecked(self.name, "budget")

    def watch(self, after: Watch | None = None) -> Watch | None:  # noqa: ARG002 - the protocol's
        return None

    def _parameter(self, subject: Subject) -> Outcome:
        kind = parameter_type(subject.type)
        value = subject.text
        audit = current()
        if audit:
            audit.looked(self.name, len(value), (View(value),))
        wrong = offence(value, kind, subject.values)
        if wrong:
            return self._found(wrong.rule, (wrong.start, wrong.end), wrong.message)
        if kind is ParameterType.ENUM and subject.values:
            return _PASSED
        if kind is ParameterType.FREE_TEXT and broken_out(value[:LONGEST_VALUE]):
            return self._found("value.query", (0, len(value)), _BREAKS_OUT)
        if _plain(value) if kind in STRICT else self._calm(value):
            return _PASSED
        return self._views(value, kind)

    def _views(self, value: str, kind: ParameterType) -> Outcome:
        """A value as it stands, and what it is decoded."""
        tolerant = OPERATORS.get(kind, frozenset())
        views = layers(value, _DEPTH, shortest=3, limit=LONGEST_VALUE)
        audit = current()
        if audit:
            audit.looked(self.name, len(value), views)
        for view in views:
            evidence = carried(view.text, tolerant, query=kind is ParameterType.QUERY)
            if evidence is None and view.decoded:
                evidence = alone(view.text, hidden=HIDDEN in view.decoded)
            if evidence:
                span = view.source_span(evidence.start, evidence.end)
                return self._found(evidence.rule, span, _message(value, span, evidence, encoded=bool(view.decoded)))
            if kind is ParameterType.FREE_TEXT and view.decoded and broken_out(view.text):
                return self._found("value.query", view.source_span(0, len(view.text)), _BREAKS_OUT)
            if destroys := self._destructive(view.text):
                span = view.source_span(destroys[0], destroys[1])
                return self._found("value.destructive", span, f"is a command that {destroys[2]}")
        return _PASSED

    def _destructive(self, value: str) -> tuple[int, int, str] | None:
        """Where a value, or what stands behind an operator in it, is a command that destroys, and what it would do."""
        left = _MOST_READ
        for start in (0, *(sign.end() for sign in islice(_OPERATOR.finditer(value), _MOST_SEGMENTS))):
            words = value[start:].lstrip()[:_LONGEST_NAME].split(None, 1)
            left -= (len(value) - start) // 8
            if not words or not self._names(words[0], value[start:]):
                continue
            for reading in self._readings.of(value[start:]):
                left -= len(reading)
                if left < 0:
                    raise BudgetExceeded("a value holds more commands than anybody should judge")
                for finding in self._judge.judge(reading).findings:
                    if finding.action.stops and finding.rule != UNRESOLVABLE and not finding.rule.startswith("verbs."):
                        return start, len(value), finding.message
        return None

    def _names(self, word: str, text: str) -> bool:
        """Whether a word in command position names a command, as its arguments look."""
        bare = text.partition(" #")[0]
        given = arguments(bare.split()[1:], bare)
        if given.sentence:
            return False
        if _SHELLISH.within(text):
            return True
        if not given.many or not word.islower():
            return False
        found = head(word)
        known = found is not None and (found.kind is Kind.NAME or called(found, given))
        return known or word in self._alerting.acting or word in _PREFIXES or "/" in word

    def _calm(self, value: str) -> bool:
        """Whether nothing in a value needs a closer look: no operator, no encoding, no command's name to begin with."""
        if not _CALM.fullmatch(value):
            return False
        first = value.split(None, 1)
        word = first[0].strip("\"'([.,:!?)]").lower() if first else ""
        if word in COMMANDS or word in self._alerting.telling or word in _STATEMENTS or "/" in word:
            return False
        return not _UNREST.search(value) and not tokens(value, 3) and not ciphers.possible(value)

    def _prompt(self, text: str) -> Outcome:
        order = self._ordered(text)
        if order is not None:
            return self._found(order.rule, order.span, order.message)
        for assembled in within(text):
            order = self._ordered(assembled.text, (assembled.start, assembled.end))
            if order is not None:
                return self._found(order.rule, (0, len(text)), order.message)
        return _PASSED

    def _ordered(self, text: str, part: tuple[int, int] | None = None) -> Order | None:
        return ordered(text, self._judge, self._alerting, LIMIT, self._readings, part=part)

    def _found(self, rule: str, span: tuple[int, int], message: str) -> Found:
        return Found((Finding(self.name, rule, Severity.HIGH, span, message),))


def _plain(value: str) -> bool:
    """Whether a value that its type's grammar let through is one word with nothing encoded in it."""
    return value.isascii() and _PLAIN.fullmatch(value) is not None and not tokens(value, 3)


def _message(value: str, span: tuple[int, int], evidence: Evidence, *, encoded: bool) -> str:
    hidden = ", encoded" if encoded else ""
    sign = value[span[0] : span[0] + 1]
    return f"carries {evidence.reason}{hidden}, from {sign!r} at offset {span[0]} on"
