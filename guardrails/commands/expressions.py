"""PowerShell's expressions folded to values; the pipelines and method calls inside of them are handed to the walk."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from guardrails.commands import constants, methods
from guardrails.commands.constants import Block, Value
from guardrails.commands.tree import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Command

_SCOPES = re.compile(r"(?:global|script|local|private|using|variable):")
_WORD = re.compile(
    r"`.|'(?:[^']|'')*'|\"(?:[^\"`]|`.|\"\")*\"|\$\([^)]*\)|\$\{[^}]*\}|\$(?:\w+:)?\w+|,|[^`'\"$,]+|.", re.DOTALL
)
_NAMED = re.compile(r"\$\{([^}]*)\}|\$((?:\w+:)?\w+)|\$\([^)]*\)")
_MOST_MAKERS = 16
_STANDING = frozenset({"home", "pshome", "shellid", "ofs"})
_HERE = frozenset({"psscriptroot", "pwd", "pscommandpath", "myinvocation"})
_OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "+": constants.added,
    "*": constants.multiplied,
    "..": constants.spanned,
    "-f": constants.formatted,
    "-join": constants.joined,
    "-split": constants.parted,
    "-csplit": constants.parted,
    "-isplit": constants.parted,
    "-replace": lambda left, right: constants.exchanged(left, right, cased=False),
    "-ireplace": lambda left, right: constants.exchanged(left, right, cased=False),
    "-creplace": lambda left, right: constants.exchanged(left, right, cased=True),
    "-as": lambda left, right: constants.cast(constants.text(right)[1:-1], left),
}
_BITS: dict[str, Callable[[int, int], int]] = {
    "-bxor": lambda a, b: a ^ b, "-band": lambda a, b: a & b, "-bor": lambda a, b: a | b,
    "-shl": lambda a, b: a << (b & 31), "-shr": lambda a, b: a >> (b & 31),
    "-": lambda a, b: a - b, "/": lambda a, b: a // b if b else 0, "%": lambda a, b: a % b if b else 0,
}  # fmt: skip


class Walk(Protocol):
    """What expressions ask of the walk that they stand in."""

    def statements(self, node: Node) -> Value:
        """Runs what stands between parentheses; what it prints."""

    def call(self, node: Node, name: str, given: tuple[Value, ...], on: str | None, before: int) -> Value:
        """Runs a method that is not known to be harmless, on what the commands from `before` on have made."""

    def listed(self) -> int:
        """How many commands have been found so far."""

    def invoke(self, block: Block, node: Node) -> Value:
        """Runs a script block."""


class Expressions:
    """The values of one text's expressions."""

    def __init__(self, source: bytes, scope: Scope, walk: Walk) -> None:
        self._source = source
        self._scope = scope
        self._walk = walk
        self._kinds: dict[str, Callable[[Node], Value]] = {
            "expandable_string_literal": self._string,
            "expandable_here_string_literal": self._string,
            "verbatim_string_characters": lambda node: self.raw(node)[1:-1].replace("''", "'"),
            "verbatim_here_string_characters": lambda node: _here(self.raw(node)),
            "type_literal": lambda node: self.raw(node).replace(" ", ""),
            "variable": lambda node: self.variable(self.raw(node)),
            "decimal_integer_literal": lambda node: constants.number(self.raw(node)),
            "hexadecimal_integer_literal": lambda node: constants.number(self.raw(node)),
            "parenthesized_expression": walk.statements,
            "sub_expression": walk.statements,
            "array_expression": lambda node: _list(walk.statements(node)),
            "script_block_expression": lambda node: Block(self.raw(node).strip()[1:-1]),
            "hash_literal_expression": self._table,
            "expression_with_unary_operator": self._unary,
            "cast_expression": self._cast,
            "element_access": self._element,
            "member_access": self._member,
            "invokation_expression": self._call,
            "pipeline": walk.statements,
            "statement_list": walk.statements,
        }

    def raw(self, node: Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def value(self, node: Node) -> Value:
        """What a node stands for; whatever it runs has been run."""
        kind = node.type
        read = self._kinds.get(kind)
        if read is not None:
            return read(node)
        children = node.named_children
        if len(children) == 1 and kind not in ("pre_increment_expression", "post_increment_expression"):
            return self.value(children[0])
        if kind in ("array_literal_expression", "argument_expression_list"):
            return tuple(self.value(child) for child in children)
        if kind.endswith("expression") and node.child_count >= 3:
            return self._binary(node)
        for child in children:
            self.value(child)
        return self.raw(node) if not children and kind in ("generic_token", "simple_name") else None

    def variable(self, raw: str) -> Value:
        """What a variable holds; the system's own and the environment's stand for themselves."""
        name = _SCOPES.sub("", raw.strip("${}@").lower())
        if name in self._scope.values:
            return self._scope.values[name]
        if name in ("true", "false"):
            return name == "true"
        if name == "null":
            return ""
        if name in _HERE:
            return "."
        standing = f"${name}"
        known = name in _STANDING or name.startswith("env:") or constants.usual(standing) != standing
        return standing if known else None

    def makers(self, raw: str) -> tuple[Command, ...]:
        """The commands that made what the variables in a stretch of source hold."""
        held = self._scope.makers
        if not held or "$" not in raw:
            return ()
        names = [_SCOPES.sub("", (found[1] or found[2] or "").lower()) for found in _NAMED.finditer(raw)]
        return tuple(command for name in names for command in held.get(name, ()))[:_MOST_MAKERS]

    def words(self, raw: str) -> list[Value]:
        """An argument written without quotes around all of it; commas make a list of it."""
        made: list[Value] = [""]
        for found in _WORD.finditer(raw):
            piece = found[0]
            if piece == ",":
                made.append("")
            else:
                made[-1] = (
                    self._bare(piece)
                    if made[-1] == ""
                    else constants.added(made[-1], constants.text(self._bare(piece)))
                )
        return made if len(made) < 2 else [one for one in made if one != ""]

    def _bare(self, piece: str) -> Value:
        first = piece[0]
        if first == "`":
            return "" if piece[1:] in ("\n", "\r") else constants.unescaped(piece)
        if first == "'":
            return piece[1:-1].replace("''", "'") if len(piece) > 1 else piece
        if first == '"':
            return self._expanded(piece[1:-1]) if len(piece) > 1 else piece
        if first == "$" and len(piece) > 1:
            return None if piece.startswith("$(") else self.variable(piece)
        return piece

    def _expanded(self, text: str) -> str:
        """The inside of a double-quoted string that the grammar has not taken apart."""
        pieces, at, size = [], 0, 0
        for found in _NAMED.finditer(text):
            if found.start() and text[found.start() - 1] == "`":
                continue
            name = found[1] or found[2]
            pieces.append(constants.unescaped(text[at : found.start()].replace('""', '"')))
            pieces.append(constants.text(self.variable(name)) if name else UNKNOWN)
            at = found.end()
            size += len(pieces[-1])
            if size > constants.MOST:
                return UNKNOWN
        return "".join(pieces) + constants.unescaped(text[at:].replace('""', '"'))

    def _string(self, node: Node) -> Value:
        raw = self.raw(node)
        start, end = node.start_byte, node.end_byte
        lead = raw.find("\n") + 1 if raw.startswith("@") else 1
        tail = len(raw) - raw.rfind("\n") if raw.startswith("@") else 1
        at = start + len(raw[:lead].encode())
        end = max(at, end - len(raw[len(raw) - tail :].encode()))
        if not node.named_children:
            return self._plain(at, end)
        pieces, size = [], 0
        for child in node.named_children:
            if child.type in ("variable", "sub_expression") and child.start_byte >= at:
                pieces += [self._plain(at, child.start_byte), constants.text(self.value(child))]
                at = child.end_byte
                size += len(pieces[-1])
                if size > constants.MOST:
                    return None
        return "".join([*pieces, self._plain(at, end)])

    def _plain(self, start: int, end: int) -> str:
        return constants.unescaped(self._source[start:end].decode("utf-8", "replace").replace('""', '"'))

    def _table(self, node: Node) -> Value:
        made: dict[str, Value] = {}
        for body in node.named_children:
            for entry in body.named_children:
                if entry.type == "hash_entry" and entry.named_child_count > 1:
                    key = self.raw(entry.named_children[0]).strip("'\"").lower()
                    made[key] = self.value(entry.named_children[-1])
        return made

    def _unary(self, node: Node) -> Value:
        sign = self.raw(node.children[0]).lower() if node.child_count > 1 else "+"
        value = self.value(node.children[-1])
        if sign == "-join":
            return constants.joined(value, "")
        if sign in ("-split", "-csplit", "-isplit"):
            return constants.parted(value, r"\s+")
        if sign == ",":
            return (value,)
        numeric = constants.number(value)
        if sign == "-" and numeric is not None:
            return -numeric
        return value if sign == "+" else None

    def _binary(self, node: Node) -> Value:
        children = [child for child in node.children if child.type != "comment"]
        if len(children) != 3:
            for child in node.named_children:
                self.value(child)
            return None
        left, sign, right = self.value(children[0]), self.raw(children[1]).lower(), self.value(children[2])
        operator = _OPERATORS.get(sign)
        if operator is not None:
            return operator(left, right)
        bits, one, two = _BITS.get(sign), constants.number(left), constants.number(right)
        return bits(one, two) if bits is not None and one is not None and two is not None else None

    def _cast(self, node: Node) -> Value:
        kind = self.raw(node.named_children[0])[1:-1].replace(" ", "")
        return constants.cast(kind, self.value(node.named_children[-1]))

    def _element(self, node: Node) -> Value:
        target = self.value(node.named_children[0])
        return constants.indexed(target, self.value(node.named_children[-1]))

    def _member(self, node: Node) -> Value:
        target, name = node.named_children[0], self._name(node)
        if target.type == "type_literal":
            return f"{_type(self.raw(target))}::{name}"
        return methods.member(self.value(target), name)

    def _name(self, node: Node) -> str:
        named = next((child for child in node.named_children[1:] if child.type == "member_name"), None)
        if named is None:
            return ""
        inner = named.named_children[0] if named.named_children else named
        known = self.value(inner) if inner.type not in ("simple_name", "member_name") else self.raw(inner)
        return constants.text(known).lower()

    def _call(self, node: Node) -> Value:
        listed = next((child for child in node.named_children if child.type == "argument_list"), None)
        return self.called(node, listed)

    def called(self, node: Node, listed: Node | None) -> Value:
        """What the method that `node` names returns for the arguments in `listed`."""
        target, name = node.named_children[0], self._name(node)
        found = self._walk.listed()
        lists = listed.named_children if listed is not None else []
        given = tuple(self.value(child) for one in lists for child in one.named_children)
        if target.type == "type_literal":
            held = self.raw(listed).strip("() ") if listed is not None else ""
            return self._static(node, f"{_type(self.raw(target))}::{name}", given, held, found)
        on = self.value(target)
        if isinstance(on, Block) and name in ("invoke", "invokereturnasis", "invokewithcontext"):
            return self._walk.invoke(on, node)
        if name == "readtoend" and isinstance(on, str):
            return on
        value = methods.method(on, name, given)
        shape = on if isinstance(on, str) else self.raw(target)[:200]
        return value if value is not None else self._walk.call(node, f".{name}", given, shape, found)

    def _static(self, node: Node, name: str, given: tuple[Value, ...], held: str, found: int) -> Value:
        kind, _, bare = name.partition("]::")
        if name == "[array]::reverse":
            variable = held.lower().lstrip("$")
            before = self._scope.values.get(variable)
            self._scope.values[variable] = before[::-1] if isinstance(before, tuple) else None
            return None
        value = methods.built(kind[1:], given) if bare == "new" else methods.static(kind[1:], bare, given)
        return value if value is not None else self._walk.call(node, name, given, None, found)


def _here(raw: str) -> str:
    return raw[raw.find("\n") + 1 : raw.rfind("\n")].removesuffix("\r")


def _list(value: Value) -> Value:
    return value if isinstance(value, (tuple, dict)) or value is None else (value,)


def _type(raw: str) -> str:
    return raw.lower().replace(" ", "").replace("[system.", "[")
