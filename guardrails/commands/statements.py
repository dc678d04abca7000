"""Walks bash's syntax tree in the order of the text and lists every command it would run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guardrails.commands.arithmetic import evaluate
from guardrails.commands.assignments import Assignments
from guardrails.commands.flow import alternatives, apart, forget, meet, restore, state
from guardrails.commands.fold import Folder
from guardrails.commands.outputs import output
from guardrails.commands.private import HEREDOC, HERESTRING
from guardrails.commands.simple import plain
from guardrails.commands.tree import UNKNOWN, Command, Redirect, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tree_sitter import Node

    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Span
    from guardrails.commands.unfold import Unfolder

_CLAUSES = frozenset({"elif_clause", "else_clause", "case_item"})
_REDIRECTS = frozenset({"file_redirect", "herestring_redirect"})
_QUIET = _REDIRECTS | {"comment"}
_WORDS = frozenset({"string", "concatenation", "simple_expansion", "expansion", "command_substitution"})
_MOST_LOOPS = 32
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
        self._settled = Assignments(self._fold, scope)
        self._walks: dict[str, Callable[[Node, _Commands, tuple[Redirect, ...]], _Commands]] = {
            "command": self._command,
            "pipeline": self._pipeline,
            "redirected_statement": self._redirected,
            "variable_assignment": self._assignments,
            "variable_assignments": self._assignments,
            "declaration_command": lambda node, *_: self._declaration(node),
            "unset_command": lambda node, *_: self._declaration(node),
            "function_definition": lambda node, *_: self._function(node),
            "for_statement": self._loop,
            "while_statement": self._turns,
            "c_style_for_statement": self._turns,
            "if_statement": self._branches,
            "case_statement": self._branches,
            "list": self._list,
            "subshell": self._subshell,
            "compound_statement": self._block,
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
        return self._each(node.named_children, stdin, redirects)

    def _each(self, nodes: Iterable[Node], stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        return tuple(c for child in nodes for c in self._visit(child, stdin, redirects))

    def _pipeline(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        with apart(self._scope):
            for part in node.named_children:
                if part.type != "comment":
                    stdin = self._visit(part, stdin, redirects)
        return stdin

    def _subshell(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        with apart(self._scope):
            return self._each(node.named_children, stdin, redirects)

    def _block(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        """`{ … }`, or `(( … ))`."""
        if node.children[0].type == "((":
            evaluate(self._fold.raw(node)[2:-2], self._scope)
        return self._each(node.named_children, stdin, redirects)

    def _list(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        """`left && right`, `left || right`: the right side may not run."""
        first, *rest = node.named_children
        out = self._visit(first, stdin, redirects)
        for child in rest:
            before = state(self._scope)
            self._scope.branches += 1
            out += self._visit(child, stdin, redirects)
            self._scope.branches -= 1
            meet(self._scope, [before, state(self._scope)])
        return out

    def _branches(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        """`if`, `case`: each way begins with what is known at the fork."""
        children = node.children
        fork = next((i for i, child in enumerate(children) if child.type in ("then", "in")), 0)
        out = self._each((c for c in children[:fork] if c.is_named), stdin, redirects)
        before, ways, otherwise = state(self._scope), [], False
        self._scope.branches += 1
        rest = [child for child in children[fork:] if child.is_named]
        body = [child for child in rest if child.type not in _CLAUSES]
        for way in ([body] if node.type == "if_statement" else []) + [[c] for c in rest if c.type in _CLAUSES]:
            restore(self._scope, before)
            out += self._each(way, stdin, redirects)
            ways.append(state(self._scope))
            otherwise = otherwise or way[0:1] == [c for c in way[0:1] if c.type == "else_clause"] != []
        self._scope.branches -= 1
        meet(self._scope, ways if otherwise else [*ways, before])
        return out

    def _turns(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        """`while`, `until`, `for ((…))`."""
        self._scope.branches += 1
        out: _Commands = ()
        forget(self._scope, self._fold.raw(node))
        starts = node.child_by_field_name("initializer")
        for child in node.named_children:
            out += self._visit(child, stdin, redirects)
            if starts is not None and child.start_byte == starts.start_byte:
                forget(self._scope, self._fold.raw(node))
        self._scope.branches -= 1
        forget(self._scope, self._fold.raw(node))
        return out

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

    def _assignments(self, node: Node, _stdin: _Commands, _redirects: tuple[Redirect, ...]) -> _Commands:
        self._settled.make(node)
        for one in node.named_children if node.type == "variable_assignments" else [node]:
            self._tell(one)
        return ()

    def _tell(self, node: Node) -> None:
        """Lists an assignment that does something by itself, as if it were exported."""
        name = node.child_by_field_name("name")
        key = "" if name is None else self._fold.raw(name)
        if key in _TELLING:
            value = self._scope.variables.get(key)
            words = self._word(node, "export"), self._word(node, f"{key}={UNKNOWN if value is None else value}")
            self._unfold.found.append(Command(words, span=self._span(node), wrappers=self._unfold.wrappers))

    def _declaration(self, node: Node) -> _Commands:
        keyword = self._fold.raw(node.children[0])
        words = [self._word(node.children[0], keyword)]
        flags = [raw for raw in map(self._fold.raw, node.named_children) if raw.startswith("-")]
        exports = keyword == "export" or any("x" in flag for flag in flags)
        for child in node.named_children:
            if child.type == "variable_assignment":
                self._settled.make(child)
                name = child.child_by_field_name("name")
                key = self._fold.raw(name) if name is not None else ""
                self._settled.declare(key, flags, exports=exports, here=keyword != "export")
                value = self._scope.variables.get(key)
                words.append(self._word(child, f"{key}={UNKNOWN if value is None else value}"))
                continue
            if node.type == "unset_command" and child.type in ("variable_name", "word"):
                self._scope.assign(self._fold.raw(child), "")
            elif child.type == "variable_name":
                self._settled.declare(self._fold.raw(child), flags, exports=exports, here=keyword != "export")
            elif child.type in _WORDS:
                self._fold.words(child)
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
        known = state(self._scope)
        self._scope.branches += 1
        outer, self._scope.positional = self._scope.positional, None
        before = len(self._unfold.found)
        self._visit(body, (), ())
        found = self._unfold.found  # nothing runs yet, and a call is read with what it is given
        found[before:] = [command for command in found[before:] if command.name != UNKNOWN]
        self._scope.positional, self._unfold.wrappers = outer, around
        self._scope.branches -= 1
        restore(self._scope, known)
        return ()

    def _loop(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        variable, body = node.child_by_field_name("variable"), node.child_by_field_name("body")
        if variable is None or body is None:
            return ()
        words = [w for c in node.children_by_field_name("value") for w in self._fold.words(c)]
        items = [None if w.glob or w.open else w.text for w in words]
        if not any(child.type == "in" for child in node.children):
            items = list(self._scope.positional or ())
        known = 0 < len(items) <= _MOST_LOOPS and None not in items
        if not known:
            forget(self._scope, self._fold.raw(body))
        self._scope.branches += 1
        out: _Commands = ()
        for value in items if known else [None]:
            self._scope.assign(self._fold.raw(variable), value)
            out = self._visit(body, stdin, redirects)
        self._scope.branches -= 1
        if not known:
            forget(self._scope, self._fold.raw(body))
        return out

    def _command(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        if not self._scope.maybe:
            return self._simple(node, stdin, redirects)
        out: _Commands = ()
        for _ in alternatives(self._scope, self._fold.raw(node)):
            out += self._simple(node, stdin, redirects)
        return out

    def _simple(self, node: Node, stdin: _Commands, redirects: tuple[Redirect, ...]) -> _Commands:
        span = self._span(node)
        if not node.has_error and (words := plain(self._fold.raw(node), span, fixed=self._unfold.fixed)) is not None:
            words += self._taken(len(self._trailing), node)
            return self._unfold.emit(
                Command(tuple(words), redirects, span, wrappers=self._unfold.wrappers, stdin=stdin)
            )
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
        command = Command(tuple(argv), redirects, span, wrappers=self._unfold.wrappers, stdin=stdin)
        return self._given(assigned, command) if assigned else self._unfold.emit(command)

    def _given(self, assigned: list[Node], command: Command) -> _Commands:
        """A command with variables of its own, as in `A=b command`."""
        scope = self._scope
        named = [one.child_by_field_name("name") for one in assigned]
        names = [self._fold.raw(name) for name in named if name is not None]
        before = {name: scope.variables[name] for name in names if name in scope.variables}
        exported = set(scope.exported)
        for child in assigned:
            self._settled.make(child)
            self._tell(child)
        if not command.argv:
            return self._unfold.emit(command) if command.redirects else ()
        scope.exported |= set(names)
        out = self._unfold.emit(command)
        scope.exported = exported
        if command.name not in ("eval", "export", "exec"):
            for name in names:
                scope.variables.pop(name, None)
            scope.variables |= before
        return out

    def _taken(self, own: int, node: Node) -> list[Word]:
        """Words the grammar hung behind a redirection: the command's own, or those of the statement it ends."""
        first = 0 if node.end_byte == self._trailing_end else own
        taken, self._trailing = self._trailing[first:], self._trailing[:first]
        return taken

    def _substitute(self, node: Node) -> tuple[str | None, _Commands]:
        """Walks a substitution; its output where that is constant, and the commands that make it."""
        before = len(self._unfold.found)
        out: _Commands = ()
        with apart(self._scope):
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
