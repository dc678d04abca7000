"""Walks bash's syntax tree in the order of the text and lists every command it would run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.commands.fold import Folder
from guardrails.commands.outputs import output
from guardrails.commands.private import HEREDOC, HERESTRING
from guardrails.commands.tree import UNKNOWN, Command, Redirect, Word

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Span
    from guardrails.commands.unfold import Unfolder

_BRANCHES = frozenset(
    {
        "if_statement",
        "elif_clause",
        "else_clause",
        "case_statement",
        "while_statement",
        "c_style_for_statement",
    }
)
_REDIRECTS = frozenset({"file_redirect", "herestring_redirect"})
_QUIET = _REDIRECTS | {"comment"}
_WORDS = frozenset({"string", "concatenation", "simple_expansion", "expansion", "command_substitution"})
_MOST_LOOPS = 8
# Variables that do something by being set, in front of a command too: `LD_PRELOAD=/tmp/x.so ls`.
_TELLING = frozenset({"LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "HISTFILE", "HISTSIZE", "HISTFILESIZE"})
_Commands = tuple[Command, ...]


class Statements:
    """One walk over one parsed text."""

    def __init__(
        self,
        source: bytes,
        scope: Scope,
        span: Callable[[Node], Span],
        unfold: Unfolder,
    ) -> None:
        self._scope = scope
        self._span = span
        self._unfold = unfold
        self._trailing: list[Word] = []
        self._trailing_end = -1
        self._fold = Folder(source, scope, span, self._substitute, unfold.spend)
        self._walks: dict[str, Callable[[Node, _Commands, tuple[Redirect, ...]], _Commands]] = {
            "command": self._command,
            "pipeline": self._pipeline,
            "redirected_statement": self._redirected,
            "variable_assignment": lambda node, *_: self._assignments(node),
            "variable_assignments": lambda node, *_: self._assignments(node),
            "declaration_command": lambda node, *_: self._declaration(node),
            "unset_command": lambda node, *_: self._declaration(node),
            "function_definition": lambda node, *_: self._function(node),
            "for_statement": self._loop,
        }

    def all(self, root: Node) -> list[Command]:
        """Every command below `root`."""
        self._visit(root, (), ())
        return self._unfold.found

    def _visit(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        """Walks one statement; returns the commands whose output leaves it."""
        kind = node.type
        walk = self._walks.get(kind)
        if walk is not None:
            return walk(node, stdin, redirects)
        if kind in _QUIET or node.child_count == 0:
            return ()
        if kind in _WORDS:
            self._fold.words(node)
            return ()
        branch = kind in _BRANCHES
        self._scope.branches += branch
        out = tuple(c for child in node.named_children for c in self._visit(child, stdin, redirects))
        self._scope.branches -= branch
        return out

    def _pipeline(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        for part in node.named_children:
            if part.type != "comment":
                stdin = self._visit(part, stdin, redirects)
        return stdin

    def _redirected(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        body: Node | None = None
        own: list[Redirect] = []
        for child in node.named_children:
            if child.type in _REDIRECTS:
                own += self._redirects(child)
            else:
                body = child
        redirects += tuple(own)
        if body is not None:
            self._trailing_end = body.end_byte
            return self._visit(body, stdin, redirects)
        if not redirects:
            return ()
        alone = Command((), redirects, self._span(node), wrappers=self._unfold.wrappers, stdin=stdin)
        return self._unfold.emit(alone)

    def _redirects(self, node: Node) -> list[Redirect]:
        descriptor, operator, target = None, "", None
        for child in node.children:
            if child.type == "file_descriptor":
                raw = self._fold.raw(child)
                descriptor = int(raw) if raw.isdigit() else None
            elif not child.is_named:
                operator = child.type
            elif child.type == "ERROR" and operator == "<" and self._fold.raw(child) == ">":
                operator = "<>"  # the grammar knows no `3<>/dev/tcp/host/port`
            elif target is None:
                target = child
            elif child.end_byte != node.end_byte or not self._fold.raw(child).isdigit():
                self._trailing += self._fold.words(child)  # the grammar takes `rm >log -rf /` for three targets
        if target is None:
            return [Redirect(operator, Word("", self._span(node), ""), descriptor)]
        word = self._fold.value(target)
        mark = self._fold.raw(target)[:1]
        if mark == HEREDOC:
            text = f"{word.shape}\n" if word.shape else ""
            return [Redirect("<<", word._replace(text=None if word.text is None else text, shape=text), descriptor)]
        return [Redirect("<<<" if mark == HERESTRING else operator, word, descriptor)]

    def _assignments(self, node: Node) -> _Commands:
        if node.type == "variable_assignments":
            for child in node.named_children:
                self._assignments(child)
            return ()
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or name.type != "variable_name":
            return ()
        text: str | None = ""
        if value is not None and value.type == "array":
            words = [w.text for child in value.named_children for w in self._fold.words(child)]
            text = None if None in words else " ".join(w for w in words if w is not None)
        elif value is not None:
            text = self._fold.value(value).text
        key = self._fold.raw(name)
        if any(c.type == "+=" for c in node.children):
            before = self._scope.variables.get(key, "")
            text = None if before is None or text is None else before + text
        self._scope.assign(key, text)
        if key in _TELLING and node.parent is not None and node.parent.type != "declaration_command":
            telling = (self._word(node, "export"), self._word(node, f"{key}={UNKNOWN if text is None else text}"))
            self._unfold.found.append(Command(telling, span=self._span(node), wrappers=self._unfold.wrappers))
        return ()

    def _declaration(self, node: Node) -> _Commands:
        words = [self._word(node.children[0], self._fold.raw(node.children[0]))]
        for child in node.named_children:
            if child.type == "variable_assignment":
                self._assignments(child)
                name = child.child_by_field_name("name")
                key = self._fold.raw(name) if name is not None else ""
                value = self._scope.variables.get(key)
                words.append(self._word(child, f"{key}={UNKNOWN if value is None else value}"))
                continue
            if node.type == "unset_command" and child.type in ("variable_name", "word"):
                self._scope.assign(self._fold.raw(child), "")
            words.append(self._word(child, self._fold.raw(child)))
        self._unfold.found.append(Command(tuple(words), span=self._span(node), wrappers=self._unfold.wrappers))
        return ()

    def _word(self, node: Node, text: str) -> Word:
        return Word(None if UNKNOWN in text else text, self._span(node), text)

    def _function(self, node: Node) -> _Commands:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None or body is None:
            return ()
        self._scope.functions[self._fold.raw(name)] = self._fold.raw(body)
        around, self._unfold.wrappers = (
            self._unfold.wrappers,
            (*self._unfold.wrappers, f"function {self._fold.raw(name)}"),
        )
        self._scope.branches += 1
        outer, self._scope.positional = self._scope.positional, None
        self._visit(body, (), ())
        self._scope.positional, self._unfold.wrappers = outer, around
        self._scope.branches -= 1
        return ()

    def _loop(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        variable, body = node.child_by_field_name("variable"), node.child_by_field_name("body")
        items = [
            w.text if not w.glob else None for c in node.children_by_field_name("value") for w in self._fold.words(c)
        ]
        if variable is None or body is None:
            return ()
        values = items if 0 < len(items) <= _MOST_LOOPS else [None]
        self._scope.branches += 1
        out: _Commands = ()
        for value in dict.fromkeys(values):
            self._scope.variables[self._fold.raw(variable)] = value
            out = self._visit(body, stdin, redirects)
        self._scope.branches -= 1
        return out

    def _command(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        argv: list[Word] = []
        assigned: list[Node] = []
        own = len(self._trailing)
        children = node.children
        for at, child in enumerate(children):
            kind = child.type
            if kind in _REDIRECTS:
                redirects = (*redirects, *self._redirects(child))
            elif kind == "variable_assignment":
                assigned.append(child)
            elif kind not in ("comment", "subshell"):
                made = self._fold.name(child) if kind == "command_name" else self._fold.words(child)
                if argv and made and at and children[at - 1].end_byte == child.start_byte:
                    made[0] = _glued(argv.pop(), made[0])  # the grammar cuts `w`x`ho` into two words
                argv += made
            else:
                self._visit(child, (), ())
        argv += self._taken(own, node)
        for child in assigned:
            self._assignments(child)
        return self._unfold.emit(
            Command(tuple(argv), redirects, self._span(node), wrappers=self._unfold.wrappers, stdin=stdin)
        )

    def _taken(self, own: int, node: Node) -> list[Word]:
        """Words the grammar hung behind a redirection: the command's own, or those of the statement it ends."""
        first = 0 if node.end_byte == self._trailing_end else own
        taken, self._trailing = self._trailing[first:], self._trailing[:first]
        return taken

    def _substitute(self, node: Node) -> tuple[str | None, _Commands]:
        """Walks a substitution; its output where that is constant, and the commands that make it."""
        before = len(self._unfold.found)
        out: _Commands = ()
        for child in node.named_children:
            if child.type == "file_redirect":  # $(< file)
                return None, ()
            out = self._visit(child, (), ())
        made = tuple(self._unfold.found[before:])
        if len(out) != 1 or node.named_child_count != 1:
            return None, made
        text = output(out[0])
        return (None if text is None else text.rstrip("\n")), made


def _glued(left: Word, right: Word) -> Word:
    text = None if left.text is None or right.text is None else left.text + right.text
    span = (left.span[0], right.span[1])
    return Word(text, span, left.shape + right.shape, left.glob or right.glob, left.commands + right.commands)
