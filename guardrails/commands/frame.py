"""Where a piece of code was found, and how code found inside of it is read in its turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from guardrails.commands.budget import Budget
    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Script, Span
    from guardrails.interface import Shell


class Read(Protocol):
    """Reads code of any language."""

    def __call__(self, text: str, shell: Shell, frame: Frame) -> Script: ...


@dataclass(frozen=True, slots=True)
class Frame:
    """What every reader of a language is given beside the text.

    Attributes:
        scope: Constants settled by earlier lines; what the text settles is added.
        budget: Work left.
        read: For code of any language found inside of the text; the languages need not know one another.
        span: What every command's span shall be, where the text was found inside of something else.
        depth: How many layers of code the text was found in.
        wrappers: What every command was seen through.
    """

    scope: Scope
    budget: Budget
    read: Read
    span: Span | None = None
    depth: int = 0
    wrappers: tuple[str, ...] = ()

    def inside(self, span: Span, wrappers: tuple[str, ...]) -> Frame:
        """The frame of code that a command at `span`, itself seen through `wrappers`, hands on."""
        return replace(self, span=span, depth=self.depth + 1, wrappers=wrappers)
