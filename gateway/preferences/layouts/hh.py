r"""Anthropic's HH layout: `chosen` and `rejected` are whole dialogues in one text, "\n\nHuman: … \n\nAssistant: …".

It holds texts and nothing else: objective, weight, β and lineage of a pair are not in it.
"""

from __future__ import annotations

import re

import msgspec

from gateway.preferences.layouts.interface import Facts, Odd, from_dialogues, oddity
from gateway.preferences.pairs import Message, Pair, PairError

_TURN = re.compile(r"\n\n(Human|Assistant):")
_ROLES = {"Human": "user", "Assistant": "assistant"}
_NAMES = {"user": "Human", "assistant": "Assistant"}


class _Row(msgspec.Struct):
    chosen: str
    rejected: str


_read_row = msgspec.json.Decoder(_Row).decode


class HumanAssistant:
    """`{"chosen", "rejected"}`."""

    name = "hh"

    def read(self, line: bytes, where: str) -> Pair | Odd:
        try:
            row = _read_row(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise PairError(
                f"{where}: {error}. A row of the HH layout has `chosen` and `rejected`, both text."
            ) from error
        if row.chosen == row.rejected:
            return Odd("equal_answers")
        return from_dialogues(_turns(row.chosen), _turns(row.rejected), Facts(origin=self.name))

    def write(self, pair: Pair) -> bytes | Odd:
        if any(turn.role not in _NAMES for turn in pair.prompt):
            return Odd("system_turn")  # HH has none
        said = [turn.content for turn in pair.prompt] + [pair.chosen, pair.rejected]
        if any(_TURN.search(text) for text in said):
            return Odd("text_looks_like_a_turn")
        if (odd := oddity(pair)) is not None:
            return odd
        head = "".join(f"\n\n{_NAMES[turn.role]}: {turn.content}" for turn in pair.prompt) + "\n\nAssistant: "
        return msgspec.json.encode(_Row(head + pair.chosen, head + pair.rejected))


def _turns(dialogue: str) -> list[Message]:
    """The turns in order; none where the text does not begin with one."""
    head, *rest = _TURN.split(dialogue)
    if head.strip():
        return []
    # One space belongs to the layout, any other to the text.
    return [
        Message(_ROLES[name], text.removeprefix(" "))  # type: ignore[arg-type]  # the pattern has these two names only
        for name, text in zip(rest[::2], rest[1::2], strict=True)
    ]
