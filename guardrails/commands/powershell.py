"""PowerShell, parsed by tree-sitter into the one command tree.

Cmdlets keep their own names, aliases get them; methods become commands of their own: `[IO.File]::Delete('x')` is the
command `[io.file]::delete`, `$_.Delete()` is `.delete`, and `$_` of what a listing feeds is the path that it lists.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import tree_sitter_powershell
from tree_sitter import Language

from guardrails.commands import blocks, cmdlets, constants
from guardrails.commands.arguments import Arguments, word
from guardrails.commands.budget import BudgetExceeded
from guardrails.commands.constants import Block, Value
from guardrails.commands.expressions import Expressions
from guardrails.commands.grammar import Offsets, errors, parse
from guardrails.commands.quoting import quoted
from guardrails.commands.tree import UNKNOWN, Code, Command, Script, Word
from guardrails.commands.unfold import Unfolder
from guardrails.interface import Shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from guardrails.commands.frame import Frame
    from guardrails.commands.tree import Span

_LANGUAGE = Language(tree_sitter_powershell.language())
_CONTINUED = re.compile(r"`\r?\n")
_RANGE = re.compile(rf"(-?\d{{1,6}})\.\.(-?\d{{1,6}}|.*{UNKNOWN}.*)")
_BACKGROUND = re.compile(r"(?<=[\w\s\"')}])&(?=[ \t]*\r?(?:\n|\Z))")
_BRANCHES = frozenset({
    "if_statement", "while_statement", "for_statement", "do_statement", "switch_statement", "catch_clause",
    "trap_statement",
})  # fmt: skip
_Commands = tuple[Command, ...]
_LONGEST = 400_000  # characters; the grammar takes up to 5 s for a million of them
_FEW = 64  # turns of a loop that are read whatever they do
_COUNTED = 4  # as many of a loop that only counts
_LEAST = 100  # work that a loop which only computes leaves for the rest


class Stream(NamedTuple):
    """What goes through a pipe: the commands that write it, and the value where that is known."""

    commands: _Commands = ()
    value: Value = None


_NOTHING = Stream()


def read(text: str, frame: Frame) -> Script:
    """Parses PowerShell.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    if len(text) > _LONGEST:
        raise BudgetExceeded("the text is longer than a script that anybody would read")
    frame.budget.spend(1 + len(text) // 256)
    text = _BACKGROUND.sub(";", _CONTINUED.sub(lambda found: " " * len(found[0]), text))
    text, moves = quoted(text)
    root = parse(_LANGUAGE, text, frame.budget)
    offsets, unfold = Offsets(text, moves, frame.span), Unfolder(frame)
    _Walk(text.encode("utf-8", "replace"), offsets, unfold, frame).visit(root, _NOTHING)
    wrong = tuple(offsets.span(node) for node in errors(root)) if root.has_error else ()
    return Script(tuple(unfold.found), not wrong, wrong)


class _Walk:
    """One walk over one parsed text."""

    def __init__(self, source: bytes, offsets: Offsets, unfold: Unfolder, frame: Frame) -> None:
        self._source = source
        self._offsets = offsets
        self._unfold = unfold
        self._frame = frame
        self._scope = unfold.scope
        self._expressions = Expressions(source, unfold.scope, self)
        self._stdin = _NOTHING
        self._kinds: dict[str, Callable[[Node, Stream], Stream]] = {
            "command": self._command,
            "pipeline_chain": self._chain,
            "assignment_expression": lambda node, _stdin: self._assignment(node),
            "function_statement": lambda node, _stdin: self._function(node),
            "foreach_statement": lambda node, _stdin: self._foreach(node),
        }

    def visit(self, node: Node, stdin: Stream) -> Stream:
        """Runs a statement, or an expression for what it runs."""
        kind = node.type
        special = self._kinds.get(kind)
        if special is not None:
            return special(node, stdin)
        if kind.endswith(("_expression", "_literal")) or kind in ("variable", "element_access", "member_access"):
            return self._valued(node, stdin)
        if not node.named_child_count:
            return _NOTHING
        self._scope.branches += kind in _BRANCHES
        parts = [self.visit(child, stdin) for child in node.named_children]
        self._scope.branches -= kind in _BRANCHES
        return _together([one for one in parts if one != _NOTHING])

    def _chain(self, node: Node, stdin: Stream) -> Stream:
        for part in node.named_children:
            stdin = self.visit(part, stdin)
        return stdin

    def statements(self, node: Node) -> Value:
        """Runs what stands between parentheses; what it prints."""
        return _together([self.visit(child, self._stdin) for child in node.named_children]).value

    def call(self, node: Node, name: str, given: tuple[Value, ...], on: str | None, before: int) -> Value:
        """Runs a method that is not known to be harmless."""
        span = self._offsets.span(node)
        words = [Word(name, span, name), *(word(one, span) for value in given for one in constants.items(value))]
        if on is not None:
            words.append(word(on, span))
        made = self._expressions.makers(self._expressions.raw(node))
        stdin = (*self._stdin.commands, *self._unfold.found[before:], *made)
        self._unfold.emit(Command(tuple(words), (), span, Shell.POWERSHELL, self._unfold.wrappers, stdin))
        return None

    def listed(self) -> int:
        """How many commands have been found so far."""
        return len(self._unfold.found)

    def invoke(self, block: Block, node: Node) -> Value:
        """Runs a script block."""
        span = self._offsets.span(node)
        command = Command((), (), span, Shell.POWERSHELL, self._unfold.wrappers, self._stdin.commands)
        self._unfold.run(Code(block.text, "invoke", shell=Shell.POWERSHELL), command)
        return None

    def _valued(self, node: Node, stdin: Stream) -> Stream:
        before = len(self._unfold.found)
        outer, self._stdin = self._stdin, stdin if stdin != _NOTHING else self._stdin
        value = self._expressions.value(node)
        self._stdin = outer
        made = tuple(self._unfold.found[before:])
        return Stream(
            made if value is not None else (*made, *self._expressions.makers(self._expressions.raw(node))), value
        )

    def _assignment(self, node: Node) -> Stream:
        children = node.named_children
        left, right = children[0], children[-1]
        name = self._expressions.raw(left).rpartition("]")[2].strip().lower()
        made = self.visit(right, self._stdin)
        if name.startswith("$") and re.fullmatch(r"\$[\w:{}]+", name):
            sign = next((self._expressions.raw(c) for c in children if c.type == "assignement_operator"), "=")
            value = made.value
            if sign == "+=":
                value = constants.added(self._expressions.variable(name), value)
            elif sign != "=":
                value = None
            self._settle(name, value, made.commands)
        return _NOTHING

    def _settle(self, name: str, value: Value, commands: tuple[Command, ...]) -> None:
        name = name.strip("${}").lower().rpartition(":")[2] if "env:" not in name else name.strip("${}").lower()
        before = self._scope.values.get(name, value)
        self._scope.values[name] = None if self._scope.branches and before != value else value
        self._scope.makers[name] = commands[-_FEW:] if value is None else ()

    def _function(self, node: Node) -> Stream:
        named = next((child for child in node.named_children if child.type == "function_name"), None)
        if named is None:
            return _NOTHING
        name = self._expressions.raw(named)
        body = self._source[named.end_byte : node.end_byte].decode("utf-8", "replace").strip()
        parameters, _, rest = body.partition("{")
        text = rest.rpartition("}")[0]
        if parameters.strip().startswith("("):
            text = f"param{parameters.strip()}\n{text}"
        self._scope.values[f"function:{name.rpartition(':')[2].lower()}"] = Block(text)
        return _NOTHING

    def _foreach(self, node: Node) -> Stream:
        named = [child for child in node.named_children if child.type != "foreach_parameter"]
        if len(named) < 3:
            return _NOTHING
        name = self._expressions.raw(named[0])
        listed = self.visit(named[1], _NOTHING)
        return self._turns(name, listed, lambda: self.visit(named[-1], Stream(listed.commands)))

    def _turns(self, name: str, listed: Stream, run: Callable[[], Stream]) -> Stream:
        """Runs a block once for every value, or once where they are not known."""
        name = name.strip("${}").lower()
        outer = self._scope.values.get(name)
        values = constants.items(listed.value) if listed.value is not None else (cmdlets.listed(listed.commands),)
        parts: list[Stream] = []
        before = len(self._unfold.found)
        for at, value in enumerate(values):
            counted = isinstance(value, int) and at >= _COUNTED
            if (at >= _FEW or counted) and (len(self._unfold.found) > before or self._frame.budget.left < _LEAST):
                value = None  # noqa: PLW2901 - one more turn, for whatever the rest may be
            self._frame.budget.spend(at % _FEW == _FEW - 1)
            self._scope.values[name] = value
            parts.append(run())
            if value is None:
                break
        self._scope.values[name] = outer
        return _together(parts)

    def _command(self, node: Node, stdin: Stream) -> Stream:
        stdin = stdin if stdin != _NOTHING else self._stdin
        cut = Arguments(self._source, self._offsets, self._expressions, self._unfold).read(node)
        span = self._offsets.span(node)
        if cut.started is not None:
            return self._started(cut.started, Command((), tuple(cut.redirects), span, Shell.POWERSHELL), stdin)
        if not cut.words:
            return _NOTHING
        if counted := _RANGE.fullmatch(cut.words[0].shape):
            return Stream((), constants.spanned(counted[1], counted[2]))
        fed = _fed(stdin, span)
        words = tuple(cmdlets.bound(cut.words, stdin.commands, stdin.value))
        made = Command(words, tuple(cut.redirects), span, Shell.POWERSHELL, self._unfold.wrappers, fed)
        body = self._scope.values.get(f"function:{made.name}")
        if isinstance(body, Block) and f"function {made.name}" not in made.wrappers:
            return self._called(body, made)
        out = self._unfold.emit(made)
        cmdlets.settle(made, cut.values, self._scope)
        if made.name == "foreach-object":
            return self._each(cut, made, stdin)
        for block in cut.blocks:
            out += self._inside(block, stdin).commands
        for value in cut.values:
            if isinstance(value, Block) and not cut.blocks:
                out += self._unfold.run(Code(value.text, made.name, shell=Shell.POWERSHELL), made)
        value = cmdlets.printed(made, cut.values, stdin.value, self._scope)
        return Stream(out, value)

    def _called(self, body: Block, command: Command) -> Stream:
        """A function of the script's own."""
        held = {name: value for name, value in self._scope.values.items() if not name.startswith("function:")}
        seen = repr((command.name, [word.shape for word in command.argv], held))
        self._frame.budget.spend(len(seen) // 4096)
        if hash(seen) in self._scope.calls:
            return _NOTHING
        self._scope.calls.add(hash(seen))
        text = blocks.bound(body.text, command.argv[1:])
        return Stream(self._unfold.run(Code(text, f"function {command.name}", shell=Shell.POWERSHELL), command))

    def _each(self, cut: Arguments, made: Command, stdin: Stream) -> Stream:
        """`ForEach-Object { … }`, `ForEach-Object Method`."""
        if not cut.blocks:
            block = next((value for value in cut.values if isinstance(value, Block)), None)
            if block is not None:
                return self._turns(
                    "_",
                    stdin,
                    lambda: Stream(self._unfold.run(Code(block.text, "foreach-object", shell=Shell.POWERSHELL), made)),
                )
            named = cmdlets.operands(made.argv[1:])
            if named:
                shape = f".{named[0].shape.lower()}"
                one = replace(made, argv=(Word(shape, named[0].span, shape), *named[1:]))
                return Stream(self._unfold.emit(one))
            return stdin
        return self._turns("_", stdin, lambda: _together([self._inside(block, stdin) for block in cut.blocks]))

    def _inside(self, block: Node, stdin: Stream) -> Stream:
        """A script block where it stands; its commands may read the pipe."""
        outer, self._stdin = self._stdin, Stream(stdin.commands)
        out = _together([self.visit(child, _NOTHING) for child in block.named_children])
        self._stdin = outer
        return out

    def _started(self, what: Node | Block, command: Command, stdin: Stream) -> Stream:
        """`& { … }`, `. { … }`, `& $block`."""
        if command.redirects:
            self._unfold.emit(command)
        if not isinstance(what, Block):
            return self._inside(what, stdin)
        return Stream(
            self._unfold.run(
                Code(what.text, "&", shell=Shell.POWERSHELL),
                replace(command, stdin=stdin.commands, wrappers=self._unfold.wrappers),
            )
        )


def _together(parts: list[Stream]) -> Stream:
    if len(parts) < 2:
        return parts[0] if parts else _NOTHING
    commands = tuple(command for part in parts for command in part.commands)
    values = tuple(one for part in parts for one in constants.items(part.value))
    return Stream(commands, values if None not in values and len(values) <= constants.MOST else None)


def _fed(stdin: Stream, span: Span) -> tuple[Command, ...]:
    """What a command reads: the commands before it, or what they are known to print."""
    if stdin.value is None:
        return stdin.commands
    text = "\n".join(constants.text(one) for one in constants.items(stdin.value))
    words = (Word("echo", span, "echo"), Word(None if UNKNOWN in text else text, span, text))
    return (Command(words, (), span, Shell.POWERSHELL, stdin=stdin.commands),)
