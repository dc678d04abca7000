"""What a transaction takes back: everything done in it that is not beyond the database's reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.commands.sql.segments import TRANSACTION
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guardrails.commands.sql.tokens import Token
    from guardrails.commands.tree import Command

_DEFINES = frozenset({"drop", "truncate", "alter", "create", "grant", "revoke", "rename"})
_UNDONE = frozenset({"delete", "update", "overwrite", "merge", "insert", "set", "comment", "reassign", "nextval"})
# No transaction holds these: they leave the database, or may not stand in one.
_BEYOND = frozenset({"database", "system", "tablespace", "subscription"})


class Transactions:
    """The transactions of one session, over the list of what it did."""

    def __init__(self, found: list[Command], *, commits: bool, implicit: bool) -> None:
        self._found = found
        self._commits = commits
        self._implicit = implicit
        self._begun: int | None = 0 if implicit else None
        self._saved: dict[str, int] = {}
        self._blocks = 0

    def take(self, tokens: Sequence[Token]) -> bool:
        """Whether a statement begins or ends a transaction, or a block of one."""
        words = [t.lower for t in tokens[:6]]
        head, second = words[0], words[1] if len(words) > 1 else ""
        if (head == "begin" and (not second or second in TRANSACTION)) or words[:2] == ["start", "transaction"]:
            self._begin()
        elif head == "begin":
            self._blocks += 1
        elif head == "commit" or (head == "end" and not self._blocks and second not in ("if", "loop", "case", "while")):
            self._end()
        elif head == "end":
            self._blocks = max(0, self._blocks - (second not in ("if", "loop", "case", "while")))
        elif head in ("savepoint", "save"):
            self._saved[words[-1] if head == "savepoint" else (words[2:3] or [""])[0]] = len(self._found)
        elif head in ("rollback", "abort"):
            self._back(words)
        else:
            return head == "release"
        return True

    def _begin(self) -> None:
        if self._begun is None or self._implicit:
            self._begun = len(self._found)
        self._saved = {}

    def _end(self) -> None:
        self._begun = len(self._found) if self._implicit else None
        self._saved = {}

    def _back(self, words: list[str]) -> None:
        if "to" in words or (words[0] == "rollback" and words[-1] in self._saved):
            mark = self._saved.get(words[-1])
        else:
            mark = self._begun
            self._end()
        if mark is not None:
            self._found[mark:] = [one for one in self._found[mark:] if not self._undone(one)]
            self._begun = None if self._begun is None else min(self._begun, len(self._found))
            self._saved = {name: min(at, len(self._found)) for name, at in self._saved.items()}

    def did(self, command: Command) -> None:
        """Notes what was done last: a definition may have committed."""
        if self._commits and command.name in _DEFINES and "--temporary" not in (w.shape for w in command.argv):
            self._end()

    def _undone(self, command: Command) -> bool:
        if command.shell is not Shell.SQL or (command.name not in _UNDONE and command.name not in _DEFINES):
            return False
        return len(command.argv) < 2 or command.argv[1].shape.lower() not in _BEYOND
