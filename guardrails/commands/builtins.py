"""Builtins that settle variables and arguments for what follows: `read`, `printf -v`, `set --`, `shift`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.commands.outputs import fed, output

if TYPE_CHECKING:
    from collections.abc import Callable

    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Command


def settle(command: Command, scope: Scope) -> None:
    """Notes what a builtin does to the script's constants."""
    act = _BUILTINS.get(command.name)
    if act is not None:
        act(command, scope)


def _read(command: Command, scope: Scope) -> None:
    names = [w.text for w in command.argv[1:] if w.text and not w.text.startswith("-")]
    line = (fed(command) or "").partition("\n")[0]
    rest: str | None = line or None
    for at, name in enumerate(names):
        value = rest
        if rest is not None and at + 1 < len(names):
            value, _, rest = rest.partition(" ")
        scope.assign(name, value)


def _printf(command: Command, scope: Scope) -> None:
    words = command.argv
    if len(words) > 3 and words[1].shape == "-v" and words[2].text:
        plain = type(command)((words[0], *words[3:]), command.redirects, command.span)
        scope.assign(words[2].text, output(plain))


def _set(command: Command, scope: Scope) -> None:
    words = command.argv[1:]
    at = next((i for i, w in enumerate(words) if w.shape == "--" or not w.shape.startswith(("-", "+"))), None)
    if at is not None:
        given = words[at + 1 :] if words[at].shape == "--" else words[at:]
        scope.positional = tuple(w.text for w in given)


def _shift(command: Command, scope: Scope) -> None:
    count = command.argv[1].text if len(command.argv) > 1 else "1"
    if scope.positional is not None:
        scope.positional = scope.positional[int(count) if count and count.isdigit() else len(scope.positional) :]


_BUILTINS: dict[str, Callable[[Command, Scope], None]] = {
    "read": _read,
    "printf": _printf,
    "set": _set,
    "shift": _shift,
}
