"""The preference pair: what was asked, the better and the worse answer, what for, and where it came from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

import msgspec

from gateway.preferences.objectives import BETA, Objective

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class PairError(ValueError):
    """A pair that cannot be used; the message names the place, the field, the value and the mend."""


class Message(msgspec.Struct, frozen=True):
    """One turn of the conversation that led to the answers."""

    role: Literal["system", "user", "assistant"]
    content: str


class Pair(msgspec.Struct, frozen=True, omit_defaults=True):
    """One preference; never changed once made.

    Attributes:
        prompt: The conversation up to the answer, oldest turn first; at least one turn.
        chosen: The better answer, without role or end-of-turn token.
        rejected: The worse one; empty only where the pair is an example for SFT.
        objective: What it is meant to improve.
        beta: β of its loss; None means the objective's own.
        weight: Its share in the loss against pairs of weight 1; above 0.
        flip_rate: Probability that the two answers stand the wrong way round; 0 to below 0.5.
        origin: The signal or file it came from.
        inferences: Ids of the exchanges it was made from.
        feedback: Ids of the feedback it was made from.
    """

    prompt: tuple[Message, ...]
    chosen: str
    rejected: str = ""
    objective: Objective = Objective.HELPFULNESS
    beta: float | None = None
    weight: float = 1.0
    flip_rate: float = 0.0
    origin: str = ""
    inferences: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """SHA-256 (hex, 32 characters) of what is learned from it: prompt, both answers, objective."""
        content = [[(turn.role, turn.content) for turn in self.prompt], self.chosen, self.rejected, self.objective]
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:32]

    @property
    def strength(self) -> float:
        """β of its loss."""
        return BETA[self.objective] if self.beta is None else self.beta


class _Row(msgspec.Struct, forbid_unknown_fields=False):
    """A line as the contract allows it: answers and prompt as text or as chat messages."""

    prompt: str | tuple[Message, ...]
    chosen: str | tuple[Message, ...]
    rejected: str | tuple[Message, ...] = ""
    objective: Objective = Objective.HELPFULNESS
    beta: float | None = None
    weight: float = 1.0
    flip_rate: float = 0.0
    origin: str = ""
    inferences: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()


_read_row = msgspec.json.Decoder(_Row).decode


def read_pairs(file: Path, *, for_sft: bool = False) -> list[Pair]:
    """The pairs of a JSONL file, in its order; a file of any length is read line by line.

    Args:
        file: UTF-8, one pair a line; blank lines count for nothing.
        for_sft: Take rows without a rejected answer too.

    Raises:
        PairError: A line is no pair; names file, line, field, value and mend.
        OSError: The file cannot be read.
    """
    return list(each_pair(file, for_sft=for_sft))


def each_pair(file: Path, *, for_sft: bool = False) -> Iterator[Pair]:
    """`read_pairs`, one at a time."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield parse_pair(line, f"{file}:{number}", for_sft=for_sft)


def write_pairs(pairs: Iterable[Pair]) -> bytes:
    """JSON Lines; the same pairs give the same bytes."""
    return b"".join(msgspec.json.encode(pair) + b"\n" for pair in pairs)


def parse_pair(line: bytes, where: str, *, for_sft: bool = False) -> Pair:
    """One line as a pair; `where` names it in errors.

    Raises:
        PairError: It is none.
    """
    return check_pair(parse_row(line, where), where, for_sft=for_sft)


def parse_row(line: bytes, where: str) -> Pair:
    """One line as the pair that it says, whether something can be learned from it or not.

    Raises:
        PairError: It has not the form of one.
    """
    try:
        row = _read_row(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise PairError(
            f"{where}: {error}. A pair has `prompt`, `chosen`, `rejected` as text or chat messages, and optionally "
            f"`objective` ({', '.join(Objective)}), `beta`, `weight`, `flip_rate`, `origin`."
        ) from error
    return Pair(
        prompt=(Message("user", row.prompt),) if isinstance(row.prompt, str) else row.prompt,
        chosen=_answer("chosen", row.chosen, where),
        rejected=_answer("rejected", row.rejected, where),
        objective=row.objective,
        beta=row.beta,
        weight=row.weight,
        flip_rate=row.flip_rate,
        origin=row.origin,
        inferences=row.inferences,
        feedback=row.feedback,
    )


def check_pair(pair: Pair, where: str, *, for_sft: bool = False) -> Pair:
    """The pair, if something can be learned from it.

    Raises:
        PairError: It cannot; names `where`, the field, the value and the mend.
    """
    if not pair.prompt or not any(turn.content.strip() for turn in pair.prompt):
        raise PairError(f"{where}: prompt: is empty. Give the question that both answers answer.")
    if pair.prompt[-1].role == "assistant":
        raise PairError(f"{where}: prompt: ends with an assistant's turn. Its last turn is what is answered: a user's.")
    for field in ("chosen",) if for_sft else ("chosen", "rejected"):
        if not getattr(pair, field).strip():
            raise PairError(f"{where}: {field}: is empty. Both answers are needed, and neither may be blank.")
    if pair.chosen == pair.rejected:
        raise PairError(f"{where}: rejected: is the chosen answer again. A pair needs two different answers.")
    if pair.beta is not None and not 0 < pair.beta <= 10:
        raise PairError(f"{where}: beta: {pair.beta} is not above 0 and at most 10. Leave it out for the objective's.")
    if not 0 < pair.weight <= 1000:
        raise PairError(f"{where}: weight: {pair.weight} is not above 0 and at most 1000. Leave it out for 1.")
    if not 0 <= pair.flip_rate < 0.5:
        raise PairError(f"{where}: flip_rate: {pair.flip_rate} is not in 0 to below 0.5. Leave it out for 0.")
    return pair


def _answer(field: str, given: str | tuple[Message, ...], where: str) -> str:
    if isinstance(given, str):
        return given
    if len(given) != 1 or given[0].role != "assistant":
        raise PairError(
            f"{where}: {field}: holds {len(given)} messages. Give one assistant message; what came before it belongs "
            "into `prompt` (`wardgate pairs import --layout hh` splits whole dialogues)."
        )
    return given[0].content
