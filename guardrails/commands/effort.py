"""Work that judging one answer may cost, counted, so that no answer is dear and the count is the same for every cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.commands.units import Unjudged

if TYPE_CHECKING:
    from guardrails.commands.scope import Scope
    from guardrails.commands.units import Findings
    from guardrails.interface import Shell

# Prose costs one for each character, prose with fences between up to three; a short answer may cost more.
_BESIDES = 600_000
_EACH = 3
_CALL = 150  # what a judgement costs whatever its length, in characters
_PLACE = 12  # what a place costs at which nothing is judged


class Effort:
    """What one answer has cost so far, and what was judged at the place at hand.

    A place is read again where what follows decides; what was judged there is known then, and counted once.
    """

    __slots__ = ("_known", "_place", "_spent", "scope")

    def __init__(self, scope: Scope) -> None:
        """Count for the answer whose lines settle `scope`."""
        self.scope = scope
        self._known: dict[tuple[str, Shell, bool], Findings] = {}
        self._place = 0
        self._spent = 0

    def at(self, place: int) -> None:
        """Say that what follows is judged for what stands `place` characters from the beginning.

        Raises:
            Unjudged: As `judge`.
        """
        if place != self._place:
            self._place = place
            self._known.clear()
            self.read(_PLACE)

    def known(self, text: str, shell: Shell, scope: Scope) -> Findings | None:
        """What was found in `text` at this place; None where it was not judged yet."""
        return self._known.get((text, shell, scope is self.scope))

    def learn(self, text: str, shell: Shell, scope: Scope, findings: Findings) -> None:
        """Keep what was found in `text` at this place."""
        self._known[text, shell, scope is self.scope] = findings

    def judge(self, characters: int) -> None:
        """Count a judgement.

        Raises:
            Unjudged: The answer has cost more than its length allows.
        """
        self.read(_CALL + characters)

    def read(self, characters: int) -> None:
        """Count characters that were read.

        Raises:
            Unjudged: As `judge`.
        """
        self._spent += characters
        if self._spent > _BESIDES + _EACH * self._place:
            raise Unjudged("budget")
