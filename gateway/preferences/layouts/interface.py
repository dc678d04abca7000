"""What a layout is: one way to write pairs down, a row a line, read and written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from gateway.preferences.objectives import Objective
from gateway.preferences.pairs import Message, Pair

if TYPE_CHECKING:
    from collections.abc import Sequence


class Odd(msgspec.Struct, frozen=True):
    """A row that is well formed and no pair, or a pair that a layout cannot say; counted by its reason, never lost."""

    reason: str


class Layout(Protocol):
    """One way to write pairs down.

    Attributes:
        name: As `--layout` names it, and the origin of what is read where the row names none.
    """

    name: str

    def read(self, line: bytes, where: str) -> Pair | Odd:
        """One line.

        Raises:
            PairError: It is no row of this layout; names `where`, the field and the mend.
        """
        ...

    def write(self, pair: Pair) -> bytes | Odd:
        """One line, without its end."""
        ...


class Facts(msgspec.Struct, frozen=True):
    """What a row may say of a pair beside its texts."""

    objective: Objective = Objective.HELPFULNESS
    beta: float | None = None
    weight: float = 1.0
    flip_rate: float = 0.0
    origin: str = ""
    inferences: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()


def from_dialogues(chosen: Sequence[Message], rejected: Sequence[Message], facts: Facts) -> Pair | Odd:
    """The pair of two whole dialogues: what they share is the prompt, their last turns are the answers."""
    if not chosen or not rejected:
        return Odd("no_dialogue")
    if chosen[-1].role != "assistant" or rejected[-1].role != "assistant":
        return Odd("ends_without_an_answer")
    if tuple(chosen[:-1]) != tuple(rejected[:-1]):
        return Odd("earlier_turns_differ")
    pair = Pair(tuple(chosen[:-1]), chosen[-1].content, rejected[-1].content, **msgspec.structs.asdict(facts))
    return oddity(pair) or pair


def oddity(pair: Pair) -> Odd | None:
    """Why nothing can be learned from a pair, if so; the reasons that `check_pair` gives in sentences."""
    if not any(turn.content.strip() for turn in pair.prompt):
        return Odd("no_prompt")
    if pair.prompt[-1].role == "assistant":
        return Odd("prompt_ends_with_an_answer")
    if not pair.chosen.strip() or not pair.rejected.strip():
        return Odd("empty_answer")
    return Odd("equal_answers") if pair.chosen == pair.rejected else None
