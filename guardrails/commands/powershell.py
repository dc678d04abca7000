"""PowerShell, parsed by tree-sitter into the one command tree.

Cmdlets keep their own names, aliases get them; methods become commands of their own: `[IO.File]::Delete('x')` is the
command `[io.file]::delete`, `$_.Delete()` is `.delete`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import tree_sitter_powershell
from tree_sitter import Language

from guardrails.commands.aliases import ALIASES
from guardrails.commands.grammar import Offsets, errors, parse
from guardrails.commands.tree import UNKNOWN, Command, Redirect, Script, Word
from guardrails.commands.unfold import Unfolder
from guardrails.interface import Shell

if TYPE_CHECKING:
    from tree_sitter import Node

    from guardrails.commands.frame import Frame
    from guardrails.commands.tree import Span

_LANGUAGE = Language(tree_sitter_powershell.language())
_TICK = re.compile(r"`(.)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{?((?:env:)?\w+)\}?|\$\(([^)]*)\)")
_CHAR = re.compile(r"\[char\]\s*\(?(0x[0-9a-f]+|\d+)\)?", re.IGNORECASE)
_TICKS = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_LITERALS = frozenset({"$true", "$false", "$null", "$_", "$home"})
_RUN_TIME = frozenset({"member_access", "invokation_expression", "sub_expression", "script_block_expression"})
_LISTS = frozenset({"get-childitem", "get-item"})
_Commands = tuple[Command, ...]


def read(text: str, frame: Frame) -> Script:
    """Parses PowerShell.

    Raises:
        BudgetExceeded: when the work budget is spent.
    """
    frame.budget.spend(1 + len(text) // 256)
    root = parse(_LANGUAGE, text, frame.budget)
    offsets = Offsets(text, [], frame.span)
    unfold = Unfolder(frame)
    _Walk(text.encode(), offsets, unfold).visit(root, ())
    wrong = tuple(offsets.span(node) for node in errors(root)) if root.has_error else ()
    return Script(tuple(unfold.found), not wrong, wrong)


class _Walk:
    """One walk over one parsed text."""

    def __init__(self, source: bytes, offsets: Offsets, unfold: Unfolder) -> None:
        self._source = source
        self._offsets = offsets
        self._unfold = unfold
        self._scope = unfold.scope

    def visit(self, node: Node, stdin: _Commands) -> _Commands:
        kind = node.type
        if kind == "command":
            return self._command(node, stdin)
        if kind == "pipeline_chain":
            for part in node.named_children:
                stdin = self.visit(part, stdin)
            return stdin
        if kind == "assignment_expression":
            return self._assignment(node)
        if kind == "invokation_expression":
            return self._invocation(node, stdin)
        out: _Commands = ()
        for child in node.named_children:
            out += self.visit(child, stdin)
        return out

    def _raw(self, node: Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _assignment(self, node: Node) -> _Commands:
        children = node.named_children
        name = self._raw(children[0]).lower()
        value = children[-1]
        before = len(self._unfold.found)
        for child in children[1:]:
            self.visit(child, ())
        made = tuple(self._unfold.found[before:])
        if name.startswith("$"):
            self._scope.assign(name[1:], None if made else self._value(value))
        return ()

    def _command(self, node: Node, stdin: _Commands) -> _Commands:
        words: list[Word] = []
        redirects: list[Redirect] = []
        for child in node.named_children:
            if child.type in ("command_name", "command_name_expr"):
                words.append(self._name(child))
            elif child.type == "command_elements":
                self._elements(child, words, redirects, stdin)
            elif child.type not in ("command_invokation_operator", "comment"):
                words += self._argument(child, stdin)
        if not words:
            return ()
        if stdin and words[0].text == "remove-item" and all(w.shape.startswith("-") for w in words[1:]):
            words += [w for c in stdin if c.name in _LISTS for w in c.argv[1:] if not w.shape.startswith("-")]
        span = self._offsets.span(node)
        made = Command(tuple(words), tuple(redirects), span, Shell.POWERSHELL, self._unfold.wrappers, stdin)
        return self._unfold.emit(made)

    def _name(self, node: Node) -> Word:
        raw = self._raw(node)
        inner = node.named_children[0] if node.type == "command_name_expr" and node.named_children else node
        text = self._value(inner) if inner.type != "command_name" else _TICK.sub(r"\1", raw)
        if text is None:
            return Word(None, self._offsets.span(node), UNKNOWN)
        name = text.strip("'\"").rpartition("\\")[2].lower()
        name = name.removesuffix(".exe")
        name = ALIASES.get(name, name)
        return Word(name, self._offsets.span(node), name)

    def _elements(self, node: Node, words: list[Word], redirects: list[Redirect], stdin: _Commands) -> None:
        attached = False
        for child in node.named_children:
            if child.type == "command_argument_sep":
                attached = self._raw(child) == ":"
                continue
            if child.type == "redirection":
                target = child.named_children[-1] if child.named_children else child
                text = self._raw(target).strip("'\"")
                redirects.append(Redirect(">", Word(text, self._offsets.span(target), text)))
                continue
            made = self._argument(child, stdin)
            if attached and words and made:
                shape = f"{words[-1].shape}:{made[0].shape}"
                words[-1] = words[-1]._replace(shape=shape, text=None if UNKNOWN in shape else shape)
                made = made[1:]
            words += made
            attached = False

    def _argument(self, node: Node, stdin: _Commands) -> list[Word]:
        before = len(self._unfold.found)
        if node.type not in ("command_parameter", "generic_token"):
            self.visit(node, stdin)
        made = tuple(self._unfold.found[before:])
        span = self._offsets.span(node)
        elements = [c for c in node.named_children if c.type == "unary_expression"]
        if node.type == "array_literal_expression" and len(elements) > 1:
            return [self._word(self._value(e), span, made) for e in elements]
        return [self._word(self._value(node), span, made)]

    @staticmethod
    def _word(text: str | None, span: Span, made: _Commands) -> Word:
        shape = UNKNOWN if text is None else text
        return Word(None if UNKNOWN in shape else shape, span, shape, commands=made)

    def _value(self, node: Node) -> str | None:
        """The constant a node stands for, with `UNKNOWN` in the parts that are not; None where all of it is unknown."""
        raw = self._raw(node).strip()
        node = _core(node)
        kind = node.type
        if kind in ("expandable_string_literal", "string_literal") and raw[:1] == '"':
            return self._expanded(raw[1:-1])
        if kind == "verbatim_string_characters":
            return raw[1:-1].replace("''", "'")
        if kind == "variable":
            return self._variable(raw)
        if kind in ("additive_expression", "parenthesized_expression"):
            parts = [self._value(c) for c in node.named_children]
            return "".join(p if p is not None else UNKNOWN for p in parts)
        if found := _CHAR.fullmatch(raw):
            return chr(int(found[1], 0) & 0xFFFF)
        return None if kind in _RUN_TIME else self._expanded(raw) if "$" in raw else _TICK.sub(r"\1", raw)

    def _variable(self, raw: str) -> str | None:
        lowered = raw.lower().strip("${}")
        if raw.lower() in _LITERALS or lowered.startswith("env:"):
            return raw.lower()
        return self._scope.variables.get(lowered)

    def _expanded(self, text: str) -> str:
        def one(found: re.Match[str]) -> str:
            value = self._variable(f"${found[1]}") if found[1] else None
            return UNKNOWN if value is None else value

        ticked = re.sub(r"`(.)", lambda m: _TICKS.get(m[1], m[1]), text)
        return _VARIABLE.sub(one, ticked)

    def _invocation(self, node: Node, stdin: _Commands) -> _Commands:
        """`[Type]::Method(…)` and `object.Method(…)` as commands."""
        before = len(self._unfold.found)
        for child in node.named_children:
            self.visit(child, ())
        inner = tuple(self._unfold.found[before:])
        raw = self._raw(node)
        static = re.match(r"(\[[^\]]+\])\s*::\s*(\w+)", raw)
        member = next((self._raw(c) for c in node.named_children if c.type == "member_name"), "")
        name = f"{static[1]}::{static[2]}".lower() if static else f".{member.lower()}"
        name = name.replace("[system.", "[")
        arguments = next((c for c in node.named_children if c.type == "argument_list"), None)
        span = self._offsets.span(node)
        words = [Word(name, span, name)]
        if arguments is not None:
            for listed in arguments.named_children:
                words += [self._word(self._value(a), span, ()) for a in listed.named_children]
        if not static and node.named_children:
            target = self._raw(node.named_children[0])[:120]
            words.append(Word(None, span, target, commands=inner))
        made = Command(tuple(words), (), span, Shell.POWERSHELL, self._unfold.wrappers, (*stdin, *inner))
        return self._unfold.emit(made)


def _core(node: Node) -> Node:
    """The node below a chain of single expressions."""
    while node.named_child_count == 1 and node.type not in (
        "variable", "parenthesized_expression", "cast_expression", "invokation_expression", "member_access",
        "script_block_expression", "sub_expression",
    ):  # fmt: skip
        inner = node.named_children[0]
        if inner.start_byte != node.start_byte or inner.end_byte != node.end_byte:
            break
        node = inner
    return node
