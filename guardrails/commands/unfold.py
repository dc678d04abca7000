"""Lists a command and everything it runs in its turn: wrapped commands, called functions, handed-over code."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from guardrails.commands import scripts
from guardrails.commands.builtins import settle
from guardrails.commands.clients import CLIENTS
from guardrails.commands.flow import restore, state
from guardrails.commands.interpreters import INTERPRETERS
from guardrails.commands.outputs import DOWNLOADERS, output, saved
from guardrails.commands.shells import SHELLS
from guardrails.commands.tree import UNKNOWN, Code, Command, Tail, Word
from guardrails.commands.wrappers import WRAPPERS, unwrap
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from guardrails.commands.frame import Frame
    from guardrails.commands.scope import Scope

_DEEPEST = 12
_WINDOWS = (Shell.CMD, Shell.POWERSHELL)
_READS = frozenset({"<", "<<", "<<<"})
_CODE_READERS = SHELLS | INTERPRETERS | CLIENTS
_NEAR = 3  # wrappers between what hands on and what reads
_SAME = frozenset({"eval", "source", ".", "trap"})  # code that runs in the shell that is being read


class Unfolder:
    """One list of commands in the making.

    Attributes:
        found: Everything that would run, so far.
        wrappers: What every new command is seen through.
    """

    __slots__ = ("_frame", "found", "scope", "wrappers")

    def __init__(self, frame: Frame) -> None:
        self.scope = frame.scope
        self.found: list[Command] = []
        self.wrappers = frame.wrappers
        self._frame = frame

    @property
    def fixed(self) -> bool:
        """Whether all commands have the span of the one that the text was found in."""
        return self._frame.span is not None

    def spend(self, units: int) -> None:
        """Take work from the budget.

        Raises:
            BudgetExceeded: when nothing is left.
        """
        self._frame.budget.spend(units)

    def emit(self, command: Command) -> tuple[Command, ...]:
        """Lists a command and what it runs; returns the commands whose output leaves it."""
        self._frame.budget.spend(_work(command))
        self.found.append(command)
        if command.shell is Shell.BASH:
            _note_files(command, self.scope)
            settle(command, self.scope)
        elif command.shell in _WINDOWS:
            scripts.note(command, self.scope)
        if command.shell is Shell.SQL:
            return (command,)
        inner = _called(command, self.scope) or unwrap(command, self.scope)
        if not inner:
            return (command,)
        if len(command.wrappers) > _DEEPEST:
            inner = [Code(None, "layers")]
        out: tuple[Command, ...] = ()
        for part in inner:
            if isinstance(part, Tail):
                out += self.emit(replace(command, argv=part.argv, wrappers=(*command.wrappers, part.through)))
            else:
                out += self.run(part, command)
        return out or (command,)

    def run(self, code: Code, command: Command) -> tuple[Command, ...]:
        """Reads code a command hands on, or lists it as unknown."""
        wrappers = (*command.wrappers, code.through)
        if code.text is None or self._frame.depth >= _DEEPEST:
            opaque = Word(None, command.span, UNKNOWN, commands=code.commands)
            self.found.append(replace(command, argv=(opaque,), wrappers=wrappers))
            return (self.found[-1],)
        outer = self.scope.positional
        self.scope.positional = code.positional if code.positional is not None else outer
        with _around(code, self.scope):
            made = self._frame.read(code.text, code.shell, self._frame.inside(command.span, wrappers)).commands
        self.scope.positional = outer
        self.found += made
        if code.inherits:
            self._handed(made, command, wrappers)
        if made and code.through.startswith("function ") and not made[-1].stdin:
            return (replace(made[-1], stdin=command.stdin),)  # it reads what is piped into the function
        return made[-1:]

    def _handed(self, made: tuple[Command, ...], command: Command, wrappers: tuple[str, ...]) -> None:
        """Lists once more, with what the wrapper reads, the commands that read code: `echo … | ssh host sudo sh`."""
        reads = tuple(r for r in command.redirects if r.operator in _READS)
        if not command.stdin and not reads:
            return
        for one in made:
            near = len(one.wrappers) - len(wrappers) < _NEAR
            reads_own = one.stdin or any(r.operator in _READS for r in one.redirects)
            if one.name in _CODE_READERS and near and not reads_own:
                self.emit(replace(one, stdin=command.stdin, redirects=(*one.redirects, *reads)))


@contextmanager
def _around(code: Code, scope: Scope) -> Iterator[None]:
    """The variables that code sees: a function has its own beside its caller's, another process those exported."""
    if code.shell is not Shell.BASH or code.through in _SAME or code.through.startswith("alias "):
        yield
        return
    known = state(scope)
    exported, local, scope.local = set(scope.exported), scope.local, set()
    if not code.through.startswith("function "):
        scope.variables = {name: value for name, value in scope.variables.items() if name in exported}
        scope.arrays, scope.maybe = {}, {}
        yield
        restore(scope, known)
    else:
        yield
        for name in scope.local:
            scope.variables.pop(name, None)
            if name in known.variables:
                scope.variables[name] = known.variables[name]
    scope.exported, scope.local = exported, local


def _work(command: Command) -> int:
    """Units of work that a command costs: its words are looked at by many, and those of a wrapper by each other."""
    words = len(command.argv) + len(command.redirects)
    return 1 + words // 16 + (words * words // 4096 if command.name in WRAPPERS else 0)


def _called(command: Command, scope: Scope) -> list[Tail | Code]:
    """An alias, a function or a file of the script's own that the command's name stands for."""
    name = command.argv[0].text if command.argv else None
    if name is not None and command.shell in _WINDOWS and scope.files:
        return [*scripts.held(command, scope)]
    if name is None or command.shell is not Shell.BASH:
        return []
    alias = scope.aliases.get(name)
    if alias is not None and f"alias {name}" not in command.wrappers:
        given = [f"'{w.shape}'" for w in command.argv[1:]]
        if alias[-1:] in (" ", "\t") and command.argv[1:] and command.argv[1].text in scope.aliases:
            given[0] = scope.aliases[command.argv[1].text or ""]  # a blank at its end has the next word looked up too
        rest = "".join(f" {word}" for word in given)
        return [Code(alias + rest, f"alias {name}")]
    if "/" in name and name in scope.files:
        content = scope.files[name]
        return [Code(content.text, name, content.commands)]
    body = scope.functions.get(name)
    if body is None or f"function {name}" in command.wrappers:
        return []
    return [Code(body, f"function {name}", positional=tuple(w.text for w in command.argv[1:]))]


def _note_files(command: Command, scope: Scope) -> None:
    """Remembers what the script itself writes to files it may run later."""
    printed = output(command) if command.redirects else None
    for redirect in command.redirects:
        path = redirect.target.text
        if redirect.writes and path and redirect.descriptor in (None, 1):
            scope.write(path, printed, (command, *command.stdin), appends=redirect.operator == ">>")
    if command.name in DOWNLOADERS:
        for path in saved(command):
            scope.write(path, None, (command,))
    elif command.name == "tee":
        for word in command.argv[1:]:
            if word.text and not word.text.startswith("-"):
                scope.write(word.text, output(command), (command, *command.stdin))
