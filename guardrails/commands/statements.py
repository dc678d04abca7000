"""Walks bash's syntax tree in the order of the text and lists every command it would run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from guardrails.commands import bash
from guardrails.commands.fold import Folder
from guardrails.commands.outputs import DOWNLOADERS, output, saved
from guardrails.commands.tree import UNKNOWN, Code, Command, Redirect, Tail, Word
from guardrails.commands.wrappers import unwrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from tree_sitter import Node

    from guardrails.commands.budget import Budget
    from guardrails.commands.scope import Scope
    from guardrails.commands.tree import Span

OPEN_BRACE = "\ue10b"
"""Stands for a `{` that begins a brace expansion where the grammar would read a block."""

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
_REDIRECTS = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})
_QUIET = _REDIRECTS | {"comment", "heredoc_body", "heredoc_start", "heredoc_end"}
_WORDS = frozenset({"string", "concatenation", "simple_expansion", "expansion", "command_substitution"})
_DEEPEST = 12
_MOST_LOOPS = 8
_Commands = tuple[Command, ...]


class Statements:
    """One walk over one parsed text."""

    def __init__(
        self,
        source: bytes,
        scope: Scope,
        budget: Budget,
        span: Callable[[Node], Span],
        *,
        depth: int,
        wrappers: tuple[str, ...],
    ) -> None:
        self._scope = scope
        self._budget = budget
        self._span = span
        self._depth = depth
        self._found: list[Command] = []
        self._wrappers = wrappers
        self._trailing: list[Word] = []
        self._fold = Folder(source, scope, span, self._substitute)
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
        return self._found

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
        # The grammar hangs what follows a heredoc's start on the same line below the redirection.
        body: Node | None = None
        after: list[tuple[bool, Node]] = []
        for child in node.named_children:
            if child.type in _REDIRECTS:
                redirects = (*redirects, *self._redirects(child))
                after += [
                    (child.children[i - 1].type == "|" or part.type == "pipeline", part)
                    for i, part in enumerate(child.children)
                    if part.is_named and self._statement(part)
                ]
            else:
                body = child
        if body is None:
            out: _Commands = (
                self._emit(Command((), redirects, self._span(node), wrappers=self._wrappers, stdin=stdin))
                if redirects
                else ()
            )
        else:
            out = self._visit(body, stdin, redirects)
        for piped, part in after:
            out = self._visit(part, out if piped else (), ())
        return out

    @staticmethod
    def _statement(node: Node) -> bool:
        return node.type not in _REDIRECTS and node.type not in (
            "heredoc_start",
            "heredoc_body",
            "heredoc_end",
            "file_descriptor",
            "word",
            "string",
            "raw_string",
            "concatenation",
            "simple_expansion",
            "expansion",
            "comment",
            "command_substitution",
            "ansi_c_string",
            "number",
        )

    def _redirects(self, node: Node) -> list[Redirect]:
        if node.type == "heredoc_redirect":
            nested = [r for child in node.named_children if child.type in _REDIRECTS for r in self._redirects(child)]
            return [self._heredoc(node), *nested]
        descriptor, operator, target = None, "", None
        for child in node.children:
            if child.type == "file_descriptor":
                raw = self._fold.raw(child)
                descriptor = int(raw) if raw.isdigit() else None
            elif not child.is_named:
                operator = child.type
            elif target is None:
                target = child
            elif child.end_byte != node.end_byte or not self._fold.raw(child).isdigit():
                self._trailing += self._fold.words(child)  # the grammar takes `rm >log -rf /` for three targets
        word = self._fold.value(target) if target is not None else Word("", self._span(node), "")
        return [Redirect(operator, word, descriptor)]

    def _heredoc(self, node: Node) -> Redirect:
        start = next((c for c in node.children if c.type == "heredoc_start"), None)
        body = next((c for c in node.children if c.type == "heredoc_body"), None)
        span = self._span(body if body is not None else node)
        if body is None or start is None:
            return Redirect("<<", Word("", span, ""))
        literal = any(c in self._fold.raw(start) for c in "'\"\\")
        text = self._fold.raw(body) if literal else self._fold.heredoc(body)
        return Redirect("<<", Word(None if UNKNOWN in text else text, span, text))

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
        return ()

    def _declaration(self, node: Node) -> _Commands:
        for child in node.named_children:
            if child.type == "variable_assignment":
                self._assignments(child)
            elif node.type == "unset_command" and child.type in ("variable_name", "word"):
                self._scope.assign(self._fold.raw(child), "")
        return ()

    def _function(self, node: Node) -> _Commands:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is None or body is None:
            return ()
        self._scope.functions[self._fold.raw(name)] = self._fold.raw(body)
        around, self._wrappers = self._wrappers, (*self._wrappers, f"function {self._fold.raw(name)}")
        self._scope.branches += 1
        outer, self._scope.positional = self._scope.positional, None
        self._visit(body, (), ())
        self._scope.positional, self._wrappers = outer, around
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
        for child in node.children:
            kind = child.type
            if kind in _REDIRECTS:
                redirects = (*redirects, *self._redirects(child))
            elif kind == "variable_assignment":
                assigned.append(child)
            elif kind not in ("comment", "subshell"):
                argv += self._fold.words(child)
            else:
                self._visit(child, (), ())
        argv += self._trailing
        self._trailing = []
        for child in assigned:
            self._assignments(child)
        return self._emit(Command(tuple(argv), redirects, self._span(node), wrappers=self._wrappers, stdin=stdin))

    def _emit(self, command: Command) -> _Commands:
        """Lists a command and everything it runs in its turn."""
        self._budget.spend()
        self._found.append(command)
        self._note_files(command)
        inner = self._called(command) or unwrap(command, self._scope)
        if not inner:
            return (command,)
        out: _Commands = ()
        if len(command.wrappers) > _DEEPEST:
            inner = [Code(None, "layers")]
        for part in inner:
            if isinstance(part, Tail):
                out += self._emit(replace(command, argv=part.argv, wrappers=(*command.wrappers, part.through)))
            else:
                out += self._code(part, command)
        return out or (command,)

    def _code(self, code: Code, command: Command) -> _Commands:
        wrappers = (*command.wrappers, code.through)
        if code.text is None or self._depth >= _DEEPEST:
            opaque = Word(None, command.span, UNKNOWN, commands=code.commands)
            return self._emit_opaque(replace(command, argv=(opaque,), wrappers=wrappers))
        outer = self._scope.positional
        self._scope.positional = code.positional if code.positional is not None else outer
        made = bash.read(
            code.text,
            self._scope,
            self._budget,
            span=command.span,
            depth=self._depth + 1,
            wrappers=wrappers,
        ).commands
        self._scope.positional = outer
        self._found += made
        return made[-1:]

    def _emit_opaque(self, command: Command) -> _Commands:
        self._found.append(command)
        return (command,)

    def _called(self, command: Command) -> list[Code]:
        name = command.argv[0].text if command.argv else None
        if name is None:
            return []
        alias = self._scope.aliases.get(name)
        if alias is not None and f"alias {name}" not in command.wrappers:
            rest = "".join(f" '{w.shape}'" for w in command.argv[1:])
            return [Code(alias + rest, f"alias {name}")]
        body = self._scope.functions.get(name)
        if body is None or f"function {name}" in command.wrappers:
            return []
        return [Code(body, f"function {name}", positional=tuple(w.text for w in command.argv[1:]))]

    def _note_files(self, command: Command) -> None:
        """Remembers what the script itself writes to files it may run later."""
        for redirect in command.redirects:
            path = redirect.target.text
            if redirect.writes and path and redirect.descriptor in (None, 1):
                self._scope.write(path, output(command), (command, *command.stdin), appends=redirect.operator == ">>")
        if command.name in DOWNLOADERS:
            for path in saved(command):
                self._scope.write(path, None, (command,))
        elif command.name == "tee":
            for word in command.argv[1:]:
                if word.text and not word.text.startswith("-"):
                    self._scope.write(word.text, output(command), (command, *command.stdin))

    def _substitute(self, node: Node) -> tuple[str | None, _Commands]:
        """Walks a substitution; its output where that is constant, and the commands that make it."""
        before = len(self._found)
        out: _Commands = ()
        for child in node.named_children:
            if child.type == "file_redirect":  # $(< file)
                return None, ()
            out = self._visit(child, (), ())
        made = tuple(self._found[before:])
        if len(out) != 1 or node.named_child_count != 1:
            return None, made
        text = output(out[0])
        return (None if text is None else text.rstrip("\n")), made
