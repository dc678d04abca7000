"""TRL's preference layouts: standard, conversational, and conversational with the prompt in both dialogues.

Written is the conversational one with an explicit prompt, and the rest of the pair in columns that TRL does not read.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.preferences.layouts.interface import Facts, Odd, from_dialogues, oddity
from gateway.preferences.pairs import Message, Pair, PairError, check_pair


class _Row(Facts, frozen=True, kw_only=True):
    chosen: str | tuple[Message, ...]
    rejected: str | tuple[Message, ...]
    prompt: str | tuple[Message, ...] | None = None


_read_row = msgspec.json.Decoder(_Row).decode


class Trl:
    """`{"prompt"?, "chosen", "rejected"}`, each text or a list of messages."""

    name = "trl"

    def read(self, line: bytes, where: str) -> Pair | Odd:
        try:
            row = _read_row(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise PairError(
                f"{where}: {error}. A row of TRL's layouts has `chosen` and `rejected`, and mostly `prompt`, "
                "each text or a list of messages with `role` (system, user, assistant) and `content`."
            ) from error
        if row.prompt is None and (isinstance(row.chosen, str) or isinstance(row.rejected, str)):
            # TRL would cut where the two texts begin to differ, in the middle of a sentence.
            return Odd("plain_text_without_prompt")
        prompt = _messages(row.prompt, "user") if row.prompt is not None else ()
        facts = Facts(**{name: getattr(row, name) for name in Facts.__struct_fields__})
        if not facts.origin:
            facts = msgspec.structs.replace(facts, origin=self.name)
        chosen, rejected = (prompt + _messages(answer, "assistant") for answer in (row.chosen, row.rejected))
        pair = from_dialogues(chosen, rejected, facts)
        return pair if isinstance(pair, Odd) else check_pair(pair, where)

    def write(self, pair: Pair) -> bytes | Odd:
        if (odd := oddity(pair)) is not None:
            return odd
        answers = {name: [Message("assistant", getattr(pair, name))] for name in ("chosen", "rejected")}
        row: dict[str, Any] = {"prompt": pair.prompt, **answers}
        return msgspec.json.encode(row | {name: getattr(pair, name) for name in Facts.__struct_fields__})


def _messages(given: str | tuple[Message, ...], role: str) -> tuple[Message, ...]:
    return (Message(role, given),) if isinstance(given, str) else given  # type: ignore[arg-type]  # one of two names
