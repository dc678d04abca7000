"""The guard in force, and the files it was made from.

Whoever begins to judge something takes the guard once and keeps it to the end: an exchange of the guard under load is
one assignment, and what is under way ends as it began.
"""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING

import structlog

from guardrails.commands.examples import failures
from guardrails.commands.rules import RuleError
from guardrails.guard import Guard
from guardrails.policy import load_policy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from guardrails.policy import Policy

Seen = tuple[tuple[str, int, int, int], ...]
log = structlog.get_logger("wardgate.guard")


class Guarding:
    """Holds the guard that whatever begins now is judged by.

    Attributes:
        guard: The guard in force; taken once by each request.
        policy_file: Where its policy stands; None for the built-in one.
        wanted: The policy that was read last; another than the guard's where its rules were refused.
        seen: The files as they were before they were read last.
    """

    __slots__ = ("guard", "policy_file", "seen", "wanted")

    def __init__(self, guard: Guard, policy_file: Path | None = None) -> None:
        self.guard = guard
        self.policy_file = policy_file
        self.wanted = guard.policy
        self.seen = self.files()

    @classmethod
    def load(cls, policy_file: Path | None) -> Guarding:
        """The guard that a policy file describes.

        Raises:
            PolicyError: The policy cannot be used.
            RuleError: A file of rules or runbooks cannot, or an example of a team's own rule does not hold.
        """
        policy = load_policy(policy_file)
        seen = _named_by(policy_file, policy)
        found = cls(guard_of(policy), policy_file)
        found.seen = seen
        return found

    def read(self) -> Guard:
        """The guard that the files describe now; it is not in force yet.

        Raises:
            PolicyError: As `load`.
            RuleError: As `load`.
        """
        self.wanted = load_policy(self.policy_file)
        self.seen = self.files()
        return guard_of(self.wanted)

    def files(self) -> Seen:
        """Every file that the guard is made from, with what tells that it was changed."""
        return _named_by(self.policy_file, self.wanted)


def guard_of(policy: Policy) -> Guard:
    """The guard under a policy, its own rules' examples run.

    Raises:
        PolicyError: The policy decides about a rule that does not exist.
        RuleError: A file of rules or runbooks cannot be used, or an example of a team's own rule does not hold.
    """
    guard = Guard(policy, crashed=check_crashed, clock=time.monotonic)
    own = [rule for rule in guard.rules.rules if rule.own]
    wrong = next(failures(own, guard), None)
    if wrong is not None:
        raise RuleError(wrong.file, wrong.line, wrong.field, f"{wrong.text!r} {wrong.message}")
    for step in guard.catalogue.dropped:
        log.warning("a runbook's step is not offered", file=str(step.file), line=step.line, reason=step.message)
    return guard


def check_crashed(check: str, error: Exception) -> None:
    """Log where a check crashed, without its message: that may quote the text that was judged."""
    where = traceback.format_tb(error.__traceback__)
    log.error("a check crashed", check=check, error=type(error).__name__, where="".join(where[-3:]))


def _named_by(policy_file: Path | None, policy: Policy) -> Seen:
    return () if policy_file is None else _seen((policy_file, *policy.rule_files, *policy.runbook_files))


def _seen(paths: Iterable[Path]) -> Seen:
    """Path, time of change, size and inode of each file; what is missing is told apart, too."""
    found = []
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            try:
                told = file.stat()
            except OSError:
                found.append((str(file), 0, -1, 0))
            else:
                found.append((str(file), told.st_mtime_ns, told.st_size, told.st_ino))
    return tuple(found)
