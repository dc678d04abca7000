"""Destructive effects of commands, in command texts and in answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from guardrails.commands.budget import BudgetExceeded
from guardrails.interface import Channel, Found, Passed, Progress, Unchecked

if TYPE_CHECKING:
    from guardrails.commands.judge import CommandJudge
    from guardrails.interface import Outcome, Subject

NAME = "commands"


class CommandsCheck:
    """Judges whole commands, and the commands that stand in answers."""

    name = NAME
    channels = frozenset({Channel.COMMAND, Channel.OUTPUT})

    def __init__(self, judge: CommandJudge, held: int) -> None:
        """Judge with `judge`, holding back at most `held` characters of an answer."""
        self._judge = judge
        self._held = held

    def examine(self, subject: Subject) -> Outcome:
        try:
            judgement = self._judge.judge(subject.text, subject.shell)
        except BudgetExceeded:
            return Unchecked(NAME, "budget")
        return Found(tuple(judgement.findings)) if judgement.findings else Passed()

    def watch(self) -> CommandWatch:
        return CommandWatch(self._judge, self._held)


class CommandWatch:
    """One answer, line by line."""

    def __init__(self, judge: CommandJudge, held: int) -> None:
        self._judge = judge
        self._held = held
        self._settled = 0
        self._pending = ""

    def feed(self, piece: str) -> Progress:
        *lines, self._pending = (self._pending + piece).split("\n")
        for line in lines:
            if found := self._line(line + "\n"):
                return Progress(self._settled, (found,))
        if len(self._pending) > self._held:
            return Progress(self._settled, (Unchecked(NAME, "too_long"),))
        return Progress(self._settled)

    def finish(self) -> Progress:
        found = self._line(self._pending)
        return Progress(self._settled, (found,) if found else ())

    def _line(self, line: str) -> Found | Unchecked | None:
        start = self._settled
        try:
            judgement = self._judge.judge(line)
        except BudgetExceeded:
            return Unchecked(NAME, "budget")
        if not judgement.findings:
            self._settled += len(line)
            return None
        return Found(
            tuple(
                replace(finding, span=(start + finding.span[0], start + finding.span[1]))
                for finding in judgement.findings
            )
        )
