"""The words of one PowerShell command: parameters, arguments, splatted tables, script blocks and redirections."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from guardrails.commands import constants
from guardrails.commands.aliases import ALIASES
from guardrails.commands.constants import Block, Value
from guardrails.commands.tree import UNKNOWN, Command, Redirect, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from guardrails.commands.expressions import Expressions
    from guardrails.commands.grammar import Offsets
    from guardrails.commands.tree import Span
    from guardrails.commands.unfold import Unfolder

_REDIRECTION = re.compile(r"([1-6*]?)(>>?)(&[12])?")
# What begins a new argument though no blank stands before it.
_ALONE = frozenset(
    {"parenthesized_expression", "script_block_expression", "array_expression", "hash_literal_expression"}
)
# What is more than the one node below it.
_WHOLE = _ALONE | {
    "variable", "redirection", "cast_expression", "invokation_expression", "member_access", "sub_expression",
    "expression_with_unary_operator", "expandable_string_literal", "expandable_here_string_literal",
}  # fmt: skip
_APART = frozenset({"command_argument_sep", "command_invokation_operator", "comment"})
_PROGRAM = re.compile(r"\.(?:exe|com|cmd|bat)$")
_SERVICE_VERBS = frozenset({"delete", "stop", "config", "create", "start", "query", "failure", "sdset", "pause", "qc"})


class Arguments:
    """One command, cut into words.

    Attributes:
        words: Name and arguments.
        values: What the arguments are worth, where one is more than a word.
        blocks: Script blocks among the arguments.
        redirects: Where its output goes.
        started: A script block in place of a name.
    """

    def __init__(self, source: bytes, offsets: Offsets, expressions: Expressions, unfold: Unfolder) -> None:
        self.words: list[Word] = []
        self.values: list[Value] = []
        self.blocks: list[Node] = []
        self.redirects: list[Redirect] = []
        self.started: Node | Block | None = None
        self._offsets = offsets
        self._expressions = expressions
        self._scope = unfold.scope
        self._found = unfold.found
        self._source = source
        self._redirecting = ""
        self._attached = False
        self._written = ""

    def read(self, node: Node) -> Arguments:
        """Reads a `command` node."""
        for pieces in _pieces(node):
            first = pieces[0]
            if len(pieces) == 1 and first.type in _APART:
                self._attached = bool(self.words) and self._expressions.raw(first) == ":"
            elif len(pieces) == 1:
                self._one(first, self._offsets.span(first))
            else:
                self._several(pieces, (self._offsets.span(first)[0], self._offsets.span(pieces[-1])[1]))
        if self._written == "sc" and len(self.words) > 1 and self.words[1].shape.lower() in _SERVICE_VERBS:
            self.words[0] = self.words[0]._replace(text="sc", shape="sc")
        return self

    def _one(self, node: Node, span: Span) -> None:
        raw = self._expressions.raw(node)
        core = _core(node)
        if core.type == "redirection":
            self._redirect(core, span)
        elif core.type == "script_block_expression":
            if not self.words:
                self.started = core
            self.blocks.append(core)
            self._add([Word(raw, span, raw)])
        elif core.type == "stop_parsing":
            self._add([Word(one, span, one) for one in raw.removeprefix("--%").split()])
        elif core.type == "variable" and raw.startswith("@"):
            self._splat(self._expressions.variable(raw), span)
        elif core.type in ("generic_token", "command_name", "command_parameter", "path_command_name"):
            self._bare(raw, span)
        else:
            before = len(self._found)
            value = self._expressions.value(node)
            made = (*self._found[before:], *self._expressions.makers(raw))
            self._add([word(one, span, made) for one in constants.items(value)], value)

    def _several(self, pieces: list[Node], span: Span) -> None:
        r"""An argument in several pieces: `$dir\cache`, `C:\\a,$b`."""
        before = len(self._found)
        if (
            len(pieces) > 1
            and pieces[1].type == "argument_list"
            and (member := _core(pieces[0])).type == "member_access"
        ):
            value = self._expressions.called(member, pieces[1])
            made = tuple(self._found[before:])
            self._add([word(one, span, made) for one in constants.items(value)], value)
            return
        for piece in pieces:
            if piece.type not in ("generic_token", "command_name", "command_parameter"):
                self._expressions.value(piece)
        raw = self._source[pieces[0].start_byte : pieces[-1].end_byte].decode("utf-8", "replace")
        self._bare(raw, span, (*self._found[before:], *self._expressions.makers(raw)))

    def _bare(self, raw: str, span: Span, made: tuple[Command, ...] = ()) -> None:
        redirection = _REDIRECTION.match(raw) if self.words else None
        if redirection:
            rest = raw[redirection.end() :]
            if redirection[3] is None:
                self._redirecting = redirection[2]
            if not rest:
                return
            raw = rest
        self._add([word(one, span, made) for one in self._expressions.words(raw)])

    def _add(self, words: list[Word], value: Value = None) -> None:
        if not words:
            return
        if self._redirecting:
            self.redirects.append(Redirect(self._redirecting, words[0]))
            self._redirecting = ""
        elif not self.words:
            if isinstance(value, Block):
                self.started = value
            self.words = [self._name(words[0]), *words[1:]]
        else:
            if self._attached:
                shape = f"{self.words[-1].shape}:{words[0].shape}"
                self.words[-1] = self.words[-1]._replace(shape=shape, text=None if UNKNOWN in shape else shape)
                words = words[1:]
            self.words += words
            self.values.append(value)
        self._attached = False

    def _splat(self, value: Value, span: Span) -> None:
        if isinstance(value, dict):
            for key, held in value.items():
                switch = isinstance(held, bool)
                self._add([word(f"-{key}" if held or not switch else f"-{key}:$false", span)])
                if not switch:
                    self._add([word(one, span) for one in constants.items(held)], held)
        else:
            self._add([word(one, span) for one in constants.items(value)])

    def _redirect(self, node: Node, span: Span) -> None:
        raw = self._expressions.raw(node)
        named = next((child for child in node.named_children if child.type == "redirected_file_name"), None)
        if named is None:
            return
        words = self._expressions.words(self._expressions.raw(named).strip())
        target = constants.text(words[0]) if words else ""
        operator = ">>" if raw.lstrip("123456*").startswith(">>") else ">"
        self.redirects.append(Redirect(operator, Word(None if UNKNOWN in target else target, span, target)))

    def _name(self, given: Word) -> Word:
        if given.text is None:
            return given
        bare = self._written = given.text.strip().lower()
        name = bare.replace("/", "\\").rpartition("\\")[2] if bare.strip("\\/") else bare
        if _PROGRAM.search(name):
            name = _PROGRAM.sub("", name)
        else:
            mine = self._scope.values.get(f"alias:{name}")
            name = constants.text(mine).lower() if mine is not None else ALIASES.get(name, name)
        return given._replace(text=name, shape=name)


def word(value: Value, span: Span, made: tuple[Command, ...] = ()) -> Word:
    """A value as one argument."""
    shape = constants.text(value)
    return Word(None if UNKNOWN in shape else shape, span, shape, commands=made)


def _core(node: Node) -> Node:
    """The node below a chain of single ones."""
    while node.named_child_count == 1 and node.type not in _WHOLE:
        inner = node.named_children[0]
        if inner.start_byte != node.start_byte or inner.end_byte != node.end_byte:
            break
        node = inner
    return node


def _pieces(node: Node) -> Iterator[list[Node]]:
    """The nodes of each word: those that stand side by side without a blank."""
    group: list[Node] = []
    for child in _flat(node):
        kind = child.type
        alone = kind in _APART or kind == "redirection"
        if group and (alone or child.start_byte > group[-1].end_byte or _core(child).type in _ALONE):
            yield group
            group = []
        if alone:
            if child.end_byte > child.start_byte:
                yield [child]
            continue
        group.append(child)
        if _core(child).type in _ALONE:
            yield group
            group = []
    if group:
        yield group


def _flat(node: Node) -> Iterator[Node]:
    for child in node.named_children:
        if child.type == "command_elements":
            yield from child.named_children
        else:
            yield child
