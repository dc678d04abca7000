"""Destructive effects of commands, in command texts and in answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.commands.arrival import NAME
from guardrails.commands.calm import Calm
from guardrails.commands.scope import Scope
from guardrails.commands.units import Units, Unjudged
from guardrails.commands.watch import CommandWatch
from guardrails.interface import Channel, Found, Passed, Unchecked

if TYPE_CHECKING:
    from guardrails.commands.judge import CommandJudge
    from guardrails.interface import Outcome, Subject, Watch


class CommandsCheck:
    """Judges whole commands, and the commands that stand in answers."""

    name = NAME
    channels = frozenset({Channel.COMMAND, Channel.OUTPUT})

    def __init__(self, judge: CommandJudge, held: int) -> None:
        """Judge with `judge`, holding back at most `held` characters of an answer."""
        self._units = Units(judge)
        self._calm = Calm()
        self._held = held

    def examine(self, subject: Subject) -> Outcome:
        try:
            findings = self._units.command(subject.text, subject.shell, Scope())
        except Unjudged as error:
            return Unchecked(NAME, error.reason)
        return Found(tuple(findings)) if findings else Passed()

    def watch(self, after: Watch | None = None) -> CommandWatch:
        scope = after.scope if isinstance(after, CommandWatch) else None
        return CommandWatch(self._units, self._calm, self._held, scope=scope)
