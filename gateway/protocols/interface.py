"""What the exchange needs to know of any API: where its texts stand, and how it is asked and answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardrails.interface import Channel
    from guardrails.parameters import Parameter


@dataclass(frozen=True, slots=True)
class Slot:
    """One text of a request and where it stands, as a client would name it (`messages[1].content`)."""

    name: str
    text: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Extras:
    """The contract's `wardgate` request object, checked.

    Attributes:
        facts: What the answer may name beside what the request does: each text with the field it stands in.
    """

    conversation_id: str = ""
    user_id: str = ""
    parameters: dict[str, Parameter] | None = None
    store: bool = True
    facts: tuple[tuple[str, str], ...] = ()
